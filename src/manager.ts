/**
 * What managers of all three levels are: supervisors of what is below them, and the hand of machines/manager.ts.
 *
 * The handle outlives restarts; each life is an XState actor of its own.
 */
import { type ActorRefFrom, type AnyActor, type AnyActorRef, type AnyMachineSnapshot, createActor, type EventObject } from 'xstate'
import type { Phase, ShutdownTrigger } from '../machines/lifecycle-event.ts'
import type { ManagerMachine, ManagerMachineContext, ManagerMachineEvent } from '../machines/manager.ts'
import { type RestartWindow, shouldRestart } from '../machines/restart-policy.ts'
import type { EndReason } from '../machines/supervisor.ts'
import { Supervising } from './child-calls.ts'
import { RestartLimitError, StartFailedError } from './errors.ts'
import { type Health, healthOf } from './health.ts'
import { Readiness } from './readiness.ts'
import type { RoutineReport, ShutdownReport } from './report.ts'
import { nameStart, type Service } from './service.ts'
import { type ShutdownOptions, type ShutdownPlan, ShutdownRun } from './shutdown.ts'
import type { ManagerChild } from './spec/child-spec.ts'
import type { LocalManagerOptions, ManagerSpec } from './spec/manager-spec.ts'
import { ignore } from './spec/routine-spec.ts'
import { checkShutdownOptions, DEFAULT_SHUTDOWN_TIMEOUT } from './spec/shutdown-spec.ts'
import type { Stage } from './stage.ts'
import { Supervisor } from './supervisor.ts'
import type { WaitOptions } from './waiting.ts'

/** The state of a manager. While `stopping`, its actor's snapshot also says in which phase. */
export type ManagerState = 'pending' | 'running' | 'stopping' | 'completed' | 'failed' | 'cancelled'

/** What a manager is made of; the levels add what is below. */
export abstract class Manager extends Supervising {
  /** @internal */ declare readonly up: Manager | undefined
  /** @internal The child that it is of its supervisor; undefined if it was made by hand. */ service: Service | undefined = undefined
  /** @internal True once nothing follows any more. */ concluded = false
  /** @internal Of the last life that ended. */ report: ShutdownReport | undefined = undefined
  /** @internal Why the present life could not begin. */ startError: StartFailedError | undefined = undefined
  /** @internal The shutdown of this life, once there is one. */ run: ShutdownRun | undefined
  /** @internal True from the moment on that nothing is accepted. */ closed = false
  /** Which life this is, from 1. */
  incarnation = 1
  /** Resolves with the report of the end that its parent does not answer with a restart. Never rejects. */
  readonly outcome: Promise<ShutdownReport>
  readonly #resolveOutcome: (report: ShutdownReport) => void
  #actor: AnyActorRef | undefined
  #over = false
  /** @internal True once somebody has asked for its end, by hand. */ told = false
  /** What its actor is to be told once it is made. */
  #untold: ManagerMachineEvent[] = []
  #seq: number
  #stopOrder: (Manager | Service)[] | undefined
  /** The event that told of an order by hand. */
  #orderedBy = 0
  /** @internal What made it stop. */ trigger: ShutdownTrigger = 'request'
  readonly #readiness = new Readiness(this)

  constructor(stage: Stage, up: Manager | undefined, name: string, spec: ManagerSpec) {
    super(stage, up, name, spec)
    const { promise, resolve } = Promise.withResolvers<ShutdownReport>()
    this.outcome = promise
    this.#resolveOutcome = resolve
    this.#seq = up?.lastSeq ?? 0
  }

  /** @internal */ abstract readonly logic: ManagerMachine
  /** @internal Makes a manager for one of its children. */ abstract makeChild(name: string, options: LocalManagerOptions): Manager

  /** The XState actor of the present life. */
  get actor(): ActorRefFrom<ManagerMachine> {
    return this.#actor as ActorRefFrom<ManagerMachine>
  }

  get state(): ManagerState {
    // Whoever looks on while its actor is made finds none.
    const value = (this.#actor?.getSnapshot().value ?? 'pending') as string | object
    return (typeof value === 'string' ? value : 'stopping') as ManagerState
  }

  /** What `JSON.stringify`, and a log, makes of it. */
  toJSON(): object {
    const { path, state, incarnation } = this
    return { path, state, incarnation }
  }

  /** @internal */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `${this.constructor.name} ${this.path} (${this.state})`
  }

  /** The health of this node and of everything below. */
  health(): Health {
    return healthOf(this)
  }

  /**
   * Resolves once the manager runs: all its `children` have started.
   *
   * @throws Rejects with StartFailedError, whose `path` says which child it was, once what had started is stopped again;
   * with NotRunningError if the manager ends before; with RoutineTimeoutError; with the reason of an aborted signal. A rejection
   * that nobody awaits raises nothing.
   */
  ready(options: WaitOptions = {}): Promise<void> {
    return this.#readiness.wait(options)
  }

  /**
   * Stops everything below in five phases and in order; the same report for every caller.
   * A later call, here or above, can only tighten it.
   *
   * @throws ConfigError before anything is stopped. The promise never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    const { mode, timeout, drain, phases, signal } = checkShutdownOptions(options, this.path)
    this.told = true
    const effective = signal?.aborted ? 'immediate' : mode
    if (this.run === undefined) this.#beginShutdown({ mode: effective, timeout, drain, phases, held: false, cause: this.#orderedBy })
    else this.run.tighten(effective, timeout)
    const { report } = this.run as unknown as ShutdownRun
    if (signal !== undefined && !signal.aborted) this.#hurryOn(signal, report)
    return report
  }

  /** @internal Somebody orders something by hand: what follows from it says so. */
  ordered(control: string): void {
    this.#orderedBy = this.announce({ type: 'control.ordered', control }, 0)
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
    this.#actor = undefined
    this.supervisor = new Supervisor(this)
    const actor = createActor(this.logic, { id: this.name, ...parent, ...options } as object) as AnyActor
    this.#actor = actor
    this.stage.managers.set(actor, this)
    actor.subscribe({ error: (error) => this.stage.bus.contain(error, `${this.path}: the manager's actor failed`) })
    // XState stops a root from outside at once; here that is an immediate shutdown, phases and report included.
    if (this.up === undefined) actor.stop = () => (void this.shutdown({ mode: 'immediate' }), actor)
    actor.start()
    for (const event of this.#untold.splice(0)) this.tell(event)
    if (!this.closed && this.#prepare()) this.supervisor.begin()
  }

  /** Runs the `start` option. False if that was the end of it. */
  #prepare(): boolean {
    const { name, path, incarnation } = this
    try {
      if (this.spec.start?.({ name, path, incarnation }) !== ignore) return !this.closed
      this.#stopBecause('ignored', 0)
    } catch (cause) {
      this.#failStart(new StartFailedError(`${path}: start threw`, { cause, path }))
    }
    return false
  }

  /** @internal All children have started. */
  started(): void {
    if (this.closed) return
    this.#readiness.reached = true
    this.tell({ type: 'start' })
    this.#readiness.wake()
    if (this.service !== undefined) this.up?.supervisor.managerStarted(this.service)
  }

  /** @internal */
  tell(event: ManagerMachineEvent): void {
    if (this.#over) return
    if (this.#actor === undefined) this.#untold.push(event)
    else this.#actor.send(event)
  }

  /** @internal The phase that the machine is in; undefined while it does not stop. */
  get phase(): Phase | undefined {
    const value: unknown = this.#actor?.getSnapshot().value
    return typeof value === 'object' && value !== null ? (value as { stopping: Phase }).stopping : undefined
  }

  /** @internal Carries out what the machine has decided. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject, actions: readonly string[]): void {
    for (const action of actions) {
      if (action === 'open') this.#open()
      else if (action === 'end') this.#end(snapshot)
      else {
        // Told by somebody who holds the actor: the same as the method with its defaults.
        if (this.run === undefined) {
          this.told = true
          this.run = new ShutdownRun(this, planFrom(event))
        }
        this.run.enter((snapshot.value as { stopping: Phase }).stopping)
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
    this.trigger = 'supervisor'
    this.#beginShutdown({ mode: 'graceful', timeout: Infinity, drain: 0, phases: {}, held: true, cause })
  }

  /** @internal Why its present life has failed. */
  get failure(): unknown {
    return this.startError ?? (this.actor.getSnapshot().context as ManagerMachineContext).error
  }

  /** @internal What its supervising has come to. */
  endBy(why: EndReason, child: Service | undefined): void {
    const seq = child?.row?.seq ?? child?.manager?.lastSeq ?? this.#seq
    if (why === 'limit') this.giveUp(seq, child?.row === undefined ? child?.manager?.failure : child.row.current.error)
    else if (why === 'start_failed') this.#failStart(nameStart(this.path, child as Service))
    else this.#stopBecause(why === 'stop' ? 'supervisor' : 'auto_shutdown', seq)
  }

  /** @internal Its own supervisor stops it: that waits behind what waits there already, unless it is in a hurry. */
  stopBySupervisor(): void {
    if (this.run !== undefined) this.run.tighten('graceful', this.spec.shutdown)
    else if (this.supervisor.busy && this.spec.shutdown !== Infinity) this.#stopBecause('supervisor', 0)
    else this.supervisor.post({ type: 'stop' })
  }

  #stopBecause(trigger: ShutdownTrigger, cause: number): void {
    if (this.run !== undefined) return
    this.trigger = trigger
    this.#beginShutdown({ mode: 'graceful', timeout: this.spec.shutdown, drain: 0, phases: {}, held: false, cause })
  }

  #failStart(error: StartFailedError): void {
    if (this.run !== undefined) return
    this.startError = error
    this.stage.bus.log('error', { path: this.path, err: error }, 'not started')
    this.#fail('start_failed', error, this.#seq)
  }

  /** @internal More restarts than allowed: ends, and leaves the rest to its parent. */
  giveUp(cause: number, error: unknown): void {
    if (this.run !== undefined) return
    const { maxRestarts, restartWindow } = this.spec
    const limit = new RestartLimitError(`${this.path}: more than ${maxRestarts} restarts within ${restartWindow} ms`, {
      path: this.path,
      cause: error,
    })
    const seq = this.announce({ type: 'manager.gaveUp', restarts: maxRestarts, window: restartWindow }, cause)
    this.stage.bus.log('error', { path: this.path, err: limit }, 'gave up')
    this.#fail('limit', limit, seq)
  }

  #fail(trigger: ShutdownTrigger, error: Error, cause: number): void {
    // Whoever heard of it may just have asked for a shutdown: that goes on, and knows why.
    if (this.run !== undefined) {
      this.run.blame({ path: this.path, error })
      return
    }
    this.trigger = trigger
    this.run = new ShutdownRun(this, { mode: 'graceful', timeout: this.spec.shutdown, drain: 0, phases: {}, held: false, cause })
    this.run.blame({ path: this.path, error })
    this.tell({ type: 'giveUp', error })
  }

  #end(snapshot: AnyMachineSnapshot): void {
    const run = this.run as ShutdownRun
    const state = snapshot.value as 'completed' | 'cancelled' | 'failed'
    const { up, service } = this
    const above = up?.run
    this.#over = true
    this.report = run.summarise()
    const undecided = service === undefined ? state === 'failed' && up?.restarts(this) === true : up?.closed === false
    if (!undecided) up?.forget(this)
    const event = { type: 'manager.stopped', state, trigger: this.trigger } as const
    this.#seq = this.announce(event, run.seq, undefined, () => undecided || this.listeners.clear())
    // A listener may just have shut down this manager, or the parent.
    const restart = undecided && service === undefined && !this.told && up?.closed === false
    if (service !== undefined) up?.supervisor.managerEnded(service, this.told, this.startError)
    // Whoever tidies up at the outcome has done so before the callers of shutdown() go on.
    else if (!restart) this.conclude()
    run.settle(this.report)
    if (restart) this.renew()
    else {
      above?.childEnded(this.report)
      if (up?.exhausted === true && !up.closed) up.giveUp(this.#seq, (snapshot.context as ManagerMachineContext).error)
    }
  }

  /** @internal The last of its lives is over. */
  conclude(): void {
    if (this.concluded) return
    this.concluded = true
    this.up?.forget(this)
    this.listeners.clear()
    this.#resolveOutcome(this.report as ShutdownReport)
    this.#readiness.wake()
  }

  /** @internal True if the last restart asked of it was one too many. */
  exhausted = false

  /** @internal Decides on a manager below, made by hand, that gave up. OTP counts giving up as an end in good order. */
  restarts(child: Manager): boolean {
    if (this.closed || child.told) return false
    const again = child.startError === undefined ? shouldRestart(child.spec.restart, 'shutdown') : child.incarnation > 1
    if (!again) return false
    this.exhausted = !this.window.record(this.stage.clock.now())
    return !this.exhausted
  }

  /** @internal Another life: original specs only, an empty limit history. */
  renew(): void {
    this.incarnation++
    if (this.service !== undefined) this.service.incarnations = this.incarnation
    this.run = undefined
    this.closed = false
    this.exhausted = false
    this.startError = undefined
    this.#over = false
    this.#readiness.reached = false
    this.told = false
    this.trigger = 'request'
    this.#stopOrder = undefined
    this.order.clear()
    this.live()
  }

  /** @internal Makes the manager that is one of the children. */
  grow(service: Service): Manager {
    const { options } = service.spec as ManagerChild
    const child = this.insert(service.name, () => this.makeChild(service.name, options))
    child.service = service
    child.incarnation = ++service.incarnations
    return child
  }

  // --- what a shutdown needs -----------------------------------------------------------------

  /** @internal Restarts of the present life. */
  get window(): RestartWindow {
    return this.supervisor.window
  }

  /** @internal */
  get over(): boolean {
    return this.#over
  }

  /** @internal */
  get lastSeq(): number {
    return this.#seq
  }

  /** @internal From here on nothing below accepts anything, and no supervisor decides anything. */
  refuseAll(): void {
    this.closed = true
    this.supervisor.close()
    for (const look of this.seekers) look()
    for (const child of this.below()) child.refuseAll()
  }

  /** @internal Comes to the latest of the managers and children that has not ended. */
  releaseLatest(): void {
    this.release((this.#stopOrder ??= [...this.order]), this.run?.seq ?? 0)
  }

  /** @internal A routine below has ended: every shutdown above notes it. */
  noteEnd(entry: RoutineReport, orphan: boolean, error: unknown): void {
    for (let node: Manager | undefined = this; node !== undefined; node = node.up) {
      node.run?.routineEnded(entry, orphan, error === undefined ? undefined : { path: entry.path, error })
      node.run?.poke()
    }
    // The children stop one by one, once all that was spawned has ended.
    if (this.order.size > 0 && this.registry.rows.size <= this.registry.services) this.run?.nextChild()
  }
}

function planFrom(event: EventObject): ShutdownPlan {
  const { mode = 'graceful', timeout = DEFAULT_SHUTDOWN_TIMEOUT } = event as ManagerMachineEvent & { type: 'shutdown' }
  return { mode, timeout, drain: 0, phases: {}, held: false, cause: 0 }
}
