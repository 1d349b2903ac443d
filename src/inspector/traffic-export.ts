/**
 * Messages, snapshots and charts of a living tree for a recording, in parts: the process is not held up for long by any of them.
 *
 * E1  A part is bounded by number and size, and so is the work that it takes.
 * E2  Of each actor the snapshots that are given are the latest ones, with none missing between them: what holds at a moment
 *     is the last one before it, and if there is none, nobody knows.
 */
import type { AnyActorRef } from 'xstate'
import type { GlobalManager } from '../global-manager.ts'
import { Manager } from '../manager.ts'
import { chartOf, isMachine, stateToWire } from './chart.ts'
import type { MessageLine, Questions } from './protocol.ts'
import type { Kept, Traffic } from './traffic.ts'
import type { Amount, RecordedActor, RecordedChart, RecordedSnapshot, TrafficPart, TrafficPlace } from './traffic-record.ts'
import { toWire } from './to-wire.ts'

/** How many of those that are there when the watching begins are remembered as they were found. */
const FOUND = 2_000
/** What a part holds. */
const ITEMS = 200
const SIZE = 256_000

type Whose = Omit<RecordedActor, 'id' | 'chart'>

export class TrafficExport {
  readonly #global: GlobalManager
  readonly #traffic: Traffic
  readonly #ids = new WeakMap<object, number>()
  #lastId = 0
  #found: readonly Kept[] = []
  #since = { n: 0, at: 0, messages: 0, snapshots: 0 }

  constructor(global: GlobalManager, traffic: Traffic) {
    this.#global = global
    this.#traffic = traffic
  }

  /** The watching begins: what was before is of another recording. */
  begin(): void {
    const { last, heard } = this.#traffic.held
    const at = this.#global.stage.clock.now()
    this.#since = { n: last, at, ...heard }
    this.#found = living(this.#global)
      .slice(0, FOUND)
      .map((ref) => {
        // A snapshot never changes: to hold it is all that it takes.
        return { n: 0, at, ref, event: '', snapshot: ref.getSnapshot(), taken: new Map(Object.entries(this.#traffic.taken(ref))) }
      })
  }

  /** Nobody is coming back for it. */
  forget(): void {
    this.#found = []
  }

  part({ from = 'living', at = 0, charts = [] }: Questions['traffic']['ask']): TrafficPart {
    const part = new Part(this, new Set(charts))
    const [next, left] = this.#fill[from](part, at)
    return { ...part.content, next, left, lost: this.#lost() }
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
    readonly [From in TrafficPlace['from']]: (part: Part, at: number) => readonly [next: TrafficPlace | undefined, left: Amount]
  } = {
    living: (part, at) => {
      const changed = this.#changed()
      const all = living(this.#global)
      let index = at
      for (; index < all.length && !part.isFull; index++) {
        const ref = all[index] as AnyActorRef
        if (!changed.has(ref)) part.add(this.#unchanged(ref))
      }
      let left = 0
      for (let k = index; k < all.length; k++) if (!changed.has(all[k] as AnyActorRef)) left++
      return [left === 0 ? { from: 'held', at: 0 } : { from: 'living', at: index }, { messages: 0, snapshots: left }]
    },
    held: (part, at) => this.#held(part, at),
    found: (part, at) => {
      const changed = this.#changed()
      const there = new Set(living(this.#global))
      let index = at
      for (; index < this.#found.length && !part.isFull; index++) {
        const kept = this.#found[index] as Kept
        // Who has not changed was told of already; of whom a change was pushed out nobody knows what was between.
        if (!changed.has(kept.ref) && there.has(kept.ref)) continue
        if (this.#cutSince(kept.ref) === undefined) part.add({ ...kept, taken: Object.fromEntries(kept.taken ?? []) })
      }
      const left = this.#found.length - index
      return [left === 0 ? undefined : { from: 'found', at: index }, { messages: 0, snapshots: left }]
    },
  }

  /** Of whom there are snapshots since the watching began. */
  #changed(): Set<AnyActorRef> {
    const { snapshots } = this.#traffic.held
    const changed = new Set<AnyActorRef>()
    for (let k = firstAfter(snapshots, this.#since.n); k < snapshots.size; k++) changed.add((snapshots.at(k) as Kept).ref)
    return changed
  }

  /** As somebody is, and has been since the last change that is not held any more, or since the watching began. */
  #unchanged(ref: AnyActorRef): Counted {
    const at = this.#cutSince(ref) ?? this.#since.at
    return { n: 0, at, ref, event: '', snapshot: ref.getSnapshot(), taken: this.#traffic.taken(ref) }
  }

  /** When all begins that is held of somebody; undefined if that is when the watching began. */
  #cutSince(ref: AnyActorRef): number | undefined {
    const cut = this.#traffic.cutAt(ref)
    return cut === undefined || cut.n <= this.#since.n ? undefined : cut.at
  }

  #held(part: Part, before: number): readonly [TrafficPlace | undefined, Amount] {
    const { messages, snapshots } = this.#traffic.held
    const { n: since } = this.#since
    const first = { messages: firstAfter(messages, since), snapshots: firstAfter(snapshots, since) }
    const next = { messages: messages.size - 1, snapshots: snapshots.size - 1 }
    const later = new Later(this.#traffic)
    if (before > 0) {
      next.messages = firstAfter(messages, before - 1) - 1
      const end = firstAfter(snapshots, before - 1) - 1
      for (; next.snapshots > end; next.snapshots--) later.pass(snapshots.at(next.snapshots) as Kept)
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
        part.add({ ...(kept as Kept), taken: later.pass(kept as Kept) })
      }
    }
    const left = { messages: next.messages - first.messages + 1, snapshots: next.snapshots - first.snapshots + 1 }
    return [left.messages + left.snapshots === 0 ? { from: 'found', at: 0 } : { from: 'held', at: last }, left]
  }

  /** The number of an actor or a machine. */
  idOf(of: object): number {
    const known = this.#ids.get(of)
    if (known !== undefined) return known
    this.#ids.set(of, ++this.#lastId)
    return this.#lastId
  }

  /** Whose life or work it is; undefined for who is no routine or manager, such as a child of a user's machine. */
  whose(ref: AnyActorRef): Whose | undefined {
    const { managers, incarnations } = this.#global.stage
    const manager = managers.get(ref)
    // Of an earlier life the number is not known any more.
    if (manager !== undefined)
      return manager.actor === ref ? { path: manager.path, which: 'life', incarnation: manager.incarnation } : undefined
    const own = incarnations.get(ref)
    if (own !== undefined) return { path: own.row.path, which: 'life', incarnation: own.number }
    const parent = (ref as { _parent?: AnyActorRef })._parent
    const above = parent === undefined ? undefined : incarnations.get(parent)
    return above === undefined ? undefined : { path: above.row.path, which: 'work', incarnation: above.number }
  }
}

type Counted = Omit<Kept, 'taken'> & { readonly taken: Readonly<Record<string, number>> }

/** Counts as they were at each snapshot: the present ones, less what was taken later. */
class Later {
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
  readonly #known: Set<number>
  readonly #charts: RecordedChart[] = []
  readonly #actors = new Map<number, RecordedActor>()
  readonly #snapshots: RecordedSnapshot[] = []
  readonly #messages: MessageLine[] = []
  #size = 0

  constructor(from: TrafficExport, known: Set<number>) {
    this.#export = from
    this.#known = known
  }

  get isFull(): boolean {
    return this.#size > SIZE || this.#snapshots.length + this.#messages.length >= ITEMS
  }

  get content(): Pick<TrafficPart, 'charts' | 'actors' | 'snapshots' | 'messages' | 'size'> {
    return {
      charts: this.#charts,
      actors: [...this.#actors.values()],
      snapshots: this.#snapshots,
      messages: this.#messages,
      size: this.#size,
    }
  }

  addMessage(line: MessageLine): void {
    this.#messages.push(line)
    this.#size += JSON.stringify(line).length
  }

  add({ n, at, ref, event, snapshot, taken }: Counted): void {
    const whose = this.#export.whose(ref)
    if (whose === undefined) return
    const of = this.#export.idOf(ref)
    if (!this.#actors.has(of)) this.#actors.set(of, { id: of, ...whose, chart: whose.which === 'work' ? this.#chartOf(ref) : undefined })
    const { value, status, context, output, error } = snapshot as Readonly<Record<string, unknown>>
    const line = { of, n, at, event, value: stateToWire(value ?? status), context: toWire(context ?? output ?? error), taken }
    this.#snapshots.push(line)
    this.#size += JSON.stringify(line).length
  }

  #chartOf({ logic }: AnyActorRef & { readonly logic?: unknown }): number | undefined {
    if (!isMachine(logic)) return undefined
    const id = this.#export.idOf(logic)
    if (this.#known.has(id)) return id
    this.#known.add(id)
    const events = logic.events.filter((event) => !event.startsWith('xstate.') && event !== '*')
    const chart = { id, chart: chartOf(logic), events }
    this.#charts.push(chart)
    this.#size += JSON.stringify(chart).length
    return id
  }
}

/** Where the first one stands whose number is greater. They come in order of their numbers. */
function firstAfter(ring: { readonly size: number; at(index: number): { readonly n: number } | undefined }, n: number): number {
  let low = 0
  let high = ring.size
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ring.at(middle) as { n: number }).n <= n) low = middle + 1
    else high = middle
  }
  return low
}

/** Genuine actors of a tree, as far as there are: nobody is made one by being looked for. There may be very many. */
function living(manager: Manager, found: AnyActorRef[] = []): AnyActorRef[] {
  found.push(manager.actor)
  for (const row of manager.registry.rows.values()) {
    // Whoever waits for its first run is not made one for being looked for.
    if (row.ticket > 0 || !row.current.observed) continue
    const { current } = row
    if (current.work !== undefined) found.push(current.work)
    found.push(current.actor)
  }
  for (const below of manager.below()) living(below, found)
  return found
}
