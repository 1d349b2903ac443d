/**
 * The living routines of one name below one manager, chained to the same name one level up,
 * so that counting, waiting and stopping by name cost the same whatever else lives there.
 */
import type { EndKind } from '../contract/index.ts'
import type { TreeIndex, TreeNode } from '../turn/index.ts'
import { Counters, type Tally } from './metrics.ts'

/** A routine in the list of its name. */
export interface Named<Self> {
  previousNamed: Self | undefined
  nextNamed: Self | undefined
}

/** Where a level keeps its groups. */
export interface NameRegistry<Member extends Named<Member>> extends TreeNode {
  readonly groups: Map<string, NameGroup<Member>>
  /** Who waits until none of a name lives: they outlast the groups. */
  readonly waiting: NameWaiters
  /** Groups none of which lives any more, as far as they are kept; some may live again. */
  idle: NameGroup<Member>[] | undefined
  readonly tally: Tally
  readonly up: NameRegistry<Member> | undefined
  /** How many of the living, here and below, are children under a strategy: a drain does not wait for them. */
  services: number
  /** Of the whole tree: groups that have counted something that the levels above do not know yet. */
  readonly uncounted: Set<NameGroup<Member>>
  /** Of the whole tree: by name, the groups that have living routines of their own; undefined until somebody looks for them. */
  readonly index: TreeIndex<NameGroup<Member>> | undefined
}

/** So many groups of a level are kept that have nobody. */
const IDLE = 16

/** Those who wait at one level until none of a name lives. */
export class NameWaiters {
  #byName: Map<string, Set<() => void>> | undefined

  /** How many there are, for all names. */
  get size(): number {
    return [...(this.#byName?.values() ?? [])].reduce((sum, looks) => sum + looks.size, 0)
  }

  has(name: string): boolean {
    return this.#byName !== undefined && this.#byName.size > 0 && this.#byName.has(name)
  }

  add(name: string, look: () => void): void {
    const byName = (this.#byName ??= new Map<string, Set<() => void>>())
    const looks = byName.get(name)
    if (looks === undefined) byName.set(name, new Set([look]))
    else looks.add(look)
  }

  delete(name: string, look: () => void): void {
    const looks = this.#byName?.get(name)
    if (looks?.delete(look) === true && looks.size === 0) this.#byName?.delete(name)
  }

  wake(name: string): void {
    for (const look of this.#byName?.get(name) ?? []) look()
  }
}

/** Of those that have counted no more than births and beginnings, while they are added up. */
const passing = /* @__PURE__ */ new Counters()

/**
 * N1  A group is registered as long as one of its routines lives, and then until so many others of its level have none ({@link IDLE}): who
 *     begins one at a time, or stops and starts a group, finds it again. Of an idle one no level above counts that it is there.
 * N2  What is counted is counted at one place, and added to all levels before any of them is read: a routine is counted four times
 *     in its life, and three levels each time are a tenth of what it costs.
 * N3  Who waits until none of a name lives is told behind the listeners of the last end, and only if none lives then.
 */
export class NameGroup<Member extends Named<Member>> {
  /** First and last of the living in order of spawning; kept where they live only. */
  first: Member | undefined
  last: Member | undefined
  readonly name: string
  readonly up: NameGroup<Member> | undefined
  /** What the paths of its routines begin with; one string for all of them. */
  prefix: string | undefined
  /** Here and below, as of the last counting. */
  #living = 0
  /** Groups of the level below that are registered. */
  #below = 0
  /** True while none of them lives. */
  isIdle = false
  /** True if it is among the idle ones of its level, or was when it became one. */
  #isListed = false
  #isGone = false
  #isUncounted = false
  // What is new. Many a name has but one routine, which is born and begins, and then lives for long: the rest is made when it is needed.
  #spawned = 0
  #running = 0
  #rest: Counters | undefined
  readonly #named: Counters
  /** The level that it is one of. */
  readonly home: NameRegistry<Member>

  private constructor(name: string, registry: NameRegistry<Member>, up: NameGroup<Member> | undefined) {
    this.name = name
    this.home = registry
    this.#named = registry.tally.named(name)
    this.up = up
    if (up !== undefined) up.#below++
  }

  /** The group of a name, made if there is none, and so at all levels above. */
  static of<Member extends Named<Member>>(name: string, registry: NameRegistry<Member>): NameGroup<Member> {
    const known = registry.groups.get(name)
    if (known?.isIdle === false) return known
    if (known?.returns() === true) return known
    // From the first level down that has none: a tree may be deeper than a stack holds.
    const missing: NameRegistry<Member>[] = []
    let group: NameGroup<Member> | undefined
    for (let level: NameRegistry<Member> | undefined = registry; level !== undefined && group === undefined; level = level.up) {
      group = level.groups.get(name)
      if (group?.isIdle === true && !group.returns()) group = undefined
      if (group === undefined) missing.push(level)
    }
    for (let level = missing.pop(); level !== undefined; level = missing.pop()) {
      group = new NameGroup(name, level, group)
      level.groups.set(name, group)
    }
    return group as NameGroup<Member>
  }

  /** True if none of them lives, here and below. */
  get isEmpty(): boolean {
    return this.first === undefined && this.#below === 0
  }

  /** How many of them live, here and below. */
  get living(): number {
    countAll(this.home.uncounted)
    return this.#living
  }

  /** A routine of this name is born. */
  add(routine: Member): void {
    routine.previousNamed = this.last
    if (this.last === undefined) {
      this.first = routine
      this.home.index?.set(this.name, this)
    } else this.last.nextNamed = routine
    this.last = routine
    this.#spawned++
    this.#enlist()
  }

  /** It begins, or goes on with, a run. */
  started(): void {
    this.#running++
    this.#enlist()
  }

  /** A run is over. */
  stopped(): void {
    this.#running--
    this.#enlist()
  }

  /** One more, or fewer, of something that is counted as it happens. */
  count(what: 'restarts' | 'failures' | 'orphaned', by: 1 | -1): void {
    this.#news[what] += by
    // An orphan may settle long after the last of its name.
    if (this.isEmpty) this.addUp()
  }

  /** The routine has ended for good. `duration` is undefined if it never started. */
  remove(routine: Member, kind: EndKind, duration: number | undefined): void {
    if (routine.previousNamed === undefined) this.first = routine.nextNamed
    else routine.previousNamed.nextNamed = routine.nextNamed
    if (routine.nextNamed === undefined) this.last = routine.previousNamed
    else routine.nextNamed.previousNamed = routine.previousNamed
    routine.previousNamed = undefined
    routine.nextNamed = undefined
    this.#news.end(kind, duration)
    if (this.first === undefined) this.home.index?.delete(this.name, this)
    if (this.isEmpty) this.#leave()
  }

  /** None of them lives any more. */
  #leave(): void {
    for (let group: NameGroup<Member> | undefined = this; group?.isEmpty === true; group = group.up) {
      group.isIdle = true
      if (group.up !== undefined) group.up.#below--
      if (!group.#isListed) group.#list()
    }
  }

  /** Names that are made up at runtime are not to gather: the one that has been idle for the longest goes. */
  #list(): void {
    this.#isListed = true
    const idle = (this.home.idle ??= [])
    if (idle.push(this) <= IDLE) return
    const oldest = idle.shift() as NameGroup<Member>
    oldest.#isListed = false
    if (oldest.isIdle) oldest.#go()
  }

  #go(): void {
    this.#isGone = true
    if (this.home.groups.get(this.name) === this) this.home.groups.delete(this.name)
    if (this.#isUncounted) this.addUp()
  }

  /** One of them is to live again. False if it cannot be one of this group, since one further up is gone. */
  returns(): boolean {
    for (let group: NameGroup<Member> | undefined = this; group !== undefined; group = group.up) if (group.#isGone) return false
    for (let group: NameGroup<Member> | undefined = this; group?.isIdle === true; group = group.up) {
      group.isIdle = false
      if (group.up !== undefined) group.up.#below++
    }
    return true
  }

  get #news(): Counters {
    this.#enlist()
    return (this.#rest ??= new Counters())
  }

  #enlist(): void {
    if (this.#isUncounted) return
    this.#isUncounted = true
    this.home.uncounted.add(this)
  }

  /** @internal Adds what is new to all levels. */
  addUp(): void {
    const news = this.#rest ?? passing
    news.spawned = this.#spawned
    news.running = this.#running
    this.#spawned = 0
    this.#running = 0
    const { living } = news
    for (let group: NameGroup<Member> | undefined = this; group !== undefined; group = group.up) {
      group.home.tally.add(group.#named, news)
      group.#living += living
    }
    news.clear()
    this.#isUncounted = false
    this.home.uncounted.delete(this)
  }

  /** True if somebody waits, here or above, until none of this name lives, and that may be so now. */
  get isAwaited(): boolean {
    // Where one lives, one lives above.
    for (let group: NameGroup<Member> | undefined = this; group?.isEmpty === true; group = group.up)
      if (group.home.waiting.has(this.name)) return true
    return false
  }

  /** Lets those look who wait, here and above, until none of this name lives. */
  wake(): void {
    for (let group: NameGroup<Member> | undefined = this; group?.isEmpty === true; group = group.up) group.home.waiting.wake(this.name)
  }

  /** The living, in order of spawning; of a local's group only. */
  *[Symbol.iterator](): Generator<Member> {
    for (let routine = this.first; routine !== undefined; ) {
      const next: Member | undefined = routine.nextNamed
      yield routine
      routine = next
    }
  }
}

/** Brings the counters of all levels up to date. */
export function countAll(uncounted: ReadonlySet<{ addUp(): void }>): void {
  for (const group of uncounted) group.addUp()
}
