/** A ring buffer: the latest so many items. */
export class Ring<Item> implements Iterable<Item> {
  readonly capacity: number
  readonly #items: Item[] = []
  #next = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get size(): number {
    return this.#items.length
  }

  /** Puts one in; returns the one that it has taken the place of. */
  push(item: Item): Item | undefined {
    const out = this.#items[this.#next]
    this.#items[this.#next] = item
    this.#next = (this.#next + 1) % this.capacity
    return out
  }

  clear(): void {
    this.#items.length = 0
    this.#next = 0
  }

  /** By age, 0 the oldest. */
  at(index: number): Item | undefined {
    if (index < 0 || index >= this.#items.length) return undefined
    const start = this.#items.length < this.capacity ? 0 : this.#next
    return this.#items[(start + index) % this.#items.length]
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let k = 0; k < this.size; k++) yield this.at(k) as Item
  }
}
