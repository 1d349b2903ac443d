/**
 * Whether an end is answered with a restart, how often that may happen, and after which delay.
 *
 * P1  The limit is checked before anything starts: the restart is recorded, then counted.
 * P2  The window is inclusive: a restart exactly `window` milliseconds old still counts.
 * P3  A delay never counts against the limit and never exceeds `max`.
 * P4  Work with a budget of its own (`attempts`) never counts against the limit: it is run at most so often, and then fails alone.
 *     Restarts that were ordered by hand are outside of either.
 */

/** OTP's restart types: always, only after an abnormal end, never. */
export type RestartType = 'permanent' | 'transient' | 'temporary'

/** How an incarnation ended, as its supervisor sees it. `shutdown` is OTP's exit reason of that name: an orderly end. */
export type ExitKind = 'normal' | 'shutdown' | 'abnormal'

/** What an end means to a supervisor: a cancel or a kill counts as `shutdown`. */
export function exitOf(end: 'completed' | 'failed' | 'cancelled' | 'killed'): ExitKind {
  if (end === 'completed') return 'normal'
  return end === 'failed' ? 'abnormal' : 'shutdown'
}

/** Delay before a restart. */
export interface Backoff {
  /** Milliseconds before the first restart. */
  readonly initial: number
  /** By which each further delay is multiplied. */
  readonly factor: number
  /** The longest delay, in milliseconds. */
  readonly max: number
  /** 0 to 1: how far a delay may stray from its value to either side, as a share of it. */
  readonly jitter: number
}

/** True if a child of this restart type is started again after this kind of end. */
export function shouldRestart(restart: RestartType, exit: ExitKind): boolean {
  if (restart === 'permanent') return true
  return restart === 'transient' && exit === 'abnormal'
}

/** P4. True if work that was run `runs` times may be run once more. */
export function hasRunLeft(attempts: number, runs: number): boolean {
  return runs < attempts
}

/**
 * Milliseconds to wait before the `attempt`-th restart in a row (from 1).
 *
 * @param random A number from 0 (inclusive) to 1 (exclusive).
 */
export function backoffDelay(backoff: Backoff, attempt: number, random: number): number {
  // The factor may grow to Infinity, and 0 * Infinity is NaN.
  if (backoff.initial === 0) return 0
  const plain = Math.min(backoff.max, backoff.initial * backoff.factor ** (attempt - 1))
  return Math.min(backoff.max, plain * (1 + backoff.jitter * (2 * random - 1)))
}

/** The restarts of one supervisor that are still inside its window. */
export class RestartWindow {
  readonly #times: number[] = []
  #head = 0
  /** When the latest restart was, if the limit is Infinity: then no others are kept. */
  #latest = -Infinity
  readonly max: number
  readonly window: number

  /**
   * @param max How many restarts are allowed within the window.
   * @param window Its length in milliseconds.
   */
  constructor(max: number, window: number) {
    this.max = max
    this.window = window
  }

  /** Records a restart at `now`. False if that is one too many. */
  record(now: number): boolean {
    if (this.max === Infinity) {
      this.#latest = now
      return true
    }
    this.#times.push(now)
    return this.count(now) <= this.max
  }

  /** How many restarts the window holds at `now`. Where the limit is Infinity, only whether there are any: 1 or 0. */
  count(now: number): number {
    if (this.max === Infinity) return now - this.#latest > this.window ? 0 : 1
    while (this.#head < this.#times.length && now - (this.#times[this.#head] as number) > this.window) this.#head++
    // Dropping in halves keeps each record O(1) on average and the array no longer than twice its content.
    if (this.#head > 32 && this.#head * 2 > this.#times.length) {
      this.#times.splice(0, this.#head)
      this.#head = 0
    }
    return this.#times.length - this.#head
  }

  /** How many restarts are left before the supervisor gives up. */
  left(now: number): number {
    return this.max === Infinity ? Infinity : Math.max(0, this.max - this.count(now))
  }
}
