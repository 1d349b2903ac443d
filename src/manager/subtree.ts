/** What hangs below a manager: other managers, and routines. */
import { type Capacity, CapacityWaiter, type Gate, type Room } from '../admission/index.ts'
import { ManagerExistsError, type ReportTotals } from '../contract/index.ts'
import type { NameGroup } from '../count/index.ts'
import { CANCEL, type SupervisedRoutine } from '../routine/index.ts'
import type { Flock } from '../shutdown/index.ts'
import { RoutineRegistry, type Service } from '../supervision/index.ts'
import type { Slices, TreeIndex } from '../turn/index.ts'
import { Directory } from './directory.ts'
import type { Life } from './life.ts'
import type { Place } from './place.ts'
import { before, behind, downwards } from './walk.ts'

const NONE: ReadonlyMap<string, Life> = new Map()
const NOBODY: IterableIterator<SupervisedRoutine> = [].values()

export class Subtree implements Flock, Capacity {
  readonly registry: RoutineRegistry
  // What an empty manager does without is made when it is first needed: a map or a set is 200 bytes.
  #startOrder: Set<Life | Service> | undefined
  #capacityWaiters: Set<() => void> | undefined
  readonly #life: Life
  readonly place: Place
  #managers: Map<string, Life> | undefined
  /** The managers and children that have yet to stop, while it stops. */
  #stopOrder: (Life | Service)[] | undefined
  /** The child that is to stop as soon as the slices of the shutdown come to it. */
  #released: SupervisedRoutine | undefined

  constructor(life: Life) {
    this.#life = life
    this.place = life.place
    this.registry = new RoutineRegistry(life, life.place)
  }

  /** Managers made by hand, and children, in order of their first start: the reverse of the order in which they stop. */
  get startOrder(): Set<Life | Service> {
    return (this.#startOrder ??= new Set())
  }

  /** Waiters for room here. */
  get capacityWaiters(): Set<() => void> {
    return (this.#capacityWaiters ??= new Set())
  }

  get hasManagers(): boolean {
    return this.#managers !== undefined && this.#managers.size > 0
  }

  // --- managers ------------------------------------------------------------------------------

  insert(name: string, make: () => Life): Life {
    const { path } = this.#life
    const managers = (this.#managers ??= new Map<string, Life>())
    if (managers.has(name)) throw new ManagerExistsError(`${path} has a manager named ${name}`, { path: `${path}/${name}` })
    const child = make()
    managers.set(name, child)
    return child
  }

  /** One that is made by hand: the last in order. */
  adopt(name: string, make: () => Life): Life {
    const child = this.insert(name, make)
    this.startOrder.add(child)
    return child
  }

  /** The manager of this name, as users hold it. */
  child(name: string): Life['host'] | undefined {
    return this.#managers?.get(name)?.host
  }

  /** All managers, as users hold them, in order of their making. */
  children(): Life['host'][] {
    return Array.from(this.below(), ({ host }) => host)
  }

  /** True if it is the turn of its children to stop. */
  get comesToChildren(): boolean {
    return this.#startOrder !== undefined && this.#startOrder.size > 0 && this.registry.hasOnlyChildren
  }

  /** In order of their making. */
  below(): Iterator<Life> & Iterable<Life> {
    return this.#managers?.values() ?? NONE.values()
  }

  forget(child: Life): void {
    // By now there may be another one of that name.
    if (this.#managers?.get(child.name) === child) this.#managers.delete(child.name)
    this.#startOrder?.delete(child)
    // Its handle may be kept for long.
    child.asyncContext = undefined
    child.registry.asyncContext = undefined
    child.flock.#leave()
  }

  /** It hangs below nothing any more: what is retained here is found from here, and not from where it was. */
  #leave(): void {
    const [retained] = this.registry.retained()
    if (retained === undefined && !this.hasManagers) return
    const directory = new Directory()
    for (const { registry, place } of downwards(this.#life)) {
      directory.takeOver(registry.retained(), place.ids)
      place.directory = directory
    }
  }

  /** Another life begins, with nothing below. */
  clear(): void {
    this.#stopOrder = undefined
    this.#startOrder = undefined
  }

  // --- routines ------------------------------------------------------------------------------

  /** Living and queued, in order of spawning within each manager. */
  routines(): SupervisedRoutine[] {
    const routines = this.registry.living.values()
    for (const { registry } of before(this.#life)) for (const routine of registry.living.values()) routines.push(routine)
    return routines
  }

  /** Of this id, if it lives or is retained: a living one anywhere below comes before a retained one. */
  routine(id: string): SupervisedRoutine | undefined {
    return this.place.ids.first(id, this.place)
  }

  routinesNamed(name: string): SupervisedRoutine[] {
    const place = this.place
    if (!this.hasManagers || !place.groups.has(name)) return place.named(name)
    return (place.index ?? this.#indexGroups()).all(name, place).flatMap((group) => [...group])
  }

  /** Of the whole tree, which is walked once. */
  #indexGroups(): TreeIndex<NameGroup<SupervisedRoutine>> {
    let root = this.#life
    while (root.up !== undefined) root = root.up
    const index = this.place.directory.indexGroups()
    for (const { place } of downwards(root)) for (const [name, group] of place.groups) if (group.first !== undefined) index.set(name, group)
    return index
  }

  // --- room ----------------------------------------------------------------------------------

  get gate(): Gate {
    return this.#life.gate
  }

  get closed(): boolean {
    return this.#life.closed
  }

  /** A waiter for room here; for a permit, if there is no queue. */
  waiterFor(room: Room): CapacityWaiter {
    return new CapacityWaiter(this, this.#life.spec.overflow === 'queue' ? room : 'permit')
  }

  get queued(): number {
    return this.registry.queued
  }

  get maxQueue(): number {
    const { overflow, maxQueue } = this.#life.spec
    return overflow === 'queue' ? maxQueue : 0
  }

  // --- what a shutdown needs -----------------------------------------------------------------

  get living(): number {
    return (this.#managers?.size ?? 0) + this.registry.size
  }

  /** Living and queued routines, at all levels. */
  get livingRoutines(): number {
    return this.place.living
  }

  get livingSpawned(): number {
    return this.place.living - this.place.services
  }

  get totals(): ReportTotals {
    return copyOf(this.place.totals)
  }

  latestFirst(of: (registry: RoutineRegistry) => boolean): IterableIterator<SupervisedRoutine> {
    if (this.hasManagers) return latestFirst([...downwards(this.#life)], of)
    return of(this.registry) ? this.registry.latestFirst() : NOBODY
  }

  before(): Iterator<Life> {
    return this.hasManagers ? before(this.#life) : this.below()
  }

  behind(): Iterator<Life> {
    return this.hasManagers ? behind(this.#life) : this.below()
  }

  refuse(): void {
    this.#life.refuse()
  }

  /** Nothing is accepted any more. */
  wakeWaiters(): void {
    for (const look of this.#capacityWaiters ?? []) look()
  }

  /** Once all that was spawned has ended. */
  releaseLatest(slices: Slices): void {
    if (!this.registry.hasOnlyChildren) return
    const order = (this.#stopOrder ??= [...(this.#startOrder ?? [])])
    for (let last = order.at(-1); last !== undefined; last = order.at(-1)) {
      const manager = 'flock' in last ? last : (last.manager as Life | undefined)
      if (manager !== undefined && !manager.over) {
        if ('isInstance' in last && last.isInstance) releaseInstances(order, slices)
        else manager.run?.release(slices)
        return
      }
      const routine = 'flock' in last ? undefined : last.routine
      if (routine !== undefined && !routine.ended) {
        this.#release(routine, slices)
        return
      }
      order.pop()
    }
  }

  /** Its end leads here again. */
  #release(routine: SupervisedRoutine, slices: Slices): void {
    if (routine.stopRequested || routine === this.#released) return
    this.#released = routine
    slices.once(this.#stop, routine, 1)
  }

  readonly #stop = (routine: SupervisedRoutine): void => {
    this.#released = undefined
    if (routine.stopRequested) return
    const { tree, shutdownSeq, cancelReason } = this.#life
    tree.asked++
    routine.seq = shutdownSeq
    routine.stop(CANCEL, cancelReason)
  }
}

function* latestFirst(lives: readonly Life[], of: (registry: RoutineRegistry) => boolean): Generator<SupervisedRoutine, void> {
  for (const { registry } of lives.toReversed()) if (of(registry)) yield* registry.latestFirst()
}

function copyOf({ spawned, completed, failed, cancelled, killed }: ReportTotals): ReportTotals {
  return { spawned, completed, failed, cancelled, killed }
}

/** Instances of a template are stopped all together. */
function releaseInstances(order: readonly (Life | Service)[], slices: Slices): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const each = order[i]
    if (each === undefined || 'flock' in each || !each.isInstance) return
    const { run, over } = each.manager as Life
    // The instances before it were released with it.
    if (!over && run?.released === true) return
    run?.release(slices)
  }
}
