/**
 * The living routines of one name below one manager, chained to the same name one level up,
 * so that counting, waiting and stopping by name cost the same whatever else lives there.
 */
import { Counters, type EndKind, type Tally } from './metrics.ts'

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
}

/**
 * N1  A group is registered exactly as long as one of its routines lives.
 */
export class NameGroup<Row extends Named<Row>> {
  living = 0
  /** First and last of the living in order of spawning; kept at the locals only. */
  first: Row | undefined
  last: Row | undefined
  readonly name: string
  readonly up: NameGroup<Row> | undefined
  /** Called once none is left. */
  readonly waiters = new Set<() => void>()
  readonly #named: Counters
  readonly #totals: Counters
  readonly #groups: Map<string, NameGroup<Row>>

  constructor(name: string, registry: NameRegistry<Row>) {
    this.name = name
    this.#groups = registry.groups
    this.#named = registry.tally.named(name)
    this.#totals = registry.tally.totals
    this.up = registry.up === undefined ? undefined : NameGroup.of(name, registry.up)
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

  /** A routine of this name is born. */
  add(row: Row): void {
    row.previousNamed = this.last
    if (this.last === undefined) this.first = row
    else this.last.nextNamed = row
    this.last = row
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      group.living++
      group.#named.spawned++
      group.#totals.spawned++
    }
  }

  /** It begins, or goes on with, a run. */
  started(): void {
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      group.#named.running++
      group.#totals.running++
    }
  }

  /** A run is over. */
  stopped(): void {
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      group.#named.running--
      group.#totals.running--
    }
  }

  /** One more, or fewer, of something that is counted as it happens. */
  count(what: 'restarts' | 'failures' | 'orphaned', by: 1 | -1): void {
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      group.#named[what] += by
      group.#totals[what] += by
    }
  }

  /** The routine has ended for good. `duration` is undefined if it never started. */
  remove(row: Row, kind: EndKind, duration: number | undefined): void {
    if (row.previousNamed === undefined) this.first = row.nextNamed
    else row.previousNamed.nextNamed = row.nextNamed
    if (row.nextNamed === undefined) this.last = row.previousNamed
    else row.nextNamed.previousNamed = row.previousNamed
    row.previousNamed = undefined
    row.nextNamed = undefined
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      record(group.#named, kind, duration)
      record(group.#totals, kind, duration)
      if (--group.living === 0) group.#groups.delete(group.name)
    }
  }

  /** Wakes those who waited for the last of this name, here and above. */
  wake(): void {
    for (let group: NameGroup<Row> | undefined = this; group !== undefined; group = group.up) {
      if (group.living === 0) for (const waiter of group.waiters) waiter()
    }
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

function record(counters: Counters, kind: EndKind, duration: number | undefined): void {
  counters[kind]++
  if (duration === undefined) return
  counters.timed++
  counters.total += duration
  if (duration < counters.min) counters.min = duration
  if (duration > counters.max) counters.max = duration
}
