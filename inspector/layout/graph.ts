/**
 * What is to be laid out: a statechart as boxes with sizes and ways (bundles of transitions) with labels, before they have places.
 *
 * L1  Nothing in it depends on what changes while one looks: room for counts is reserved, so that they can grow.
 */
import type { ChartState, ChartTransition } from '../../src/inspector/protocol.ts'

/** How wide a text is. */
export type Measure = (text: string, isTitle: boolean) => number

/** A line of text inside a box. */
export interface BoxLine {
  readonly text: string
  readonly whole: string
  /** The key of the transition, if it is one that stays in its state; by that it is counted. */
  readonly key: string | undefined
}

/** A state, or the mark of where one begins. */
export interface Node {
  readonly id: string
  /** Undefined for the mark. */
  readonly state: ChartState | undefined
  readonly parent: Node | undefined
  readonly lines: readonly BoxLine[]
  /** Height of its title and lines; its states come below. */
  readonly head: number
  /** The least width and height that it needs. */
  readonly width: number
  readonly height: number
  readonly children: Node[]
}

/** One transition on a way. */
export interface Label {
  readonly key: string
  readonly text: string
  readonly actions: string
  readonly whole: string
}

/** All transitions from one state to another. */
export interface Way {
  readonly id: string
  readonly from: Node
  readonly to: Node
  readonly labels: readonly Label[]
  /** Width and height of its labels together. */
  readonly width: number
  readonly height: number
}

export interface Graph {
  readonly root: Node
  readonly nodes: ReadonlyMap<string, Node>
  readonly ways: readonly Way[]
}

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Rect extends Point {
  readonly width: number
  readonly height: number
}

/** The places of everything. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly boxes: ReadonlyMap<string, Rect>
  readonly ways: ReadonlyMap<string, { readonly points: readonly Point[]; readonly isCurve: boolean; readonly label: Rect | undefined }>
}

/** Heights of a title, of a line, and around them. */
export const TITLE = 28
export const LINE = 17
export const INSET = 10
/** Around the states inside a state. */
export const PADDING = 14
const MARK = 12
/** More letters than these are cut: the whole stands in the list, and under the pointer. */
const LETTERS = 34
/** Letters of an event and its actions that stand in one line. */
const SHORT = 25
/** Room for a count. */
const COUNT = '×999'

const cut = (text: string): string => (text.length > LETTERS ? `${text.slice(0, LETTERS - 1)}…` : text)

/** A transition in words. */
export function wordsOf({ event, guard, actions }: ChartTransition): string {
  return `${event}${guard === undefined ? '' : ` [${guard}]`}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`
}

/** True for a transition that leads to no other state. */
function stays({ id }: ChartState, { targets }: ChartTransition): boolean {
  return targets.length === 0 || (targets.length === 1 && targets[0] === id)
}

/** True for a history state, which is drawn as a small sign. */
export const isHistory = (state: ChartState | undefined): boolean => state?.type.endsWith('history') ?? false

function linesIn(state: ChartState): BoxLine[] {
  const line = (whole: string, key?: string): BoxLine => ({ text: cut(whole), whole, key })
  return [
    ...(state.entry.length === 0 ? [] : [line(`on entry / ${state.entry.join(', ')}`)]),
    ...(state.exit.length === 0 ? [] : [line(`on exit / ${state.exit.join(', ')}`)]),
    ...state.invoke.map((source) => line(`runs ${source}`)),
    ...state.transitions
      .filter((each) => stays(state, each))
      .map((each) => line(`${each.targets.length === 0 ? '·' : '↻'} ${wordsOf(each)}`, each.key)),
  ]
}

function nodeOf(state: ChartState, parent: Node | undefined, measure: Measure, nodes: Map<string, Node>): Node {
  const lines = isHistory(state) ? [] : linesIn(state)
  const count = measure(COUNT, false)
  // Before a title there may be a sign, and the title is bolder where it is active.
  const widths = [measure(state.key, true) + 24, ...lines.map(({ text, key }) => measure(text, false) + (key === undefined ? 0 : count))]
  const head = TITLE + lines.length * LINE + (lines.length > 0 ? 7 : 0)
  const isSmall = isHistory(state)
  const node: Node = {
    id: state.id,
    state,
    parent,
    lines,
    head,
    width: isSmall ? 26 : Math.max(60, Math.ceil(Math.max(...widths)) + 2 * INSET),
    height: isSmall ? 26 : Math.max(38, head + (lines.length > 0 ? 3 : 10)),
    children: [],
  }
  nodes.set(node.id, node)
  if (state.type === 'compound' && state.initial !== undefined) {
    const id = markOf(state.id)
    const mark: Node = { id, state: undefined, parent: node, lines: [], head: 0, width: MARK, height: MARK, children: [] }
    nodes.set(id, mark)
    node.children.push(mark)
  }
  for (const child of state.states) node.children.push(nodeOf(child, node, measure, nodes))
  return node
}

/** The id of the mark of where a state begins: no machine has one like it. */
export const markOf = (id: string): string => `\u0000${id}`

/** The graph of a chart. */
export function graphOf(chart: ChartState, measure: Measure): Graph {
  const nodes = new Map<string, Node>()
  const root = nodeOf(chart, undefined, measure, nodes)
  const found = new Map<string, { from: Node; to: Node; labels: Label[] }>()
  const add = (from: Node, to: Node | undefined, label: Label | undefined): void => {
    if (to === undefined) return
    const id = `${from.id}\u0000${to.id}`
    const way = found.get(id) ?? { from, to, labels: [] }
    if (label !== undefined) way.labels.push(label)
    found.set(id, way)
  }
  for (const node of nodes.values()) {
    const { state } = node
    if (state === undefined) {
      const above = node.parent?.state
      const first = above?.states.find(({ key }) => key === above.initial)
      add(node, first === undefined ? undefined : nodes.get(first.id), undefined)
      continue
    }
    for (const each of state.transitions) {
      if (stays(state, each)) continue
      const { key, event, guard, actions } = each
      const text = cut(`${event}${guard === undefined ? '' : ` [${guard}]`}`)
      const label = { key, text, actions: actions.length === 0 ? '' : cut(`/ ${actions.join(', ')}`), whole: wordsOf(each) }
      for (const target of each.targets) if (target !== state.id) add(node, nodes.get(target), label)
    }
  }
  const ways = [...found].map(([id, { from, to, labels }]) => ({ id, from, to, labels, ...roomFor(labels, measure) }))
  return { root, nodes, ways }
}

/** Actions stand beside their event where both are short, else below it. */
export const linesOf = ({ text, actions }: Label): number => (actions === '' || text.length + actions.length <= SHORT ? 1 : 2)

function roomFor(labels: readonly Label[], measure: Measure): { width: number; height: number } {
  if (labels.length === 0) return { width: 0, height: 0 }
  const count = measure(COUNT, false)
  const widths = labels.map((label) => {
    const [event, does] = [measure(label.text, false) + count + 6, measure(label.actions, false)]
    return linesOf(label) === 1 ? event + does + (does === 0 ? 0 : 5) : Math.max(event, does)
  })
  const lines = labels.reduce((sum, label) => sum + linesOf(label), 0)
  return { width: Math.ceil(Math.max(...widths)) + 8, height: lines * LINE + 4 }
}

/** True if one of both holds the other. */
export function holds(outer: Node, inner: Node): boolean {
  for (let at: Node | undefined = inner.parent; at !== undefined; at = at.parent) if (at === outer) return true
  return false
}
