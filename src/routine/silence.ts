/** What is done about a routine that is silent for too long: its `onHung` option. */
import { RoutineHungError } from '../contract/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import { type Announcer, announce } from './announcing.ts'
import { type Forced, forceRestart } from './forced-restart.ts'
import type { Host } from './host.ts'
import { KILL, TIMEOUT } from './routine-steps.ts'

/** A routine that is listened to. */
interface Silent extends Announcer, Forced {
  readonly local: Host<never>
  readonly spec: RoutineSpec
  /** Ends it for good. */
  stop(event: typeof KILL, reason: unknown): void
}

/** Reports it, and kills or restarts it if that is configured. In a turn. */
export function answerSilence(routine: Silent, silence: number): void {
  const { local, path, spec } = routine
  local.countHung(1)
  announce(routine, 'routine.hung', { silence })
  if (spec.onHung === 'report') return
  const error = new RoutineHungError(`${path} was silent for ${Math.round(silence)} ms`, { path })
  if (spec.onHung === 'kill') routine.stop(KILL, error)
  else forceRestart(routine, TIMEOUT, error)
}

/** It was heard again, after so many milliseconds. In a turn. */
export function answerRevival(routine: Silent, silence: number): void {
  routine.local.countHung(-1)
  announce(routine, 'routine.revived', { silence })
}
