/**
 * Errors that nobody looks at: printed, as platforms do with rejections that nobody handles.
 *
 * U1  What has failed for good is printed once, one macrotask after its end, unless by then somebody has asked for its outcome, listens
 *     to its end, or a logger was given. Looking later does not take it back.
 * U2  An error that is the cause of another one of the same time is printed with that, or not at all if somebody looks at that.
 */
import type { Clock } from '../port/index.ts'
import type { Turn } from './turn.ts'

/** Who has failed. The path of a routine takes an id to make: it is read where it is printed. */
interface Failed {
  readonly path: string
}

interface Entry {
  readonly failed: Failed
  /** True if somebody has asked for its outcome, or listens to its end. */
  readonly isLookedAt: () => boolean
  readonly what: string
  readonly error: unknown
}

/** Causes are followed so far. */
const DEPTH = 8

export class UnseenErrors {
  readonly #turn: Turn
  readonly #clock: Clock
  #entries: Entry[] = []

  constructor(turn: Turn, clock: Clock) {
    this.#turn = turn
    this.#clock = clock
  }

  /** It has failed for good. In a turn. */
  note(failed: Failed, isLookedAt: () => boolean, what: string, error: unknown): void {
    const looked = isLookedAt()
    if (this.#entries.length === 0 && looked) return
    // A listener of today may be gone with its manager by then.
    if (this.#entries.push({ failed, isLookedAt: () => looked || isLookedAt(), what, error }) === 1)
      this.#clock.setTimeout(() => this.#turn.word(print, this, undefined), 0)
  }

  /** What has failed, which is forgotten. */
  take(): Entry[] {
    const entries = this.#entries
    this.#entries = []
    return entries
  }
}

/** A word. */
function print(unseen: UnseenErrors): void {
  const entries = unseen.take()
  const known = new Set(entries.flatMap(({ error }) => causesOf(error)))
  for (const { failed, isLookedAt, what, error } of entries)
    if (!known.has(error) && !isLookedAt()) console.error('curtaincall: %s %s, and nobody looks at it:', failed.path, what, error)
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  try {
    let { cause } = error as { cause?: unknown }
    for (let i = 0; i < DEPTH && cause !== undefined && cause !== null; i++) {
      causes.push(cause)
      cause = (cause as { cause?: unknown }).cause
    }
  } catch {
    // Nothing that can be looked at.
  }
  return causes
}

const instruments = new WeakSet<object>()

/** Marks a listener that only records: that it listens does not mean that somebody looks. */
export function instrument<Listener extends object>(listener: Listener): Listener {
  instruments.add(listener)
  return listener
}

/** True if it was marked as one that only records. */
export function isInstrument(listener: object): boolean {
  return instruments.has(listener)
}
