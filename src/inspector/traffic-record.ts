/**
 * What a recording holds beside lifecycles: messages, snapshots, and the charts of users' own machines; as it is fetched from a
 * living tree, part by part, and as lines of a file.
 *
 * Knows neither Node.js nor the DOM. What comes from a file is checked.
 *
 * O1  It is bounded, by number and by size; the newest stay, and what was left out is counted.
 * O2  A chart is held once, however many run its machine.
 */
import type { ChartState, ChartTransition, MessageLine, Recording } from './questions.ts'

/** An actor of which snapshots were recorded: a user's own, or that of a lifecycle. One for each life. */
export interface RecordedActor {
  readonly id: number
  readonly path: string
  readonly which: 'work' | 'life'
  readonly incarnation: number
  /** Of its own machine; absent if it is none, or was left out. */
  readonly chart?: number | undefined
}

/** The chart of a user's own machine, and the events that it knows. */
export interface RecordedChart {
  readonly id: number
  readonly chart: ChartState
  readonly events: readonly string[]
}

/** A snapshot, as small as it is shown. */
export interface RecordedSnapshot {
  /** The `id` of its actor. */
  readonly of: number
  /** Its place in the order of all messages and snapshots; 0 for how an actor was found when the watching began. */
  readonly n: number
  readonly at: number
  /** The event that led to it; empty for how an actor was found. */
  readonly event: string
  readonly value: unknown
  readonly context: unknown
  /** How often each transition had been taken by then. */
  readonly taken: Readonly<Record<string, number>>
}

/** How many there are of each. */
export interface Amount {
  readonly messages: number
  readonly snapshots: number
}

/** All messages, snapshots and charts of a recording. */
export interface RecordedTraffic {
  readonly charts: readonly RecordedChart[]
  readonly actors: readonly RecordedActor[]
  readonly snapshots: readonly RecordedSnapshot[]
  readonly messages: readonly MessageLine[]
  /** What is missing: pushed out by what came later, or too much. `present` are snapshots of how actors were that had not changed. */
  readonly leftOut: Amount & { readonly present: number; readonly charts: number }
}

/** Where fetching goes on: actors of which no snapshot is held, then what is held, from the latest back, then how actors were found. */
export interface TrafficPlace {
  readonly from: 'living' | 'held' | 'found'
  readonly at: number
  /** The number of the fetch; none yet where it begins. */
  readonly fetch?: number
}

/** A part of it. */
export interface TrafficPart extends Pick<RecordedTraffic, 'charts' | 'actors' | 'snapshots' | 'messages'> {
  /** Characters of it, as JSON, without charts. */
  readonly size: number
  /** Snapshots that are left out: of actors that a user's own machine has made, which have no path, or that are not there any more. */
  readonly missed: number
  /** Absent in the last one. */
  readonly next: TrafficPlace | undefined
  /** What is left of the same `from`; and what is not held any more. */
  readonly left: Amount
  readonly lost: Amount
}

/** Characters of JSON that a recording holds beside lifecycles, and the share of it that actors may take of which no snapshot is held. */
const MOST = 16_000_000
const LIVING = 3 / 4
/** Charts, and characters of one. */
const CHARTS = 200
const CHART = 500_000

/** Puts parts together. */
export class Gathering {
  readonly #charts = new Map<string, RecordedChart>()
  /** By the number of a chart, that of the one that stands for it: machines that look the same have one; undefined if it was left out. */
  readonly #chartFor = new Map<number, number | undefined>()
  readonly #actors = new Map<number, RecordedActor>()
  readonly #snapshots = new Map<string, RecordedSnapshot>()
  readonly #messages = new Map<number, MessageLine>()
  readonly #leftOut = { messages: 0, snapshots: 0, present: 0 }
  #lost: Amount = { messages: 0, snapshots: 0 }
  #noCharts = 0
  #size = 0
  readonly #most: number

  constructor(most = MOST) {
    this.#most = most
  }

  /** Charts that need not be sent again. */
  get known(): number[] {
    return [...this.#chartFor.keys()].slice(-CHARTS)
  }

  /** Takes a part in; says where to go on. */
  add({ missed, size, next, left, lost, ...part }: TrafficPart, from: TrafficPlace['from']): TrafficPlace | undefined {
    for (const chart of part.charts) if (!this.#chartFor.has(chart.id)) this.#addChart(chart)
    for (const actor of part.actors)
      this.#actors.set(actor.id, { ...actor, chart: actor.chart === undefined ? undefined : this.#chartFor.get(actor.chart) })
    for (const each of part.snapshots) this.#snapshots.set(`${each.of} ${each.n}`, each)
    for (const each of part.messages) this.#messages.set(each.n, each)
    this.#size += size
    this.#leftOut.snapshots += missed
    this.#lost = lost
    const isFull = this.#size > (from === 'living' ? this.#most * LIVING : this.#most)
    if (!isFull || next === undefined) return next
    this.#leftOut.messages += left.messages
    this.#leftOut[from === 'living' ? 'present' : 'snapshots'] += left.snapshots
    return from === 'living' ? { ...next, from: 'held', at: 0 } : undefined
  }

  #addChart({ id, chart, events }: RecordedChart): void {
    const text = JSON.stringify([chart, events])
    const known = this.#charts.get(text)?.id
    const isTooMuch = known === undefined && (this.#charts.size === CHARTS || text.length > CHART || levelsOf(chart) > LEVELS)
    this.#chartFor.set(id, isTooMuch ? undefined : (known ?? id))
    if (isTooMuch) this.#noCharts++
    else if (known === undefined) {
      this.#charts.set(text, { id, chart, events })
      this.#size += text.length
    }
  }

  /** What has come together, in order. */
  get result(): RecordedTraffic {
    const { messages, snapshots, present } = this.#leftOut
    return {
      charts: [...this.#charts.values()],
      actors: [...this.#actors.values()],
      snapshots: [...this.#snapshots.values()].toSorted((a, b) => a.n - b.n),
      messages: [...this.#messages.values()].toSorted((a, b) => a.n - b.n),
      leftOut: { messages: messages + this.#lost.messages, snapshots: snapshots + this.#lost.snapshots, present, charts: this.#noCharts },
    }
  }
}

/**
 * Puts traffic into a recording. Of what was before the recording begins, the last snapshot of each actor becomes part of it, as of its
 * beginning; the rest is left out, and counted: of that time the tree is not known.
 */
export function withTraffic(recording: Recording, traffic: RecordedTraffic): Recording {
  const { from } = recording
  const before = new Map<number, RecordedSnapshot>()
  const snapshots: RecordedSnapshot[] = []
  for (const each of traffic.snapshots) {
    if (each.at >= from) snapshots.push(each)
    else if ((before.get(each.of)?.n ?? -1) < each.n) before.set(each.of, { ...each, at: from })
  }
  const messages = traffic.messages.filter(({ at }) => at >= from)
  const all = [...before.values(), ...snapshots].toSorted((a, b) => a.n - b.n)
  const leftOut = {
    ...traffic.leftOut,
    messages: traffic.leftOut.messages + traffic.messages.length - messages.length,
    snapshots: traffic.leftOut.snapshots + traffic.snapshots.length - all.length,
  }
  return { ...recording, traffic: { ...traffic, messages, snapshots: all, leftOut } }
}

// --- lines -----------------------------------------------------------------------------------

/** It as lines of a file, behind the events. Moments count from when the recording begins, as those of events do. */
export function trafficLines({ charts, actors, snapshots, messages, leftOut }: RecordedTraffic, from: number): object[] {
  const relative = ({ at, ...rest }: { readonly at: number }): object => ({ t: at - from, ...rest })
  return [
    ...charts.map((each) => ({ recorded: 'chart', ...each })),
    ...actors.map((each) => ({ recorded: 'actor', ...each })),
    ...snapshots.map((each) => ({ recorded: 'snapshot', ...relative(each) })),
    ...messages.map((each) => ({ recorded: 'message', ...relative(each) })),
    { recorded: 'leftOut', ...leftOut },
  ]
}

/** The most lines of each kind that a file may have: more than are ever written. */
const LINES = { chart: 1_000, actor: 200_000, snapshot: 200_000, message: 200_000, leftOut: 1 }
/** How deep and how large a value may be, and a chart: what shows it does not limit that itself. */
const DEPTH = 40
const NODES = 50_000
const LEVELS = 100
const STATES = 20_000
/** Characters of a name, and of a message. */
const LONG = CHART
const TEXT = MOST

type Line = Readonly<Record<string, unknown>>

/**
 * Reads what lines of a file hold.
 *
 * @param first The number of the first line, for what is said of a wrong one.
 * @throws RangeError that names the line, if it is not what was written.
 */
export function readTraffic(lines: readonly object[], from: number, first: number): RecordedTraffic {
  const read: { [Kind in keyof typeof LINES]: unknown[] } = { chart: [], actor: [], snapshot: [], message: [], leftOut: [] }
  const charts = new Set<number>()
  const actors = new Set<number>()
  for (const [k, given] of lines.entries()) {
    const kind = (given as Line | null)?.['recorded'] as keyof typeof LINES
    try {
      const line = recordIn(given, 'a line')
      if (!Object.hasOwn(LINES, kind)) wrong('it says neither chart nor actor, snapshot, message or leftOut')
      if (read[kind].length === LINES[kind]) wrong(`there are more than ${LINES[kind]} of them`)
      read[kind].push(READ[kind](line, { charts, actors, from }))
    } catch (error) {
      throw new RangeError(`line ${first + k}, recorded ${JSON.stringify(kind)?.slice(0, 40)}: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
  const [leftOut = { messages: 0, snapshots: 0, present: 0, charts: 0 }] = read.leftOut
  return { charts: read.chart, actors: read.actor, snapshots: read.snapshot, messages: read.message, leftOut } as RecordedTraffic
}

interface Known {
  readonly charts: Set<number>
  readonly actors: Set<number>
  readonly from: number
}

const READ: { readonly [Kind in keyof typeof LINES]: (line: Line, known: Known) => unknown } = {
  chart: (line, { charts }): RecordedChart => {
    const id = number(line, 'id')
    charts.add(id)
    return { id, chart: chartIn(line['chart'], { left: STATES }, LEVELS), events: textsIn(line, 'events') }
  },
  actor: (line, { charts, actors }): RecordedActor => {
    const { chart } = line
    const which = text(line, 'which')
    if (which !== 'work' && which !== 'life') wrong('which has to be work or life')
    if (chart !== undefined && !charts.has(chart as number)) wrong('no chart before it has this number')
    const id = number(line, 'id')
    if (actors.has(id)) wrong('two actors have the same number')
    actors.add(id)
    const known = { id, path: text(line, 'path'), which: which as 'work' | 'life', incarnation: number(line, 'incarnation') }
    return chart === undefined ? known : { ...known, chart: chart as number }
  },
  snapshot: (line, { actors, from }): RecordedSnapshot => {
    const of = number(line, 'of')
    if (!actors.has(of)) wrong('no actor before it has this number')
    const { value, context } = line
    checkSize([value, context])
    return { of, n: number(line, 'n'), at: momentIn(line, from), event: text(line, 'event'), value, context, taken: countsIn(line) }
  },
  message: (line, { from }): MessageLine => {
    const kind = text(line, 'kind')
    if (!['event', 'send', 'ask', 'reply'].includes(kind)) wrong('it is of no kind that there is')
    const [n, at] = [number(line, 'n'), momentIn(line, from)]
    const [sender, to, type] = [text(line, 'from'), text(line, 'to'), text(line, 'type')]
    return { n, at, from: sender, to, type, kind: kind as MessageLine['kind'], text: text(line, 'text', TEXT) }
  },
  leftOut: (line): RecordedTraffic['leftOut'] => {
    const [messages, snapshots, charts] = [number(line, 'messages'), number(line, 'snapshots'), number(line, 'charts')]
    // Not told apart by earlier versions.
    return { messages, snapshots, present: 'present' in line ? number(line, 'present') : 0, charts }
  },
}

function wrong(why: string): never {
  throw new RangeError(why)
}

function number(line: Line, key: string): number {
  const value = line[key]
  if (!Number.isSafeInteger(value) || (value as number) < 0) wrong(`${key} has to be a whole number from 0 on`)
  return value as number
}

function momentIn({ t }: Line, from: number): number {
  if (typeof t !== 'number' || !(Math.abs(t) < 1e15)) wrong('t has to be a number of milliseconds')
  return from + (t as number)
}

function text(line: Line, key: string, most = LONG): string {
  const value = line[key]
  if (typeof value !== 'string' || value.length > most) wrong(`${key} has to be a text of at most ${most} characters`)
  return value as string
}

function listIn(line: Line, key: string): readonly unknown[] {
  const value = line[key]
  if (!Array.isArray(value) || value.length > STATES) wrong(`${key} has to be a list of at most ${STATES}`)
  return value as readonly unknown[]
}

function textsIn(line: Line, key: string): string[] {
  const list = listIn(line, key)
  return list.map((each) => text({ [key]: each }, key))
}

function recordIn(value: unknown, name: string): Line {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(`${name} has to be an object`)
  return value as Line
}

function countsIn({ taken }: Line): Record<string, number> {
  const counts = recordIn(taken, 'taken')
  const keys = Object.keys(counts)
  if (keys.length > STATES) wrong(`taken has to be of at most ${STATES}`)
  return Object.fromEntries(keys.map((key) => [text({ key }, 'key'), number(counts, key)]))
}

const optional = (line: Line, key: string): string | undefined => (typeof line[key] === 'string' ? text(line, key) : undefined)

function chartIn(value: unknown, budget: { left: number }, depth: number): ChartState {
  const state = recordIn(value, 'a state')
  if (budget.left-- <= 0 || depth === 0) wrong('the chart is too large')
  return {
    id: text(state, 'id'),
    key: text(state, 'key'),
    type: text(state, 'type'),
    initial: optional(state, 'initial'),
    description: optional(state, 'description'),
    entry: textsIn(state, 'entry'),
    exit: textsIn(state, 'exit'),
    invoke: textsIn(state, 'invoke'),
    transitions: listIn(state, 'transitions').map((each) => transitionIn(recordIn(each, 'a transition'))),
    states: listIn(state, 'states').map((each) => chartIn(each, budget, depth - 1)),
  }
}

function transitionIn(line: Line): ChartTransition {
  const [key, event] = [text(line, 'key'), text(line, 'event')]
  return { key, event, targets: textsIn(line, 'targets'), guard: optional(line, 'guard'), actions: textsIn(line, 'actions') }
}

const levelsOf = ({ states }: ChartState): number => 1 + states.reduce((most, each) => Math.max(most, levelsOf(each)), 0)

/** Not deeper or larger than what is ever written. */
function checkSize(value: unknown): void {
  let left = NODES
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    left -= level.length
    if (depth > DEPTH || left < 0) wrong('the snapshot is too large')
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
}
