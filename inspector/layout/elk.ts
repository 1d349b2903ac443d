/** Converts graphs for ELK, the layouter in the worker, and its answers into layouts. */
import { type Graph, type Layout, type Node, PADDING, type Point, type Rect } from './graph.ts'

/** Which way a chart reads. */
export type Direction = 'DOWN' | 'RIGHT'

interface ElkLabel {
  readonly text: string
  readonly width: number
  readonly height: number
  readonly x?: number
  readonly y?: number
  readonly layoutOptions?: Readonly<Record<string, string>>
}

/** A node as ELK takes it, and gives it back with places in it. */
export interface ElkNode {
  readonly id: string
  readonly width?: number
  readonly height?: number
  readonly x?: number
  readonly y?: number
  readonly layoutOptions?: Readonly<Record<string, string>>
  readonly children?: readonly ElkNode[]
  readonly edges?: readonly ElkEdge[]
}

interface ElkEdge {
  readonly id: string
  readonly sources: readonly string[]
  readonly targets: readonly string[]
  readonly labels: readonly ElkLabel[]
  readonly sections?: readonly { readonly startPoint: Point; readonly endPoint: Point; readonly bendPoints?: readonly Point[] }[]
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.edgeLabels.placement': 'CENTER',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelNode': '8',
  'elk.layered.spacing.nodeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
  'elk.layered.cycleBreaking.strategy': 'DEPTH_FIRST',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
}

/** A label lies on its edge, so that one sees which it belongs to. */
const INLINE = { 'elk.edgeLabels.inline': 'true' }

/** What ELK is asked. */
export function toElk({ root, ways }: Graph, direction: Direction): ElkNode {
  return {
    id: 'page',
    layoutOptions: { ...OPTIONS, 'elk.direction': direction, 'elk.padding': '[top=4,left=4,bottom=4,right=4]' },
    children: [nodeTo(root, direction)],
    edges: ways.map(({ id, from, to, width, height }) => ({
      id,
      sources: [from.id],
      targets: [to.id],
      labels: width === 0 ? [] : [{ text: id, width, height, layoutOptions: INLINE }],
    })),
  }
}

function nodeTo({ id, children, width, height, head }: Node, direction: Direction): ElkNode {
  if (children.length === 0) return { id, width, height }
  return {
    id,
    layoutOptions: {
      ...OPTIONS,
      'elk.direction': direction,
      'elk.padding': `[top=${head + 8},left=${PADDING},bottom=${PADDING},right=${PADDING}]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
    },
    children: children.map((child) => nodeTo(child, direction)),
  }
}

/** What ELK has answered. */
export function fromElk(answer: ElkNode): Layout {
  const boxes = new Map<string, Rect>()
  const visit = ({ id, x = 0, y = 0, width = 0, height = 0, children = [] }: ElkNode): void => {
    boxes.set(id, { x, y, width, height })
    for (const child of children) visit(child)
  }
  for (const child of answer.children ?? []) visit(child)
  const ways = new Map<string, { points: Point[]; isCurve: boolean; label: Rect | undefined }>()
  for (const { id, sections = [], labels } of answer.edges ?? []) {
    const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint])
    const [label] = labels
    const place = label === undefined ? undefined : { x: label.x ?? 0, y: label.y ?? 0, width: label.width, height: label.height }
    ways.set(id, { points, isCurve: false, label: place })
  }
  return { width: answer.width ?? 0, height: answer.height ?? 0, boxes, ways }
}
