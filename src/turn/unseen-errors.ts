/**
 * Errors that nobody looks at: printed, as platforms do with rejections that nobody handles.
 *
 * U1  What has failed for good is printed once, one macrotask after its end, unless by then somebody has asked for its outcome, listens
 *     to its end, or a logger was given. Looking later does not take it back.
 * U2  An error that is the cause of another one that is printed at the same time is printed with that.
 */
import type { Clock } from '../port/index.ts'
import type { Turn } from './turn.ts'

interface Entry {
  readonly path: string
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
  note(path: string, isLookedAt: () => boolean, what: string, error: unknown): void {
    if (isLookedAt()) return
    if (this.#entries.push({ path, isLookedAt, what, error }) === 1)
      this.#clock.setTimeout(() => this.#turn.word(print, this, undefined), 0)
  }

  /** What is to be printed, which is forgotten. */
  take(): Entry[] {
    const entries = this.#entries
    this.#entries = []
    return entries.filter(({ isLookedAt }) => !isLookedAt())
  }
}

/** A word. */
function print(unseen: UnseenErrors): void {
  const entries = unseen.take()
  const known = new Set(entries.flatMap(({ error }) => causesOf(error)))
  for (const { path, what, error } of entries)
    if (!known.has(error)) console.error('curtaincall: %s %s, and nobody looks at it:', path, what, error)
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
