/** An index of a whole tree: what there is under a key, without a look at each node. */

/** A node, as far as its place in the tree goes. */
export interface TreeNode {
  readonly up: TreeNode | undefined
  /** Rises from one of its siblings to the next, in order of their making. */
  readonly rank: number
}

/** Of several under one key: one of them, and where it stands among them. */
interface Ranked<Item> {
  readonly item: Item
  readonly order: readonly number[]
}

/** Several of one key. */
class Namesakes<Item> {
  readonly byNode = new Map<TreeNode, Item>()
  /** Made when somebody looks. */
  sorted: Ranked<Item>[] | undefined
}

/**
 * D1  Of each key there is one item at a node at most: a new one takes the place of the old one.
 * D2  Of one key, what is present comes before what is past, and then a node before those below it, and these in order of their making.
 * D3  To find what there is of a key takes as long however many nodes there are, and rises with the logarithm of how many have that key:
 *     these are put in order by the first look after a change.
 */
export class TreeIndex<Item extends object> {
  readonly #items = new Map<string, Item | Namesakes<Item>>()
  readonly #nodeOf: (item: Item) => TreeNode
  readonly #isPast: (item: Item) => boolean

  constructor(nodeOf: (item: Item) => TreeNode, isPast: (item: Item) => boolean) {
    this.#nodeOf = nodeOf
    this.#isPast = isPast
  }

  /** What stands at this very node. */
  get(key: string, node: TreeNode): Item | undefined {
    // Hashing a new key may take as long as making it, and most of the time there is none.
    if (this.#items.size === 0) return undefined
    const found = this.#items.get(key)
    if (found instanceof Namesakes) return found.byNode.get(node)
    return found !== undefined && this.#nodeOf(found) === node ? found : undefined
  }

  /** Enters an item, or enters it again once it is past. */
  set(key: string, item: Item): void {
    const found = this.#items.get(key)
    if (found instanceof Namesakes) {
      found.byNode.set(this.#nodeOf(item), item)
      found.sorted = undefined
    } else if (found === undefined || this.#nodeOf(found) === this.#nodeOf(item)) this.#items.set(key, item)
    else {
      const both = new Namesakes<Item>()
      for (const each of [found, item]) both.byNode.set(this.#nodeOf(each), each)
      this.#items.set(key, both)
    }
  }

  /** Takes off this item, unless another one has taken its place. True if it was there. */
  delete(key: string, item: Item): boolean {
    const found = this.#items.get(key)
    if (found === item) return this.#items.delete(key)
    if (!(found instanceof Namesakes)) return false
    const node = this.#nodeOf(item)
    if (found.byNode.get(node) !== item) return false
    found.byNode.delete(node)
    found.sorted = undefined
    const [left] = found.byNode.values()
    if (found.byNode.size === 1) this.#items.set(key, left as Item)
    return true
  }

  /** The first at this node or below. */
  first(key: string, top: TreeNode): Item | undefined {
    const [present] = this.#within(key, top, PRESENT)
    if (present !== undefined) return present
    const [past] = this.#within(key, top, PAST)
    return past
  }

  /** All that are present at this node or below, in order. */
  all(key: string, top: TreeNode): Item[] {
    return [...this.#within(key, top, PRESENT)]
  }

  *#within(key: string, top: TreeNode, time: number): Generator<Item, undefined> {
    const found = this.#items.get(key)
    if (found instanceof Namesakes) {
      const sorted = (found.sorted ??= Array.from(found.byNode.values(), (item) => this.#rank(item)).sort((a, b) =>
        compare(a.order, b.order),
      ))
      const first = orderOf(top, time)
      for (let i = indexOf(sorted, first); startsWith(sorted[i]?.order, first); i++) yield (sorted[i] as Ranked<Item>).item
    } else if (found !== undefined && this.#timeOf(found) === time && isWithin(this.#nodeOf(found), top)) yield found
  }

  #timeOf(item: Item): number {
    return this.#isPast(item) ? PAST : PRESENT
  }

  #rank(item: Item): Ranked<Item> {
    return { item, order: orderOf(this.#nodeOf(item), this.#timeOf(item)) }
  }
}

const PRESENT = 0
const PAST = 1

function isWithin(node: TreeNode, top: TreeNode): boolean {
  let at: TreeNode | undefined = node
  while (at !== undefined && at !== top) at = at.up
  return at === top
}

/** D2, in numbers. */
function orderOf(node: TreeNode, time: number): number[] {
  const ranks: number[] = []
  for (let at: TreeNode | undefined = node; at !== undefined; at = at.up) ranks.push(at.rank)
  return [...ranks, time].reverse()
}

/** What another one begins with comes before it. */
function compare(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((rank, i) => rank !== b[i])
  return differs < 0 || differs >= b.length ? a.length - b.length : (a[differs] as number) - (b[differs] as number)
}

function startsWith(order: readonly number[] | undefined, first: readonly number[]): boolean {
  return order !== undefined && first.every((rank, i) => order[i] === rank)
}

/** Where those begin that do not come before this. */
function indexOf(sorted: readonly Ranked<unknown>[], order: readonly number[]): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if (compare((sorted[middle] as Ranked<unknown>).order, order) < 0) from = middle + 1
    else to = middle
  }
  return from
}
