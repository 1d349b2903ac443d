/**
 * The lives of a manager, one after the other. Each is an XState actor of machines/manager.ts to whoever looks; as long as nobody has,
 * the table of that machine stands in for it (manager-table.ts). Either way what was decided is carried out in `carryOut`.
 *
 * What a manager is to users stands in manager.ts; here, what its supervising, its shutdown, its parent and its actor ask of it.
 */
import type { EventObject, StateValue } from 'xstate'
import type { Phase, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import { type ManagerMachineEvent, phaseOf } from '../../machines/manager.ts'
import { shouldRestart } from '../../machines/restart-policy.ts'
import type { EndReason } from '../../machines/supervisor.ts'
import type { Gate } from '../admission/index.ts'
import { type EndKind, RoutineCancelledError, type ShutdownOptions, type ShutdownReport, StartFailedError } from '../contract/index.ts'
import type { Host, SupervisedRoutine } from '../routine/index.ts'
import { type Closing, noteEnd, requestShutdown, ShutdownRun, stopReason } from '../shutdown/index.ts'
import { ignore, type ManagerSpec, plainShutdown, type ShutdownPlan } from '../spec/index.ts'
import { type Lead, nameStart, type RoutineRegistry, type Service, Supervisor, type Ward } from '../supervision/index.ts'
import type { LifecycleActor, PhaseHold, Tree, Turn } from '../turn/index.ts'
import type { EndState, Level } from './level.ts'
import { leaveGrounds } from './grounds.ts'
import type { Place } from './place.ts'
import { failStart, giveUp, unasked } from './giving-up.ts'
import { materialise } from './manager-door.ts'
import { EFFECT, END, errorAfter, OPEN, stageAfter, stepOf, valueOf } from './manager-steps.ts'
import { Readiness } from './readiness.ts'
import { callStart } from './start-option.ts'
import { Subtree } from './subtree.ts'
import { noteUnseenEnd } from './unseen-end.ts'
import { late, refusesAbove, siblingsOf } from './walk.ts'

export class Life implements Lead, Ward, Closing {
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
  /** Of the present life, once there is one. */
  #actor: LifecycleActor | undefined
  /** The state and the flags of its machine; 0 is the initial state. */
  stage = 0
  /** Why it gave up, if it did. */
  error: unknown
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
    if (up === undefined) this.tree.root = this
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
    return this.#actor ?? materialise(this, false)
  }

  /** True if a genuine actor drives it. */
  get isObserved(): boolean {
    return this.#actor !== undefined
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

  live(isInspected = this.tree.isInspected): void {
    this.supervisor = new Supervisor(this, this.registry, this.incarnation === 1 ? 0 : this.seq)
    this.registry.beginLife(this.supervisor, this.asyncContext)
    if (isInspected || this.tree.strict) materialise(this, true)
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
    const { up, service } = this
    if (service !== undefined) siblingsOf(up)?.managerStarted(service)
  }

  renew(): void {
    this.incarnation++
    this.#actor = undefined
    this.stage = 0
    this.error = undefined
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

  // --- its machine ---------------------------------------------------------------------------

  /** From now on it is driven by this actor, which is in its state. */
  driveBy(actor: LifecycleActor): void {
    this.#actor = actor
    actor.start()
  }

  tell(event: ManagerMachineEvent): void {
    if (this.over) return
    if (this.#actor === undefined && this.tree.isInspected) materialise(this, false)
    if (this.#actor === undefined) this.carryOut(event)
    else this.#actor.tell(event)
  }

  /** Its table decides, or its genuine actor has decided the same. */
  carryOut(event: EventObject): void {
    const step = stepOf(this.stage, event)
    if (step === 0) return
    this.stage = stageAfter(this.stage, step)
    this.error = errorAfter(step, event, this.error)
    const effect = (step >> EFFECT) & 7
    if (effect === OPEN) this.#open()
    else if (effect === END) this.#end(this.stateValue as EndState)
    else if (effect > 0) this.run?.enter(this.phase as Phase)
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

  get stateValue(): StateValue {
    return valueOf(this.stage)
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
    return this.startError ?? this.error
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
    if (service !== undefined) siblingsOf(up)?.managerEnded(service, this)
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
