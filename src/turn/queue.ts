/** A queue of calls that allocates nothing. */
type Act = (a: never, b: never) => unknown

/** First in, first out: of each what to call, two arguments, and a tag that says when it arose and whether it is foreign. */
export class Queue {
  readonly places: unknown[] = []
  head = 0
  tail = 0

  push(act: Act, a: unknown, b: unknown, tag: number): void {
    const { places, tail } = this
    places[tail] = act
    places[tail + 1] = a
    places[tail + 2] = b
    places[tail + 3] = tag
    this.tail = tail + WIDTH
  }

  /** The tag of the first. */
  get tag(): number {
    return this.places[this.head + 3] as number
  }

  /** Passes over the first, which was let go of. */
  shift(): void {
    this.head += WIDTH
    if (this.head === this.tail) this.#clear()
  }

  /** Passes over all from here on, which were let go of. */
  cut(at: number): void {
    this.tail = at
    if (this.head === at) this.#clear()
  }

  #clear(): void {
    this.head = 0
    this.tail = 0
    // After a burst, what was held for it is given back.
    if (this.places.length > KEPT) this.places.length = 0
  }
}

/** Places of one. */
export const WIDTH = 4

/** As many places of a queue are kept for the next burst. */
const KEPT = 16_384
