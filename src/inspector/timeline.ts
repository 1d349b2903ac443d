/** Lifecycles as bars, and shutdowns as waterfalls. */
import type { Bar, KeptEvent, Questions, ShutdownView, TimelineView } from './protocol.ts'

/** Bars that are held, and that one answer holds. */
const HELD = 50_000
const DRAWN = 2_000
/** Parts of the time between, for which starts and failures are counted. */
const BINS = 240
/** Shutdowns that are held. */
const SHUTDOWNS = 500

/** The bars of what has run, the latest tens of thousands. */
export class Timeline {
  readonly #living = new Map<string, Bar>()
  /** In order of their ends. */
  #ended: Bar[] = []

  note(event: KeptEvent): void {
    const { type, path, at, seq } = event
    if (type === 'routine.started') {
      this.#living.set(path, { path, incarnation: Number(event['incarnation']), from: at, to: undefined, state: 'running', seq })
    } else if ('willRestart' in event) this.#end(path, at, type.replace('routine.', ''), seq)
  }

  #end(path: string, to: number, state: string, seq: number): void {
    const bar = this.#living.get(path)
    if (bar === undefined) return
    this.#living.delete(path)
    this.#ended.push({ ...bar, to, state, seq })
    if (this.#ended.length > HELD * 2) this.#ended = this.#ended.slice(-HELD)
  }

  /** What has run between two moments; where there is too much, what failed and what took longest. */
  view({ from, to, limit = DRAWN, path }: Questions['timeline']['ask'], now: number): TimelineView {
    const first = this.#first(now)
    const [begin, end] = [from ?? first, to ?? now]
    const within = (bar: Bar): boolean => bar.from <= end && (path === undefined || bar.path === path || bar.path.startsWith(`${path}/`))
    const seen: Bar[] = []
    for (let k = this.#firstEnding(begin); k < this.#ended.length; k++) {
      const bar = this.#ended[k] as Bar
      if (within(bar)) seen.push(bar)
    }
    for (const bar of this.#living.values()) if (within(bar)) seen.push(bar)
    const { starts, failures } = density(seen, begin, end)
    const bars = foremost(seen, Math.min(limit, DRAWN), now).sort((a, b) => a.from - b.from || a.seq - b.seq)
    return { from: begin, to: end, first, now, bars, total: seen.length, starts, failures }
  }

  #first(now: number): number {
    let first = now
    for (const { from } of this.#ended.slice(0, 1_000)) first = Math.min(first, from)
    for (const { from } of this.#living.values()) {
      // They stand in order of their starts.
      first = Math.min(first, from)
      break
    }
    return first
  }

  /** Where the first bar stands that ended at this moment or later. */
  #firstEnding(at: number): number {
    let low = 0
    let high = this.#ended.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (((this.#ended[middle] as Bar).to as number) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

function density(bars: readonly Bar[], begin: number, end: number): { starts: number[]; failures: number[] } {
  const starts = Array<number>(BINS).fill(0)
  const failures = Array<number>(BINS).fill(0)
  const bin = (at: number): number => Math.floor(((at - begin) / Math.max(1, end - begin)) * (BINS - 1))
  const count = (into: number[], at: number): void => {
    const k = bin(at)
    if (k >= 0 && k < BINS) into[k] = (into[k] as number) + 1
  }
  for (const bar of bars) {
    count(starts, bar.from)
    if (bar.to !== undefined && (bar.state === 'failed' || bar.state === 'killed')) count(failures, bar.to)
  }
  return { starts, failures }
}

/** The weightiest, without sorting tens of thousands: by the power of two of their length, what failed before the rest. */
function foremost(bars: readonly Bar[], limit: number, now: number): Bar[] {
  if (bars.length <= limit) return [...bars]
  const weight = (bar: Bar): number => {
    const length = Math.min(40, Math.max(0, Math.ceil(Math.log2((bar.to ?? now) - bar.from + 1))))
    return bar.state === 'failed' || bar.state === 'killed' ? length + 41 : length
  }
  const counts = Array<number>(82).fill(0)
  for (const bar of bars) counts[weight(bar)] = (counts[weight(bar)] as number) + 1
  let least = 81
  for (let total = counts[81] as number; least > 0 && total + (counts[least - 1] as number) <= limit; ) total += counts[--least] as number
  const chosen = bars.filter((bar) => weight(bar) >= least)
  for (const bar of bars) {
    if (chosen.length >= limit) break
    if (weight(bar) === least - 1) chosen.push(bar)
  }
  return chosen.slice(0, limit)
}

interface Run {
  readonly path: string
  readonly startedAt: number
  endedAt: number | undefined
  state: string | undefined
  readonly phases: { readonly phase: string; readonly from: number; to: number | undefined }[]
}

/** What is known of a shutdown that goes on. */
export interface Ongoing {
  readonly deadline: number | undefined
  readonly blocking: readonly string[]
}

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
      run = { path, startedAt: at, endedAt: undefined, state: undefined, phases: [] }
      this.#open.set(path, run)
      this.#runs.push(run)
      if (this.#runs.length > SHUTDOWNS * 2) this.#runs = this.#runs.slice(-SHUTDOWNS)
    }
    run.phases.push({ phase: String(event['phase']), from: at, to: undefined })
  }

  /** The latest of each manager, in order of the tree. */
  view(ongoing: (path: string, phase: string | undefined) => Ongoing): ShutdownView[] {
    const latest = new Map(this.#runs.map((run) => [run.path, run]))
    return [...latest.values()]
      .toSorted((a, b) => (a.path < b.path ? -1 : 1))
      .map(({ path, startedAt, endedAt, state, phases }) => {
        const known = endedAt === undefined ? ongoing(path, phases.at(-1)?.phase) : { deadline: undefined, blocking: [] }
        return { path, depth: path.split('/').length - 1, startedAt, endedAt, state, phases, ...known }
      })
  }
}
