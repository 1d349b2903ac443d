/** Lifecycles as bars, and shutdowns as waterfalls. */
import type { Bar, KeptEvent, Questions, ShutdownsView, ShutdownView, TimelineView } from './protocol.ts'
import { firstWhere } from './search.ts'

/** Bars that are held, and that one answer holds. */
const HELD = 50_000
const DRAWN = 2_000
/** Parts of the time between, for which starts and failures are counted. */
const BINS = 240
/** Shutdowns that are held when they are over, and that one answer tells of. */
const SHUTDOWNS = 500

/** Managers are told apart by a hash of their path, modulo this: two with the same one share the room of one. */
const BUCKETS = 1_024

interface BucketedBar extends Bar {
  /** The bucket of its manager. */
  readonly bucket: number
}

function bucketOf(path: string): number {
  let hash = 0
  for (let k = path.lastIndexOf('/') - 1; k >= 0; k--) hash = (hash * 31 + path.charCodeAt(k)) | 0
  return (hash >>> 0) % BUCKETS
}

const hasFailed = ({ state }: Bar): boolean => state === 'failed' || state === 'killed'

/**
 * The bars of what has run, the latest tens of thousands.
 *
 * T1  One answer holds every bar that overlaps its window, or says how many there are: what failed comes first, then what began or
 *     ended inside the window, then what merely goes through it; the longest of each manager, who all get the same room.
 * T2  It says from when on nothing is missing: a time of which nothing is known is not one in which nothing happened.
 */
export class Timeline {
  /** In order of their starts. */
  readonly #living = new Map<string, BucketedBar>()
  /** In order of their ends. */
  #ended: BucketedBar[] = []
  #earliest = Infinity
  /** Before this bars are missing: from when on there are events, or since when none that has ended was forgotten. */
  #known: number

  /** @param known Before this, events are not known, or only some. */
  constructor(known = -Infinity) {
    this.#known = known
  }

  /** Begins the bars of what ran already when a page began to look. */
  seed(running: readonly Pick<Bar, 'path' | 'incarnation' | 'from' | 'seq'>[]): void {
    for (const one of running.toSorted((a, b) => a.from - b.from)) this.#begin({ ...one, to: undefined, state: 'running' })
  }

  note(event: KeptEvent): void {
    const { type, path, at, seq } = event
    if (type === 'routine.started')
      this.#begin({ path, incarnation: Number(event['incarnation']), from: at, to: undefined, state: 'running', seq })
    else if ('willRestart' in event) this.#end(event)
  }

  #begin(bar: Bar): void {
    this.#earliest = Math.min(this.#earliest, bar.from)
    // Taken out first: a key that is set again would keep its old place in the order.
    this.#living.delete(bar.path)
    this.#living.set(bar.path, { ...bar, bucket: bucketOf(bar.path) })
  }

  #end({ type, path, at: to, seq, ...event }: KeptEvent): void {
    const bar = this.#living.get(path)
    this.#living.delete(path)
    const state = type.replace('routine.', '')
    const duration = Number(event['duration'] ?? 0)
    // What was cancelled before it began has not run; a start that failed is worth a mark.
    if (bar === undefined && duration === 0 && state !== 'failed') return
    const from = bar === undefined || duration > 0 ? to - duration : bar.from
    this.#earliest = Math.min(this.#earliest, from)
    this.#ended.push({ path, incarnation: Number(event['incarnation']), from, to, state, seq, bucket: bar?.bucket ?? bucketOf(path) })
    if (this.#ended.length > HELD * 1.2) this.#forget()
  }

  #forget(): void {
    const gone = this.#ended.at(-HELD - 1)
    if (gone?.to !== undefined) this.#known = Math.max(this.#known, gone.to)
    this.#ended = this.#ended.slice(-HELD)
    this.#earliest = Infinity
    for (const { from } of this.#ended) this.#earliest = Math.min(this.#earliest, from)
    for (const { from } of this.#living.values()) this.#earliest = Math.min(this.#earliest, from)
  }

  /** What has run between two moments; where there is too much, the foremost of it. */
  view({ from, to, limit = DRAWN, path = '' }: Questions['timeline']['ask'], now: number): TimelineView {
    const first = Math.min(this.#earliest, now)
    const [begin, end] = [from ?? first, to ?? now]
    const below = `${path}/`
    const seen: Overlapping = { failed: [], changing: [], lasting: [] }
    const look = (bar: BucketedBar): void => {
      if (bar.from > end || (path !== '' && bar.path !== path && !bar.path.startsWith(below))) return
      if (hasFailed(bar)) seen.failed.push(bar)
      else if (bar.from >= begin || (bar.to !== undefined && bar.to <= end)) seen.changing.push(bar)
      else seen.lasting.push(bar)
    }
    for (let k = this.#firstEnding(begin); k < this.#ended.length; k++) look(this.#ended[k] as BucketedBar)
    for (const bar of this.#living.values()) {
      // They stand in order of their starts.
      if (bar.from > end) break
      look(bar)
    }
    const { failed, changing, lasting } = seen
    const bars = foremost(seen, Math.max(0, Math.min(limit, DRAWN)), now)
      .sort((a, b) => a.from - b.from || a.seq - b.seq)
      .map(({ path, incarnation, from, to, state, seq }): Bar => ({ path, incarnation, from, to, state, seq }))
    return {
      from: begin,
      to: end,
      first,
      known: Math.max(first, this.#known),
      now,
      bars,
      total: failed.length + changing.length + lasting.length,
      // What merely goes through neither began nor failed here.
      starts: density([failed, changing], ({ from: at }) => at, begin, end),
      failures: density([failed], ({ to: at }) => at ?? Infinity, begin, end),
    }
  }

  /** Where the first bar stands that ended at this moment or later. */
  #firstEnding(at: number): number {
    return firstWhere(this.#ended.length, (k) => ((this.#ended[k] as Bar).to as number) >= at)
  }
}

/** The bars that overlap a window. */
interface Overlapping {
  readonly failed: BucketedBar[]
  /** Those that begin or end inside. */
  readonly changing: BucketedBar[]
  /** Those that go through it from end to end. */
  readonly lasting: BucketedBar[]
}

/** How many moments lie in each of equal parts of a window. */
function density(groups: readonly (readonly Bar[])[], moment: (bar: Bar) => number, begin: number, end: number): number[] {
  const bins = new Uint32Array(BINS)
  const perMillisecond = BINS / Math.max(1, end - begin)
  for (const bars of groups) {
    for (const bar of bars) {
      const at = moment(bar)
      if (at >= begin && at <= end) (bins[Math.min(BINS - 1, Math.floor((at - begin) * perMillisecond))] as number)++
    }
  }
  return [...bins]
}

/**
 * Which bars are drawn where there are too many. What failed comes first. Of the room that is left, one in four is kept for what
 * goes through the whole window: it says less than what begins or ends in it, but it is what everything else hangs on.
 */
function foremost({ failed, changing, lasting }: Overlapping, limit: number, now: number): BucketedBar[] {
  const chosen = longest(failed, limit, now)
  const room = limit - chosen.length
  const forLasting = Math.min(lasting.length, Math.max(Math.floor(room / 4), room - changing.length))
  return [...chosen, ...longest(changing, room - forLasting, now), ...longest(lasting, forLasting, now)]
}

/** Powers of two that lengths are told apart by; more than 2^30 ms are one. */
const SIZES = 32

/**
 * The longest of each manager, without sorting tens of thousands: by the power of two of their length; among equals, those that stand
 * first. All managers get the same room, as far as they can use it: a thousand that idle in one do not hide ten that work in another.
 */
function longest(bars: readonly BucketedBar[], limit: number, now: number): readonly BucketedBar[] {
  if (bars.length <= limit) return bars
  if (limit === 0) return []
  const sizes = new Uint8Array(bars.length)
  const counts = new Uint32Array(BUCKETS * SIZES)
  const totals = new Uint32Array(BUCKETS)
  for (let k = 0; k < bars.length; k++) {
    const { from, to = now, bucket } = bars[k] as BucketedBar
    const size = 32 - Math.clz32(Math.max(0, Math.min(to - from, 2 ** 30)))
    sizes[k] = size
    ;(counts[bucket * SIZES + size] as number)++
    ;(totals[bucket] as number)++
  }
  const rooms = share(totals, limit)
  // Of each bucket: from which size on all are taken, and how many of the next smaller.
  const least = new Uint8Array(BUCKETS).fill(SIZES)
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (let size = SIZES - 1; size >= 0; size--) {
      const count = counts[bucket * SIZES + size] as number
      if (count > (rooms[bucket] as number)) break
      least[bucket] = size
      ;(rooms[bucket] as number) -= count
    }
  }
  const chosen: BucketedBar[] = []
  for (let k = 0; k < bars.length && chosen.length < limit; k++) {
    const bar = bars[k] as BucketedBar
    const from = least[bar.bucket] as number
    const size = sizes[k] as number
    if (size < from && (size < from - 1 || (rooms[bar.bucket] as number) === 0)) continue
    if (size < from) (rooms[bar.bucket] as number)--
    chosen.push(bar)
  }
  return chosen
}

/** Divides a number among those that want so much each, by max-min fairness: who gets less than it wants gets no less than any other. */
function share(wanted: Uint32Array, among: number): Uint32Array {
  const ascending = [...wanted.keys()]
    .filter((k) => (wanted[k] as number) > 0)
    .toSorted((a, b) => (wanted[a] as number) - (wanted[b] as number))
  const given = new Uint32Array(wanted.length)
  let left = among
  for (const [n, k] of ascending.entries()) {
    given[k] = Math.min(wanted[k] as number, Math.floor(left / (ascending.length - n)))
    left -= given[k] as number
  }
  return given
}

interface Run {
  readonly path: string
  readonly startedAt: number
  endedAt: number | undefined
  state: string | undefined
  readonly phases: { readonly phase: string; readonly from: number; to: number | undefined }[]
  /** Its deadline at the latest look, kept for when the manager is gone and can't be asked any more. */
  deadline: number | undefined
}

/** What is known of a shutdown that goes on. */
export type Ongoing = Pick<ShutdownView, 'deadline' | 'blocking' | 'living' | 'held' | 'hooks'>

/** The same where nothing is known, or nothing goes on. */
export const UNKNOWN: Ongoing = { deadline: undefined, blocking: [], living: undefined, held: false, hooks: 0 }

/** The shutdowns of all managers, the latest hundreds. */
export class Waterfall {
  #runs: Run[] = []
  readonly #open = new Map<string, Run>()

  note(event: KeptEvent): void {
    const { type, path, at } = event
    if (type !== 'manager.phase' && type !== 'manager.stopped') return
    let run = this.#open.get(path)
    const last = run?.phases.at(-1)
    if (last !== undefined) last.to = at
    if (type === 'manager.stopped') {
      if (run !== undefined) Object.assign(run, { endedAt: at, state: event['state'] })
      this.#open.delete(path)
      return
    }
    if (run === undefined) {
      run = { path, startedAt: at, endedAt: undefined, state: undefined, phases: [], deadline: undefined }
      this.#open.set(path, run)
      this.#runs.push(run)
      if (this.#runs.length - this.#open.size > SHUTDOWNS * 2) this.#forget()
    }
    if (typeof event['deadline'] === 'number') run.deadline = event['deadline']
    run.phases.push({ phase: String(event['phase']), from: at, to: undefined })
  }

  /** What goes on stays, whatever there is of it; what is over goes when it is old. */
  #forget(): void {
    const over = this.#runs.filter(({ endedAt }) => endedAt !== undefined).slice(0, -SHUTDOWNS)
    const gone = new Set(over)
    this.#runs = this.#runs.filter((run) => !gone.has(run))
  }

  /** The latest of each manager, in order of the tree; where there are too many, those that go on and those that took longest. */
  view(
    now: number,
    ongoing: (path: string, phase: string | undefined, asked: number | undefined) => Ongoing,
    accounts: ShutdownsView['accounts'] = [],
  ): ShutdownsView {
    const latest = [...new Map(this.#runs.map((run) => [run.path, run])).values()]
    const runs = weightiest(latest, now)
      .map((run) => ({ run, parts: run.path.split('/') }))
      .toSorted((a, b) => inTree(a.parts, b.parts))
      .map(({ run, parts }) => {
        const { path, startedAt, endedAt, state, phases } = run
        const asked = phases.find(({ phase }) => phase === 'cancelling')?.from
        const known = endedAt === undefined ? ongoing(path, phases.at(-1)?.phase, asked) : UNKNOWN
        run.deadline = known.deadline ?? run.deadline
        return { path, depth: parts.length - 1, startedAt, endedAt, state, phases, ...known, deadline: run.deadline }
      })
    return { now, total: latest.length, runs, accounts }
  }
}

/** Those that go on, then the longest. A manager stops no earlier than what is below it, so that none is named without all above it. */
function weightiest(runs: readonly Run[], now: number): readonly Run[] {
  if (runs.length <= SHUTDOWNS) return runs
  const busy = ({ endedAt, phases }: Run): number => (endedAt === undefined && phases.length > 1 ? 1 : 0)
  const length = ({ startedAt, endedAt, phases }: Run): number =>
    endedAt === undefined && phases.length === 1 ? 0 : (endedAt ?? now) - startedAt
  return runs.toSorted((a, b) => busy(b) - busy(a) || length(b) - length(a)).slice(0, SHUTDOWNS)
}

/** The order of the tree: what is below a manager comes right after it. */
function inTree(a: readonly string[], b: readonly string[]): number {
  const differs = a.findIndex((part, k) => part !== b[k])
  if (differs < 0) return a.length - b.length
  const [one, other] = [a[differs] as string, b[differs] ?? '']
  return one.localeCompare(other, 'en', { numeric: true }) || (one < other ? -1 : 1)
}
