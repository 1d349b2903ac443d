/**
 * The tree as the page holds it: columns of numbers, no object for each node. React holds no node.
 *
 * A1  Frames applied in order give the tree they were taken from; a whole frame makes everything before it void.
 * A2  What is counted for a subtree, and how many of its nodes are listed, is right after each frame; nothing is counted anew.
 * A3  An item of the list of shown nodes is found by its index without going through those before it, but for its siblings.
 */
import { type Frame, KINDS, type NodeKind, type NodeState, STATES } from '../../src/inspector/protocol.ts'
import type { Filter, ListItem } from './list-item.ts'

export type { Filter, ListItem } from './list-item.ts'
type Column = Int32Array | Uint8Array | Uint32Array

const NONE = 0
const FIRST_SIZE = 1_024
const WIDTH = STATES.length
/** The state of a node that is not known yet. */
const UNKNOWN = 0

const ALL: Filter = { text: '', only: new Set() }

/** The upper levels are open from the start; lists of routines are not. */
const isOpenFirst = (kind: number): boolean => kind <= 1

export class TreeTable {
  /** Changes with every frame, and with what is opened or filtered. */
  version = 0
  /** How many nodes there are. */
  size = 0
  /** Of the last frame; the next two of all frames. */
  at = 0
  events = 0
  coalesced = 0
  /** Routines that have ended, ever, in the order of ENDS. */
  totals: readonly number[] = []
  root = NONE
  #capacity = 0
  #last = NONE
  readonly #free: number[] = []
  readonly #slots = new Map<number, number>()
  /** By slot; empty where there is no node. To be read only. */
  labels: string[] = []
  #parent = new Int32Array(0)
  #firstChild = new Int32Array(0)
  #lastChild = new Int32Array(0)
  #next = new Int32Array(0)
  #previous = new Int32Array(0)
  #ids = new Uint32Array(0)
  #kind = new Uint8Array(0)
  #state = new Uint8Array(0)
  #restarts = new Uint32Array(0)
  #incarnation = new Uint32Array(0)
  #expanded = new Uint8Array(0)
  /** 1 if it passes the filter by itself. */
  #own = new Uint8Array(0)
  /** How many in its subtree pass the filter. */
  #matches = new Int32Array(0)
  /** How many items of the list its subtree takes, itself included. */
  #listed = new Int32Array(0)
  /** Of each subtree, how many are in each state; routines alone. */
  #counts = new Int32Array(0)
  #filter = ALL

  constructor() {
    this.#clear()
  }

  #clear(): void {
    this.size = 0
    this.root = NONE
    this.#last = NONE
    this.#free.length = 0
    this.#slots.clear()
    this.#capacity = 0
    this.labels = ['']
    this.#grow(FIRST_SIZE)
  }

  #grow(capacity: number): void {
    const wider = <Numbers extends Column>(column: Numbers, width = 1): Numbers => {
      const grown = new (column.constructor as new (length: number) => Numbers)(capacity * width)
      grown.set(column.subarray(0, this.#capacity * width))
      return grown
    }
    this.#parent = wider(this.#parent)
    this.#firstChild = wider(this.#firstChild)
    this.#lastChild = wider(this.#lastChild)
    this.#next = wider(this.#next)
    this.#previous = wider(this.#previous)
    this.#ids = wider(this.#ids)
    this.#kind = wider(this.#kind)
    this.#state = wider(this.#state)
    this.#restarts = wider(this.#restarts)
    this.#incarnation = wider(this.#incarnation)
    this.#expanded = wider(this.#expanded)
    this.#own = wider(this.#own)
    this.#matches = wider(this.#matches)
    this.#listed = wider(this.#listed)
    this.#counts = wider(this.#counts, WIDTH)
    this.#capacity = capacity
  }

  // --- frames --------------------------------------------------------------------------------

  /** Takes up a frame. */
  apply(frame: Frame): void {
    const opened = frame.whole ? this.#opened() : undefined
    if (frame.whole) this.#clear()
    for (const { id, parent, kind, label } of frame.born) this.#insert(id, parent, KINDS.indexOf(kind), label)
    for (const { id, state, restarts, incarnation } of frame.changed) {
      const slot = this.#slots.get(id)
      if (slot !== undefined) this.#change(slot, STATES.indexOf(state), restarts, incarnation)
    }
    for (const id of frame.gone) {
      const slot = this.#slots.get(id)
      if (slot !== undefined) this.#remove(slot)
    }
    if (opened !== undefined)
      for (const slot of this.#slots.values()) this.setExpanded(slot, opened.get(this.pathOf(slot)) ?? this.#expanded[slot] === 1)
    ;({ at: this.at, totals: this.totals } = frame)
    this.events += frame.events
    this.coalesced += frame.coalesced
    this.version++
  }

  /** What a reader has opened or closed stays so when the tree comes anew. */
  #opened(): Map<string, boolean> {
    const opened = new Map<string, boolean>()
    for (const slot of this.#slots.values()) {
      const now = this.#expanded[slot] === 1
      if (now !== isOpenFirst(this.#kind[slot] as number)) opened.set(this.pathOf(slot), now)
    }
    return opened
  }

  #insert(id: number, parentId: number, kind: number, label: string): void {
    const slot = this.#free.pop() ?? ++this.#last
    if (slot >= this.#capacity) this.#grow(this.#capacity * 2)
    const parent = this.#slots.get(parentId) ?? NONE
    this.#slots.set(id, slot)
    this.labels[slot] = label
    this.#ids[slot] = id
    this.#kind[slot] = kind
    this.#state[slot] = UNKNOWN
    this.#restarts[slot] = 0
    this.#incarnation[slot] = 1
    this.#parent[slot] = parent
    for (const column of [this.#firstChild, this.#lastChild, this.#next]) column[slot] = NONE
    this.#counts.fill(0, slot * WIDTH, (slot + 1) * WIDTH)
    this.#expanded[slot] = isOpenFirst(kind) ? 1 : 0
    const before = this.#lastChild[parent] as number
    this.#previous[slot] = parent === NONE ? NONE : before
    if (parent === NONE) this.root = slot
    else {
      if (before === NONE) this.#firstChild[parent] = slot
      else this.#next[before] = slot
      this.#lastChild[parent] = slot
    }
    for (const column of [this.#own, this.#matches, this.#listed]) column[slot] = 0
    this.size++
    this.#count(slot, UNKNOWN, 1)
    this.#judge(slot)
    // A manager with nothing below is listed for itself, and from now on no more.
    if (parent !== NONE && before === NONE) this.#judge(parent)
  }

  #change(slot: number, state: number, restarts: number, incarnation: number): void {
    this.#incarnation[slot] = incarnation
    this.#restarts[slot] = restarts
    if (this.#state[slot] !== state) {
      this.#count(slot, this.#state[slot] as number, -1)
      this.#state[slot] = state
      this.#count(slot, state, 1)
    }
    if (this.#filter.only.size > 0) this.#judge(slot)
  }

  #remove(slot: number): void {
    for (let child = this.#firstChild[slot] as number; child !== NONE; child = this.#firstChild[slot] as number) this.#remove(child)
    this.#count(slot, this.#state[slot] as number, -1)
    this.#match(slot, -(this.#own[slot] as number))
    const [parent, before, after] = [this.#parent[slot], this.#previous[slot], this.#next[slot]] as [number, number, number]
    if (before !== NONE) this.#next[before] = after
    else if (parent !== NONE) this.#firstChild[parent] = after
    if (after !== NONE) this.#previous[after] = before
    else if (parent !== NONE) this.#lastChild[parent] = before
    if (slot === this.root) this.root = NONE
    this.#slots.delete(this.#ids[slot] as number)
    this.labels[slot] = ''
    this.#free.push(slot)
    this.size--
    if (parent !== NONE && this.#firstChild[parent] === NONE) this.#judge(parent)
  }

  /** Counts a routine in every subtree that it is in. */
  #count(slot: number, state: number, by: number): void {
    if (this.#kind[slot] !== KINDS.length - 1) return
    for (let node = slot; node !== NONE; node = this.#parent[node] as number) {
      const at = node * WIDTH + state
      this.#counts[at] = (this.#counts[at] as number) + by
    }
  }

  // --- what is shown -------------------------------------------------------------------------

  /** Shows only what passes. */
  setFilter(filter: Filter): void {
    this.#filter = { text: filter.text.toLowerCase(), only: filter.only }
    for (const slot of this.#slots.values()) this.#judge(slot)
    this.version++
  }

  get isFiltered(): boolean {
    return this.#filter.text !== '' || this.#filter.only.size > 0
  }

  /** How many pass the filter. */
  get matching(): number {
    return this.root === NONE ? 0 : (this.#matches[this.root] as number)
  }

  #passes(slot: number): boolean {
    const { text, only } = this.#filter
    if (only.size > 0) {
      const restarted = only.has('restarted') && (this.#restarts[slot] as number) > 0
      if (!restarted && !only.has(STATES[this.#state[slot] as number] as string)) return false
      // Other managers are listed only as the way to what is below them.
      if (this.#kind[slot] !== KINDS.length - 1 && this.#firstChild[slot] !== NONE && !restarted) return false
    }
    return text === '' || this.pathOf(slot).toLowerCase().includes(text)
  }

  #judge(slot: number): void {
    const passes = this.#passes(slot) ? 1 : 0
    const by = passes - (this.#own[slot] as number)
    if (by === 0) return
    this.#own[slot] = passes
    this.#match(slot, by)
  }

  #match(slot: number, by: number): void {
    if (by === 0) return
    for (let node = slot; node !== NONE; node = this.#parent[node] as number) {
      const before = this.#matches[node] as number
      this.#matches[node] = before + by
      // It appears, or goes, with the first or last one in its subtree.
      if (before === 0 || before + by === 0) this.#addListed(node, before === 0 ? 1 : -1)
    }
  }

  /** So many items more in a subtree: listed above as far as everything is open. */
  #addListed(slot: number, by: number): void {
    this.#listed[slot] = (this.#listed[slot] as number) + by
    for (let node = this.#parent[slot] as number; node !== NONE && this.#expanded[node] === 1; node = this.#parent[node] as number) {
      this.#listed[node] = (this.#listed[node] as number) + by
    }
  }

  /** Opens or closes a node. */
  setExpanded(slot: number, expanded: boolean): void {
    if ((this.#expanded[slot] === 1) === expanded) return
    let inside = 0
    for (let child = this.#firstChild[slot] as number; child !== NONE; child = this.#next[child] as number) {
      inside += this.#listed[child] as number
    }
    this.#expanded[slot] = expanded ? 1 : 0
    this.#addListed(slot, expanded ? inside : -inside)
    this.version++
  }

  /** Opens all above a node. */
  reveal(slot: number): void {
    for (let node = this.#parent[slot] as number; node !== NONE; node = this.#parent[node] as number) this.setExpanded(node, true)
  }

  /** Opens the way to all that pass the filter, or to those of them that are new, if they are few enough to be looked at. */
  revealMatches(most: number, born?: Frame['born']): void {
    if (!this.isFiltered || this.matching > most) return
    const slots = born?.map(({ id }) => this.#slots.get(id) ?? NONE) ?? this.#slots.values()
    for (const slot of slots) if (this.#own[slot] === 1) this.reveal(slot)
  }

  /** How many items the list has. */
  get shown(): number {
    return this.root === NONE ? 0 : (this.#listed[this.root] as number)
  }

  /** The slot of an item of the list; 0 if there is no such item. */
  slotAt(index: number): number {
    if (index < 0 || index >= this.shown) return NONE
    let left = index
    let slot = this.root
    while (left > 0) {
      left--
      slot = this.#firstChild[slot] as number
      for (let listed = this.#listed[slot] as number; left >= listed; listed = this.#listed[slot] as number) {
        left -= listed
        slot = this.#next[slot] as number
      }
    }
    return slot
  }

  /** The index of a node in the list; -1 if it is not listed. */
  indexOf(slot: number): number {
    if (slot === NONE || this.#matches[slot] === 0) return -1
    let index = 0
    for (let node = slot; node !== this.root; node = this.#parent[node] as number) {
      const parent = this.#parent[node] as number
      if (parent === NONE || this.#expanded[parent] !== 1) return -1
      index++
      for (let before = this.#firstChild[parent] as number; before !== node; before = this.#next[before] as number) {
        index += this.#listed[before] as number
      }
    }
    return index
  }

  /** Some items of the list, from an index on. */
  items(from: number, count: number): ListItem[] {
    const found: ListItem[] = []
    for (let slot = this.slotAt(from); slot !== NONE && found.length < count; slot = this.#following(slot)) found.push(this.item(slot))
    return found
  }

  /** The next one that is listed. */
  #following(slot: number): number {
    if (this.#expanded[slot] === 1) {
      const inside = this.#shownFrom(this.#firstChild[slot] as number)
      if (inside !== NONE) return inside
    }
    for (let node = slot; node !== NONE; node = this.#parent[node] as number) {
      const beside = this.#shownFrom(this.#next[node] as number)
      if (beside !== NONE) return beside
    }
    return NONE
  }

  #shownFrom(slot: number): number {
    let at = slot
    while (at !== NONE && this.#listed[at] === 0) at = this.#next[at] as number
    return at
  }

  // --- one node ------------------------------------------------------------------------------

  item(slot: number): ListItem {
    return {
      slot,
      depth: this.#depthOf(slot),
      label: this.labels[slot] as string,
      kind: KINDS[this.#kind[slot] as number] as NodeKind,
      state: STATES[this.#state[slot] as number] as NodeState,
      restarts: this.#restarts[slot] as number,
      incarnation: this.#incarnation[slot] as number,
      expandable: this.#shownFrom(this.#firstChild[slot] as number) !== NONE,
      expanded: this.#expanded[slot] === 1,
    }
  }

  #depthOf(slot: number): number {
    let depth = 0
    for (let node = this.#parent[slot] as number; node !== NONE; node = this.#parent[node] as number) depth++
    return depth
  }

  pathOf(slot: number): string {
    let path = this.labels[slot] as string
    for (let node = this.#parent[slot] as number; node !== NONE; node = this.#parent[node] as number) path = `${this.labels[node]}/${path}`
    return path
  }

  /** The slot of the node at a path; 0 if there is none. */
  find(path: string): number {
    let slot = NONE
    for (const label of path.split('/')) {
      let child = slot === NONE ? this.root : (this.#firstChild[slot] as number)
      while (child !== NONE && this.labels[child] !== label) child = this.#next[child] as number
      if (child === NONE) return NONE
      slot = child
    }
    return slot
  }

  parentOf(slot: number): number {
    return this.#parent[slot] as number
  }

  /** Routines below, itself included, by their states. */
  counts(slot: number): Record<NodeState, number> {
    return Object.fromEntries(STATES.map((state, k) => [state, this.#counts[slot * WIDTH + k] ?? 0])) as Record<NodeState, number>
  }

  /** Paths of all that pass the filter, and for which a test holds. */
  matchingPaths(test: (item: ListItem) => boolean): string[] {
    const paths: string[] = []
    for (const slot of this.#slots.values()) if (this.#own[slot] === 1 && test(this.item(slot))) paths.push(this.pathOf(slot))
    return paths
  }
}
