/** Counts what happens, per manager and per name, without looking at anything twice. */
import type { EndKind } from '../contract/index.ts'
import { type ByName, NamesView } from './names-view.ts'

/** Milliseconds from start to end of what has ended. */
export interface Durations {
  readonly count: number
  readonly total: number
  readonly min: number
  readonly max: number
  readonly mean: number
}

/** `pending`, `running` and `orphaned` are of now, the rest totals; completed + failed + cancelled + killed = all that ended. */
export interface MetricValues {
  readonly spawned: number
  readonly pending: number
  readonly running: number
  readonly completed: number
  readonly failed: number
  /** Were asked to stop, and did. */
  readonly cancelled: number
  /** Had to be forced. */
  readonly killed: number
  /** Abandoned, and still at work. */
  readonly orphaned: number
  readonly restarts: number
  /** Incarnations that failed, restarted or not. */
  readonly failures: number
  readonly refused: number
  /** Of routines that have ended, first start to last end. */
  readonly durations: Durations
}

/** What `metrics()` returns. */
export interface Metrics extends MetricValues {
  /** Errors of listeners, loggers and observers that were contained, in the whole tree. */
  readonly contained: number
  /** The same by routine name. After {@link MAX_NAMES} names, further ones are counted together as `(other)`. */
  readonly byName: ByName
}

/** Names that are counted apart at one manager: a bound, so that names made up at runtime cannot fill the memory. */
export const MAX_NAMES = 1_000

/** One set of counters. */
export class Counters {
  spawned = 0
  running = 0
  completed = 0
  failed = 0
  cancelled = 0
  killed = 0
  orphaned = 0
  restarts = 0
  failures = 0
  refused = 0
  total = 0
  min = Infinity
  max = 0
  timed = 0

  /** Counts from nothing again. */
  clear(): void {
    this.spawned = 0
    this.running = 0
    this.completed = 0
    this.failed = 0
    this.cancelled = 0
    this.killed = 0
    this.orphaned = 0
    this.restarts = 0
    this.failures = 0
    this.total = 0
    this.timed = 0
    this.min = Infinity
    this.max = 0
  }

  /** Adds what others have counted. */
  add(others: Counters): void {
    this.spawned += others.spawned
    this.running += others.running
    this.completed += others.completed
    this.failed += others.failed
    this.cancelled += others.cancelled
    this.killed += others.killed
    this.orphaned += others.orphaned
    this.restarts += others.restarts
    this.failures += others.failures
    this.total += others.total
    this.timed += others.timed
    if (others.min < this.min) this.min = others.min
    if (others.max > this.max) this.max = others.max
  }

  /** The routine has ended for good. `duration` is undefined if it never started. */
  end(kind: EndKind, duration: number | undefined): void {
    // Four names instead of `this[kind]`, which the compiler looks up each time.
    if (kind === 'completed') this.completed++
    else if (kind === 'failed') this.failed++
    else if (kind === 'cancelled') this.cancelled++
    else this.killed++
    if (duration === undefined) return
    this.timed++
    this.total += duration
    if (duration < this.min) this.min = duration
    if (duration > this.max) this.max = duration
  }

  /** Routines that have not ended. */
  get living(): number {
    return this.spawned - this.completed - this.failed - this.cancelled - this.killed
  }

  values(): MetricValues {
    const { spawned, running, completed, failed, cancelled, killed, orphaned, restarts, failures, refused, total, timed } = this
    const pending = this.living - running
    const durations = { count: timed, total, min: timed === 0 ? 0 : this.min, max: this.max, mean: timed === 0 ? 0 : total / timed }
    return { spawned, pending, running, completed, failed, cancelled, killed, orphaned, restarts, failures, refused, durations }
  }
}

const NONE: Readonly<Counters> = /* @__PURE__ */ new Counters()

/** The counters of one manager. */
export class Tally {
  /** Made with what is counted first: most managers of a tree may never have had a routine. */
  #totals: Counters | undefined
  #byName: Map<string, Counters> | undefined
  /** The latest, once somebody has asked for one. */
  #view: NamesView | undefined

  /** All that was counted. */
  get totals(): Readonly<Counters> {
    return this.#totals ?? NONE
  }

  /** The counters of a name; of `(other)` once there are too many. */
  named(name: string): Counters {
    const byName = (this.#byName ??= new Map<string, Counters>())
    let counters = byName.get(name)
    if (counters !== undefined) return counters
    if (byName.size >= MAX_NAMES) {
      if (name !== '(other)') return this.named('(other)')
    }
    counters = new Counters()
    byName.set(name, counters)
    return counters
  }

  /** Adds to these counters of a name, and to the totals. */
  add(named: Counters, news: Counters): void {
    this.#view?.keep(named)
    named.add(news)
    this.#own.add(news)
  }

  /** A spawn of this name was refused. */
  refuse(name: string): void {
    const named = this.named(name)
    this.#view?.keep(named)
    named.refused++
    this.#own.refused++
  }

  get #own(): Counters {
    return (this.#totals ??= new Counters())
  }

  /** A copy of all counters; those of names are copied when somebody looks at them, or when they change. */
  read(contained: number): Metrics {
    const view = (this.#view = this.#view?.now() ?? new NamesView((this.#byName ??= new Map()), 0))
    return {
      ...this.totals.values(),
      contained,
      get byName() {
        return view.read()
      },
    }
  }
}
