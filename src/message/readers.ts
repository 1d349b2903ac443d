/** Who waits for messages of one routine, and what they listen to meanwhile: to come and go costs the same however many there are. */

/** A reader that waits for its next message. */
export interface Waiter {
  /** Something may have come, or ended. True if it goes on waiting. */
  serve(): boolean
  /** Its neighbours among those who wait. */
  previousWaiting: Waiter | undefined
  nextWaiting: Waiter | undefined
}

/** Those who wait, the longest waiting first: a chain, since a set that is emptied from its front and filled at its end gets slow. */
export class Waiting {
  first: Waiter | undefined
  #last: Waiter | undefined

  add(waiter: Waiter): void {
    waiter.previousWaiting = this.#last
    if (this.#last === undefined) this.first = waiter
    else this.#last.nextWaiting = waiter
    this.#last = waiter
  }

  /** Nothing happens if it does not wait. */
  delete(waiter: Waiter): void {
    const { previousWaiting: previous, nextWaiting: next } = waiter
    if (previous === undefined && this.first !== waiter) return
    if (previous === undefined) this.first = next
    else previous.nextWaiting = next
    if (next === undefined) this.#last = previous
    else next.previousWaiting = previous
    waiter.previousWaiting = undefined
    waiter.nextWaiting = undefined
  }
}

/** The signal of one incarnation: one listener for all its readers, since the platform goes through all of them to take one off. */
export class AbortWatch {
  readonly signal: AbortSignal
  readonly #wake: () => void
  #readers = 0

  constructor(signal: AbortSignal, wake: () => void) {
    this.signal = signal
    this.#wake = wake
  }

  get isAborted(): boolean {
    return this.signal.aborted
  }

  join(): void {
    if (this.#readers++ === 0) this.signal.addEventListener('abort', this.#wake)
  }

  leave(): void {
    if (--this.#readers === 0) this.signal.removeEventListener('abort', this.#wake)
  }
}
