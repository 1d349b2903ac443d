/**
 * What users see of managers of all three levels: supervisors of what is below.
 *
 * The handle outlives restarts; its lives are in life.ts, what hangs below in subtree.ts.
 */
import type { ActorRefFrom } from 'xstate'
import { isLifecycleEventType, type LifecycleEvent, type LifecycleEventType } from '../../machines/lifecycle-event.ts'
import type { ManagerMachine } from '../../machines/manager.ts'
import type { ChildCounts } from '../../machines/supervisor.ts'
import type { Gate } from '../admission/index.ts'
import {
  type AnyRoutine,
  type RoutineCancelledError,
  type ShutdownOptions,
  type ShutdownReport,
  SpawnRefusedError,
  type WaitOptions,
} from '../contract/index.ts'
import type { Metrics } from '../count/index.ts'
import { type NamedReport, shutdownRoutines } from '../shutdown/index.ts'
import {
  callable,
  check,
  checkName,
  type ChildSpec,
  type LocalManagerOptions,
  type ManagerChild,
  type ManagerSpec,
  oneOf,
  refuse,
} from '../spec/index.ts'
import {
  ChildCalls,
  type ChildEntryOf,
  type ChildInstance,
  type ChildResult,
  type LivingChildOf,
  type RoutineRegistry,
  type Service,
  type Supervisor,
} from '../supervision/index.ts'
import { type LifecycleListener, type Listeners, type Tree, type Unsubscribe, WAIT_RULES, type Waiters, waitUntil } from '../turn/index.ts'
import { type Health, healthOf } from './health.ts'
import { Life } from './life.ts'
import { Place } from './place.ts'

/** The state of a manager. While `stopping`, its actor's snapshot also says in which phase. */
export type ManagerState = 'pending' | 'running' | 'stopping' | 'completed' | 'failed' | 'cancelled'

/** A child at work: what `routine(…)` or `manager(…)` became. */
export type LivingChild = LivingChildOf<Manager>

/** A child as a supervisor sees it. */
export type ChildEntry = ChildEntryOf<Manager>

/** Waiting for room. */
export interface AvailabilityOptions extends WaitOptions {
  /** What to wait for: a free permit, or a place in the queue of a local manager. @default 'permit' */
  readonly room?: 'permit' | 'queue' | undefined
}

const AVAILABILITY_RULES = { ...WAIT_RULES, room: oneOf('permit', 'queue') }

/**
 * What a manager is made of; the levels add what can be made below. To its routines it is a Host, and to its lives a Level; it does not
 * say so, because the declarations that users get leave out what only the library may call.
 */
export abstract class Manager {
  readonly name: string
  readonly path: string
  /** @internal */ readonly tree: Tree
  /** @internal */ readonly listeners: Listeners
  /** @internal */ readonly life: Life
  /** @internal */ readonly registry: RoutineRegistry
  /** @internal */ readonly place: Place
  readonly #gate: Gate
  readonly #children = new ChildCalls<Manager>(this)

  /** @internal */ abstract readonly logic: ManagerMachine
  /** @internal What it is called in a log: a minifier shortens the names of classes. */ protected abstract readonly kind: string
  /** @internal */ protected abstract makeManager(name: string, options: LocalManagerOptions): Manager

  constructor(tree: Tree, up: Manager | undefined, name: string, spec: ManagerSpec) {
    const place = new Place(tree, up?.life.place, name, spec.maxRoutines)
    this.tree = tree
    this.name = name
    this.path = place.path
    this.listeners = place.listeners
    this.place = place
    this.#gate = place.gate
    this.life = new Life(this, place, up?.life, spec)
    this.registry = this.life.registry
  }

  /** The XState actor of the present life. */
  get actor(): ActorRefFrom<ManagerMachine> {
    return this.life.actor as unknown as ActorRefFrom<ManagerMachine>
  }

  get state(): ManagerState {
    const value = this.life.stateValue as string | object
    return (typeof value === 'string' ? value : 'stopping') as ManagerState
  }

  /** Which life this is, from 1. */
  get incarnation(): number {
    return this.life.incarnation
  }

  /** Resolves with the report of the end that its parent does not answer with a restart. Never rejects. */
  get outcome(): Promise<ShutdownReport> {
    this.place.isOutcomeAsked = true
    return this.life.outcome
  }

  toString(): string {
    return this.path
  }

  /** No plain object: what compares, and prints what differs, then takes it as it is, and asks its `toJSON`. */
  get [Symbol.toStringTag](): string {
    return this.kind
  }

  /** What `JSON.stringify`, and a log, makes of it; and of a copy, as some test runners make one to print it. */
  toJSON(): object {
    if (!(#children in this)) return { copyOf: 'a manager' }
    const { path, state, incarnation } = this
    return { path, state, incarnation }
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.kind} ${this.path} (${this.state})`
  }

  // --- what is counted and heard -------------------------------------------------------------

  /** Permits held: routines below that were admitted and have not ended. Never above `maxRoutines`. */
  get count(): number {
    return this.#gate.count
  }

  /** Permits that are free, here and at all levels above; 0 once nothing is accepted. */
  get available(): number {
    return this.closed ? 0 : Math.max(0, this.#gate.available)
  }

  /** How many living and queued routines have this name. */
  countOf(name: string): number {
    return this.place.countOf(name)
  }

  /** A copy of the counters. */
  metrics(): Metrics {
    return this.place.metrics()
  }

  /** The health of this node and of everything below. */
  health(): Health {
    return healthOf(this.life)
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

  // --- routines ------------------------------------------------------------------------------

  /** Living and queued routines below, in order of spawning within each manager. */
  routines(): AnyRoutine[] {
    return this.life.flock.routines() as unknown as AnyRoutine[]
  }

  /** The routine of this id below, if it lives or is retained. */
  routine(id: string): AnyRoutine | undefined {
    return this.life.flock.routine(id) as unknown as AnyRoutine | undefined
  }

  /** Living and queued routines of this name. */
  routinesNamed(name: string): AnyRoutine[] {
    return this.life.flock.routinesNamed(name) as unknown as AnyRoutine[]
  }

  // --- waiting -------------------------------------------------------------------------------

  /**
   * Resolves once the manager runs: all its `children` have started.
   *
   * @throws Rejects with StartFailedError, whose `path` says which child it was, once what had started is stopped again;
   * with NotRunningError if the manager ends before; with RoutineTimeoutError; with the reason of an aborted signal. A rejection
   * that nobody awaits raises nothing.
   */
  ready(options: WaitOptions = {}): Promise<void> {
    return this.life.readiness.wait(options)
  }

  /**
   * Waits until there is a permit for a spawn. Those who wait are told in turn, as many as there are permits for; whoever spawns
   * without asking may still be faster.
   *
   * @returns True when there is one, at once if so already; false on timeout or when nothing is accepted any more.
   * @throws Rejects with the reason of an aborted signal; throws ConfigError.
   * @example
   * if (await local.whenAvailable({ timeout: 1_000 })) local.spawn('resize', resize)
   */
  whenAvailable(options: AvailabilityOptions = {}): Promise<boolean> {
    check('whenAvailable', options, AVAILABILITY_RULES, this.path)
    const { room = 'permit', ...wait } = options
    const waiter = this.life.flock.waiterFor(room)
    return waitUntil(waiter.ready, [waiter], wait, this.tree).then((held) => held && !this.closed)
  }

  /**
   * Waits until no routine of this name lives.
   *
   * @returns True at once if there is none, true when the last has ended and the listeners of its end have spawned no other, false on
   * timeout.
   * @throws Rejects with the reason of an aborted signal.
   */
  waitFor(name: string, options: WaitOptions = {}): Promise<boolean> {
    checkName('waitFor', name, this.path)
    const { place } = this
    const { waiting } = place
    const room: Waiters = { add: (look) => waiting.add(name, look), delete: (look) => waiting.delete(name, look) }
    return waitUntil(() => !place.lives(name), [room], options, this.tree)
  }

  // --- stopping ------------------------------------------------------------------------------

  /**
   * Stops everything below in five phases and in order; the same report for every caller.
   * A later call, here or above, can only tighten it.
   *
   * @throws ConfigError before anything is stopped. The promise never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    this.place.isOutcomeAsked = true
    return this.life.shutdown(options)
  }

  /**
   * Cancels all routines of this name that live now, latest first, and kills those that have not ended in time.
   *
   * @param options `timeout` defaults to 10_000 ms; an aborted `signal` ends the wait.
   * @throws ConfigError before anything is stopped.
   */
  shutdownNamed(name: string, options: WaitOptions = {}): Promise<NamedReport> {
    checkName('shutdownNamed', name, this.path)
    check('shutdownNamed', options, WAIT_RULES, this.path)
    return shutdownRoutines(this.tree, name, this.life.flock.routinesNamed(name), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  // --- children ------------------------------------------------------------------------------

  /**
   * Starts one more child, the last in order; under a template, one more of its instances.
   *
   * @typeParam Input What the template takes: a manager does not know, `startChild<{ feed: string }>({ input })` says it.
   * @returns The child, undefined if its `start` asked to be ignored; `already_started`, `already_present`,
   * `bad_combination`, `start_failed`, `down`.
   * @throws ConfigError if it is not what `routine` or `manager` returns, or, under a template, not an instance.
   * @example
   * const answer = await local.startChild(routine('cache', warm, { restart: 'transient' }))
   * if (!answer.ok) console.error(answer.error, answer.cause)
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- said by the caller, who knows the template
  startChild<Input = unknown>(child: ChildSpec | ChildInstance<Input>): Promise<ChildResult<LivingChild | undefined>> {
    return this.#children.startChild(child)
  }

  /**
   * Starts a child that does not run.
   *
   * @returns The child, undefined if its `start` asked to be ignored; `not_found`, `running`, `restarting`, `start_failed`,
   * `simple_one_for_one`, `down`.
   */
  restartChild(id: string): Promise<ChildResult<LivingChild | undefined>> {
    return this.#children.restartChild(id)
  }

  /**
   * Stops a child and waits for it. Its specification is kept, unless it is temporary or an instance of a template.
   *
   * @returns `ok` of a handle that was an instance of a template and has ended, as in OTP: nothing is stopped, whoever lives by that id
   * now. `not_found`, also for a handle that stands for none of its present children; `simple_one_for_one` (for the id of a template),
   * `down`.
   * @throws ConfigError if it is neither an id nor a handle.
   */
  terminateChild(child: string | LivingChild): Promise<ChildResult<undefined>> {
    return this.#children.terminateChild(child)
  }

  /**
   * Forgets the specification of a child that does not run.
   *
   * @returns `not_found`, `running`, `restarting`, `simple_one_for_one`, `down`.
   */
  deleteChild(id: string): Promise<ChildResult<undefined>> {
    return this.#children.deleteChild(id)
  }

  /** Its children, the latest first. */
  whichChildren(): Promise<ChildResult<ChildEntry[]>> {
    return this.#children.whichChildren()
  }

  /** How many children it has: specifications, those that live, and of which kind they are. */
  countChildren(): Promise<ChildResult<ChildCounts>> {
    return this.#children.countChildren()
  }

  // --- what its routines, and the levels, ask of it ------------------------------------------

  /** @internal */
  get supervisor(): Supervisor {
    return this.life.supervisor
  }

  /** @internal */
  get spec(): ManagerSpec {
    return this.life.spec
  }

  /** @internal */
  get closed(): boolean {
    return this.life.closed
  }

  /** @internal */
  get over(): boolean {
    return this.life.over
  }

  /** @internal */
  get cancelReason(): RoutineCancelledError {
    return this.life.cancelReason
  }

  /** @internal */
  countHung(by: 1 | -1): void {
    this.place.countHung(by)
  }

  /** @internal The child that it is of its supervisor. */
  get service(): Service | undefined {
    return this.life.service
  }

  /** @internal Throws ConfigError if it cannot be a child of this level. */
  checkChild(_child: ChildSpec): void {}

  /** @internal */
  makeChild(child: Service): Life {
    const { options } = child.spec as ManagerChild
    return this.makeManager(child.name, options).life
  }

  /** @internal */
  child(name: string): Manager | undefined {
    return this.life.flock.child(name) as unknown as Manager | undefined
  }

  /** @internal In order of their making. */
  below(): Manager[] {
    return this.life.flock.children() as unknown as Manager[]
  }

  /** @internal Takes up a manager that was asked for by hand: all or nothing. */
  protected adopt<Child extends Manager>(name: string, make: () => Child): Child {
    const { turn } = this.tree
    const context = this.tree.captureContext()
    const outer = turn.begin()
    try {
      if (this.closed) throw new SpawnRefusedError('ERR_NOT_ACCEPTING', `${this.path} accepts nothing`, { path: this.path })
      const child = this.life.flock.adopt(name, () => make().life)
      child.asyncContext = context
      child.live()
      return child.host as unknown as Child
    } finally {
      if (outer) turn.end()
    }
  }
}
