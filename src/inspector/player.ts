/**
 * A recording, played: the tree at any moment, and the same answers that a live tree gives.
 *
 * Y1  At every moment the tree is its base and all events up to it, whichever way one has come there.
 * Y2  Moments only ever grow: where the clock was set back, what followed happened no earlier than what came before.
 * Y5  What is known from before it began explains what followed, and changes nothing of the tree: that is in its base already.
 */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { ShutdownAccounts } from '../../machines/shutdown-account.ts'
import { betweenRuns } from './between.ts'
import { accountsFor, blame } from './blame.ts'
import { describeEnded } from './describe-ended.ts'
import { Forest, kindOf } from './forest.ts'
import { Insides } from './insides.ts'
import { Ledger } from './ledger.ts'
import { LifeStates } from './life-state.ts'
import { RecordedHealth } from './recorded-health.ts'
import type {
  ActorView,
  Blocker,
  ChartState,
  Frame,
  KeptEvent,
  NodeState,
  Question,
  Questions,
  Recording,
  SceneView,
  ShutdownsView,
} from './protocol.ts'
import { hungIn, withPresent } from './present.ts'
import { why, type WorkKind } from './story.ts'
import { readFailure } from './failure.ts'
import { failureIn, Problems } from './problems.ts'
import { sceneOf } from './scene.ts'
import { warningsOf } from './warnings.ts'
import { Timeline, UNKNOWN, Waterfall } from './timeline.ts'

/** The statecharts that lifecycles have. */
export interface Charts {
  readonly routine: ChartState
  readonly global: ChartState
  readonly app: ChartState
  readonly local: ChartState
}

/** Routines that a list of blockers names. */
const NAMED = 20
/** States in which a routine is not waited for any more. */
const ENDED: ReadonlySet<NodeState> = new Set<NodeState>(['completed', 'failed', 'cancelled', 'killed'])

/** States in which work has begun and not ended. */
const RUNNING: ReadonlySet<NodeState> = new Set<NodeState>(['running', 'hung', 'stopping'])

/** The traffic of a recording that has none. */
const NOTHING = { charts: [], actors: [], snapshots: [], messages: [] }

export class Player {
  readonly recording: Recording
  readonly from: number
  readonly to: number
  readonly #charts: Charts
  readonly #ledger: Ledger
  readonly #timeline: Timeline
  readonly #insides: Insides
  readonly #accounts = new ShutdownAccounts()
  #forest = new Forest(Infinity)
  #waterfall = new Waterfall()
  #lifeStates = new LifeStates()
  #next = 0
  #health = new RecordedHealth()
  #problems = new Problems()
  #at: number

  constructor(recording: Recording, charts: Charts) {
    const { from } = recording
    const events = inOrder(recording.events)
    this.recording = { ...recording, events }
    this.#charts = charts
    this.from = from
    this.#insides = new Insides(recording.traffic ?? NOTHING)
    this.to = Math.max(events.at(-1)?.at ?? from, this.#insides.to)
    this.#at = from
    this.#timeline = new Timeline(from)
    this.#ledger = new Ledger(Math.max(1, events.length))
    // When routines began that ran already, a recording says only once they end.
    const running = recording.base.filter(([, kind, state]) => kind === 'routine' && RUNNING.has(state))
    const { earlier = 0 } = recording
    for (const [k, event] of events.entries()) {
      if (k === earlier) this.#seed(running)
      this.#ledger.record(event)
      const { deadline } = event as { readonly deadline?: unknown }
      this.#accounts.note(event as unknown as LifecycleEvent, typeof deadline === 'number' ? deadline : undefined)
      // Of those that began before, only the ends say anything: what still runs is in the base.
      if (k >= earlier || 'willRestart' in event) this.#timeline.note(event)
    }
    if (events.length <= earlier) this.#seed(running)
    this.#rewind()
  }

  #seed(running: Recording['base']): void {
    this.#timeline.seed(running.map(([path, , , , incarnation]) => ({ path, incarnation, from: this.from, seq: 0 })))
  }

  get at(): number {
    return this.#at
  }

  #rewind(): void {
    this.#forest = new Forest(Infinity)
    this.#waterfall = new Waterfall()
    this.#lifeStates = new LifeStates()
    this.#health = new RecordedHealth()
    this.#problems = new Problems()
    this.#next = this.recording.earlier ?? 0
    // A shutdown that goes on had begun with some of these.
    for (const event of this.recording.events.slice(0, this.#next)) {
      this.#waterfall.note(event)
      this.#problems.note(event)
    }
    for (const node of this.recording.base) this.#forest.add(...node)
  }

  /** Goes to a moment. The frame is whole if that was back in time; no events count for it: they have been counted when they happened. */
  seek(at: number): Frame {
    const back = at < this.#at
    this.#at = at
    if (back) this.#rewind()
    const { events } = this.recording
    for (; this.#next < events.length && (events[this.#next] as KeptEvent).at <= at; this.#next++) {
      const event = events[this.#next] as KeptEvent
      this.#forest.note(event)
      this.#waterfall.note(event)
      this.#lifeStates.note(event)
      this.#health.note(event)
      this.#problems.note(event)
    }
    if (!back) return { ...this.#forest.take(at), events: 0, coalesced: 0 }
    this.#forest.skip()
    return this.#forest.whole(at)
  }

  /** All of it, as it is now. */
  whole(): Frame {
    return this.#forest.whole(this.#at)
  }

  /** How many events there have been by now. */
  get passed(): number {
    return this.#next
  }

  /** When the next event comes; undefined at the end. */
  get nextAt(): number | undefined {
    return this.recording.events[this.#next]?.at
  }

  answer<Name extends Question>(name: Name, ask: Questions[Name]['ask']): Questions[Name]['answer'] {
    return this.#answers[name](ask)
  }

  readonly #answers: { readonly [Key in Question]: (ask: Questions[Key]['ask']) => Questions[Key]['answer'] } = {
    log: (ask) => ({
      ...this.#ledger.lines({ ...ask, before: Math.min(ask.before ?? Infinity, this.#seqAfter) }),
      total: this.#next,
      whole: this.recording.earlier === undefined ? undefined : this.recording.events[this.recording.earlier]?.seq,
    }),
    actor: ({ path }) => this.#actor(path),
    chart: ({ path, which }) => (which === 'work' ? this.#insides.chart(path) : this.#charts[chartFor(path)]),
    look: ({ path, n, at = [] }) => this.#insides.look(path, this.#incarnationOf(path), this.#at, n, at),
    diff: ({ path, from, to }) => this.#insides.diff(path, this.#incarnationOf(path), this.#at, from, to),
    messages: ({ paths, limit }) => this.#insides.messages(paths, this.#at, limit),
    strangers: ({ paths }) => paths.filter((path) => this.#isStranger(path)),
    why: (ask) => {
      const workOf = (of: string): WorkKind | undefined => (this.#insides.hasWork(of) ? 'actor' : undefined)
      const explain = (seq: number | undefined): ReturnType<typeof why> => why(this.#ledger, seq, ask.path, this.#seqAfter, workOf)
      const story = blame(explain, this.#accounts.all, ask)
      return withPresent(story, hungIn(this.#forest, this.#ledger, ask.path, this.#seqAfter), ask, this.#at, workOf)
    },
    shutdown: () => this.#shutdowns(),
    health: () => this.#health.view(this.#forest.base(), this.#at),
    timeline: (ask) => this.#timeline.view(ask, this.to),
    recording: () => {
      const { base, events, earlier } = this.recording
      return { base, from: this.from, events, more: false, ...(earlier === undefined ? {} : { earlier }) }
    },
    failure: ({ seq }) => {
      const event = this.#passed(seq)
      return event?.type === 'routine.failed' ? failureIn(event) : undefined
    },
    scene: ({ seq }) => this.#scene(seq),
    problems: () => ({
      ...this.#problems.view(this.#at),
      warnings: warningsOf(this.#health.view(this.#forest.base(), this.#at), this.#shutdowns()),
    }),
    traffic: () => {
      throw new Error('this is a recording: all of it is here already')
    },
  }

  /** True for one that ran already when it began and is never named as a sender, where messages are of somebody who is not known. */
  #isStranger(path: string): boolean {
    const node = this.#forest.nodeAt(path)
    if (node === undefined || !this.#insides.isAnyUnknown || this.#insides.countsOf(path, this.to).out > 0) return false
    return this.recording.base.some(([at, kind, , , run]) => at === path && kind === 'routine' && run === node.incarnation)
  }

  get #seqAfter(): number {
    return this.recording.events[this.#next]?.seq ?? Infinity
  }

  /** An event that has happened by this moment. */
  #passed(seq: number): KeptEvent | undefined {
    return seq < this.#seqAfter ? this.#ledger.at(this.#ledger.indexOf(seq)) : undefined
  }

  #scene(seq: number): SceneView | undefined {
    const event = this.#passed(seq)
    if (event === undefined) return undefined
    const { path, at, incarnation } = event
    return sceneOf(
      this.#ledger,
      this.#ledger.indexOf(seq),
      this.#insides.scene(path, Number(incarnation), at),
      this.#insides.messages([path], at),
    )
  }

  #actor(path: string): ActorView | undefined {
    const node = this.#forest.nodeAt(path)
    if (node === undefined) return undefined
    const { lines } = this.#ledger.lines({ path, limit: 60, before: this.#seqAfter }, true)
    const { state, incarnation } = node
    const ended = describeEnded(path, state, incarnation, this.#lifeStates.valueOf(path, state), lines)
    const { life = ended.life, ...inside } = this.#insides.actor(path, incarnation, this.#at)
    const view = { ...ended, ...inside, life, messages: this.#insides.countsOf(path, this.#at) }
    return betweenRuns(view, this.#ledger, this.#at, (of, run) => this.#insides.scene(of, run, this.#at))
  }

  /** The incarnation of an actor at this moment. */
  #incarnationOf(path: string): number {
    const node = this.#forest.nodeAt(path)
    if (node === undefined) throw new Error(`this is a recording: ${path} is not there at this moment`)
    return node.incarnation
  }

  /** Who blocks can be told of a recording, too; how long they may, can't. */
  #shutdowns(): ShutdownsView {
    const below = new Map<string, Blocker[]>()
    for (const [path, kind, state] of this.#forest.base()) {
      if (kind !== 'routine' || ENDED.has(state)) continue
      const above = path.slice(0, path.lastIndexOf('/'))
      const list = below.get(above) ?? []
      below.set(above, list)
      if (list.length < NAMED) list.push({ path, state, since: undefined, asked: undefined, until: undefined })
    }
    const ongoing = (path: string, phase: string | undefined): typeof UNKNOWN => {
      const isWaiting = phase === 'cancelling' || phase === 'waiting' || phase === 'killing'
      return { ...UNKNOWN, blocking: isWaiting ? (below.get(path) ?? []) : [] }
    }
    return this.#waterfall.view(this.#at, ongoing, accountsFor(this.#accounts.all, this.#at))
  }
}

/** The same events, none earlier than the one before it. */
function inOrder(events: readonly KeptEvent[]): readonly KeptEvent[] {
  let last = -Infinity
  return events.map((event) => {
    last = Math.max(last, event.at)
    const { failure, ...rest } = event
    const checked = failure === undefined ? event : { ...rest, failure: readFailure(failure) }
    return event.at === last ? checked : { ...checked, at: last }
  })
}

function chartFor(path: string): keyof Charts {
  if (path.includes('#')) return 'routine'
  const kind = kindOf(path)
  return kind === 'global' || kind === 'app' ? kind : 'local'
}
