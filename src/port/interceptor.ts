/** The port through which a test kit gets between a tree and its work; nobody else is there. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import type { RoutineRow } from '../routine/routine.ts'
import type { RoutineContext } from '../routine/routine-context.ts'
import type { StartContext } from '../spec/routine-spec.ts'

/** Any function that is work. */
export type AnyBody = (context: RoutineContext) => unknown

export interface Interceptor {
  /** Hears everything, from the first event on. */
  event(event: LifecycleEvent): void
  /** Runs before the `start` of a routine; a throw is a failed start. */
  start(row: RoutineRow, context: StartContext): void
  /** Runs the beginning of an incarnation's work. */
  begin(row: RoutineRow, run: () => void): void
  /** What is run in the place of a body. */
  body(row: RoutineRow, body: AnyBody): AnyBody
}

/** The key of the option that takes it. */
export const INTERCEPTOR: unique symbol = Symbol('curtaincall.interceptor')
