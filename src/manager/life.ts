/**
 * The lives of a manager, one after the other. Each is an XState actor of machines/manager.ts.
 *
 * What a manager is to users stands in manager.ts; here, what its supervising, its shutdown, its parent and its actor ask of it.
 */
import type { AnyMachineSnapshot, EventObject } from 'xstate'
import type { Phase, ShutdownMode, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import { type ManagerMachineEvent, phaseOf } from '../../machines/manager.ts'
import { shouldRestart } from '../../machines/restart-policy.ts'
import type { EndReason } from '../../machines/supervisor.ts'
import type { Gate } from '../admission/index.ts'
import { type EndKind, RoutineCancelledError, type ShutdownOptions, type ShutdownReport, StartFailedError } from '../contract/index.ts'
import type { Host, SupervisedRoutine } from '../routine/index.ts'
import { type Closing, noteEnd, requestShutdown, ShutdownRun, stopReason } from '../shutdown/index.ts'
import { ignore, type ManagerSpec, plainShutdown, type ShutdownPlan } from '../spec/index.ts'
import { type Lead, nameStart, type RoutineRegistry, type Service, Supervisor, type Ward } from '../supervision/index.ts'
import { type Door, System, LifecycleActor, type PhaseHold, type Tree, type Turn } from '../turn/index.ts'
import type { Level } from './level.ts'
import { leaveGrounds } from './grounds.ts'
import type { Place } from './place.ts'
import { fail, failStart, giveUp, unasked } from './giving-up.ts'
import { beginningOf } from './manager-logic.ts'
import { Readiness } from './readiness.ts'
import { callStart } from './start-option.ts'
import { Subtree } from './subtree.ts'
import { noteUnseenEnd } from './unseen-end.ts'
import { late, refusesAbove } from './walk.ts'

/** How a life has ended. */
export type EndState = 'completed' | 'cancelled' | 'failed'

export class Life implements Lead, Ward, Door, Closing {
  /** The manager, as users hold it. */
  readonly host: Host<SupervisedRoutine> & Level
  readonly place: Place
  readonly tree: Tree
  readonly spec: ManagerSpec
  readonly up: Life | undefined
  readonly flock: Subtree
  /** The child that it is of its supervisor; undefined if it was made by hand. */
  service: Service | undefined
  /** That in which its `start` and its children run. */
  asyncContext: unknown
  /** Of the present life. */
  declare supervisor: Supervisor
  /** The shutdown of the present life, once there is one. */
  run: ShutdownRun | undefined
  /** Of the last life that ended. */
  report: ShutdownReport | undefined
  /** Why the present life could not begin. */
  startError: StartFailedError | undefined
  /** True from the moment on that it was told to accept nothing. */
  refuses = false
  over = false
  unanswered = false
  stopRequested = false
  concluded = false
  incarnation = 1
  trigger: ShutdownTrigger = 'request'
  /** `seq` of the event that explains the next one. */
  seq: number
  /** `seq` of the event that announced an order by hand. */
  orderedBy = 0
  readonly readiness = new Readiness(this)
  #outcome: PromiseWithResolvers<ShutdownReport> | undefined
  #actor: LifecycleActor | undefined
  /** Why its supervisor stops it, and the number of the event for which it does. */
  #stopped: { readonly reason: RoutineCancelledError | undefined; readonly cause: number } | undefined
  /** True if the last restart asked of it was one too many. */
  #exhausted = false

  constructor(host: Host<SupervisedRoutine> & Level, place: Place, up: Life | undefined, spec: ManagerSpec) {
    this.host = host
    this.place = place
    this.tree = place.tree
    this.up = up
    this.spec = spec
    this.seq = up?.seq ?? 0
    this.flock = new Subtree(this)
  }

  get name(): string {
    return this.place.name
  }

  get path(): string {
    return this.place.path
  }

  get turn(): Turn {
    return this.tree.turn
  }

  get gate(): Gate {
    return this.place.gate
  }

  get startOrder(): Set<Life | Service> {
    return this.flock.startOrder
  }

  get registry(): RoutineRegistry {
    return this.flock.registry
  }

  get actor(): LifecycleActor {
    return this.#actor as LifecycleActor
  }

  /** Resolves with the report of the end that its parent does not answer with a restart. Never rejects. */
  get outcome(): Promise<ShutdownReport> {
    if (this.#outcome === undefined) {
      this.#outcome = Promise.withResolvers()
      if (this.concluded) this.#outcome.resolve(this.report as ShutdownReport)
    }
    return this.#outcome.promise
  }

  get cancelReason(): RoutineCancelledError {
    return this.run?.reason ?? this.place.cancelReason
  }

  describeLimit(): string {
    return this.place.describeLimit()
  }

  // --- its beginning -------------------------------------------------------------------------

  live(options: object = {}): void {
    const { logic } = this.host
    const parent = this.up === undefined ? {} : { parent: this.up.actor }
    const isInspected = this.up === undefined ? 'inspect' in options : this.tree.isInspected
    const beginning = isInspected ? {} : beginningOf(logic)
    this.supervisor = new Supervisor(this, this.registry)
    this.registry.beginLife(this.supervisor, this.asyncContext)
    const actor = (this.#actor = new LifecycleActor(logic, { id: this.name, ...parent, ...beginning, ...options } as object, this))
    if (this.up === undefined) this.tree.system = new System(actor, this.turn)
    actor.start()
    if (this.spec.start === undefined) this.supervisor.begin()
    else this.turn.deed(callStart, this)
  }

  /** Its `start` has returned, or thrown. */
  prepared(answer: unknown): void {
    if (this.closed) return
    if (answer instanceof StartFailedError) failStart(this, answer)
    else if (answer === ignore) this.#stopBecause('ignored', 0)
    else this.supervisor.begin()
  }

  started(): void {
    if (this.closed) return
    this.readiness.reached = true
    this.tell({ type: 'start' })
    this.readiness.wake()
    if (this.service !== undefined) this.up?.supervisor.managerStarted(this.service)
  }

  renew(): void {
    this.incarnation++
    if (this.service !== undefined) this.service.incarnations = this.incarnation
    this.run = undefined
    this.refuses = false
    this.#exhausted = false
    this.startError = undefined
    this.#stopped = undefined
    this.over = false
    this.readiness.reached = false
    this.stopRequested = false
    this.trigger = 'request'
    this.flock.clear()
    this.live()
  }

  // --- its actor -----------------------------------------------------------------------------

  /** A user sends its actor an event: it means the same as the method with its defaults. Other events are for the library alone. */
  sent(event: EventObject, to: LifecycleActor): void {
    // The actor of an earlier life is over.
    if (to !== this.#actor) return
    const { type, mode, timeout, error } = event as { type: string; mode?: ShutdownMode; timeout?: number; error?: unknown }
    if (type === 'shutdown') void this.shutdown({ mode, timeout })
    else if (type === 'hurry' && this.run !== undefined) void this.shutdown({ mode: 'immediate' })
    else if (type === 'giveUp') this.turn.run(() => fail(this, 'request', error, this.seq))
  }

  relayed(): void {}

  /** XState stops a root from outside at once; here that is an immediate shutdown, phases and report included. */
  stopped(): void {
    void this.shutdown({ mode: 'immediate' })
  }

  failed(error: unknown): void {
    this.tree.bus.contain(error, `${this.path}: the manager's actor failed`)
  }

  tell(event: ManagerMachineEvent): void {
    if (!this.over) this.#actor?.tell(event)
  }

  perform(snapshot: AnyMachineSnapshot, _event: EventObject, actions: readonly string[]): void {
    for (const action of actions) {
      if (action === 'open') this.#open()
      else if (action === 'end') this.#end(snapshot.value as EndState)
      else this.run?.enter(phaseOf(snapshot.value) as Phase)
    }
  }

  #open(): void {
    const { incarnation } = this
    const type = incarnation === 1 ? 'manager.started' : 'manager.restarted'
    this.seq = this.place.announce({ type, incarnation }, this.seq)
  }

  get phase(): Phase | undefined {
    return phaseOf(this.stateValue)
  }

  // --- its shutdown --------------------------------------------------------------------------

  /** Shuts it down, by hand. */
  shutdown(options: ShutdownOptions): Promise<ShutdownReport> {
    return requestShutdown(this, options)
  }

  shutDown(plan: ShutdownPlan): void {
    this.stopRequested = true
    this.heedAbove()
    if (this.run === undefined) this.#beginShutdown(plan)
    else this.run.tighten(plan.mode, plan.timeout)
  }

  /** Announces an order by hand, which is the cause of what follows. */
  ordered(control: string): void {
    this.turn.run(() => {
      this.orderedBy = this.place.announce({ type: 'control.ordered', control }, 0)
    })
  }

  #beginShutdown(plan: ShutdownPlan): void {
    this.run = new ShutdownRun(this, plan)
    this.tell({ type: 'shutdown', mode: plan.mode })
  }

  get stateValue(): unknown {
    return this.actor.stateValue
  }

  /** 0 while there is none. */
  get shutdownSeq(): number {
    return this.run?.seq ?? 0
  }

  get stopReason(): RoutineCancelledError {
    return this.#stopped?.reason ?? stopReason(this)
  }

  get patience(): number {
    return this.spec.shutdown
  }

  announcePhase(phase: Phase, cause: number, hold: PhaseHold): number {
    if (phase === 'cleaning' && this.up === undefined && this.tree.grounds !== undefined) leaveGrounds(this.tree, hold)
    return this.place.announce({ type: 'manager.phase', phase }, cause, hold)
  }

  /** It accepts nothing more, and its supervisor decides nothing. */
  refuse(): void {
    this.refuses = true
    this.supervisor.close()
    this.flock.wakeWaiters()
  }

  /** True from the moment on that nothing is accepted, here or at a level above that closes all below it. */
  get closed(): boolean {
    return this.refuses || (this.tree.spreading > 0 && refusesAbove(this))
  }

  /** The parent closes: it stops accepting and waits for its turn. */
  close(): void {
    if (this.run !== undefined || this.over) return
    this.trigger = 'supervisor'
    this.#beginShutdown(plainShutdown(Infinity, this.up?.shutdownSeq ?? 0, true))
  }

  /** A level above closes all below it, in slices that have yet to come here: it closes now, behind those between. */
  heedAbove(): void {
    if (this.run !== undefined || this.tree.spreading === 0) return
    for (const life of late<Life>(this)) life.close()
  }

  stopBySupervisor(reason: RoutineCancelledError | undefined, cause: number): void {
    this.#stopped = { reason, cause }
    if (this.run !== undefined) this.run.tighten('graceful', this.spec.shutdown)
    // It waits behind what waits there already, unless it is in a hurry.
    else if (this.supervisor.busy && this.spec.shutdown !== Infinity) this.#stopBecause('supervisor', cause)
    else this.supervisor.post({ type: 'stop' })
  }

  #stopBecause(trigger: ShutdownTrigger, cause: number): void {
    if (this.run !== undefined) return
    this.trigger = trigger
    this.#beginShutdown(unasked(this, cause))
  }

  // --- what its supervisor has decided -------------------------------------------------------

  endBy(why: EndReason, child: Service | undefined): void {
    const manager = child?.manager as Life | undefined
    const seq = child?.routine?.seq ?? manager?.seq ?? this.seq
    if (why === 'limit') this.giveUp(seq, child?.routine === undefined ? manager?.failure : child.routine.current.error)
    else if (why === 'start_failed') failStart(this, nameStart(this.path, child as Service))
    else if (why === 'stop') this.#stopBecause('supervisor', this.#stopped?.cause ?? 0)
    else this.#stopBecause('auto_shutdown', seq)
  }

  get failure(): unknown {
    return this.startError ?? this.actor.failure
  }

  giveUp(cause: number, error: unknown): void {
    giveUp(this, cause, error)
  }

  grow(service: Service): Life {
    const child = this.flock.insert(service.name, () => this.host.makeChild(service))
    child.service = service
    child.asyncContext = this.asyncContext
    child.incarnation = ++service.incarnations
    return child
  }

  /** The children stop one by one, once all that was spawned has ended. */
  noteEnd(routine: SupervisedRoutine, outcome: EndKind, orphan: boolean, error: unknown): void {
    this.heedAbove()
    noteEnd(this, routine, outcome, orphan, error)
    if (this.flock.comesToChildren) this.run?.nextChild()
  }

  // --- its end -------------------------------------------------------------------------------

  /** What its parent makes of it is another turn (turn/turn.ts, T9). */
  #end(state: EndState): void {
    this.over = true
    this.unanswered = true
    this.report = (this.run as ShutdownRun).summarise()
    this.turn.next(() => this.answerEnd(state))
  }

  /** Announces the end, and answers it: by another life, by none, or by its supervisor. */
  answerEnd(state: EndState): void {
    const { up, service } = this
    const run = this.run as ShutdownRun
    const report = this.report as ShutdownReport
    this.unanswered = false
    const restart = service === undefined && state === 'failed' && up?.restarts(this) === true
    this.seq = this.place.announce({ type: 'manager.stopped', state, trigger: this.trigger }, run.seq)
    if (service !== undefined) up?.supervisor.managerEnded(service, this)
    // Code that awaits the outcome goes on before the callers of shutdown() do.
    else if (!restart) this.conclude()
    run.settle(report)
    if (restart) this.turn.next(() => this.renewByHand())
    else {
      up?.heedAbove()
      up?.run?.childEnded(report)
      if (up !== undefined && up.#exhausted && !up.closed) up.giveUp(this.seq, this.failure)
    }
  }

  /** Decides on a manager below, made by hand, that gave up. OTP counts giving up as an end in good order. */
  restarts(child: Life): boolean {
    if (this.closed || child.stopRequested) return false
    const again = child.startError === undefined ? shouldRestart(child.spec.restart, 'shutdown') : child.incarnation > 1
    if (!again) return false
    this.#exhausted = !this.supervisor.window.record(this.tree.clock.now())
    return !this.#exhausted
  }

  /** Another life of a manager that was made by hand, unless a listener has shut it down at the end of the last. */
  renewByHand(): void {
    if (!this.stopRequested && this.up?.closed === false) {
      this.renew()
      return
    }
    this.conclude()
    this.up?.run?.childEnded(this.report as ShutdownReport)
  }

  conclude(): void {
    if (this.concluded) return
    this.concluded = true
    noteUnseenEnd(this)
    this.up?.flock.forget(this)
    this.place.listeners.close()
    this.#outcome?.resolve(this.report as ShutdownReport)
    this.readiness.wake()
  }
}
