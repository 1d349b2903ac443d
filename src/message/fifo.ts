/** First in, first out: to take one costs the same however many wait. */

/** As many places are kept for the next ones, once there were so many. */
const KEPT_PLACES = 1_024

export class Fifo<Item extends object | number> {
  /** The first is at `#head`, the last before `#tail`. */
  #items: (Item | undefined)[] = []
  #head = 0
  #tail = 0

  get size(): number {
    return this.#tail - this.#head
  }

  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  push(item: Item): void {
    this.#items[this.#tail++] = item
  }

  shift(): Item | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#tail) this.#reset()
    else if (this.#head > 32 && this.#head * 2 > this.#tail) {
      // Dropping in halves keeps each one O(1) on average.
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return item
  }

  /** Takes the last. */
  pop(): Item | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[--this.#tail]
    this.#items[this.#tail] = undefined
    if (this.#head === this.#tail) this.#reset()
    return item
  }

  #reset(): void {
    this.#head = 0
    this.#tail = 0
    if (this.#items.length > KEPT_PLACES) this.#items = []
  }

  /** All of them, which are in here no longer. */
  drain(): Item[] {
    const items = this.#items.slice(this.#head, this.#tail) as Item[]
    this.#items = []
    this.#reset()
    return items
  }

  /** These, in place of what there is. */
  replace(items: Item[]): void {
    this.#items = items
    this.#head = 0
    this.#tail = items.length
  }
}
