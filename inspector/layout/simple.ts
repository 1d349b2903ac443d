/**
 * A layout of our own, for where there is no worker, and until it has answered: states in rows by how far they are from the
 * first one, what leads from one to another in rows between them.
 *
 * S1  States and labels side by side never lie over each other, and none reaches out of the state that it is in.
 */
import { type Graph, holds, type Layout, type Node, PADDING, type Point, type Rect, type Way } from './graph.ts'

const GAP = 26
/** Between a row of states and one of labels. */
const STEP = 18
/** Rows are wrapped where they get wider than this. */
const WIDE = 860

/** A state with all in it, or a label. */
interface Block {
  /** Of the state, or of the way. */
  readonly id: string
  readonly isLabel: boolean
  readonly width: number
  readonly height: number
  readonly inside: readonly { readonly x: number; readonly y: number; readonly block: Block }[]
}

/** A way inside a state, between two of its children; its label goes above all of these, or below the row of one. */
interface InnerWay {
  readonly way: Way
  readonly from: Node | undefined
  readonly to: Node | undefined
}

/** Lays a graph out. */
export function layOut({ root, ways }: Graph): Layout {
  const block = blockOf(root, innerWays(ways))
  const boxes = new Map<string, Rect>()
  const labels = new Map<string, Rect>()
  place(block, 4, 4, boxes, labels)
  const routes = new Map(ways.map((way) => [way.id, route(way, boxes, labels.get(way.id))]))
  return { width: block.width + 8, height: block.height + 8, boxes, ways: routes }
}

function lineage(node: Node): Node[] {
  return node.parent === undefined ? [node] : [...lineage(node.parent), node]
}

/** Which ways run inside which state, and between which of its children: an end deeper down counts for the child that it is in. */
function innerWays(ways: readonly Way[]): ReadonlyMap<Node, readonly InnerWay[]> {
  const found = new Map<Node, InnerWay[]>()
  for (const way of ways) {
    const [from, to] = [lineage(way.from), lineage(way.to)]
    let depth = 0
    while (depth < from.length && depth < to.length && from[depth] === to[depth]) depth++
    const above = from[depth - 1]
    if (above === undefined) continue
    const inside = found.get(above) ?? []
    found.set(above, inside)
    inside.push({ way, from: from[depth], to: to[depth] })
  }
  return found
}

/** The children in rows: each below all that lead to it, ways back left out; the final ones last. */
function rowsOf(node: Node, ways: readonly InnerWay[]): Node[][] {
  if (node.state?.type === 'parallel') return [node.children]
  const leads = new Map(
    node.children.map((child) => [child, ways.flatMap(({ from, to }) => (from === child && to !== undefined ? [to] : []))]),
  )
  const seen = new Set<Node>()
  // Reverse postorder: but for ways back, each comes before those that it leads to.
  const visit = (at: Node, found: Node[]): Node[] => {
    if (seen.has(at)) return found
    seen.add(at)
    for (const to of (leads.get(at) ?? []).toReversed()) visit(to, found)
    found.unshift(at)
    return found
  }
  // The mark of the initial state is the first child; states that it does not lead to come behind.
  const order = node.children.flatMap((child) => visit(child, []))
  return layered(order, leads)
}

function layered(order: readonly Node[], leads: ReadonlyMap<Node, readonly Node[]>): Node[][] {
  const rowOf = new Map(order.map((child) => [child, 0]))
  for (const [index, at] of order.entries())
    for (const to of leads.get(at) ?? [])
      if (order.indexOf(to) > index) rowOf.set(to, Math.max(rowOf.get(to) ?? 0, (rowOf.get(at) ?? 0) + 1))
  const last = Math.max(...rowOf.values())
  const rows: Node[][] = []
  for (const child of order) {
    const row = child.state?.type === 'final' ? last : (rowOf.get(child) ?? 0)
    ;(rows[row] ??= []).push(child)
  }
  return rows.filter((row) => row.length > 0)
}

const widthOf = (row: readonly Block[]): number => row.reduce((sum, { width }) => sum + width + GAP, -GAP)

/** Broken into several where it is too wide. */
function wrapped(row: readonly Block[]): Block[][] {
  const rows: Block[][] = []
  for (const block of row) {
    const last = rows.at(-1)
    if (last === undefined || widthOf([...last, block]) > WIDE) rows.push([block])
    else last.push(block)
  }
  return rows
}

function labelsOf(ways: readonly InnerWay[]): Block[] {
  return ways.filter(({ way }) => way.width > 0).map(({ way: { id, width, height } }) => ({ id, isLabel: true, width, height, inside: [] }))
}

function blockOf(node: Node, waysIn: ReadonlyMap<Node, readonly InnerWay[]>): Block {
  const { id, head, children } = node
  const own = waysIn.get(node) ?? []
  if (children.length === 0) return { id, isLabel: false, width: node.width, height: node.height, inside: [] }
  const layers = rowsOf(node, own)
  const rowOf = new Map(layers.flatMap((layer, row) => layer.map((child) => [child, row] as const)))
  // Below the upper one of its ends; above all if it begins at the outer state.
  const upper = ({ from, to }: InnerWay): number =>
    from === undefined ? -1 : Math.min(rowOf.get(from) ?? 0, to === undefined ? Infinity : (rowOf.get(to) ?? 0))
  const at = (row: number): Block[] => labelsOf(own.filter((each) => upper(each) === row))
  const rows = [
    ...wrapped(at(-1)),
    ...layers.flatMap((layer, row) => [...wrapped(layer.map((child) => blockOf(child, waysIn))), ...wrapped(at(row))]),
  ]
  const inner = Math.max(node.width - 2 * PADDING, ...rows.map(widthOf))
  const inside: { x: number; y: number; block: Block }[] = []
  let y = head + 10
  for (const row of rows) {
    const tallest = Math.max(...row.map(({ height }) => height))
    let x = PADDING + (inner - widthOf(row)) / 2
    for (const block of row) {
      inside.push({ x, y: y + (tallest - block.height) / 2, block })
      x += block.width + GAP
    }
    y += tallest + STEP
  }
  return { id, isLabel: false, width: inner + 2 * PADDING, height: Math.max(node.height, y - STEP + PADDING), inside }
}

function place(
  { id, isLabel, width, height, inside }: Block,
  x: number,
  y: number,
  boxes: Map<string, Rect>,
  labels: Map<string, Rect>,
): void {
  ;(isLabel ? labels : boxes).set(id, { x, y, width, height })
  for (const { x: dx, y: dy, block } of inside) place(block, x + dx, y + dy, boxes, labels)
}

// --- ways ------------------------------------------------------------------------------------

const middle = ({ x, y, width, height }: Rect): Point => ({ x: x + width / 2, y: y + height / 2 })

/** Where the line from the middle of a box to a point leaves it. */
function border(box: Rect, to: Point): Point {
  const from = middle(box)
  const [dx, dy] = [to.x - from.x, to.y - from.y]
  if (dx === 0 && dy === 0) return { x: from.x, y: box.y }
  const scale = Math.min(Math.abs(box.width / 2 / dx), Math.abs(box.height / 2 / dy))
  return { x: from.x + dx * scale, y: from.y + dy * scale }
}

interface Route {
  readonly points: readonly Point[]
  readonly isCurve: boolean
  readonly label: Rect | undefined
}

/** From an outer state to one in it, or back, it touches the outer one's left side: all else would run through what is inside. */
function route({ from, to }: Way, boxes: ReadonlyMap<string, Rect>, label: Rect | undefined): Route {
  const [a, b] = [boxes.get(from.id), boxes.get(to.id)]
  if (a === undefined || b === undefined) return { points: [], isCurve: true, label }
  const [towards, back] = label === undefined ? [middle(b), middle(a)] : [middle(label), middle(label)]
  const start = holds(from, to) ? { x: a.x, y: towards.y } : border(a, towards)
  const end = holds(to, from) ? { x: b.x, y: back.y } : border(b, back)
  return { points: label === undefined ? [start, end] : [start, middle(label), end], isCurve: true, label }
}

/** How much of one lies over the other. */
export function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return width > 0 && height > 0 ? width * height : 0
}
