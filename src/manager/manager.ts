/**
 * What managers of all three levels are: supervisors of what is below them, and the hand of machines/manager.ts.
 *
 * The handle outlives restarts; each life is an XState actor of its own.
 */
import type { ActorRefFrom, AnyMachineSnapshot, EventObject } from 'xstate'
import type { Phase, ShutdownMode, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import type { ManagerMachine, ManagerMachineContext, ManagerMachineEvent } from '../../machines/manager.ts'
import { type RestartWindow, shouldRestart } from '../../machines/restart-policy.ts'
import type { EndReason } from '../../machines/supervisor.ts'
import { Supervising } from '../supervision/child-calls.ts'
import { RestartLimitError, StartFailedError } from '../contract/errors.ts'
import { type Health, healthOf } from '../observe/health.ts'
import { type Door, inspectInWords, LifecycleActor } from '../turn/lifecycle-actor.ts'
import { Readiness } from './readiness.ts'
import type { RoutineReport, ShutdownReport } from '../contract/report.ts'
import { nameStart, type Service } from '../supervision/service.ts'
import { type ShutdownOptions, type ShutdownPlan, ShutdownRun } from '../shutdown/shutdown.ts'
import type { ManagerChild } from '../spec/child-spec.ts'
import type { LocalManagerOptions, ManagerSpec } from '../spec/manager-spec.ts'
import { ignore } from '../spec/routine-spec.ts'
import { checkShutdownOptions, DEFAULT_SHUTDOWN_TIMEOUT } from '../spec/shutdown-spec.ts'
import type { Stage } from '../turn/stage.ts'
import { Supervisor } from '../supervision/supervisor.ts'
import type { Turn } from '../turn/turn.ts'
import type { WaitOptions } from '../turn/waiting.ts'

/** The state of a manager. While `stopping`, its actor's snapshot also says in which phase. */
export type ManagerState = 'pending' | 'running' | 'stopping' | 'completed' | 'failed' | 'cancelled'

/** What a manager is made of; the levels add what is below. */
export abstract class Manager extends Supervising implements Door {
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
  #actor: LifecycleActor | undefined
  #over = false
  /** @internal True from the end of a life until that is answered (turn.ts, T3). */ unanswered = false
  /** @internal True once somebody has asked for its end, by hand. */ told = false
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
    return this.#actor as unknown as ActorRefFrom<ManagerMachine>
  }

  get state(): ManagerState {
    const value = this.actor.getSnapshot().value as string | object
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
    const aborted = signal?.aborted === true
    const cause = this.#orderedBy
    const plan = { mode: aborted ? 'immediate' : mode, timeout, drain, phases, held: false, cause } as const
    this.stage.turn.run(shutDown, this, plan)
    const { report } = this.run as unknown as ShutdownRun
    if (signal !== undefined && !aborted) this.#hurryOn(signal, report)
    return report
  }

  /** @internal Somebody asks for its end, by hand. */
  shutDown(plan: ShutdownPlan): void {
    this.told = true
    if (this.run === undefined) this.#beginShutdown(plan)
    else this.run.tighten(plan.mode, plan.timeout)
  }

  /** @internal Somebody orders something by hand: what follows from it says so. */
  ordered(control: string): void {
    this.turn.run(noteOrder, this, control)
  }

  /** @internal */
  noteOrder(control: string): void {
    this.#orderedBy = this.announce({ type: 'control.ordered', control }, 0)
  }

  #hurryOn(signal: AbortSignal, report: Promise<ShutdownReport>): void {
    const { signals } = this.stage
    const member = { aborted: () => this.shutDown(IMMEDIATELY) }
    signals.bind(signal, member)
    void report.then(() => signals.unbind(signal, member))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown()
  }

  // --- the machine ---------------------------------------------------------------------------

  /** @internal */
  get turn(): Turn {
    return this.stage.turn
  }

  /** @internal Begins a life. */
  live(options: object = {}): void {
    const parent = this.up === undefined ? {} : { parent: this.up.actor }
    this.supervisor = new Supervisor(this)
    const actor = new LifecycleActor(this.logic, { id: this.name, ...parent, ...options } as object, this)
    this.#actor = actor
    this.stage.managers.set(actor, this)
    if (this.up === undefined) inspectInWords(actor, this.turn)
    actor.onError((error) => this.stage.bus.contain(error, `${this.path}: the manager's actor failed`))
    actor.start()
    if (this.spec.start === undefined) this.supervisor.begin()
    else this.turn.deed(callStart, this)
  }

  /** @internal Its `start` has returned, or thrown. */
  prepared(answer: unknown): void {
    if (this.closed) return
    if (answer instanceof StartFailedError) this.#failStart(answer)
    else if (answer === ignore) this.#stopBecause('ignored', 0)
    else this.supervisor.begin()
  }

  /** @internal A user tells its actor something: the same as the methods with their defaults; what else the machine knows is told by its supervising. */
  sent(event: EventObject): void {
    const { type, mode, timeout, error } = event as { type: string; mode?: ShutdownMode; timeout?: number; error?: unknown }
    if (type === 'shutdown') void this.shutdown({ mode, timeout })
    else if (type === 'hurry' && this.run !== undefined) void this.shutdown({ mode: 'immediate' })
    else if (type === 'giveUp') this.turn.run(giveUp, this, error)
  }

  /** @internal What those below tell its actor is nobody's order. */
  relayed(): void {}

  /** @internal XState stops a root from outside at once; here that is an immediate shutdown, phases and report included. */
  stopped(): void {
    void this.shutdown({ mode: 'immediate' })
  }

  /** @internal All children have started. */
  started(): void {
    if (this.closed) return
    this.#readiness.reached = true
    this.tell({ type: 'start' })
    this.#readiness.wake()
    if (this.service !== undefined) this.up?.supervisor.managerStarted(this.service)
  }

  /** @internal In a turn. */
  tell(event: ManagerMachineEvent): void {
    if (!this.#over) this.#actor?.tell(event)
  }

  /** @internal The phase that the machine is in; undefined while it does not stop. */
  get phase(): Phase | undefined {
    const value: unknown = this.actor.getSnapshot().value
    return typeof value === 'object' && value !== null ? (value as { stopping: Phase }).stopping : undefined
  }

  /** @internal Carries out what the machine has decided. */
  perform(snapshot: AnyMachineSnapshot, actions: readonly string[]): void {
    for (const action of actions) {
      if (action === 'open') this.#open()
      else if (action === 'end') this.#end(snapshot)
      else this.run?.enter((snapshot.value as { stopping: Phase }).stopping)
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
    return this.startError ?? this.gaveUpWith
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

  /** @internal Somebody has told its actor so. */
  giveUpBecause(error: unknown): void {
    if (this.run === undefined) this.#fail('request', error, this.#seq)
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

  #fail(trigger: ShutdownTrigger, error: unknown, cause: number): void {
    this.trigger = trigger
    this.run = new ShutdownRun(this, { mode: 'graceful', timeout: this.spec.shutdown, drain: 0, phases: {}, held: false, cause })
    this.run.blame({ path: this.path, error })
    this.tell({ type: 'giveUp', error })
  }

  /** The end of a life. What its parent makes of it is another turn (turn.ts, T9). */
  #end(snapshot: AnyMachineSnapshot): void {
    this.#over = true
    this.unanswered = true
    this.report = (this.run as ShutdownRun).summarise()
    this.turn.next(answerEnd, this, snapshot.value as EndState)
  }

  /** @internal Tells of the end of a life, and what comes of it: another life, or nothing, or its supervisor decides. */
  answerEnd(state: EndState): void {
    const { up, service } = this
    const run = this.run as ShutdownRun
    const report = this.report as ShutdownReport
    this.unanswered = false
    const restart = service === undefined && state === 'failed' && up?.restarts(this) === true
    this.#seq = this.announce({ type: 'manager.stopped', state, trigger: this.trigger }, run.seq)
    if (service !== undefined) up?.supervisor.managerEnded(service, this.told, this.startError)
    // Whoever tidies up at the outcome has done so before the callers of shutdown() go on.
    else if (!restart) this.conclude()
    run.settle(report)
    if (restart) this.turn.next(renew, this)
    else {
      up?.run?.childEnded(report)
      if (up?.exhausted === true && !up.closed) up.giveUp(this.#seq, this.gaveUpWith)
    }
  }

  /** @internal What it gave up with. */
  get gaveUpWith(): unknown {
    return (this.actor.getSnapshot().context as ManagerMachineContext).error
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

  /** @internal Another life of one that was made by hand, unless somebody has heard of the end of the last and decided otherwise. */
  renewByHand(): void {
    if (!this.told && this.up?.closed === false) {
      this.renew()
      return
    }
    this.conclude()
    this.up?.run?.childEnded(this.report as ShutdownReport)
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

type EndState = 'completed' | 'cancelled' | 'failed'

const IMMEDIATELY: ShutdownPlan = { mode: 'immediate', timeout: DEFAULT_SHUTDOWN_TIMEOUT, drain: 0, phases: {}, held: false, cause: 0 }

function noteOrder(manager: Manager, control: string): void {
  manager.noteOrder(control)
}

function shutDown(manager: Manager, plan: ShutdownPlan): void {
  manager.shutDown(plan)
}

function giveUp(manager: Manager, error: unknown): void {
  manager.giveUpBecause(error)
}

function answerEnd(manager: Manager, state: EndState): void {
  manager.answerEnd(state)
}

function renew(manager: Manager): void {
  manager.renewByHand()
}

/** A deed. */
function callStart(manager: Manager): void {
  const { name, path, incarnation, spec, turn } = manager
  if (manager.closed) return
  try {
    turn.arise(prepared, manager, spec.start?.({ name, path, incarnation }))
  } catch (cause) {
    turn.arise(prepared, manager, new StartFailedError(`${path}: start threw`, { cause, path }))
  }
}

function prepared(manager: Manager, answer: unknown): void {
  manager.prepared(answer)
}
