/** One routine over all its incarnations: what its manager keeps of it, and the handle that a user holds. */
import type { ActorRefFrom, AnyActorRef } from 'xstate'
import type { RoutineMachine } from '../../machines/routine.ts'
import type { Queued } from '../admission/index.ts'
import {
  type EndKind,
  type ExitReason,
  NotRunningError,
  type Outcome,
  outcomeOf,
  type RoutineState,
  type WaitOptions,
  type Work,
} from '../contract/index.ts'
import type { Named, NameGroup } from '../count/index.ts'
import { type Addressee, Mailbox } from '../message/index.ts'
import { type Ground, groundOf, type Pending } from '../port/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import { actorGround } from './actor-ground.ts'
import { announce, announceAside } from './announcing.ts'
import { closingOf, forgetClosing } from './closing-signal.ts'
import { heedSignal } from './due-signal.ts'
import { checkExitReason, exitStep } from './exit.ts'
import { functionGround } from './function-ground.ts'
import type { Host, Post } from './host.ts'
import { Incarnation } from './incarnation.ts'
import { Remembering } from './memory.ts'
import type { Owner } from './owner.ts'
import { stopBackOff } from './restart-delay.ts'
import { Resumption } from './resumption.ts'
import { nextStart, outcomePromise, readResult, type Settling, startedPromise } from './routine-promises.ts'
import { CANCEL, type KILL } from './routine-steps.ts'
import { cancel, hand, kill, post, restart } from './routine-turns.ts'
import { answerRevival, answerSilence } from './silence.ts'
import { launchRoutine } from './start-option.ts'
import { exit, stop } from './stopping.ts'

export class SupervisedRoutine extends Remembering implements Owner, Addressee, Named<SupervisedRoutine>, Queued<SupervisedRoutine> {
  /** The manager that it lives in. */
  readonly local: Host<SupervisedRoutine>
  /** Its id, once it was read. */
  knownId: string | undefined
  readonly spec: RoutineSpec
  /** The work as it was given. */
  readonly logic: Work
  /** Handed to the work as it is. */
  input: unknown
  readonly group: NameGroup<SupervisedRoutine>
  /** The child that it is of its supervisor; undefined if it was spawned. */
  readonly service: Post | undefined
  /** `seq` of the event that explains the next one. */
  seq = 0
  /** True once it has ended for good. */
  ended = false
  /** True once it was cancelled or killed: from then on it is not restarted. */
  stopRequested = false
  /** Of its outcome, and the way to keep it. */
  promise: Promise<Outcome> | undefined
  keep: ((outcome: Outcome) => void) | undefined
  settling: Settling | undefined
  /** Its neighbours among the living of its manager, and later among those that this one retains. */
  previousLiving: SupervisedRoutine | undefined
  nextLiving: SupervisedRoutine | undefined
  previousNamed: SupervisedRoutine | undefined
  nextNamed: SupervisedRoutine | undefined
  previousQueued: SupervisedRoutine | undefined
  nextQueued: SupervisedRoutine | undefined
  ticket = 0
  #current: Incarnation | undefined
  #mailbox: Mailbox | undefined
  #path: string | undefined

  constructor(
    local: Host<SupervisedRoutine>,
    id: string | undefined,
    work: Work,
    spec: RoutineSpec,
    input: unknown,
    group: NameGroup<SupervisedRoutine>,
    service: Post | undefined,
  ) {
    super()
    this.local = local
    this.knownId = id
    this.logic = work
    this.spec = spec
    this.input = input
    this.group = group
    this.service = service
    const { tree } = local
    if (spec.resume === 'snapshot') this.ownMemory.resumption = new Resumption(tree)
    // Whoever inspects sees the actor above the user's, too.
    if (tree.strict || (this.isActor && tree.isInspected)) this.#current = new Incarnation(this, this.#first, true)
  }

  get name(): string {
    return this.group.name
  }

  /** The ground that its body runs on. */
  get ground(): Ground {
    return typeof this.logic === 'function' ? functionGround : (groundOf(this.logic) ?? actorGround)
  }

  get isActor(): boolean {
    return this.ground === actorGround
  }

  get tree(): Tree {
    return this.local.tree
  }

  /** Itself, as observers see it. */
  get subject(): this {
    return this
  }

  /** The error of the last incarnation that failed. */
  get error(): unknown {
    return this.#current?.state === 'failed' ? this.#current.error : this.memory.error
  }

  get #bornAt(): number | undefined {
    return this.memory.bornAt ?? this.#current?.startedAt
  }

  /** The present incarnation. The first is made when it is needed, so that a queued routine is small. */
  get current(): Incarnation {
    return (this.#current ??= new Incarnation(this, this.#first, false))
  }

  get #first(): number {
    return this.service === undefined ? 1 : ++this.service.incarnations
  }

  get id(): string {
    return (this.knownId ??= this.local.registry.identify(this))
  }

  get path(): string {
    // Kept once it was made: each event of the routine carries its path, and listeners use it as a key.
    const { group, local, name } = this
    return (this.#path ??= `${(group.prefix ??= `${local.path}/${name}#`)}${this.id}`)
  }

  get state(): RoutineState {
    return this.current.state as RoutineState
  }

  get incarnation(): number {
    return this.current.number
  }

  get startedAt(): number | undefined {
    return this.current.startedAt
  }

  get uptime(): number {
    const { startedAt, endedAt } = this.current
    return startedAt === undefined ? 0 : (endedAt ?? this.tree.clock.now()) - startedAt
  }

  /** Milliseconds from the first start to the end; undefined if it never started. */
  get age(): number | undefined {
    const bornAt = this.#bornAt
    return bornAt === undefined ? undefined : (this.current.endedAt ?? this.tree.clock.now()) - bornAt
  }

  override toString(): string {
    return this.path
  }

  /** What `JSON.stringify`, and a log, makes of it; and of a copy, as some test runners make one to print it. */
  toJSON(): object {
    if (!(#path in this)) return { copyOf: 'a routine' }
    const { path, state, incarnation } = this
    return { path, state, incarnation }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Routine ${this.path} (${this.state}, incarnation ${this.incarnation})`
  }

  get actor(): ActorRefFrom<RoutineMachine> {
    return this.current.actor as unknown as ActorRefFrom<RoutineMachine>
  }

  get work(): AnyActorRef | undefined {
    return this.isActor ? (this.current.footing as AnyActorRef | undefined) : undefined
  }

  get outcome(): Promise<Outcome> {
    return outcomePromise(this)
  }

  get started(): Promise<boolean> {
    return startedPromise(this, this.#bornAt !== undefined)
  }

  result(options?: WaitOptions): Promise<unknown> {
    return readResult(this, options)
  }

  /** How it ended; undefined while it has not. */
  get end(): Outcome | undefined {
    return this.ended ? this.lastOutcome : undefined
  }

  /** How its present incarnation ended. */
  get lastOutcome(): Outcome {
    return outcomeOf(this.current)
  }

  /** Which of the four ends it counts as. */
  get endKind(): EndKind {
    const { state, killed } = this.current
    return state === 'cancelled' && killed ? 'killed' : (state as EndKind)
  }

  /** True if it is restarted whatever its restart type says: that was ordered, or the start of a restart has failed. */
  get wantsRestart(): boolean {
    return this.memory.restartOrdered !== undefined || (this.incarnation > 1 && this.memory.startThrew)
  }

  /** True while it waits for its first permit. */
  get queued(): boolean {
    return this.ticket !== 0
  }

  /** True from the end of its present incarnation until that is answered. */
  get unanswered(): boolean {
    return this.current.unanswered
  }

  get closing(): AbortSignal {
    return closingOf(this)
  }

  /** The reason of a cancel that was given none. */
  get cancelReason(): unknown {
    return this.local.cancelReason
  }

  cancel(reason?: unknown): Promise<Outcome> {
    this.tree.turn.run(cancel, this, reason ?? this.cancelReason)
    return this.outcome
  }

  kill(reason?: unknown): Promise<Outcome> {
    this.tree.turn.run(kill, this, reason ?? this.cancelReason)
    return this.outcome
  }

  restart(): Promise<boolean> {
    if (this.ended || this.stopRequested) throw new NotRunningError(`${this.path} has ended and cannot be restarted`, { path: this.path })
    const next = nextStart(this)
    this.tree.turn.run(restart, this)
    return next
  }

  /** Ends the present incarnation with an OTP reason, as if by its own choice. */
  exit(reason: ExitReason): boolean {
    checkExitReason(reason, this.path)
    const step = exitStep(reason, this.path)
    if (this.ended || this.stopRequested || this.current.over) return false
    this.tree.turn.run(() => exit(this, step[0], step[1]))
    return true
  }

  send(message: unknown): void {
    this.tree.observer?.message(this, message, 'send')
    post(this, message)
  }

  ask(message: unknown, options: WaitOptions = {}): Promise<unknown> {
    return this.mailbox.ask(message, options)
  }

  /** Announces an order by hand, which is the cause of what follows. */
  ordered(control: string): void {
    this.tree.turn.run(() => announce(this, 'control.ordered', { control }, 0))
  }

  // --- in a turn: stopping -------------------------------------------------------------------

  /** Cancels or kills it, for good. */
  stop(event: typeof CANCEL | typeof KILL, reason: unknown): void {
    if (!this.ended) stop(this, event, reason)
  }

  /** The same by its actor; of an earlier incarnation's nothing follows. */
  stopBy(incarnation: unknown, event: typeof CANCEL | typeof KILL, reason: unknown): void {
    if (incarnation === this.#current) this.stop(event, reason)
  }

  /** The signal of the spawn's options was aborted. */
  aborted(reason: unknown): void {
    this.stop(CANCEL, reason)
  }

  // --- messages ------------------------------------------------------------------------------

  /** Made at the first message, or when the body first looks for one. */
  get mailbox(): Mailbox {
    return (this.#mailbox ??= new Mailbox(this))
  }

  get limits(): RoutineSpec['mailbox'] {
    return this.spec.mailbox
  }

  get isBetween(): boolean {
    return this.incarnation > 1 && this.state === 'pending'
  }

  get takes(): boolean {
    const { current, ground } = this
    return !current.over && ground.takes(current)
  }

  get accepts(): boolean {
    const { current, ground } = this
    return !current.over && ground.accepts(current)
  }

  deliver(message: unknown, reply: ((value: unknown) => void) | undefined, question: Pending | undefined): boolean {
    return hand(this, message, reply, question)
  }

  get failure(): unknown {
    return this.current.error
  }

  announceAside(type: 'message.dropped' | 'message.deadLetter', extra: object): void {
    announceAside(this, type, extra)
  }

  closeMailbox(last: boolean): void {
    this.#mailbox?.incarnationOver(last)
  }

  flushMailbox(): void {
    this.#mailbox?.flush()
  }

  // --- what its incarnations report ----------------------------------------------------------

  launch(incarnation: unknown): void {
    heedSignal(this)
    if (this.ended || incarnation !== this.#current || this.memory.backoffTimer !== undefined) return
    launchRoutine(this)
  }

  begun(at: number): void {
    this.group.started()
    this.local.registry.countIdle(-1)
    announce(this, 'routine.started', undefined, this.seq, at)
    const { settling } = this
    if (settling === undefined) return
    settling.started?.resolve(true)
    settling.next?.resolve(true)
    settling.next = undefined
  }

  settled(): void {
    const { current } = this
    if (current.startedAt !== undefined) {
      this.group.stopped()
      this.local.registry.countIdle(1)
    }
    if (current.state === 'failed') this.group.count('failures', 1)
    stopBackOff(this)
    this.#mailbox?.abandon()
    forgetClosing(this)
  }

  orphanSettled(incarnation: number): void {
    this.local.registry.orphanSettled(this, incarnation)
  }

  fellSilent(silence: number): boolean {
    return answerSilence(this, silence)
  }

  revived(silence: number): void {
    answerRevival(this, silence)
  }

  // --- restarts ------------------------------------------------------------------------------

  /** Makes the next incarnation. */
  renew(): void {
    const { observed, number } = this.current
    const { service } = this
    this.remember(this.error, this.#bornAt)
    this.#current = new Incarnation(this, service === undefined ? number + 1 : ++service.incarnations, observed)
  }
}
