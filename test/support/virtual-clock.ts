/** A clock that stands still until a test moves it. */
import type { Clock } from 'curtaincall'

interface Timer {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** Lets everything that is due in microtasks happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export class VirtualClock implements Clock {
  #now = 1_000
  #order = 0
  readonly #timers = new Map<number, Timer>()

  now(): number {
    return this.#now
  }

  setTimeout(callback: () => void, delay: number): number {
    const order = ++this.#order
    this.#timers.set(order, { at: this.#now + Math.max(0, delay), order, callback })
    return order
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as number)
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time without turning the event loop: what blocking code does. */
  block(ms: number): void {
    this.#now += ms
  }

  /** Moves time and fires what comes due, in order, with all microtasks in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next.order)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      await settle()
    }
    this.#now = Math.max(this.#now, end)
    await settle()
  }

  /** Fires the first timer that is due at this moment. */
  fireFirst(): void {
    const next = this.#next(this.#now)
    if (next === undefined) return
    this.#timers.delete(next.order)
    next.callback()
  }

  /** Moves time and fires what is due in one go, without turning the event loop in between. */
  fireDue(ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers.values()]) {
      if (timer.at > this.#now || !this.#timers.delete(timer.order)) continue
      timer.callback()
    }
  }

  /** Advances until no timer is left, at most so far. */
  async runOut(limit = 1_000_000): Promise<void> {
    const end = this.#now + limit
    await settle()
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) await this.advance(next.at - this.#now)
  }

  #next(end: number): Timer | undefined {
    let best: Timer | undefined
    for (const timer of this.#timers.values()) {
      if (timer.at <= end && (best === undefined || timer.at < best.at || (timer.at === best.at && timer.order < best.order))) best = timer
    }
    return best
  }
}
