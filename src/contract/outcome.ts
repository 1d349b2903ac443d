/** How a routine ended. */
import { isError } from './is-error.ts'

/** It returned. */
export interface CompletedOutcome<Output> {
  readonly status: 'completed'
  readonly output: Output
}

/** It threw, or ran out of time; the error is as it was thrown. */
export interface FailedOutcome {
  readonly status: 'failed'
  readonly error: unknown
  /** True if its ground could not end it in time: it is at work still. Absent otherwise. */
  readonly stuck?: true
}

/** It was cancelled or killed. */
export interface CancelledOutcome<Output> {
  readonly status: 'cancelled'
  /** The reason that it was given. */
  readonly reason: unknown
  /** True if it did not obey in time, and was ended or abandoned. */
  readonly killed: boolean
  /** True if its ground could not end it in time: it is at work still. Absent otherwise. */
  readonly stuck?: true
  /** What it returned after it was asked to stop, if it did. */
  readonly output?: Output
  /** What it threw after it was asked to stop, if it did. */
  readonly error?: unknown
}

/** As which of four ends one counts: `killed` had to be forced, and reads as `cancelled`. */
export type EndKind = 'completed' | 'failed' | 'cancelled' | 'killed'

/** The end of one incarnation. */
export interface RoutineEnd {
  readonly path: string
  /** Which run it was, from 1. */
  readonly incarnation: number
  readonly outcome: Outcome
  /** True if its supervisor is to answer this end with another incarnation. */
  readonly willRestart: boolean
}

/** The first end of a routine that its supervisor does not answer with a restart. */
export type Outcome<Output = unknown> = CompletedOutcome<Output> | FailedOutcome | CancelledOutcome<Output>

/** True if throwing `error` is a way to obey a cancel for `reason`. */
export function obeys(error: unknown, reason: unknown): boolean {
  if (error === reason) return true
  if (!isError(error)) return false
  try {
    return error.name === 'AbortError' || (error.cause !== undefined && error.cause === reason)
  } catch {
    // A proxy, or a getter, that throws when it is looked at.
    return false
  }
}

/** What an incarnation knows of its end. */
interface Ended {
  readonly state: string
  readonly output: unknown
  readonly error: unknown
  readonly reason: unknown
  readonly killed: boolean
  readonly stuck: boolean
  readonly stray: { readonly error: unknown } | undefined
}

/** How it ended. */
export function outcomeOf(ended: Ended): Outcome {
  const { state, output, error: thrown, reason, killed, stray } = ended
  if (state === 'completed') return { status: 'completed', output }
  const stuck = ended.stuck ? STUCK : undefined
  if (state === 'failed') return { status: 'failed', error: thrown, ...stuck }
  const error = thrown ?? stray?.error
  if (error === undefined)
    return output === undefined
      ? { status: 'cancelled', reason, killed, ...stuck }
      : { status: 'cancelled', reason, killed, ...stuck, output }
  return { status: 'cancelled', reason, killed, ...stuck, ...(output === undefined ? {} : { output }), error }
}

const STUCK = { stuck: true } as const
