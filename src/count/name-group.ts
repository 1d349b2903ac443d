/**
 * The living routines of one name below one manager, chained to the same name one level up,
 * so that counting, waiting and stopping by name cost the same whatever else lives there.
 */
import type { EndKind } from '../contract/index.ts'
import { Counters, type Tally } from './metrics.ts'

/** A routine in the list of its name. */
export interface Named<Self> {
  previousNamed: Self | undefined
  nextNamed: Self | undefined
}

/** Where a level keeps its groups. */
export interface NameRegistry<Row extends Named<Row>> {
  readonly groups: Map<string, NameGroup<Row>>
  readonly tally: Tally
  readonly up: NameRegistry<Row> | undefined
  /** Of the whole tree: groups that have counted something that the levels above do not know yet. */
  readonly uncounted: Set<NameGroup<Row>>
}

/**
 * N1  A group is registered exactly as long as one of its routines lives.
 * N2  What is counted is counted at one place, and added to all levels before any of them is read: a routine is counted four times
 *     in its life, and three levels each time are a tenth of what it costs.
 */
export class NameGroup<Row extends Named<Row>> {
  /** First and last of the living in order of spawning; kept where they live only. */
  first: Row | undefined
  last: Row | undefined
  readonly name: string
  readonly up: NameGroup<Row> | undefined
  /** What the paths of its routines begin with; one string for all of them. */
  prefix: string | undefined = undefined
  /** Called once none is left. */
  readonly waiters = new Set<() => void>()
  /** Here and below, as of the last counting. */
  #living = 0
  /** Groups of the level below that are registered. */
  #below = 0
  #isUncounted = false
  readonly #new = new Counters()
  readonly #named: Counters
  readonly #totals: Counters
  readonly #groups: Map<string, NameGroup<Row>>
  readonly #uncounted: Set<NameGroup<Row>>

  constructor(name: string, registry: NameRegistry<Row>) {
    this.name = name
    this.#groups = registry.groups
    this.#uncounted = registry.uncounted
    this.#named = registry.tally.named(name)
    this.#totals = registry.tally.totals
    this.up = registry.up === undefined ? undefined : NameGroup.of(name, registry.up)
    if (this.up !== undefined) this.up.#below++
  }

  /** The group of a name, made if there is none. */
  static of<Row extends Named<Row>>(name: string, registry: NameRegistry<Row>): NameGroup<Row> {
    let group = registry.groups.get(name)
    if (group === undefined) {
      group = new NameGroup(name, registry)
      registry.groups.set(name, group)
    }
    return group
  }

  /** True if none of them lives, here and below. */
  get isEmpty(): boolean {
    return this.first === undefined && this.#below === 0
  }

  /** How many of them live, here and below. */
  get living(): number {
    countAll(this.#uncounted)
    return this.#living
  }

  /** A routine of this name is born. */
  add(row: Row): void {
    row.previousNamed = this.last
    if (this.last === undefined) this.first = row
    else this.last.nextNamed = row
    this.last = row
    this.#news.spawned++
  }

  /** It begins, or goes on with, a run. */
  started(): void {
    this.#news.running++
  }

  /** A run is over. */
  stopped(): void {
    this.#news.running--
  }

  /** One more, or fewer, of something that is counted as it happens. */
  count(what: 'restarts' | 'failures' | 'orphaned', by: 1 | -1): void {
    this.#news[what] += by
    // An orphan may settle long after the last of its name.
    if (this.isEmpty) this.addUp()
  }

  /** The routine has ended for good. `duration` is undefined if it never started. */
  remove(row: Row, kind: EndKind, duration: number | undefined): void {
    if (row.previousNamed === undefined) this.first = row.nextNamed
    else row.previousNamed.nextNamed = row.nextNamed
    if (row.nextNamed === undefined) this.last = row.previousNamed
    else row.nextNamed.previousNamed = row.previousNamed
    row.previousNamed = undefined
    row.nextNamed = undefined
    this.#news.end(kind, duration)
    if (this.isEmpty) this.#leave()
  }

  /** None of them lives any more. */
  #leave(): void {
    this.#groups.delete(this.name)
    // Names that are made up at runtime are not to gather.
    if (this.#isUncounted) this.addUp()
    const { up } = this
    if (up === undefined) return
    up.#below--
    if (up.isEmpty) up.#leave()
  }

  get #news(): Counters {
    if (!this.#isUncounted) {
      this.#isUncounted = true
      this.#uncounted.add(this)
    }
    return this.#new
  }

  /** @internal Tells all levels what is new. */
  addUp(): void {
    const news = this.#new
    const { living } = news
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      group.#named.add(news)
      group.#totals.add(news)
      group.#living += living
    }
    news.clear()
    this.#isUncounted = false
    this.#uncounted.delete(this)
  }

  /** Wakes those who waited for the last of this name, here and above. */
  wake(): void {
    // Where one lives, one lives above.
    for (let group: NameGroup<Row> | undefined = this; group?.isEmpty === true; group = group.up)
      for (const waiter of group.waiters) waiter()
  }

  /** The living, in order of spawning; of a local's group only. */
  *[Symbol.iterator](): Generator<Row> {
    for (let row = this.first; row !== undefined; ) {
      const next: Row | undefined = row.nextNamed
      yield row
      row = next
    }
  }
}

/** Brings the counters of all levels up to date. */
export function countAll(uncounted: ReadonlySet<{ addUp(): void }>): void {
  for (const group of uncounted) group.addUp()
}
