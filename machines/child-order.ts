/** The children of a supervisor in order of start: those from one of them on, without a look at those before it. */

/** So many places of children that were forgotten may be left, and as many as there are children. */
const KEPT = 32

export class ChildOrder<C> {
  /** Undefined where a child was forgotten. */
  #places: (C | undefined)[] = []
  readonly #at = new Map<C, number>()

  constructor(children: Iterable<C>) {
    for (const child of children) this.add(child)
  }

  /** The last in order. */
  add(child: C): void {
    this.#at.set(child, this.#places.length)
    this.#places.push(child)
  }

  delete(child: C): void {
    const at = this.#at.get(child)
    if (at === undefined) return
    this.#places[at] = undefined
    this.#at.delete(child)
    if (this.#places.length > KEPT + 2 * this.#at.size) this.#close()
  }

  /** Leaves no place empty. */
  #close(): void {
    this.#places = [...this.#at.keys()]
    this.#places.forEach((child, at) => this.#at.set(child as C, at))
  }

  /** A child and those that were started after it. */
  from(child: C): C[] {
    return this.#places.slice(this.#at.get(child) ?? Infinity).filter((each) => each !== undefined)
  }
}
