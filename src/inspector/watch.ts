/**
 * Watches a tree: all of it for as long as a page is open, and else only what goes wrong.
 *
 * U1  With no page open there is no timer, and only the rare events are listened to: failures, restarts, phases; and ends by order, of
 *     which those are kept that have come with a group. What is refused or dropped is counted, and not held.
 * U2  What was recorded is a whole: from its base, its events lead to the tree as it is.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import { routineLogic } from '../routine/index.ts'
import { instrument, type Unsubscribe } from '../turn/index.ts'
import { accountsFor, blame } from './blame.ts'
import { betweenRuns } from './between.ts'
import { chartOf } from './chart.ts'
import { actorOf, describeActor, describeChart, describeHealth, describeOngoing, find, workOf } from './describe.ts'
import { describeNow } from './describe-now.ts'
import { describeEnded } from './describe-ended.ts'
import { Forest } from './forest.ts'
import { Ledger } from './ledger.ts'
import { LifeStates } from './life-state.ts'
import type { ActorView, Bar, BaseNode, KeptEvent, Question, Questions, RecordingPart } from './protocol.ts'
import { withPresent } from './present.ts'
import { isOfGroup, RARE } from './rare.ts'
import { keep } from './recording.ts'
import { Ring } from './ring.ts'
import { ShutdownWatch, withDeadline } from './shutdown-watch.ts'
import { why, type WorkKind } from './story.ts'
import { takeTree } from './take-tree.ts'
import { Accuser } from './accuser.ts'
import { Timeline, Waterfall } from './timeline.ts'
import { Traffic } from './traffic.ts'
import { TrafficExport } from './traffic-export.ts'
import type { Watched } from './watched.ts'

/** Events that are held, and samples, one a second. */
const HELD = 100_000
const SAMPLES = 600
/** Events in one part of a recording. */
const PART = 5_000
/** Milliseconds for which watching goes on when the last page is gone: it may only have been loaded anew. */
const LINGER = 30_000

const plain = (event: LifecycleEvent): KeptEvent => event as unknown as KeptEvent

export class Watch implements Watched {
  readonly source = 'live'
  readonly ledger: Ledger
  readonly traffic: Traffic
  readonly #export: TrafficExport
  readonly #global: GlobalManager
  readonly #samples = new Ring<readonly number[]>(SAMPLES)
  readonly #accuser: Accuser
  #timeline = new Timeline()
  readonly #waterfall = new Waterfall()
  readonly #shutdowns: ShutdownWatch
  /** The tree as it is, and as it was before the first event that is still held. */
  #forest = new Forest()
  #before = new Forest()
  #recordedFrom = 0
  /** The moment for which the latter holds. */
  #baseAt = 0
  /** When the watching began. */
  #begunAt = 0
  /** The event up to which bars were made. */
  #drawn = 0
  #looking = false
  #closed = false
  /** True once the tree has ended while it was watched: nothing can be newer than what was seen then. */
  #final = false
  #off: Unsubscribe[] = []
  #sampler: NodeJS.Timeout | undefined
  #ended = (): void => undefined
  #lingering: NodeJS.Timeout | undefined
  #delay: IntervalHistogram | undefined

  constructor(global: GlobalManager, capacity = HELD) {
    this.#global = global
    // All that record have heard of the end by then.
    this.#shutdowns = new ShutdownWatch(global, ({ path }) => path === global.path && queueMicrotask(() => this.#ended()))
    this.traffic = new Traffic(global)
    this.#export = new TrafficExport(global, this.traffic)
    this.#accuser = new Accuser(global, this.traffic)
    // What was held from before is in the base already.
    this.ledger = new Ledger(capacity, (event) => event.seq > this.#recordedFrom && this.#pushedOut(event))
    this.#listenToRare()
  }

  get forest(): Forest {
    return this.#forest
  }

  get name(): string {
    return this.#global.name
  }

  get now(): number {
    return this.#global.tree.clock.now()
  }

  /** Listens only to what is rare. */
  #listenToRare(): void {
    const note = (event: LifecycleEvent): void => {
      const kept = withDeadline(this.#global, this.#accuser.note(event))
      this.ledger.record(kept)
      this.#waterfall.note(kept)
    }
    this.#off = RARE.map((type) => this.#global.on(type, instrument(note)))
    // Why a sibling was stopped is asked about afterwards, too.
    this.#off.push(
      this.#global.on(
        'routine.cancelled',
        instrument((event) => isOfGroup(plain(event)) && note(event)),
      ),
    )
    this.#off.push(...this.#accuser.listen())
  }

  onEnd(listener: () => void): void {
    this.#ended = listener
  }

  /** A page is open: takes the tree as it stands, and listens to everything from there on. */
  begin(): void {
    clearTimeout(this.#lingering)
    if (this.#looking || this.#closed || this.#final) return
    this.#looking = true
    this.#listenNoMore()
    const forest = new Forest()
    const before = new Forest()
    const running: Bar[] = []
    takeTree(this.#global, forest, running)
    for (const node of forest.base()) before.add(...node)
    before.skip()
    const { completed, failed, cancelled, killed } = this.#global.metrics()
    forest.count([completed, failed, cancelled, killed])
    this.#forest = forest
    this.#before = before
    this.#recordedFrom = this.#global.tree.bus.next()
    this.#baseAt = this.now
    this.#begunAt = this.now
    this.#drawAnew(running)
    this.#off = [
      this.#global.on(
        '*',
        instrument((event) => this.#note(withDeadline(this.#global, this.#accuser.note(event)))),
      ),
    ]
    this.traffic.begin()
    this.#export.begin(this.#baseAt)
    this.#delay = monitorEventLoopDelay({ resolution: 20 })
    this.#delay.enable()
    this.#sample()
    this.#sampler = setInterval(() => this.#sample(), 1_000)
    this.#sampler.unref()
  }

  /** No page is open any more; one may be back soon. */
  end(): void {
    if (this.#closed) return
    clearTimeout(this.#lingering)
    this.#lingering = setTimeout(() => this.stop(), LINGER)
    this.#lingering.unref()
  }

  /** Back to what is rare. What was recorded stays for the next one. */
  stop(): void {
    clearTimeout(this.#lingering)
    if (!this.#looking) return
    this.#looking = false
    this.#final = this.#global.over
    this.#listenNoMore()
    this.traffic.end()
    // A tree that has ended is still looked at afterwards, and no more actors come that would be kept from being collected.
    if (!this.#final) {
      this.traffic.forget()
      this.#export.forget()
    }
    this.#delay?.disable()
    clearInterval(this.#sampler)
    if (!this.#global.over && !this.#closed) this.#listenToRare()
  }

  /** Nothing is listened to any more. */
  close(): void {
    this.#closed = true
    this.#shutdowns.close()
    this.stop()
    this.traffic.senders.close()
    this.#listenNoMore()
  }

  #listenNoMore(): void {
    for (const off of this.#off) off()
    this.#off = []
  }

  #note(event: KeptEvent): void {
    this.#forest.note(event)
    this.ledger.record(event)
    this.#waterfall.note(event)
  }

  #pushedOut(event: KeptEvent): void {
    this.#before.note(event)
    this.#baseAt = event.at
  }

  /** Bars of all that is held, and of what runs. */
  #drawAnew(running: readonly Bar[]): void {
    const { ledger } = this
    this.#timeline = new Timeline(this.#begunAt === this.#baseAt ? this.#begunAt : Math.max(this.#begunAt, this.#baseAt))
    // Ends that are held say how long each has run. Starts are left out: the ends that belong to them may not have been heard.
    for (let k = 0; k < ledger.size; k++) {
      const event = ledger.at(k) as KeptEvent
      if ('willRestart' in event) this.#timeline.note(event)
    }
    this.#timeline.seed(running)
    this.#drawn = Math.max(this.#recordedFrom, ledger.at(ledger.size - 1)?.seq ?? 0)
  }

  /** The bars, made when a page asks for them: until then they cost nothing. */
  #bars(): Timeline {
    const { ledger } = this
    const last = ledger.at(ledger.size - 1)?.seq ?? 0
    // What was pushed out before it was drawn is not known: not even of those that are drawn as running that they still do.
    if ((ledger.at(ledger.whole)?.seq ?? 0) > this.#drawn + 1) {
      const running: Bar[] = []
      takeTree(this.#global, new Forest(), running)
      this.#drawAnew(running)
    }
    for (let k = ledger.firstFrom(this.#drawn + 1); k < ledger.size; k++) this.#timeline.note(ledger.at(k) as KeptEvent)
    this.#drawn = Math.max(this.#drawn, last)
    return this.#timeline
  }

  #sample(): void {
    const metrics = this.#global.metrics()
    const { running, pending, failures, restarts, spawned, completed, failed, cancelled, killed, refused, orphaned } = metrics
    const lag = Math.max(0, (this.#delay?.max ?? 0) / 1e6 - 20)
    this.#delay?.reset()
    const ended = completed + failed + cancelled + killed
    const { heapUsed } = process.memoryUsage()
    this.#samples.push([this.now, running, pending, failures, restarts, spawned, ended, lag, heapUsed, refused, orphaned])
  }

  // --- what pages ask ------------------------------------------------------------------------

  /** Answers a page. Throws an error that the page is to show. */
  answer<Name extends Question>(name: Name, ask: Questions[Name]['ask']): Questions[Name]['answer'] {
    if (!Object.hasOwn(this.#answers, name)) throw new Error(`there is no question ${name}`)
    return this.#answers[name](ask)
  }

  readonly #answers: { readonly [Key in Question]: (ask: Questions[Key]['ask']) => Questions[Key]['answer'] } = {
    log: (ask) => ({ ...this.ledger.lines(ask), whole: this.ledger.at(this.#whole)?.seq }),
    actor: ({ path }) => this.#actor(path),
    chart: ({ path, which }) => {
      const found = find(this.#global, path)
      if (found !== undefined) return describeChart(found, which)
      // It has ended, but the lifecycle of all routines has the same chart.
      return which === 'life' && path.includes('#') ? chartOf(routineLogic()) : undefined
    },
    look: ({ path, n, at = [] }) => this.traffic.look(actorOf(this.#living(path)), n, at),
    diff: ({ path, from, to }) => this.traffic.diff(actorOf(this.#living(path)), from, to),
    messages: ({ paths, limit }) => {
      this.traffic.watch(paths)
      return this.traffic.messages(paths, limit)
    },
    strangers: ({ paths }) =>
      paths.filter((path) => {
        const found = find(this.#global, path)
        return found !== undefined && !(found instanceof Manager) && this.traffic.senders.isUnknown(found)
      }),
    why: (ask) => {
      const explain = (seq: number | undefined): ReturnType<typeof why> => why(this.ledger, seq, ask.path, undefined, this.#workOf)
      const story = blame(explain, this.#shutdowns.accounts, ask)
      return withPresent(story, describeNow(this.#global, ask.path), ask, this.now, this.#workOf)
    },
    shutdown: () => {
      const ongoing = (path: string, phase: string | undefined, asked: number | undefined): ReturnType<typeof describeOngoing> =>
        describeOngoing(this.#global, path, phase, asked)
      return this.#waterfall.view(this.now, ongoing, accountsFor(this.#shutdowns.accounts))
    },
    health: () => describeHealth(this.#global, this.#samples),
    timeline: (ask) => this.#bars().view(ask, this.now),
    recording: ({ after }) => this.#recording(after),
    traffic: (ask) => this.#export.part(ask),
    failure: ({ seq }) => this.#accuser.failure(this.ledger, seq),
    scene: ({ seq }) => this.#accuser.scene(this.ledger, seq),
    problems: () => this.#accuser.view(describeHealth(this.#global, []), this.#answers.shutdown({})),
  }

  readonly #workOf = (path: string): WorkKind | undefined => workOf(find(this.#global, path))

  /** Where the first event stands from which on none is missing. */
  get #whole(): number {
    return Math.max(this.ledger.whole, this.ledger.firstFrom(this.#recordedFrom))
  }

  #living(path: string): NonNullable<ReturnType<typeof find>> {
    const found = find(this.#global, path)
    if (found === undefined) throw new Error(`${path} has ended`)
    return found
  }

  #actor(path: string): ActorView | undefined {
    const history = this.ledger.lines({ path, limit: 60 }, true).lines
    const found = find(this.#global, path)
    this.traffic.watch([path])
    const node = this.#forest.nodeAt(path)
    if (found !== undefined) {
      const view = describeActor(found, this.traffic, history)
      // The machine of the lifecycle has no state for it; the forest knows.
      if (node?.state === 'hung' && view.state === 'running') return { ...view, state: 'hung' }
      return betweenRuns(view, this.ledger, this.now, (of, incarnation) => this.#accuser.machineOf(of, incarnation))
    }
    return node === undefined
      ? undefined
      : describeEnded(path, node.state, node.incarnation, new LifeStates().valueOf(path, node.state), history)
  }

  /** A part of what was recorded since a page began to look. */
  #recording(after: number | undefined): RecordingPart {
    const { ledger } = this
    const whole = this.#whole
    const oldest = ledger.at(whole)?.seq ?? 0
    const isFirst = after === undefined
    if (!isFirst && after >= this.#recordedFrom && after + 1 < oldest)
      throw new Error('more has happened than is held, while it was fetched: try again')
    const events: KeptEvent[] = []
    // What is rare and older comes with the first part: what is ordinary may push more out before the next one.
    const earlier = isFirst ? whole : 0
    for (let k = isFirst ? 0 : ledger.firstFrom(after + 1); k < ledger.size && events.length < PART + earlier; k++)
      events.push(keep(ledger.at(k) as KeptEvent))
    const base: BaseNode[] | undefined = isFirst ? this.#before.base() : undefined
    // At least a millisecond before the first of them, so that one can go to a moment at which only the base was there.
    const from = Math.min(this.#baseAt, (events[earlier]?.at ?? Infinity) - 1)
    const more = (events.at(-1)?.seq ?? Infinity) < (ledger.at(ledger.size - 1)?.seq ?? 0)
    return { base, from, events, more, ...(earlier === 0 ? {} : { earlier }) }
  }
}
