/** A restart that does not answer an end: it was ordered by hand, or the routine was hung. */
import type { Incarnation } from './incarnation.ts'
import type { Remembering } from './memory.ts'
import type { CANCEL, TIMEOUT } from './routine-steps.ts'

/** A routine that is to be restarted. */
export interface Forced extends Remembering {
  readonly stopRequested: boolean
  readonly current: Incarnation
  /** The child that it is of its supervisor; undefined if it was spawned. */
  readonly service: object | undefined
}

/** Ends the present incarnation by the given event, to be followed by another. In a turn. */
export function forceRestart(routine: Forced, event: typeof CANCEL | typeof TIMEOUT, why: unknown): void {
  const { current } = routine
  // It is on its way out; or a restart was ordered by hand, which is free; or it was forced for the same reason.
  if (routine.stopRequested || routine.restartIsFree || routine.memory.restartOrdered === event) return
  if (current.over ? routine.service !== undefined : !current.heeds(event)) return
  routine.ownMemory.restartOrdered = event
  if (current.over) return
  current.askSoon()
  current.step(event, why)
}
