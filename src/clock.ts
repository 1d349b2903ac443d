/** The port through which all time comes in. */

/** Where the library takes time from. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds; must never run backwards. */
  now(): number
  /** Calls back once, `delay` milliseconds from now. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Disarms a timer; one that has fired or is unknown is ignored. */
  clearTimeout(timer: unknown): void
}

/**
 * The clock of the platform: epoch milliseconds that never run backwards.
 * A timer of zero runs as soon as the event loop has turned.
 */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer as Parameters<typeof clearTimeout>[0]),
}
