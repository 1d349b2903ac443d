/** A statechart, drawn. */
import { memo } from 'react'
import type { ChartState } from '../../src/inspector/protocol.ts'
import {
  type Graph,
  INSET,
  isHistory,
  type Label,
  type Layout,
  LINE,
  linesOf,
  type Node,
  type Point,
  type Rect,
  TITLE,
  type Way,
} from '../layout/graph.ts'

interface DrawingProps {
  readonly graph: Graph
  readonly layout: Layout
  readonly active: ReadonlySet<string>
  readonly taken: Readonly<Record<string, number>>
  /** True if a snapshot is looked at, and not the present. */
  readonly isThen: boolean
  /** The type of the event that was handled last: the ways of it that lead from what is active are lit. */
  readonly lit?: string | undefined
}

export const ChartDrawing = memo(function ChartDrawing({ graph, layout, active, taken, isThen, lit }: DrawingProps) {
  const nodes = [...graph.nodes.values()]
  const total = (way: Way): number => way.labels.reduce((sum, { key }) => sum + (taken[key] ?? 0), 0)
  const most = Math.max(1, ...graph.ways.map(total))
  const isLitKey = (id: string, key: string): boolean => lit !== undefined && active.has(id) && key.startsWith(`${id} ${lit} `)
  const isLit = (way: Way): boolean => way.labels.some(({ key }) => isLitKey(way.from.id, key))
  return (
    <g className={`drawing ${isThen ? 'then' : ''}`} aria-hidden="true">
      <defs>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0.6 8 4 0 7.4z" className="tip" />
        </marker>
      </defs>
      {nodes.map((node) => {
        const box = layout.boxes.get(node.id)
        return box === undefined ? null : (
          <Box key={node.id} node={node} box={box} isActive={active.has(node.id)} taken={taken} isLit={(key) => isLitKey(node.id, key)} />
        )
      })}
      {graph.ways.map((way) => (
        <WayPath
          key={way.id}
          way={way}
          layout={layout}
          count={total(way)}
          most={most}
          isOpen={active.has(way.from.id)}
          isLit={isLit(way)}
        />
      ))}
      {graph.ways.map((way) => {
        const place = layout.ways.get(way.id)?.label
        const isOpen = active.has(way.from.id)
        return place === undefined ? null : <Labels key={way.id} way={way} place={place} taken={taken} isOpen={isOpen} isLit={isLit(way)} />
      })}
    </g>
  )
})

interface BoxProps {
  readonly node: Node
  readonly box: Rect
  readonly isActive: boolean
  readonly taken: Readonly<Record<string, number>>
  readonly isLit: (key: string) => boolean
}

function Box({ node, box: { x, y, width, height }, isActive, taken, isLit }: BoxProps) {
  const { state, lines, head, parent } = node
  if (state === undefined) return <circle className="begin" cx={x + width / 2} cy={y + height / 2} r={width / 2 - 1} />
  if (isHistory(state))
    return (
      <g className="box history">
        <circle cx={x + width / 2} cy={y + height / 2} r={width / 2} />
        <text x={x + width / 2} y={y + height / 2 + 4} textAnchor="middle">
          {state.type === 'history' ? 'H' : 'H*'}
        </text>
        <title>{`${state.key}: ${state.type === 'history' ? 'the state that was active here last' : 'all states that were active here last'}`}</title>
      </g>
    )
  const isBare = node.children.length === 0 && lines.length === 0
  const isRegion = parent?.state?.type === 'parallel'
  return (
    <g className={`box ${isActive ? 'on' : ''} ${isRegion ? 'region' : ''} ${node.children.length > 0 ? 'outer' : ''}`}>
      <rect x={x} y={y} width={width} height={height} rx="7" />
      {state.type === 'final' ? <rect className="inner" x={x + 4} y={y + 4} width={width - 8} height={height - 8} rx="4" /> : null}
      {node.children.length > 0 ? <path className="under" d={`M${x} ${y + head}h${width}`} /> : null}
      <text
        className="title"
        {...(isBare ? { x: x + width / 2, y: y + height / 2 + 5, textAnchor: 'middle' } : { x: x + INSET, y: y + 19 })}
      >
        {isActive ? '● ' : ''}
        {state.key}
      </text>
      {lines.map((line, index) => (
        <text
          key={index}
          className={`row-text ${line.key !== undefined && isLit(line.key) ? 'lit' : ''}`}
          x={x + INSET}
          y={y + TITLE + 11 + index * LINE}
        >
          {line.text}
          {line.key === undefined ? null : <Count value={taken[line.key]} />}
          <title>{line.whole}</title>
        </text>
      ))}
      <title>{titleOf(state)}</title>
    </g>
  )
}

function titleOf({ id, type, description }: ChartState): string {
  return `${id} (${type})${description === undefined ? '' : `: ${description}`}`
}

/** A number in little room. */
function short(value: number): string {
  return value < 1_000 ? String(value) : value < 1e6 ? `${+(value / 1e3).toPrecision(3)}k` : `${+(value / 1e6).toPrecision(3)}M`
}

function Count({ value }: { readonly value: number | undefined }) {
  return value === undefined || value === 0 ? null : <tspan className="count" dx="5">{`×${short(value)}`}</tspan>
}

interface WayPathProps {
  readonly way: Way
  readonly layout: Layout
  readonly count: number
  readonly most: number
  readonly isOpen: boolean
  readonly isLit: boolean
}

function WayPath({ way, layout, count, most, isOpen, isLit }: WayPathProps) {
  const route = layout.ways.get(way.id)
  if (route === undefined || route.points.length < 2) return null
  // By the logarithm of how often it was taken, and never so heavy that it hides something.
  const weight = count === 0 ? 1.2 : 1.6 + Math.min(2.6, 2.6 * (Math.log10(1 + count) / Math.max(1, Math.log10(1 + most))))
  const d = route.isCurve ? curve(route.points) : rounded(route.points)
  const classes = `way ${count > 0 ? 'taken' : ''} ${isOpen ? 'open' : ''} ${isLit ? 'lit' : ''}`
  // Drawn anew when it was taken once more, so that it lights up.
  return (
    <g>
      <path className={classes} d={d} strokeWidth={weight} markerEnd="url(#tip)" />
      {count === 0 ? null : <path key={count} className="flash" d={d} />}
    </g>
  )
}

/** Through the middle of its label, if it has one, up or down there. */
function curve(points: readonly Point[]): string {
  const [a, b, c] = points as [Point, Point, Point?]
  if (c === undefined) return `M${a.x} ${a.y}L${b.x} ${b.y}`
  const bend = (from: Point, to: Point): number => (from.y + to.y) / 2
  return `M${a.x} ${a.y}Q${b.x} ${bend(a, b)} ${b.x} ${b.y}Q${b.x} ${bend(b, c)} ${c.x} ${c.y}`
}

/** Corners are round, so that one can follow a line where it crosses others. */
function rounded(points: readonly Point[]): string {
  const [first, ...rest] = points as [Point, ...Point[]]
  let d = `M${first.x} ${first.y}`
  for (const [index, at] of rest.entries()) {
    const before = points[index] as Point
    const after = rest[index + 1]
    if (after === undefined) d += `L${at.x} ${at.y}`
    else {
      const [enter, leave] = [towards(at, before), towards(at, after)]
      d += `L${enter.x} ${enter.y}Q${at.x} ${at.y} ${leave.x} ${leave.y}`
    }
  }
  return d
}

function towards(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const part = length === 0 ? 0 : Math.min(7, length / 2) / length
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }
}

interface LabelsProps {
  readonly way: Way
  readonly place: Rect
  readonly taken: Readonly<Record<string, number>>
  readonly isOpen: boolean
  readonly isLit: boolean
}

function Labels({ way, place, taken, isOpen, isLit }: LabelsProps) {
  let y = place.y + 2
  const lines = way.labels.map((label) => {
    const at = y
    y += linesOf(label) * LINE
    return <LabelText key={label.key} label={label} x={place.x + place.width / 2} y={at + 13} count={taken[label.key]} />
  })
  return (
    <g className={`label ${isOpen ? 'open' : ''} ${isLit ? 'lit' : ''}`}>
      <rect x={place.x} y={place.y} width={place.width} height={place.height} rx="5" />
      {lines}
    </g>
  )
}

interface LabelTextProps {
  readonly label: Label
  readonly x: number
  readonly y: number
  readonly count: number | undefined
}

function LabelText({ label, x, y, count }: LabelTextProps) {
  const { text, actions, whole } = label
  const below = linesOf(label) === 1 ? { dx: 5 } : { x, dy: LINE }
  return (
    <text x={x} y={y} textAnchor="middle">
      {text}
      <Count value={count} />
      {actions === '' ? null : (
        <tspan className="actions" {...below}>
          {actions}
        </tspan>
      )}
      <title>{whole}</title>
    </text>
  )
}
