/** What was appended and not acknowledged yet, in order, and how much of it there is. */

export type Acknowledge = (error?: unknown) => void

/** One that can't be written: its turn comes with the others. */
interface Refused {
  readonly acknowledge: Acknowledge
  readonly error: unknown
}

type Waiter = Acknowledge | Refused

export class Waiting {
  #waiters: Waiter[] = []
  #first = 0
  /** Of the groups that were sent: how many bytes. */
  #sent: { readonly count: number; readonly bytes: number }[] = []
  /** That wait for the disk. */
  bytes = 0

  get isEmpty(): boolean {
    return this.#first === this.#waiters.length
  }

  /** How many groups are on their way. */
  get groups(): number {
    return this.#sent.length
  }

  push(acknowledge: Acknowledge, bytes: number): void {
    this.#waiters.push(acknowledge)
    this.bytes += bytes
  }

  pushRefused(acknowledge: Acknowledge, error: unknown): void {
    this.#waiters.push({ acknowledge, error })
  }

  sent(count: number, bytes: number): void {
    this.#sent.push({ count, bytes })
  }

  /** So many were written: whole groups. */
  wrote(count: number): void {
    let left = count
    while (left > 0) {
      const group = this.#sent.shift()
      if (group === undefined) return
      left -= group.count
      this.bytes -= group.bytes
    }
  }

  /** Acknowledges so many, and those that were refused among and behind them. */
  acknowledge(count: number, contain: (error: unknown) => void): void {
    for (let left = count; ; ) {
      const waiter = this.#waiters[this.#first]
      if (waiter === undefined) return
      if (typeof waiter === 'function') {
        if (left === 0) return
        left--
        this.#shift()
        guard(waiter, undefined, contain)
      } else {
        this.#shift()
        guard(waiter.acknowledge, waiter.error, contain)
      }
    }
  }

  /** Refuses all. */
  refuse(error: unknown, contain: (error: unknown) => void): void {
    this.#sent = []
    this.bytes = 0
    while (!this.isEmpty) {
      const waiter = this.#waiters[this.#first] as Waiter
      this.#shift()
      if (typeof waiter === 'function') guard(waiter, error, contain)
      else guard(waiter.acknowledge, waiter.error, contain)
    }
  }

  #shift(): void {
    this.#first++
    if (this.#first === this.#waiters.length) {
      this.#waiters = []
      this.#first = 0
    } else if (this.#first >= 4_096 && this.#first * 2 > this.#waiters.length) {
      this.#waiters = this.#waiters.slice(this.#first)
      this.#first = 0
    }
  }
}

function guard(acknowledge: Acknowledge, error: unknown, contain: (error: unknown) => void): void {
  try {
    acknowledge(error)
  } catch (thrown) {
    contain(thrown)
  }
}
