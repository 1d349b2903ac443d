/**
 * Messages, snapshots and charts of a living tree for a recording, in parts: the process is not held up for long by any of them.
 *
 * E1  A part is bounded by number, size and time, and so is the work that it takes, however large the tree is: which actors are in
 *     the recording is settled once, when a fetch begins.
 * E2  Of each actor the snapshots that are given are the latest ones, with none missing between them: at a moment the last one
 *     before it holds, and if there is none, it is not known what did.
 */
import type { AnyActorRef } from 'xstate'
import { type GlobalManager, lifeOf, Manager } from '../manager/index.ts'
import { incarnationOf, runOf } from '../routine/index.ts'
import { chartOf, isMachine, stateToWire } from './chart.ts'
import type { MessageLine, Questions } from './protocol.ts'
import type { Kept, Traffic } from './traffic.ts'
import type { Amount, RecordedActor, RecordedChart, RecordedSnapshot, TrafficPart, TrafficPlace } from './traffic-record.ts'
import { toWire } from './to-wire.ts'
import { firstWhere } from './search.ts'

/** How many of the actors that are there when the watching begins are remembered as they were found. */
const FOUND = 2_000
/** Items and characters of a part, and the milliseconds after which nothing more comes into it: to go through contexts may be slow. */
const ITEMS = 200
const SIZE = 256_000
const TIME = 20
/** Fetches that go on at once: each page has its own. */
const FETCHES = 4

type Whose = Omit<RecordedActor, 'id' | 'chart'>

/** A recording that is being fetched. */
interface Fetch {
  /** Actors of which no snapshot was held when the fetch began. It keeps none of them from being collected. */
  readonly unchanged: readonly WeakRef<AnyActorRef>[]
  /** Those of them that were found when the watching began. */
  readonly found: ReadonlySet<AnyActorRef>
  /** Charts by what they say: machines that are made anew for each actor look the same. */
  readonly charts: Map<string, number>
}

export class TrafficExport {
  readonly #global: GlobalManager
  readonly #traffic: Traffic
  readonly #ids = new WeakMap<object, number>()
  #lastId = 0
  #found: readonly Kept[] = []
  #since = { n: 0, at: 0, messages: 0, snapshots: 0 }
  /** In the order in which they began. */
  readonly #fetches = new Map<number, Fetch>()
  #lastFetch = 0

  constructor(global: GlobalManager, traffic: Traffic) {
    this.#global = global
    this.#traffic = traffic
  }

  /** The watching begins, and the recording at the same moment: what was held before belongs to an earlier one. */
  begin(at: number): void {
    const { last, heard } = this.#traffic.held
    this.#since = { n: last, at, ...heard }
    this.#fetches.clear()
    this.#found = [...living(this.#global)].slice(0, FOUND).map((ref) => {
      // A snapshot never changes, so that it need not be copied.
      return { n: 0, at, ref, event: '', snapshot: ref.getSnapshot(), taken: new Map(Object.entries(this.#traffic.taken(ref))) }
    })
  }

  /** No page comes back for it. */
  forget(): void {
    this.#found = []
    this.#fetches.clear()
  }

  part({ from = 'living', at = 0, fetch = this.#begun(), charts = [] }: Questions['traffic']['ask']): TrafficPart {
    const fetched = this.#fetches.get(fetch)
    if (fetched === undefined) throw new Error('what was fetched is not there any more: try again')
    const part = new Part(this, fetched, new Set(charts))
    const [next, left] = this.#fill[from](part, at, fetched)
    if (next === undefined) this.#fetches.delete(fetch)
    return { ...part.content, next: next === undefined ? undefined : { ...next, fetch }, left, lost: this.#lost() }
  }

  /** The number of a fetch that begins now. */
  #begun(): number {
    const changed = this.#changed()
    const found = new Set(this.#found.map(({ ref }) => ref))
    const unchanged = { work: [] as WeakRef<AnyActorRef>[], life: [] as WeakRef<AnyActorRef>[] }
    const foundUnchanged = new Set<AnyActorRef>()
    for (const ref of living(this.#global)) {
      if (changed.has(ref)) continue
      if (found.has(ref)) foundUnchanged.add(ref)
      const own = incarnationOf(ref)
      const isWork = own === undefined && lifeOf(ref) === undefined
      // The state of such a lifecycle is clear from its events already.
      if (own === undefined || !isMachine(logicOf(own.footing as AnyActorRef)) || !this.#isPlain(ref))
        unchanged[isWork ? 'work' : 'life'].push(new WeakRef(ref))
    }
    const [oldest] = this.#fetches.keys()
    if (this.#fetches.size === FETCHES) this.#fetches.delete(oldest as number)
    // There may be more than a recording has room for: the users' own actors come first.
    this.#fetches.set(++this.#lastFetch, { unchanged: [...unchanged.work, ...unchanged.life], found: foundUnchanged, charts: new Map() })
    return this.#lastFetch
  }

  /** True for a lifecycle that is working, and has begun before the watching. */
  #isPlain(life: AnyActorRef): boolean {
    const { value } = life.getSnapshot() as { value?: { running?: unknown } }
    return value?.running === 'working' && Object.keys(this.#traffic.taken(life)).length === 0
  }

  /** Pushed out since the watching began. */
  #lost(): Amount {
    const { heard, messages, snapshots } = this.#traffic.held
    const { n } = this.#since
    return {
      messages: heard.messages - this.#since.messages - (messages.size - firstAfter(messages, n)),
      snapshots: heard.snapshots - this.#since.snapshots - (snapshots.size - firstAfter(snapshots, n)),
    }
  }

  readonly #fill: {
    readonly [From in TrafficPlace['from']]: (part: Part, at: number, fetch: Fetch) => readonly [next: Next | undefined, left: Amount]
  } = {
    living: (part, at, { unchanged }) => {
      const changed = this.#changed()
      let index = at
      for (; index < unchanged.length && !part.isFull; index++) {
        const ref = unchanged[index]?.deref()
        if (ref === undefined) part.miss()
        else if (!changed.has(ref)) part.add(this.#unchanged(ref))
      }
      const left = unchanged.length - index
      return [left === 0 ? { from: 'held', at: 0 } : { from: 'living', at: index }, { messages: 0, snapshots: left }]
    },
    held: (part, at) => this.#held(part, at),
    found: (part, at, { found }) => {
      const changed = this.#changed()
      let index = at
      for (; index < this.#found.length && !part.isFull; index++) {
        const kept = this.#found[index] as Kept
        // If it has not changed, it was in `living` already. If a change was pushed out, it is not known how it was until then.
        if (!changed.has(kept.ref) && found.has(kept.ref)) continue
        if (this.#cutSince(kept.ref) === undefined) part.add({ ...kept, taken: Object.fromEntries(kept.taken ?? []) })
      }
      const left = this.#found.length - index
      return [left === 0 ? undefined : { from: 'found', at: index }, { messages: 0, snapshots: left }]
    },
  }

  /** Actors of which there are snapshots since the watching began. */
  #changed(): Set<AnyActorRef> {
    const { snapshots } = this.#traffic.held
    const changed = new Set<AnyActorRef>()
    for (let k = firstAfter(snapshots, this.#since.n); k < snapshots.size; k++) changed.add((snapshots.at(k) as Kept).ref)
    return changed
  }

  /** How an actor is, and has been since its last change that is not held any more, or since the watching began. */
  #unchanged(ref: AnyActorRef): Counted {
    const at = this.#cutSince(ref) ?? this.#since.at
    return { n: 0, at, ref, event: '', snapshot: ref.getSnapshot(), taken: this.#traffic.taken(ref) }
  }

  /** From when on the snapshots of an actor are held; undefined if that is since the watching began. */
  #cutSince(ref: AnyActorRef): number | undefined {
    const cut = this.#traffic.cutAt(ref)
    return cut === undefined || cut.n <= this.#since.n ? undefined : cut.at
  }

  #held(part: Part, before: number): readonly [Next, Amount] {
    const { messages, snapshots } = this.#traffic.held
    const { n: since } = this.#since
    const first = { messages: firstAfter(messages, since), snapshots: firstAfter(snapshots, since) }
    const next = { messages: messages.size - 1, snapshots: snapshots.size - 1 }
    const counts = new CountsBackwards(this.#traffic)
    if (before > 0) {
      next.messages = firstAfter(messages, before - 1) - 1
      const end = firstAfter(snapshots, before - 1) - 1
      for (; next.snapshots > end; next.snapshots--) counts.pass(snapshots.at(next.snapshots) as Kept)
    }
    let last = before
    while (!part.isFull) {
      const message = next.messages < first.messages ? undefined : messages.at(next.messages)
      const kept = next.snapshots < first.snapshots ? undefined : snapshots.at(next.snapshots)
      if (message === undefined && kept === undefined) break
      if (message !== undefined && (kept === undefined || message.n > kept.n)) {
        last = message.n
        next.messages--
        part.addMessage(this.#traffic.lineOf(message))
      } else {
        last = (kept as Kept).n
        next.snapshots--
        part.add({ ...(kept as Kept), taken: counts.pass(kept as Kept) })
      }
    }
    const left = { messages: next.messages - first.messages + 1, snapshots: next.snapshots - first.snapshots + 1 }
    return [left.messages + left.snapshots === 0 ? { from: 'found', at: 0 } : { from: 'held', at: last }, left]
  }

  /** The number of an actor, or of the config of a machine. */
  idOf(of: object): number {
    const known = this.#ids.get(of)
    if (known !== undefined) return known
    this.#ids.set(of, ++this.#lastId)
    return this.#lastId
  }

  /** The number of a chart; charts that look the same have one. */
  chartIdOf(config: object, text: string, { charts }: Fetch): number {
    const known = charts.get(text)
    if (known === undefined) charts.set(text, this.idOf(config))
    else this.#ids.set(config, known)
    return this.idOf(config)
  }

  knows(of: object): boolean {
    return this.#ids.has(of)
  }

  /** The routine or manager that it is the lifecycle or work of; undefined if there is none, as for a child of a user's machine. */
  whose(ref: AnyActorRef): Whose | undefined {
    const manager = lifeOf(ref)
    // Of an earlier life the number is not known any more.
    if (manager !== undefined)
      return manager.actor === ref ? { path: manager.path, which: 'life', incarnation: manager.incarnation } : undefined
    const own = incarnationOf(ref)
    if (own !== undefined) return { path: own.subject.path, which: 'life', incarnation: own.number }
    const run = runOf(ref)
    return run === undefined ? undefined : { path: run.subject.path, which: 'work', incarnation: run.number }
  }
}

type Next = Omit<TrafficPlace, 'fetch'>
type Counted = Omit<Kept, 'taken'> & { readonly taken: Readonly<Record<string, number>> }

/** Counts of taken transitions as they were at each snapshot: the present ones, less what was taken later. */
class CountsBackwards {
  readonly #traffic: Traffic
  readonly #counts = new Map<AnyActorRef, Map<string, number>>()

  constructor(traffic: Traffic) {
    this.#traffic = traffic
  }

  /** Goes over a snapshot, from the latest back; returns what had been taken by then. */
  pass({ ref, taken }: Kept): Record<string, number> {
    let counts = this.#counts.get(ref)
    if (counts === undefined) this.#counts.set(ref, (counts = new Map(Object.entries(this.#traffic.taken(ref)))))
    const then = Object.fromEntries(counts)
    for (const [key, count] of taken ?? []) {
      const before = (counts.get(key) ?? 0) - count
      if (before > 0) counts.set(key, before)
      else counts.delete(key)
    }
    return then
  }
}

/** One part, while it is filled. */
class Part {
  readonly #export: TrafficExport
  readonly #fetch: Fetch
  readonly #known: Set<number>
  readonly #charts: RecordedChart[] = []
  readonly #actors = new Map<number, RecordedActor>()
  readonly #snapshots: RecordedSnapshot[] = []
  readonly #messages: MessageLine[] = []
  readonly #size = { charts: 0, rest: 0 }
  #missed = 0
  #end: number | undefined

  constructor(from: TrafficExport, fetch: Fetch, known: Set<number>) {
    this.#export = from
    this.#fetch = fetch
    this.#known = known
  }

  /** Never before something was put in, so that each part makes progress. */
  get isFull(): boolean {
    const now = performance.now()
    this.#end ??= now + TIME
    if (now > this.#end) return true
    return this.#size.charts + this.#size.rest > SIZE || this.#snapshots.length + this.#messages.length >= ITEMS
  }

  get content(): Omit<TrafficPart, 'next' | 'left' | 'lost'> {
    return {
      charts: this.#charts,
      actors: [...this.#actors.values()],
      snapshots: this.#snapshots,
      messages: this.#messages,
      missed: this.#missed,
      size: this.#size.rest,
    }
  }

  /** Counts a snapshot that can't be given. */
  miss(): void {
    this.#missed++
  }

  addMessage(message: MessageLine): void {
    this.#messages.push(message)
    this.#count(message)
  }

  add({ n, at, ref, event, snapshot, taken }: Counted): void {
    const whose = this.#export.whose(ref)
    if (whose === undefined) {
      this.miss()
      return
    }
    const of = this.#export.idOf(ref)
    if (!this.#actors.has(of)) {
      const actor = { id: of, ...whose, chart: whose.which === 'work' ? this.#chartOf(ref) : undefined }
      this.#actors.set(of, actor)
      this.#count(actor)
    }
    const { value, status, context, output, error } = snapshot as Readonly<Record<string, unknown>>
    const recorded = { of, n, at, event, value: stateToWire(value ?? status), context: toWire(context ?? output ?? error), taken }
    this.#snapshots.push(recorded)
    this.#count(recorded)
  }

  #count(item: object): void {
    this.#size.rest += JSON.stringify(item).length
  }

  #chartOf(ref: AnyActorRef): number | undefined {
    const logic = logicOf(ref)
    if (!isMachine(logic)) return undefined
    // Machines that `provide` makes anew for each actor have all the same config.
    const { config } = logic
    if (this.#export.knows(config) && this.#known.has(this.#export.idOf(config))) return this.#export.idOf(config)
    const events = logic.events.filter((event) => !event.startsWith('xstate.') && event !== '*')
    const chart = chartOf(logic)
    const text = JSON.stringify([chart, events])
    const id = this.#export.chartIdOf(config, text, this.#fetch)
    if (this.#known.has(id)) return id
    this.#known.add(id)
    this.#charts.push({ id, chart, events })
    this.#size.charts += text.length
    return id
  }
}

const logicOf = (ref: AnyActorRef | undefined): unknown => (ref as { readonly logic?: unknown } | undefined)?.logic

/** The first index at which the number is greater. They come in order of their numbers. */
function firstAfter(ring: { readonly size: number; at(index: number): { readonly n: number } | undefined }, n: number): number {
  return firstWhere(ring.size, (k) => (ring.at(k) as { n: number }).n > n)
}

/** The genuine actors of a tree. No routine is made one by this. There may be very many. */
function* living(manager: Manager): Generator<AnyActorRef> {
  yield manager.actor
  for (const routine of manager.registry.living.values()) {
    // A queued routine has no incarnation yet, and to read `current` would make it.
    if (routine.ticket > 0) continue
    const { current, work } = routine
    if (work !== undefined) yield work
    if (current.observed) yield current.actor
  }
  for (const below of manager.below()) yield* living(below)
}
