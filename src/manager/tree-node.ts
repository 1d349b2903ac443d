/** A place in the tree: what it is called, what it counts, and who listens there. */
import {
  type ControlEvent,
  isLifecycleEventType,
  type LifecycleEvent,
  type LifecycleEventType,
  type ManagerEvent,
  type RefusalCode,
} from '../../machines/lifecycle-event.ts'
import { SpawnRefusedError } from '../contract/errors.ts'
import { type LifecycleListener, Listeners, type Unsubscribe } from '../turn/lifecycle-bus.ts'
import { Gate } from '../admission/limiter.ts'
import { type Counters, type Metrics, Tally } from '../count/metrics.ts'
import { countAll, type NameGroup } from '../count/name-group.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { callable, refuse } from '../spec/check.ts'
import type { ManagerSpec } from '../spec/manager-spec.ts'
import type { Stage } from '../turn/stage.ts'

type Body<Event> = Event extends unknown ? Omit<Event, 'path' | 'at' | 'seq' | 'cause'> : never

/** An event of a manager before it is numbered. */
export type ManagerEventBody = Body<ManagerEvent | ControlEvent>

export abstract class TreeNode {
  readonly name: string
  readonly path: string
  /** @internal */ readonly stage: Stage
  /** @internal */ readonly spec: ManagerSpec
  /** @internal */ readonly up: TreeNode | undefined
  /** @internal */ readonly listeners: Listeners
  /** @internal */ readonly gate: Gate
  /** @internal */ readonly tally = new Tally()
  /** @internal */ readonly groups = new Map<string, NameGroup<RoutineRow>>()
  /** @internal Routines below that are silent. */ hung = 0

  constructor(stage: Stage, up: TreeNode | undefined, name: string, spec: ManagerSpec) {
    this.stage = stage
    this.up = up
    this.name = name
    this.path = up === undefined ? name : `${up.path}/${name}`
    this.spec = spec
    this.listeners = new Listeners(stage.bus, up?.listeners)
    this.gate = new Gate(spec.maxRoutines, up?.gate)
  }

  /** How many living and queued routines have this name. */
  countOf(name: string): number {
    return this.groups.get(name)?.living ?? 0
  }

  /** A copy of the counters. */
  metrics(): Metrics {
    countAll(this.stage.uncounted)
    return this.tally.read(this.stage.bus.contained)
  }

  /**
   * Listens to lifecycle events of this node and of everything below; `'*'` for all of them.
   * What a listener throws is logged and harms nobody. A promise that a listener of `manager.phase`
   * returns holds that phase until it settles or the phase's time is up.
   *
   * @returns A function that ends the subscription; also Disposable. Ends by itself with the manager.
   * @throws ConfigError if there is no such event.
   * @example
   * const off = global.on('routine.failed', ({ path, error, willRestart }) => console.error(path, error, willRestart))
   */
  on<T extends LifecycleEventType | '*'>(type: T, listener: LifecycleListener<T>): Unsubscribe {
    if (type !== '*' && !isLifecycleEventType(type)) throw refuse('on type', "the type of a lifecycle event, or '*'", type, this.path)
    if (!callable.accepts(listener)) throw refuse('on listener', callable.range, listener, this.path)
    return this.listeners.add(type, listener as (event: LifecycleEvent) => unknown)
  }

  toString(): string {
    return this.path
  }

  /** @internal All that was counted here and below. */
  get totals(): Counters {
    countAll(this.stage.uncounted)
    return this.tally.totals
  }

  /** @internal */
  countHung(by: 1 | -1): void {
    for (let node: TreeNode | undefined = this; node !== undefined; node = node.up) node.hung += by
  }

  /** @internal Which level has no permit left, in words. */
  describeLimit(): string {
    const full = this.gate.full()
    let node: TreeNode = this
    while (node.gate !== full && node.up !== undefined) node = node.up
    return `${node.path} allows ${node.spec.maxRoutines}`
  }

  /** @internal Counts and announces a refusal, and throws it. */
  refuse(name: string, code: RefusalCode, message: string): never {
    for (let node: TreeNode | undefined = this; node !== undefined; node = node.up) {
      node.tally.totals.refused++
      node.tally.named(name).refused++
    }
    const seq = this.stage.bus.next()
    const { path } = this
    if (this.stage.bus.hears('routine.refused')) {
      const at = this.stage.clock.now()
      this.stage.bus.publish(this.listeners, { type: 'routine.refused', path, name, code, at, seq, cause: null })
    }
    throw new SpawnRefusedError(code, message, { path })
  }

  /** @internal Numbers an event of this manager and delivers it. */
  announce(event: ManagerEventBody, cause: number, hold?: (promise: PromiseLike<unknown>) => void): number {
    const { bus, clock } = this.stage
    const seq = bus.next()
    if (!bus.hears(event.type)) return seq
    const numbered = { ...event, path: this.path, at: clock.now(), seq, cause: cause || null } as LifecycleEvent
    if (hold === undefined) bus.publish(this.listeners, numbered)
    else bus.publishHeld(this.listeners, numbered, hold)
    return seq
  }
}
