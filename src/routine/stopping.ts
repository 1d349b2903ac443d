/** A cancel or a kill of a routine, for good, wherever it stands between its `start` and its end. In a turn. */
import { kill } from './ending.ts'
import type { Post } from './host.ts'
import type { Incarnation } from './incarnation.ts'
import type { Remembering } from './memory.ts'
import { CANCEL, KILL, START } from './routine-steps.ts'

/** A routine that can be stopped. */
interface Stoppable extends Remembering {
  readonly current: Incarnation
  readonly service: Post | undefined
  stopRequested: boolean
}

/**
 * RS1  A `start` that has returned is followed by its body, which can release what was acquired: a routine that is stopped before its
 *     body begins begins first. After a cancel the body is asked at once, after a kill it is an orphan at once.
 * RS2  A stop that comes while a `start` runs takes effect once that has returned, or failed.
 */
export function stop(routine: Stoppable, event: typeof CANCEL | typeof KILL, reason: unknown): void {
  const { current, memory, service } = routine
  routine.stopRequested = true
  if (memory.restartOrdered !== undefined) routine.ownMemory.restartOrdered = undefined
  if (current.over) {
    routine.ownMemory.lateReason ??= reason
    return
  }
  if (memory.start === 'runs') {
    hold(routine, event, reason)
    return
  }
  // A child that counts as started begins, too, unless it is killed.
  if (event === CANCEL && service?.hasStarted === true && current.waits) current.step(START, undefined)
  end(routine, event, reason)
}

/** Ends the present incarnation by an OTP reason, as if by its own choice. */
export function exit(routine: Stoppable, event: number, payload: unknown): void {
  if (routine.memory.start === 'runs') hold(routine, event, payload)
  else end(routine, event, payload)
}

function hold(routine: Stoppable, event: number, payload: unknown): void {
  if (routine.memory.heldStop === undefined || event === KILL) routine.ownMemory.heldStop = { event, payload }
}

function end(routine: Stoppable, event: number, payload: unknown): void {
  const { current } = routine
  if (routine.hasAcquired && current.waits) current.step(START, undefined)
  current.askSoon()
  if (event === KILL) kill(current, payload)
  else current.step(event, payload)
}

/** RS2: the `start` has returned, or failed. */
export function stopAfterStart(routine: Stoppable): void {
  const { heldStop } = routine.memory
  if (heldStop === undefined || routine.current.over) return
  routine.ownMemory.heldStop = undefined
  end(routine, heldStop.event, heldStop.payload)
}
