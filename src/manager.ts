/**
 * What managers of all three levels are: supervisors of what is below them, and the hand of machines/manager.ts.
 *
 * The handle outlives restarts; each life is an XState actor of its own.
 */
import { type ActorRefFrom, type AnyActor, type AnyActorRef, type AnyMachineSnapshot, createActor, type EventObject } from 'xstate'
import type { Phase } from '../machines/lifecycle-event.ts'
import type { ManagerMachine, ManagerMachineContext, ManagerMachineEvent } from '../machines/manager.ts'
import { RestartWindow, shouldRestart } from '../machines/restart-policy.ts'
import { RestartLimitError } from './errors.ts'
import { type Health, healthOf } from './health.ts'
import type { Gate } from './limiter.ts'
import { type NamedReport, shutdownRoutines } from './named-shutdown.ts'
import type { RoutineReport, ShutdownReport } from './report.ts'
import type { Routine } from './routine-handle.ts'
import type { RoutineRow } from './routine.ts'
import { type ShutdownOptions, type ShutdownPlan, ShutdownRun } from './shutdown.ts'
import { refuse } from './spec/check.ts'
import type { ManagerSpec } from './spec/manager-spec.ts'
import { checkShutdownOptions, DEFAULT_SHUTDOWN_TIMEOUT } from './spec/shutdown-spec.ts'
import type { Stage } from './stage.ts'
import { TreeNode } from './tree-node.ts'
import { type WaitOptions, waitUntil } from './waiting.ts'

/** The state of a manager. While `stopping`, its actor's snapshot also says in which phase. */
export type ManagerState = 'pending' | 'running' | 'stopping' | 'completed' | 'failed' | 'cancelled'

/** Waiting for room. */
export interface AvailabilityOptions extends WaitOptions {
  /** What to wait for: a free permit, or a place in the queue of a local manager. @default 'permit' */
  readonly room?: 'permit' | 'queue' | undefined
}

/** What a manager is made of; the levels add what is below. */
export abstract class Manager extends TreeNode {
  /** @internal */ declare readonly up: Manager | undefined
  /** @internal */ window: RestartWindow
  /** @internal The shutdown of this life, once there is one. */ run: ShutdownRun | undefined
  /** @internal True from the moment on that nothing is accepted. */ closed = false
  /** Which life this is, from 1. */
  incarnation = 1
  /** Resolves with the report of the end that its parent does not answer with a restart. Never rejects. */
  readonly outcome: Promise<ShutdownReport>
  readonly #resolveOutcome: (report: ShutdownReport) => void
  #actor: AnyActorRef | undefined
  #over = false
  #asked = false
  #seq: number
  #stopOrder: Manager[] | undefined

  constructor(stage: Stage, up: Manager | undefined, name: string, spec: ManagerSpec) {
    super(stage, up, name, spec)
    const { promise, resolve } = Promise.withResolvers<ShutdownReport>()
    this.outcome = promise
    this.#resolveOutcome = resolve
    this.window = new RestartWindow(spec.maxRestarts, spec.restartWindow)
    this.#seq = up?.lastSeq ?? 0
  }

  /** @internal */ abstract readonly logic: ManagerMachine
  /** @internal Managers below, in order of their start. */ abstract below(): readonly Manager[]
  /** @internal */ abstract forget(child: Manager): void
  /** @internal Managers below, or routines, that have not ended. */ abstract get living(): number
  /** @internal Cancels what has not begun; with `drain`, only what waits for a restart. */ abstract cancelPending(
    cause: number,
    drain: boolean,
  ): void
  /** @internal Asks the manager's own routines to stop, latest first. */ abstract askOwn(cause: number): void
  /** @internal Abandons what is left of them. */ abstract killOwn(cause: number): void

  /** @internal Milliseconds since the longest silent of its own routines was heard. */ abstract oldestBeat(now: number): number | undefined

  /** Living and queued routines below, in order of spawning within each local manager. */
  abstract routines(): Routine<unknown, unknown>[]
  /** The routine of this id below, if it lives or is retained. */
  abstract routine(id: string): Routine<unknown, unknown> | undefined
  /** Living and queued routines of this name. */
  abstract routinesNamed(name: string): Routine<unknown, unknown>[]

  /** The XState actor of the present life. */
  get actor(): ActorRefFrom<ManagerMachine> {
    return this.#actor as ActorRefFrom<ManagerMachine>
  }

  get state(): ManagerState {
    const value = this.actor.getSnapshot().value as string | object
    return (typeof value === 'string' ? value : 'stopping') as ManagerState
  }

  /** Permits held: routines below that were admitted and have not ended. Never above `maxRoutines`. */
  get count(): number {
    return this.gate.count
  }

  /** Permits that are free, here and at all levels above; 0 once nothing is accepted. */
  get available(): number {
    return this.closed ? 0 : Math.max(0, this.gate.available)
  }

  /**
   * Waits until there is a permit for a spawn. Somebody else may be faster: look again after it.
   *
   * @returns True when there is one, at once if so already; false on timeout or when nothing is accepted any more.
   * @throws Rejects with the reason of an aborted signal; throws ConfigError.
   * @example
   * if (await local.whenAvailable({ timeout: 1_000 })) local.spawn('resize', resize)
   */
  whenAvailable(options: AvailabilityOptions = {}): Promise<boolean> {
    const { room = 'permit', ...wait } = options
    if (room !== 'permit' && room !== 'queue') throw refuse('whenAvailable option room', "'permit' or 'queue'", room, this.path)
    const rooms: Set<() => void>[] = []
    for (let gate: Gate | undefined = this.gate; gate !== undefined; gate = gate.up) rooms.push(gate.waiters)
    return waitUntil(() => this.closed || this.hasRoom(room), rooms, wait, this.stage).then((held) => held && !this.closed)
  }

  /** @internal */
  hasRoom(_room: 'permit' | 'queue'): boolean {
    return this.gate.available > 0
  }

  /**
   * Waits until no routine of this name lives.
   *
   * @returns True at once if there is none, true when the last has ended, false on timeout.
   * @throws Rejects with the reason of an aborted signal.
   */
  waitFor(name: string, options: WaitOptions = {}): Promise<boolean> {
    const group = this.groups.get(name)
    return waitUntil(() => group === undefined || group.living === 0, group === undefined ? [] : [group.waiters], options, this.stage)
  }

  /**
   * Cancels all routines of this name that live now, latest first, and kills those that have not ended in time.
   *
   * @param options `timeout` defaults to 10_000 ms.
   */
  shutdownNamed(name: string, options: WaitOptions = {}): Promise<NamedReport> {
    return shutdownRoutines(this.stage, name, this.routinesNamed(name) as unknown as RoutineRow[], options)
  }

  /** The health of this node and of everything below. */
  health(): Health {
    return healthOf(this)
  }

  /** Resolves once the manager runs. */
  async ready(options: WaitOptions = {}): Promise<void> {
    await waitUntil(() => this.state !== 'pending', [], options, this.stage)
  }

  /**
   * Stops everything below in five phases and in order; the same report for every caller.
   * A later call, here or above, can only tighten it.
   *
   * @throws ConfigError before anything is stopped. The promise never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    const { mode, timeout, drain, phases, signal } = checkShutdownOptions(options, this.path)
    this.#asked = true
    const effective = signal?.aborted ? 'immediate' : mode
    if (this.run === undefined) this.#beginShutdown({ mode: effective, timeout, drain, phases, held: false, cause: 0 })
    else this.run.tighten(effective, timeout)
    const { report } = this.run as unknown as ShutdownRun
    if (signal !== undefined && !signal.aborted) this.#hurryOn(signal, report)
    return report
  }

  #hurryOn(signal: AbortSignal, report: Promise<ShutdownReport>): void {
    const { signals } = this.stage
    const member = { aborted: () => void this.shutdown({ mode: 'immediate' }) }
    signals.bind(signal, member)
    void report.then(() => signals.unbind(signal, member))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  // --- the machine ---------------------------------------------------------------------------

  /** @internal Begins a life. */
  live(options: object = {}): void {
    const parent = this.up === undefined ? {} : { parent: this.up.actor }
    const actor = createActor(this.logic, { id: this.name, ...parent, ...options } as object) as AnyActor
    this.#actor = actor
    this.stage.managers.set(actor, this)
    actor.subscribe({ error: (error) => this.stage.bus.contain(error, `${this.path}: the manager's actor failed`) })
    // XState stops a root from outside at once; here that is an immediate shutdown, phases and report included.
    if (this.up === undefined) actor.stop = () => (void this.shutdown({ mode: 'immediate' }), actor)
    actor.start()
    actor.send({ type: 'start' })
  }

  /** @internal */
  tell(event: ManagerMachineEvent): void {
    if (!this.#over) this.#actor?.send(event)
  }

  /** @internal The phase that the machine is in; undefined while it does not stop. */
  get phase(): Phase | undefined {
    const { value } = this.actor.getSnapshot() as { value: unknown }
    return typeof value === 'object' && value !== null ? (value as { stopping: Phase }).stopping : undefined
  }

  /** @internal Carries out what the machine has decided. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject, actions: readonly string[]): void {
    for (const action of actions) {
      if (action === 'open') this.#open()
      else if (action === 'end') this.#end(snapshot)
      else {
        // Told by somebody who holds the actor: the same as the method with its defaults.
        if (action === 'close') this.run ??= new ShutdownRun(this, planFrom(event))
        this.run?.enter((snapshot.value as { stopping: Phase }).stopping)
      }
    }
  }

  #open(): void {
    const { incarnation } = this
    const type = incarnation === 1 ? 'manager.started' : 'manager.restarted'
    this.#seq = this.announce({ type, incarnation }, this.#seq)
  }

  #beginShutdown(plan: ShutdownPlan): void {
    this.run = new ShutdownRun(this, plan)
    this.tell({ type: 'shutdown', mode: plan.mode })
  }

  /** @internal The parent closes: this manager stops accepting and waits for its turn. */
  close(cause: number): void {
    if (this.run !== undefined || this.#over) return
    this.#beginShutdown({ mode: 'graceful', timeout: Infinity, drain: 0, phases: {}, held: true, cause })
  }

  /** @internal More restarts than allowed: ends, and leaves the rest to its parent. */
  giveUp(cause: number, error: unknown): void {
    if (this.run !== undefined) return
    const { maxRestarts, restartWindow, shutdown } = this.spec
    const limit = new RestartLimitError(`${this.path}: more than ${maxRestarts} restarts within ${restartWindow} ms`, {
      path: this.path,
      cause: error,
    })
    const seq = this.announce({ type: 'manager.gaveUp', restarts: maxRestarts, window: restartWindow }, cause)
    this.stage.bus.log('error', { path: this.path, err: limit }, 'gave up')
    if (this.run !== undefined) {
      // A listener has just asked for a shutdown: that goes on, and knows why.
      ;(this.run as ShutdownRun).blame({ path: this.path, error: limit })
      return
    }
    this.run = new ShutdownRun(this, { mode: 'graceful', timeout: shutdown, drain: 0, phases: {}, held: false, cause: seq })
    this.run.blame({ path: this.path, error: limit })
    this.tell({ type: 'giveUp', error: limit })
  }

  #end(snapshot: AnyMachineSnapshot): void {
    const run = this.run as ShutdownRun
    const state = snapshot.value as 'completed' | 'cancelled' | 'failed'
    this.#over = true
    const { error } = snapshot.context as ManagerMachineContext
    const mayRestart = state === 'failed' && this.up?.restarts(this) === true
    const report = run.summarise()
    if (!mayRestart) this.up?.forget(this)
    const seq = this.announce({ type: 'manager.stopped', state }, run.seq, undefined, () => mayRestart || this.listeners.clear())
    this.#seq = seq
    // A listener may just have shut down this manager, or the parent.
    const restart = mayRestart && !this.#asked && this.up !== undefined && !this.up.closed
    if (mayRestart && !restart) this.up?.forget(this)
    // Whoever tidies up at the outcome has done so before the callers of shutdown() go on.
    if (!restart) this.#resolveOutcome(report)
    run.settle(report)
    if (restart) this.renew()
    else {
      this.up?.run?.childEnded(report)
      if (this.up?.exhausted === true && !this.up.closed) this.up.giveUp(seq, error)
    }
  }

  /** @internal True if the last restart asked of it was one too many. */
  exhausted = false

  /** @internal Decides on a child manager that gave up. OTP counts giving up as an end in good order. */
  restarts(child: Manager): boolean {
    if (this.closed || child.#asked || !shouldRestart(child.spec.restart, 'shutdown')) return false
    this.exhausted = !this.window.record(this.stage.clock.now())
    return !this.exhausted
  }

  /** @internal Another life: original specs only, an empty limit history. */
  renew(): void {
    this.incarnation++
    this.window = new RestartWindow(this.spec.maxRestarts, this.spec.restartWindow)
    this.run = undefined
    this.closed = false
    this.exhausted = false
    this.#over = false
    this.#stopOrder = undefined
    this.live()
  }

  // --- what a shutdown needs -----------------------------------------------------------------

  /** @internal */
  get over(): boolean {
    return this.#over
  }

  /** @internal */
  get lastSeq(): number {
    return this.#seq
  }

  /** @internal Living and queued routines below. */
  get livingRoutines(): number {
    const { spawned, completed, failed, cancelled, killed } = this.tally.totals
    return spawned - completed - failed - cancelled - killed
  }

  /** @internal From here on nothing below accepts anything. */
  refuseAll(): void {
    this.closed = true
    for (const waiter of this.gate.waiters) waiter()
    for (const child of this.below()) child.refuseAll()
  }

  /** @internal Asks everybody in the subtree who was not asked yet, latest first. True if there was anybody. */
  askAll(cause: number): boolean {
    const before = this.stage.asked
    const children = this.below()
    for (let i = children.length - 1; i >= 0; i--) (children[i] as Manager).askAll(cause)
    this.askOwn(cause)
    return this.stage.asked > before
  }

  /** @internal Comes to the latest of the managers below that has not ended. */
  releaseLatest(): void {
    const order = (this.#stopOrder ??= [...this.below()])
    while (order.at(-1)?.over) order.pop()
    order.at(-1)?.run?.release()
  }

  /** @internal A routine below has ended: every shutdown above notes it. */
  noteEnd(entry: RoutineReport, orphan: boolean, error: unknown): void {
    for (let node: Manager | undefined = this; node !== undefined; node = node.up) {
      node.run?.routineEnded(entry, orphan, error === undefined ? undefined : { path: entry.path, error })
      node.run?.poke()
    }
  }
}

function planFrom(event: EventObject): ShutdownPlan {
  const { mode = 'graceful', timeout = DEFAULT_SHUTDOWN_TIMEOUT } = event as ManagerMachineEvent & { type: 'shutdown' }
  return { mode, timeout, drain: 0, phases: {}, held: false, cause: 0 }
}
