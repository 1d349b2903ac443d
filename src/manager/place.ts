/** A place in the tree: its name, its counters and permits, and its listeners. */
import type { ControlEvent, LifecycleEvent, ManagerEvent, RefusalCode, StoreEvent } from '../../machines/lifecycle-event.ts'
import { Gate } from '../admission/index.ts'
import { RoutineCancelledError } from '../contract/index.ts'
import { countAll, type Counters, type Metrics, type NameGroup, type NameRegistry, NameWaiters, Tally } from '../count/index.ts'
import type { IdRegistry, SupervisedRoutine } from '../routine/index.ts'
import { Listeners, type PhaseHold, type Tree, type TreeIndex } from '../turn/index.ts'
import { Directory } from './directory.ts'

type Unnumbered<Event> = Event extends unknown ? Omit<Event, 'path' | 'at' | 'seq' | 'cause'> : never

/** An event of a manager before it is numbered. */
type ManagerEventBody = Unnumbered<ManagerEvent | ControlEvent | StoreEvent>

export class Place implements NameRegistry<SupervisedRoutine>, IdRegistry {
  readonly name: string
  readonly path: string
  readonly tree: Tree
  readonly up: Place | undefined
  readonly rank: number
  /** That of its tree, until its manager has left that. */
  directory: Directory
  readonly listeners: Listeners
  readonly gate: Gate
  readonly tally = new Tally()
  #groups: Map<string, NameGroup<SupervisedRoutine>> | undefined
  services = 0
  idle: NameGroup<SupervisedRoutine>[] | undefined
  #cancelReason: RoutineCancelledError | undefined
  readonly waiting = new NameWaiters()
  /** True if somebody has asked for the outcome. */
  isOutcomeAsked = false
  /** Routines below that are silent. */
  hung = 0

  constructor(tree: Tree, up: Place | undefined, name: string, maxRoutines: number) {
    this.tree = tree
    this.up = up
    this.directory = up?.directory ?? new Directory()
    this.rank = this.directory.nextRank()
    this.name = name
    this.path = up === undefined ? name : `${up.path}/${name}`
    this.listeners = new Listeners(tree.bus, up?.listeners)
    this.gate = new Gate(maxRoutines, up?.gate)
  }

  /** The names that live here and below. */
  get groups(): Map<string, NameGroup<SupervisedRoutine>> {
    return (this.#groups ??= new Map())
  }

  /** The reason of all cancels by hand that were given none: one error for all, since making errors is expensive. */
  get cancelReason(): RoutineCancelledError {
    return (this.#cancelReason ??= new RoutineCancelledError('told to stop', { path: this.path }))
  }

  get uncounted(): Set<NameGroup<SupervisedRoutine>> {
    return this.tree.uncounted as Set<NameGroup<SupervisedRoutine>>
  }

  get ids(): TreeIndex<SupervisedRoutine> {
    return this.directory.ids
  }

  get index(): TreeIndex<NameGroup<SupervisedRoutine>> | undefined {
    return this.directory.groups
  }

  /** How many living and queued routines have this name, here and below. */
  countOf(name: string): number {
    const group = this.groups.get(name)
    return group?.living ?? 0
  }

  /** True if one of this name lives, here or below. */
  lives(name: string): boolean {
    const group = this.groups.get(name)
    return group?.isIdle === false
  }

  /** The living routines of this name here, in order of spawning. */
  named(name: string): SupervisedRoutine[] {
    return [...(this.groups.get(name) ?? [])]
  }

  /** A copy of the counters. */
  metrics(): Metrics {
    countAll(this.tree.uncounted)
    return this.tally.read(this.tree.bus.contained)
  }

  /** All that was counted here and below. */
  get totals(): Counters {
    countAll(this.tree.uncounted)
    return this.tally.totals
  }

  /** Routines that have not ended, here and below. */
  get living(): number {
    return this.totals.living
  }

  countHung(by: 1 | -1): void {
    for (let place: Place | undefined = this; place !== undefined; place = place.up) place.hung += by
  }

  /** Which level has no permit left, in words. */
  describeLimit(): string {
    const full = this.gate.full()
    let place: Place = this
    while (place.gate !== full && place.up !== undefined) place = place.up
    return `${place.path} allows ${place.gate.max}`
  }

  /** Counts and announces a refusal. In a turn. */
  refuse(name: string, code: RefusalCode): void {
    for (let place: Place | undefined = this; place !== undefined; place = place.up) place.tally.refuse(name)
    const { bus, clock } = this.tree
    const seq = bus.next()
    if (bus.hears('routine.refused'))
      bus.publish(this.listeners, { type: 'routine.refused', path: this.path, name, code, at: clock.now(), seq, cause: null })
  }

  /** Numbers an event of this manager and delivers it. `hold` takes promises that its listeners return, and what they throw. In a turn. */
  announce(event: ManagerEventBody, cause: number, hold?: PhaseHold): number {
    const { bus, clock } = this.tree
    const seq = bus.next()
    if (!bus.hears(event.type)) return seq
    const numbered = { ...event, path: this.path, at: clock.now(), seq, cause: cause || null } as LifecycleEvent
    if (hold === undefined) bus.publish(this.listeners, numbered)
    else bus.publishHeld(this.listeners, numbered, hold)
    return seq
  }
}
