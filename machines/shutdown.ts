/**
 * When a phase of a shutdown may be left, decided from what is known of it.
 *
 * S1  A manager that its parent closes stays in `closing` until its turn comes.
 * S2  `waiting` lasts until all below have ended, or time is up.
 * S3  `killing` lasts until all below have ended; what is left by then was asked to stop, and given one turn of the event loop.
 * S4  Once overdue, a phase ends at once. Only the order of the levels is kept: a held manager stays in `closing`, and `killing` waits
 *     for what is below.
 * S5  No phase is left before what it does is done: of many that goes in slices.
 */
import type { Phase } from './lifecycle-event.ts'

/** What the decision is based on. */
export interface PhaseSigns {
  readonly phase: Phase
  /** True while what the phase does is under way. @default false */
  readonly works?: boolean | undefined
  /** True while the parent has not yet come to this manager. */
  readonly held: boolean
  /** True while running and queued work may end by itself. */
  readonly draining: boolean
  /** True while listeners of this phase's event are still at work. */
  readonly hooked: boolean
  /** True if the phase has outlasted its own limit. */
  readonly exceeded: boolean
  /** True if the deadline has come, and all below were asked to stop and given a turn of the event loop. */
  readonly overdue: boolean
  /** Routines and managers below that have not ended. */
  readonly living: number
}

/** True if the phase is over. */
export function phaseIsOver(signs: PhaseSigns): boolean {
  const { phase, living } = signs
  if (signs.works === true) return false
  if (phase === 'closing' && signs.held) return false
  if (phase === 'killing' && living > 0) return false
  if (signs.overdue || signs.exceeded) return true
  if (signs.hooked) return false
  if (phase === 'closing') return !signs.draining || living === 0
  if (phase === 'waiting') return living === 0
  return true
}

/** The earlier of two deadlines: a later request can only tighten. */
export function tighten(deadline: number, other: number): number {
  return Math.min(deadline, other)
}

/** The longest delay that a platform timer takes; a longer one is waited for in parts. */
export const LONGEST_TIMER = 2_147_483_647
