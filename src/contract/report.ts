/** What a shutdown leaves behind for its callers. */
import type { Phase, ShutdownMode, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import type { EndKind } from './outcome.ts'

/** One phase as it went. */
export interface PhaseReport {
  readonly phase: Phase
  /** Milliseconds that it took. */
  readonly duration: number
  /** Milliseconds that it had; Infinity if nothing bounded it. */
  readonly deadline: number
  /** True if it was cut short because its time was up. */
  readonly exceeded: boolean
}

/** One routine that ended during the shutdown. */
export interface RoutineReport {
  readonly path: string
  readonly outcome: EndKind
  /** The phase that its local manager was in. */
  readonly phase: Phase
  /** Milliseconds from the beginning of the shutdown to its end. */
  readonly duration: number
  /** Milliseconds from the beginning of the shutdown until it was asked to stop; undefined if it ended without having been asked. */
  readonly asked: number | undefined
  /** Milliseconds for which it held up the rest: from being asked to its end. 0 if it was not asked. */
  readonly heldUp: number
}

/** An error that came up during the shutdown, or that caused it. */
export interface ErrorReport {
  readonly path: string
  readonly error: unknown
}

/** All routines that this manager has had, in this and earlier lives, by their ends. */
export interface ReportTotals {
  readonly spawned: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly killed: number
}

/**
 * How a shutdown went. Counts and `routines` are of this shutdown and of everything below
 * the manager, so completed + failed + cancelled + killed = routines.length; `totals` are of its whole life.
 */
export interface ShutdownReport {
  readonly path: string
  readonly mode: ShutdownMode
  /** What made it stop. */
  readonly trigger: ShutdownTrigger
  readonly startedAt: number
  /** Milliseconds. */
  readonly duration: number
  /** True if the deadline came before the end. */
  readonly timedOut: boolean
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly killed: number
  /** Of those killed or failed, how many were still at work when they were given up on. */
  readonly orphaned: number
  readonly phases: readonly PhaseReport[]
  /** In order of their end. */
  readonly routines: readonly RoutineReport[]
  readonly errors: readonly ErrorReport[]
  /** Of the managers below, in order of their end. */
  readonly children: readonly ShutdownReport[]
  readonly totals: ReportTotals
}
