/**
 * A layout of our own, for where there is no worker, and until it has answered: states in layers by how far they are from
 * the first one, and curves between them.
 *
 * S1  States side by side never lie over each other, and none reaches out of the one that it is in.
 */
import { type Graph, holds, type Layout, type Node, PADDING, type Point, type Rect, type Way } from './graph.ts'

const GAP = 30
/** Parallel states stand side by side as long as they are not wider than this. */
const WIDE = 900

interface Sized {
  readonly node: Node
  readonly width: number
  readonly height: number
  /** Places inside it. */
  readonly inside: readonly { readonly x: number; readonly y: number; readonly sized: Sized }[]
}

/** Lays a graph out. */
export function layOut({ root, nodes, ways }: Graph): Layout {
  const between = siblingWays(ways)
  const sized = sizeOf(root, between)
  const boxes = new Map<string, Rect>()
  place(sized, 4, 4, boxes)
  const taken: Rect[] = [...boxes].flatMap(([id, box]) => obstacle(nodes.get(id), box))
  const placed = new Map<string, { points: readonly Point[]; isCurve: boolean; label: Rect | undefined }>()
  for (const way of ways) placed.set(way.id, route(way, boxes, taken))
  return { width: sized.width + 8, height: sized.height + 8, boxes, ways: placed }
}

/** What a label may not lie on: a state without states in it, and the title of one with. */
function obstacle(node: Node | undefined, box: Rect): Rect[] {
  if (node === undefined) return []
  return [node.children.length === 0 ? box : { ...box, height: node.head }]
}

/** Which children of a state lead to which: ways deeper down count for the children that they are in. */
function siblingWays(ways: readonly Way[]): ReadonlyMap<Node, ReadonlyMap<Node, readonly { readonly to: Node; readonly way: Way }[]>> {
  const found = new Map<Node, Map<Node, { to: Node; way: Way }[]>>()
  for (const way of ways) {
    const [from, to] = [lineage(way.from), lineage(way.to)]
    let depth = 0
    while (depth < from.length && depth < to.length && from[depth] === to[depth]) depth++
    const [above, a, b] = [from[depth - 1], from[depth], to[depth]]
    if (above === undefined || a === undefined || b === undefined) continue
    const inside = found.get(above) ?? new Map<Node, { to: Node; way: Way }[]>()
    found.set(above, inside)
    inside.set(a, [...(inside.get(a) ?? []), { to: b, way }])
  }
  return found
}

function lineage(node: Node): Node[] {
  return node.parent === undefined ? [node] : [...lineage(node.parent), node]
}

type Between = ReturnType<typeof siblingWays>

/** The children in layers: the first, what it leads to, and so on; whom nobody leads to comes last. */
function layersOf(node: Node, between: Between): Node[][] {
  const leads = between.get(node)
  const depth = new Map<Node, number>()
  const visit = (start: Node, from: number): void => {
    if (depth.has(start)) return
    depth.set(start, from)
    const queue = [start]
    for (let at = queue.shift(); at !== undefined; at = queue.shift())
      for (const { to } of leads?.get(at) ?? []) {
        if (depth.has(to)) continue
        depth.set(to, (depth.get(at) ?? 0) + 1)
        queue.push(to)
      }
  }
  for (const child of node.children) visit(child, depth.size === 0 ? 0 : Math.max(...depth.values()) + 1)
  const layers: Node[][] = []
  for (const [child, layer] of depth) (layers[layer] ??= []).push(child)
  return layers.filter((layer) => layer.length > 0)
}

function sizeOf(node: Node, between: Between): Sized {
  const children = new Map(node.children.map((child) => [child, sizeOf(child, between)]))
  if (children.size === 0) return { node, width: node.width, height: node.height, inside: [] }
  const rows = rowsOf(node, children, between)
  const widthOf = (row: readonly Sized[]): number => row.reduce((sum, { width }) => sum + width + GAP, -GAP)
  const inner = Math.max(...rows.map(({ row }) => widthOf(row)))
  const inside: { x: number; y: number; sized: Sized }[] = []
  let y = node.head + 8
  for (const { row, below } of rows) {
    let x = PADDING + (inner - widthOf(row)) / 2
    const tallest = Math.max(...row.map(({ height }) => height))
    for (const sized of row) {
      inside.push({ x, y: y + (tallest - sized.height) / 2, sized })
      x += sized.width + GAP
    }
    y += tallest + below
  }
  const last = rows.at(-1)?.below ?? 0
  return { node, width: Math.max(node.width, inner + 2 * PADDING), height: Math.max(node.height, y - last + PADDING), inside }
}

function rowsOf(node: Node, children: ReadonlyMap<Node, Sized>, between: Between): { row: Sized[]; below: number }[] {
  const all = [...children.values()]
  if (node.state?.type === 'parallel') {
    const isWide = all.reduce((sum, { width }) => sum + width + GAP, 0) > WIDE
    return isWide ? all.map((sized) => ({ row: [sized], below: GAP })) : [{ row: all, below: GAP }]
  }
  return layersOf(node, between).map((layer) => {
    // There has to be room for the labels of what begins here.
    const ways = layer.flatMap((child) => between.get(node)?.get(child) ?? [])
    const label = Math.max(0, ...ways.map(({ way }) => way.height))
    return { row: layer.map((child) => children.get(child) as Sized), below: label === 0 ? GAP : label + GAP }
  })
}

function place({ node, width, height, inside }: Sized, x: number, y: number, boxes: Map<string, Rect>): void {
  boxes.set(node.id, { x, y, width, height })
  for (const { x: dx, y: dy, sized } of inside) place(sized, x + dx, y + dy, boxes)
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

/** From an outer state to one in it, or back: it begins at the outer one's left side. */
function ends({ from, to }: Way, a: Rect, b: Rect): readonly [Point, Point] {
  if (holds(from, to))
    return [
      { x: a.x, y: middle(b).y },
      { x: b.x, y: middle(b).y },
    ]
  if (holds(to, from))
    return [
      { x: a.x, y: middle(a).y },
      { x: b.x, y: middle(a).y },
    ]
  return [border(a, middle(b)), border(b, middle(a))]
}

function route(way: Way, boxes: ReadonlyMap<string, Rect>, taken: Rect[]): { points: Point[]; isCurve: boolean; label: Rect | undefined } {
  const [a, b] = [boxes.get(way.from.id), boxes.get(way.to.id)]
  if (a === undefined || b === undefined) return { points: [], isCurve: false, label: undefined }
  const [start, end] = ends(way, a, b)
  // Bent to one side, so that there and back are two lines.
  const [dx, dy] = [end.x - start.x, end.y - start.y]
  const bend = way.labels.length === 0 ? 0 : 0.16
  const control = { x: (start.x + end.x) / 2 - dy * bend, y: (start.y + end.y) / 2 + dx * bend }
  const points = [start, control, end]
  if (way.labels.length === 0) return { points, isCurve: true, label: undefined }
  const label = labelOn(points as [Point, Point, Point], way, taken)
  taken.push(label)
  return { points, isCurve: true, label }
}

/** Where on a curve a label covers the least. */
function labelOn([a, b, c]: readonly [Point, Point, Point], { width, height }: Way, taken: readonly Rect[]): Rect {
  const at = (t: number): Rect => {
    const s = 1 - t
    const x = s * s * a.x + 2 * s * t * b.x + t * t * c.x
    const y = s * s * a.y + 2 * s * t * b.y + t * t * c.y
    return { x: Math.max(6, x - width / 2), y: y - height / 2, width, height }
  }
  const places = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8].map(at)
  const covered = (place: Rect): number => taken.reduce((sum, each) => sum + overlap(place, each), 0)
  return places.reduce((best, each) => (covered(each) < covered(best) ? each : best))
}

/** How much of one lies over the other. */
export function overlap(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
  return width > 0 && height > 0 ? width * height : 0
}
