/** Why the routines of a manager that stops are told to stop: one object for all who share it. */
import type { ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import { RoutineCancelledError } from '../contract/index.ts'

/** A manager that stops. */
interface Stopping {
  readonly path: string
  readonly trigger: ShutdownTrigger
  /** Why its present life has failed, if it has. */
  readonly failure: unknown
}

/** The reason of a shutdown that began at this manager. */
export function stopReason({ path, trigger, failure }: Stopping): RoutineCancelledError {
  const options = { path, ...(failure === undefined ? {} : { cause: failure }) }
  if (trigger === 'limit') return new RoutineCancelledError(`${path} gave up`, options, 'ERR_GAVE_UP')
  if (trigger === 'start_failed') return new RoutineCancelledError(`${path} could not start`, options, 'ERR_GAVE_UP')
  if (trigger === 'store_failed') return new RoutineCancelledError(`${path} gave up, since its store has failed`, options, 'ERR_GAVE_UP')
  return new RoutineCancelledError(`${path} shuts down`, { path }, 'ERR_SHUTDOWN')
}

/** The reason from the moment on that its time is up. */
export function timeoutReason(path: string): RoutineCancelledError {
  return new RoutineCancelledError(`${path} has to be down by now`, { path }, 'ERR_SHUTDOWN_TIMEOUT')
}
