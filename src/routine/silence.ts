/**
 * What is done about a routine that is silent for too long: its `onHung` option.
 *
 * H1  Where its ground can tell what blocks the body, it is asked first: what it answers is in the event. One that was heard, or has ended, by
 *     then was not hung.
 * H2  A body that waits for a place to run in has nothing to say: it is not hung.
 */
import type { Blocked } from '../../machines/lifecycle-event.ts'
import { RoutineHungError } from '../contract/index.ts'
import type { Ground } from '../port/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import { type Announcer, announce } from './announcing.ts'
import { type Forced, forceRestart } from './forced-restart.ts'
import type { Host } from './host.ts'
import type { Incarnation } from './incarnation.ts'
import { KILL, TIMEOUT } from './routine-steps.ts'

/** A routine that is listened to. */
interface Silent extends Announcer, Forced {
  readonly local: Host<never>
  readonly spec: RoutineSpec
  readonly ground: Ground
  readonly current: Incarnation
  /** Ends it for good. */
  stop(event: typeof KILL, reason: unknown): void
}

const SAID: Readonly<Record<Blocked, string>> = {
  spin: ', and computes without a pause',
  sleep: ', and sleeps without letting anything else happen',
  native: ', and is in a call that cannot be interrupted',
}

/** Reports it, and kills or restarts it if that is configured. False if it is not hung. In a turn. */
export function answerSilence(routine: Silent, silence: number): boolean {
  const { local, ground, current } = routine
  if (ground.standing?.(current) === 'waiting') return false
  local.countHung(1)
  if (ground.diagnose === undefined) report(routine, silence, undefined)
  else local.tree.turn.deed(diagnose, routine, silence)
  return true
}

/** A deed. */
function diagnose(routine: Silent, silence: number): void {
  const { ground, current, local } = routine
  const since = local.tree.clock.now()
  const answer = (blocked: Blocked | undefined): void => {
    const { tree } = local
    tree.turn.run(() => {
      if (!current.over && current.heartbeat?.hung === true) report(routine, silence + tree.clock.now() - since, blocked)
    })
  }
  void ground.diagnose?.(current).then(answer, () => answer(undefined))
}

function report(routine: Silent, silence: number, blocked: Blocked | undefined): void {
  const { path, spec, current } = routine
  if (current.heartbeat !== undefined) current.heartbeat.reported = true
  announce(routine, 'routine.hung', blocked === undefined ? { silence } : { silence, blocked })
  if (spec.onHung === 'report') return
  const says = `${path} was silent for ${Math.round(silence)} ms${blocked === undefined ? '' : SAID[blocked]}`
  const error = new RoutineHungError(says, { path })
  if (spec.onHung === 'kill') routine.stop(KILL, error)
  else forceRestart(routine, TIMEOUT, error)
}

/** It was heard again, after so many milliseconds. In a turn. */
export function answerRevival(routine: Pick<Silent, 'local' | 'current'> & Announcer, silence: number): void {
  const { heartbeat } = routine.current
  routine.local.countHung(-1)
  if (heartbeat?.reported !== true) return
  heartbeat.reported = false
  announce(routine, 'routine.revived', { silence })
}
