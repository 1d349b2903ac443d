/** How much of what was said of one routine lasts, and who waits for that. See DR6 of chronicle.ts. */

interface Waiter {
  /** Undefined until it is known what is said at first. */
  upTo: number | undefined
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class Account {
  /** How many entries there were. */
  said = 0
  /** Why one of them does not last. */
  error: unknown
  #acknowledged = 0
  /** True once it is known what is said at first. */
  #isOpen = false
  /** What was said of who had this id before, in this process, may not last yet. */
  #before: Promise<void> | undefined
  #waiters: Waiter[] | undefined

  /** Entries that do not last yet. */
  get pending(): number {
    return this.said - this.#acknowledged
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    for (const waiter of this.#waiters ?? []) waiter.upTo = this.said
    this.#answer()
  }

  follows(earlier: Promise<void>): void {
    const before = earlier.then(() => {
      if (this.#before === before) this.#before = undefined
    })
    before.catch(() => undefined)
    this.#before = before
  }

  /** Resolves once all lasts that was said so far. Whoever does not look at it hears of no rejection. */
  lasting(): Promise<void> {
    const before = this.#before
    if (before === undefined) return this.#ownLasting()
    const both = before.then(() => this.#ownLasting())
    both.catch(() => undefined)
    return both
  }

  #ownLasting(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    promise.catch(() => undefined)
    if (this.error !== undefined) reject(this.error)
    else if (this.#isOpen && this.pending === 0) resolve()
    else (this.#waiters ??= []).push({ upTo: this.#isOpen ? this.said : undefined, resolve, reject })
    return promise
  }

  acknowledge(error: unknown): void {
    this.#acknowledged++
    if (error !== undefined) this.fail(error)
    else if (this.#waiters !== undefined) this.#answer()
  }

  fail(error: unknown): void {
    this.error ??= error
    const waiters = this.#waiters
    this.#waiters = undefined
    for (const { reject } of waiters ?? []) reject(this.error)
  }

  #answer(): void {
    const waiters = this.#waiters
    if (waiters === undefined) return
    const left = waiters.filter(({ upTo, resolve }) => {
      if (upTo === undefined || upTo > this.#acknowledged) return true
      resolve()
      return false
    })
    this.#waiters = left.length === 0 ? undefined : left
  }
}
