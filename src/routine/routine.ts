/** One routine over all its incarnations: the row in its local manager's registry, and the handle that a user holds. */
import type { ActorRefFrom, AnyActorRef, EventObject } from 'xstate'
import { backoffDelay } from '../../machines/restart-policy.ts'
import type { routineMachine } from '../../machines/routine.ts'
import type { Wish } from '../../machines/supervisor.ts'
import { Announcing } from './announcing.ts'
import { NotRunningError } from '../contract/errors.ts'
import { checkExitReason, exitStep } from '../contract/exit-request.ts'
import { Incarnation } from './incarnation.ts'
import type { Waiting } from '../admission/limiter.ts'
import { Mailbox } from '../message/mailbox.ts'
import type { Manager } from '../manager/manager.ts'
import type { EndKind } from '../count/metrics.ts'
import type { Named, NameGroup } from '../count/name-group.ts'
import { type Outcome, outcomeOf } from '../contract/outcome.ts'
import { type Prepared, prepareRoutine } from './prepare.ts'
import { nextStart, outcomePromise, readResult, type Settling, startedPromise } from './routine-promises.ts'
import { Resumption } from './resumption.ts'
import type { Service } from '../supervision/service.ts'
import { refuse } from '../spec/check.ts'
import { type ExitReason, type RoutineSpec, share } from '../spec/routine-spec.ts'
import { CANCEL, KILL, START, TIMEOUT } from './routine-steps.ts'
import type { WaitOptions } from '../turn/waiting.ts'
import type { Work } from './work.ts'

/** The state of a routine: that of its present incarnation. */
export type RoutineState = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'

export class RoutineRow extends Announcing implements Named<RoutineRow>, Waiting<RoutineRow> {
  /** The manager that it lives in. */
  readonly local: Manager
  /** Its id, once somebody has asked for it. */
  knownId: string | undefined
  readonly spec: RoutineSpec
  /** The work as it was given. */
  readonly logic: Work
  /** Handed to the work as it is. */
  readonly input: unknown
  readonly group: NameGroup<RoutineRow>
  /** The child that it is of its supervisor; undefined if it was spawned. */
  readonly service: Service | undefined
  /** True once it has ended for good. */
  ended = false
  /** True once somebody has told it to stop: from then on nothing is restarted. */
  told = false
  /** Of its outcome, and the way to keep it. */
  promise: Promise<Outcome> | undefined = undefined
  keep: ((outcome: Outcome) => void) | undefined = undefined
  settling: Settling | undefined = undefined
  previousLiving: RoutineRow | undefined = undefined
  nextLiving: RoutineRow | undefined = undefined
  previousNamed: RoutineRow | undefined = undefined
  nextNamed: RoutineRow | undefined = undefined
  previousQueued: RoutineRow | undefined = undefined
  nextQueued: RoutineRow | undefined = undefined
  ticket = 0
  #current: Incarnation | undefined = undefined
  #mailbox: Mailbox | undefined = undefined
  #path: string | undefined = undefined

  constructor(
    local: Manager,
    id: string | undefined,
    work: Work,
    spec: RoutineSpec,
    input: unknown,
    group: NameGroup<RoutineRow>,
    service: Service | undefined,
  ) {
    super()
    this.local = local
    this.knownId = id
    this.logic = work
    this.spec = spec
    this.input = input
    this.group = group
    this.service = service
    // The user's actor is a child of the routine's, so there has to be one.
    if (spec.resume === 'snapshot') this.own.resumption = new Resumption(local.stage.clock, local.stage.bus)
    if (local.stage.strict || this.isActor) this.#current = new Incarnation(this, this.#first, true)
  }

  get name(): string {
    return this.group.name
  }

  /** True if its work is actor logic; else it is a function. */
  get isActor(): boolean {
    return typeof this.logic !== 'function'
  }

  /** The error of the last incarnation that failed. */
  get error(): unknown {
    return this.#current?.state === 'failed' ? this.#current.error : this.aside.error
  }

  get #bornAt(): number | undefined {
    return this.aside.bornAt ?? this.#current?.startedAt
  }

  /** The present incarnation. The first is made when something is asked of it, so that those who wait in a queue are small. */
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
    // Kept from the first time on: every event of it says its path, and whoever listens looks it up by that.
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
    return startedAt === undefined ? 0 : (endedAt ?? this.local.stage.clock.now()) - startedAt
  }

  /** Milliseconds from the first start to the end; undefined if it never started. */
  get age(): number | undefined {
    const bornAt = this.#bornAt
    return bornAt === undefined ? undefined : (this.current.endedAt ?? this.local.stage.clock.now()) - bornAt
  }

  override toString(): string {
    return this.path
  }

  /** What `JSON.stringify`, and a log, makes of it. */
  toJSON(): object {
    const { path, state, incarnation } = this
    return { path, state, incarnation }
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return `Routine ${this.path} (${this.state}, incarnation ${this.incarnation})`
  }

  get actor(): ActorRefFrom<typeof routineMachine> {
    return this.current.actor as ActorRefFrom<typeof routineMachine>
  }

  get work(): AnyActorRef | undefined {
    return this.current.work
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

  /** As which of the four ends it counts. */
  get endKind(): EndKind {
    const { state, killed } = this.current
    return state === 'cancelled' && killed ? 'killed' : (state as EndKind)
  }

  /** True if it is to be started again whatever its restart type says: ordered so, or a restart whose start failed. */
  get wantsRestart(): boolean {
    return this.aside.ordered !== undefined || (this.incarnation > 1 && this.startFailed)
  }

  /** What its end asks of a supervisor that has it as a child. */
  get wish(): Wish {
    if (this.told) return 'told'
    if (this.aside.ordered !== undefined) return this.restartIsFree ? 'free' : 'again'
    return this.local.registry.mayHelp(this) ? 'policy' : 'no'
  }

  /** True if a start that forgets the snapshot takes the place of giving up. */
  startsFresh(): boolean {
    const { resumption, local } = this
    if (resumption === undefined || local.closed) return false
    const now = local.stage.clock.now()
    return local.window.left(now) === 0 && resumption.startsFresh(now, local.spec.restartWindow)
  }

  /** True while it waits for its first permit. */
  get queued(): boolean {
    return this.ticket !== 0
  }

  /** True if that was ordered by hand: such a restart never counts against the limit and never waits. */
  get restartIsFree(): boolean {
    return this.aside.ordered === CANCEL
  }

  cancel(reason?: unknown): Promise<Outcome> {
    this.local.stage.turn.run(cancel, this, reason ?? this.local.cancelReason)
    return this.outcome
  }

  kill(reason?: unknown): Promise<Outcome> {
    this.local.stage.turn.run(kill, this, reason ?? this.local.cancelReason)
    return this.outcome
  }

  /** Tells it to stop, for good. In a turn, as all that follows. */
  stop(event: typeof CANCEL | typeof KILL, reason: unknown): void {
    if (this.ended) return
    this.told = true
    if (this.aside.ordered !== undefined) this.own.ordered = undefined
    if (this.current.over) {
      this.own.lateReason ??= reason
      return
    }
    // A child that has started does begin, if only to be told.
    if (event === CANCEL && this.service?.prepared === true && this.state === 'pending') this.current.step(START, undefined)
    this.current.step(event, reason)
  }

  /** The same by its actor; of an earlier incarnation's nothing follows. */
  stopBy(incarnation: Incarnation, event: typeof CANCEL | typeof KILL, reason: unknown): void {
    if (incarnation === this.#current) this.stop(event, reason)
  }

  /** The signal of the spawn's options was aborted. */
  aborted(reason: unknown): void {
    this.stop(CANCEL, reason)
  }

  restart(): Promise<boolean> {
    if (this.ended || this.told) throw new NotRunningError(`${this.path} has ended and cannot be restarted`, { path: this.path })
    const next = nextStart(this)
    this.local.stage.turn.run(restart, this)
    return next
  }

  /** Begins anew: now, if it waits for that; else once its present incarnation has ended. */
  orderRestart(): void {
    if (this.service?.timer !== undefined) this.local.supervisor.hasten(this.service)
    else if (this.state !== 'pending') this.forceRestart(CANCEL, this.local.cancelReason)
    else if (this.aside.backoff !== undefined) {
      this.#disarm()
      this.local.stage.begin(this)
    }
  }

  /** Ends the present incarnation with an OTP reason, as if by its own choice. */
  exit(reason: ExitReason): boolean {
    checkExitReason(reason, this.path)
    const step = exitStep(reason, this.path)
    if (this.ended || this.told || this.current.over) return false
    this.local.stage.turn.run(exit, this, step)
    return true
  }

  /** Ends the present incarnation by the given event, to be followed by another. */
  forceRestart(event: typeof CANCEL | typeof TIMEOUT, why: unknown): void {
    const { current } = this
    // Ordered by hand, which is free; or for the same reason; or it is on its way out, for another one.
    if (this.told || this.restartIsFree || this.aside.ordered === event) return
    if (current.over ? this.service !== undefined : !current.heeds(event)) return
    this.own.ordered = event
    if (!current.over) current.step(event, why)
  }

  /** Made at the first message, or when the body first looks for one. */
  get mailbox(): Mailbox {
    return (this.#mailbox ??= new Mailbox(this))
  }

  send(message: unknown): void {
    const { tap, turn } = this.local.stage
    if (tap !== undefined && !this.isActor) tap.message(this, message, 'send')
    turn.run(send, this, message)
  }

  /** Takes a message up. */
  receive(message: unknown): void {
    const { work } = this.current
    // The common case of an actor that runs needs no mailbox; while it is being told what has waited there, that comes first.
    if (work !== undefined && !this.current.over && (this.#mailbox?.size ?? 0) === 0) this.local.stage.turn.deed(sendTo, this, message)
    else this.mailbox.send(message)
  }

  ask(message: unknown, options: WaitOptions = {}): Promise<unknown> {
    return this.mailbox.ask(message, options)
  }

  closeMailbox(last: boolean): void {
    this.#mailbox?.incarnationOver(last)
  }

  /** The user's actor has begun. */
  flushMailbox(work: AnyActorRef): void {
    this.#mailbox?.flush(work)
  }

  // --- what its incarnations tell it ---------------------------------------------------------

  /** Begins the present incarnation, unless something has ended or delayed it. */
  launch(): void {
    if (this.ended || !this.current.waits || this.aside.backoff !== undefined) return
    // Of a child, its supervisor has seen to that.
    if (this.incarnation > 1 && this.service === undefined) this.prepare(begin)
    else this.current.step(START, undefined)
  }

  /** True if something is called before it may begin. */
  get hasStart(): boolean {
    return this.spec.start !== undefined || this.local.stage.interceptor !== undefined
  }

  prepare(then: Prepared): void {
    prepareRoutine(this, then)
  }

  /** An incarnation has begun to run. */
  begun(): void {
    this.group.started()
    this.local.registry.idle--
    this.announce('routine.started', undefined, this.seq, this.startedAt)
    const { settling } = this
    if (settling === undefined) return
    settling.started?.resolve(true)
    settling.next?.resolve(true)
    settling.next = undefined
  }

  /** An incarnation is over; its supervisor answers in a turn of its own. */
  settled(orphaned: boolean): void {
    const { current } = this
    if (current.startedAt !== undefined) {
      this.group.stopped()
      this.local.registry.idle++
    }
    if (current.state === 'failed') this.group.count('failures', 1)
    this.#disarm()
    this.#mailbox?.abandon()
    this.local.stage.turn.next(answerEnd, this, orphaned)
  }

  /** True if chance has a say in how long its restart waits, and has not said it. */
  get asksChance(): boolean {
    return this.spec.backoff !== undefined && this.aside.chance === undefined && !this.restartIsFree
  }

  /** Milliseconds that its restart is to wait. */
  delay(now: number): number {
    const { backoff } = this.spec
    const { startedAt } = this.current
    if (backoff === undefined || this.restartIsFree) return 0
    // One that has run for longer than the longest delay has recovered: its next failure is a first one again.
    const own = this.own
    own.streak = startedAt !== undefined && now - startedAt > backoff.max ? 1 : own.streak + 1
    const delay = backoffDelay(backoff, own.streak, own.chance ?? NO_JITTER)
    own.chance = undefined
    return delay
  }

  /** Asks the `random` option; should that throw, or return what is no chance, there is no jitter. A deed. */
  askChance(): void {
    const { random, bus } = this.local.stage
    const { own } = this
    own.chance = NO_JITTER
    try {
      const chance = random()
      if (!share.accepts(chance)) throw refuse('what random returns', share.range, chance, this.path)
      own.chance = chance
    } catch (error) {
      bus.contain(error, `${this.path}: random is of no use`)
    }
  }

  /** Makes the next incarnation. */
  renew(): void {
    const { observed, number } = this.current
    const own = this.own
    own.error = this.error
    own.bornAt = this.#bornAt
    own.ordered = undefined
    own.startThrew = false
    own.unstarted = false
    own.helps = undefined
    own.restarts++
    const { service } = this
    this.#current = new Incarnation(this, service === undefined ? number + 1 : ++service.incarnations, observed)
  }

  /** Lets the present incarnation begin after a while. */
  backOff(delay: number): void {
    this.own.backoff = this.local.stage.later(() => {
      this.own.backoff = undefined
      this.launch()
    }, delay)
  }

  #disarm(): void {
    const { backoff } = this.aside
    if (backoff === undefined) return
    this.local.stage.clock.clearTimeout(backoff)
    this.own.backoff = undefined
  }
}

/** In the middle between the two sides that a delay may stray to. */
const NO_JITTER = 0.5

function cancel(row: RoutineRow, reason: unknown): void {
  row.stop(CANCEL, reason)
}

function kill(row: RoutineRow, reason: unknown): void {
  row.stop(KILL, reason)
}

function restart(row: RoutineRow): void {
  row.orderRestart()
}

function exit(row: RoutineRow, [event, payload]: readonly [event: number, payload: unknown]): void {
  row.current.step(event, payload)
}

function send(row: RoutineRow, message: unknown): void {
  row.receive(message)
}

/** A deed: by now its actor may have been stopped. */
function sendTo(row: RoutineRow, message: unknown): void {
  const { work, over } = row.current
  if (work === undefined || over) row.local.stage.turn.arise(send, row, message)
  else work.send(message as EventObject)
}

function answerEnd(row: RoutineRow, orphaned: boolean): void {
  row.local.registry.settle(row, orphaned)
}

/** Its `start` has returned. */
function begin(row: RoutineRow, begun: string, whose: Incarnation): void {
  if (begun === 'ok' && row.current === whose && !whose.over) whose.step(START, undefined)
}
