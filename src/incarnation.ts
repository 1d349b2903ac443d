/**
 * The hand of machines/routine.ts: one run of a routine.
 *
 * Unobserved, it is driven by the table that is derived from the machine. On the first look a genuine XState actor is made from its
 * state and drives from then on; both ways end in `#apply`, so there is one place where effects happen. This is the hot path.
 *
 * I1  Effects of a step are over before the next step begins; what comes meanwhile waits its turn.
 * I2  Timeout, heartbeat watch and shutdown time are disarmed at the end, whichever it is.
 * I3  Once it is over, nothing that its body does reaches the routine.
 * I4  An effect that throws is reported, and fails the incarnation that it belongs to; nobody else comes to harm. A clock is
 *     taken at its word: one that throws at an end leaves that end unfinished.
 */
import {
  type AnyActorRef,
  type AnyActorScope,
  type AnyMachineSnapshot,
  createActor,
  type DoneActorEvent,
  type ErrorActorEvent,
  type EventObject,
  type StateValue,
} from 'xstate'
import { ROUTINE_EVENTS } from '../machines/routine.ts'
import { abortContained, containedController, type SignalOwner } from './contained-signal.ts'
import { CurtaincallError, RoutineTimeoutError } from './errors.ts'
import { Heartbeat } from './heartbeat.ts'
import type { RoutineRow } from './routine.ts'
import type { AnyBody } from './interceptor.ts'
import { ExitRequest } from './exit-request.ts'
import type { ExitReason } from './spec/routine-spec.ts'
import {
  ABANDON,
  ABORT,
  BEGIN,
  CANCEL,
  COLUMNS,
  DONE,
  EFFECT,
  ERROR,
  eventOf,
  EXIT,
  FAIL,
  FIELD,
  FIELDS,
  FINAL,
  GIVE_UP,
  HANDLED,
  KILL,
  KILLS,
  OUTPUT,
  REASON,
  SETTLE,
  snapshotOf,
  TARGET,
  TIMEOUT,
} from './routine-steps.ts'
import type { Stage } from './stage.ts'
import { isActorLogic, runActor, runBody } from './work.ts'

/** During a step in which nothing else has come. */
const EMPTY: unknown[] = []

/** What only those have whose actor somebody has looked at. */
interface Seen {
  readonly actor: AnyActorRef
  scope: AnyActorScope | undefined
  /** The user's own. */
  work: AnyActorRef | undefined
}

const OVER = 1
const KILLED = 2
const BODY_RUNS = 4
const TIMED = 8

export class Incarnation implements SignalOwner {
  readonly row: RoutineRow
  /** From 1. */
  readonly number: number
  startedAt: number | undefined = undefined
  endedAt: number | undefined = undefined
  output: unknown = undefined
  error: unknown = undefined
  reason: unknown = undefined
  /** What a listener on its signal threw, or its actor while it was being stopped. */
  stray: { readonly error: unknown } | undefined = undefined
  heartbeat: Heartbeat | undefined = undefined
  /** Its row of the table; the first is the initial state. */
  #state = 0
  /** What is true of it, in one word instead of four: 24 B of each routine that lives. */
  #flags = 0
  /** What has come during a step, by twos; undefined between steps. */
  #mailbox: unknown[] | undefined = undefined
  #seen: Seen | undefined = undefined
  #controller: AbortController | undefined = undefined
  /** Timeout, then shutdown time: never both. */
  #timer: unknown = undefined

  constructor(row: RoutineRow, number: number, observed: boolean) {
    this.row = row
    this.number = number
    if (observed) this.#materialise()
  }

  /** True if it was given up on. */
  get killed(): boolean {
    return (this.#flags & KILLED) !== 0
  }

  /** True once its state is final. */
  get over(): boolean {
    return (this.#flags & OVER) !== 0
  }

  /** True if the shutdown of its manager keeps its shutdown time. */
  get timedByShutdown(): boolean {
    return (this.#flags & TIMED) !== 0
  }

  set timedByShutdown(timed: boolean) {
    this.#flags = timed ? this.#flags | TIMED : this.#flags & ~TIMED
  }

  get #stage(): Stage {
    return this.row.local.stage
  }

  /** The outermost name of its state. */
  get state(): string {
    return this.#stage.table.names[this.#state] as string
  }

  /** True until it begins, or ends without having begun. */
  get waits(): boolean {
    return this.#state === 0
  }

  /** The whole value of its state. */
  get value(): StateValue {
    return this.#stage.table.states[this.#state] as StateValue
  }

  /** True if somebody has looked at it as an actor. */
  get observed(): boolean {
    return this.#seen !== undefined
  }

  get actor(): AnyActorRef {
    return (this.#seen ?? this.#materialise()).actor
  }

  /** The user's own actor. */
  get work(): AnyActorRef | undefined {
    return this.#seen?.work
  }

  set work(work: AnyActorRef | undefined) {
    ;(this.#seen ?? this.#materialise()).work = work
  }

  // --- the machine's steps -------------------------------------------------------------------

  /** Tells it something. */
  step(event: number, payload: unknown): void {
    if (this.#seen !== undefined) this.#send(this.#seen.actor, event, payload)
    else if (this.#mailbox !== undefined) {
      if (this.#mailbox === EMPTY) this.#mailbox = []
      this.#mailbox.push(event, payload)
    } else {
      this.#mailbox = EMPTY
      this.#take(event, payload)
      // What comes meanwhile waits behind its effects; an actor that is made meanwhile takes that over.
      while (this.#mailbox.length > 0) this.#take(...(this.#mailbox.splice(0, 2) as [number, unknown]))
      this.#mailbox = undefined
    }
  }

  #take(event: number, payload: unknown): void {
    const step = this.#stepAt(event)
    if ((step & HANDLED) !== 0) this.#carryOut(step, payload)
  }

  /** True if the event means anything in its present state. */
  heeds(event: number): boolean {
    return (this.#stepAt(event) & HANDLED) !== 0
  }

  #stepAt(event: number): number {
    return this.#stage.steps[this.#state * COLUMNS + event] as number
  }

  /** To one that has not ended: it would complain about each further event. */
  #send(actor: AnyActorRef, event: number, payload: unknown): void {
    if (!this.over) actor.send(eventOf(event, payload))
  }

  #carryOut(step: number, payload: unknown): void {
    try {
      this.#apply(step, payload)
    } catch (error) {
      this.#stage.bus.contain(error, `${this.row.path}: a step of its lifecycle threw`)
      this.step(FAIL, error)
    }
    // Somebody has looked meanwhile: from here on its actor drives.
    if (this.#seen !== undefined) this.#seen.actor.start()
  }

  /** Its genuine actor has decided; the table says what that means here. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): void {
    ;(this.#seen as Seen).scope = scope
    const column = ROUTINE_EVENTS.indexOf(event.type as (typeof ROUTINE_EVENTS)[number])
    // Somebody who holds the actor may tell it, too.
    if (column === KILL || (column === CANCEL && !this.row.restartIsFree)) this.row.told = true
    if (event.type === 'xstate.done.actor.work') this.returned((event as DoneActorEvent).output)
    // One that was stopped from here has told its end already.
    else if (event.type === 'xstate.error.actor.work' && this.work !== undefined) this.threw((event as ErrorActorEvent).error)
    if (column < 0) return
    const step = this.#stepAt(column)
    if (this.#stage.table.indexOf(snapshot.value) !== (step & TARGET))
      throw new Error(`the derived table differs from the machine at ${event.type}`)
    this.#carryOut(step, (event as unknown as Record<string, unknown>)[FIELDS[(step >> FIELD) & 3] as string])
  }

  #apply(step: number, payload: unknown): void {
    this.#state = step & TARGET
    const field = (step >> FIELD) & 3
    if (field === OUTPUT) this.output = payload
    else if (field === ERROR) this.error = payload
    else if (field === REASON) this.reason = payload
    if ((step & KILLS) !== 0) this.#flags |= KILLED
    if ((step & FINAL) !== 0) this.#flags |= OVER
    const effect = (step >> EFFECT) & 7
    if (effect === BEGIN) this.#begin()
    else if (effect === SETTLE) this.#settle()
    else if (effect === ABORT) this.#abort()
    else if (effect === ABANDON) this.#abandon()
  }

  // --- effects -------------------------------------------------------------------------------

  #begin(): void {
    const { row } = this
    const stage = this.#stage
    const now = stage.clock.now()
    this.startedAt = now
    row.begun()
    const { timeout, hungAfter } = row.spec
    if (timeout !== Infinity) this.#timer = stage.arm(expire, this, timeout, now)
    if (hungAfter !== Infinity) this.heartbeat = new Heartbeat(this, hungAfter, now)
    this.#flags |= BODY_RUNS
    const { interceptor, tap } = stage
    if (interceptor !== undefined) interceptor.begin(row, () => this.#run())
    else if (tap !== undefined) tap.run(row, () => this.#run())
    else this.#run()
  }

  #run(): void {
    const { logic } = this.row
    if (isActorLogic(logic)) runActor(this, logic)
    else runBody(this, logic as AnyBody)
  }

  /** Its time is up: to run, or to stop. */
  timeIsUp(event: typeof TIMEOUT | typeof GIVE_UP): void {
    this.#timer = undefined
    const { path, spec } = this.row
    if (event === GIVE_UP) this.step(GIVE_UP, undefined)
    else this.step(TIMEOUT, new RoutineTimeoutError(`${path} ran longer than its timeout of ${spec.timeout} ms`, { path }))
  }

  #abort(): void {
    const { shutdown } = this.row.spec
    this.#disarm()
    if (shutdown === 'brutal_kill') this.step(GIVE_UP, undefined)
    else if (shutdown !== 'infinity' && !this.timedByShutdown) this.#timer = this.#stage.arm(giveUp, this, shutdown)
    this.#ask()
  }

  /** Tells the body to stop: by its signal, or by stopping the user's actor, which is over at once. */
  #ask(): void {
    this.#abortSignal()
    const { work } = this
    if (work === undefined) return
    this.#stopWork(work)
    this.step(DONE, undefined)
  }

  #stopWork(work: AnyActorRef): void {
    this.work = undefined
    this.#flags &= ~BODY_RUNS
    this.#seen?.scope?.stopChild(work)
  }

  #abandon(): void {
    this.#ask()
    this.#settle()
  }

  #settle(): void {
    this.#disarm()
    this.heartbeat?.stop()
    this.endedAt = this.#stage.clock.now()
    // An actor is stopped at once. A body is told, if nobody has told it yet.
    if ((this.#flags & BODY_RUNS) !== 0 && this.work !== undefined) this.#stopWork(this.work)
    const orphaned = (this.#flags & BODY_RUNS) !== 0
    this.#flags &= ~BODY_RUNS
    this.row.settled(orphaned)
    if (orphaned) this.#abortSignal()
  }

  #abortSignal(): void {
    if (this.#controller?.signal.aborted === false) abortContained(this.#controller, this.#why)
  }

  get #why(): unknown {
    return this.reason ?? this.error ?? this.row.local.cancelReason
  }

  #disarm(): void {
    if (this.#timer === undefined) return
    this.#stage.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  // --- what the body does --------------------------------------------------------------------

  returned(output: unknown): void {
    if (this.over) this.row.local.registry.orphanSettled(this.row, this.number)
    else {
      this.#flags &= ~BODY_RUNS
      this.step(DONE, output)
    }
  }

  threw(error: unknown): void {
    if (this.over) {
      this.row.local.registry.orphanSettled(this.row, this.number)
      return
    }
    this.#flags &= ~BODY_RUNS
    if (ExitRequest.is(error)) this.end(error.reason)
    else this.step(FAIL, error)
  }

  /** Ends with an OTP reason; from outside, the body is told and nobody waits for it. */
  end(reason: ExitReason): void {
    const { path } = this.row
    if (reason === 'normal') this.step(DONE, undefined)
    else if (reason === 'killed') this.step(FAIL, new CurtaincallError('ERR_FAILED', `${path} exited as killed`, { path }))
    else if (reason === 'shutdown' || 'shutdown' in reason) this.step(EXIT, reason)
    else this.step(FAIL, reason)
  }

  /** Made when it is first asked for; aborted from the start if that is late. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = containedController(this)
      if (this.over || (this.reason ?? this.error) !== undefined) this.#controller.abort(this.#why)
    }
    return this.#controller.signal
  }

  listenerThrew(error: unknown): void {
    this.strayed(error, 'a listener on the signal threw')
  }

  /** Something beside its body threw. */
  strayed(error: unknown, what: string): void {
    this.stray ??= { error }
    this.#stage.bus.contain(error, `${this.row.path}: ${what}`)
  }

  // --- being looked at -----------------------------------------------------------------------

  #materialise(): Seen {
    const stage = this.#stage
    const { row, over, output, error, reason, killed } = this
    const snapshot = snapshotOf(this.value, over, { input: row.input, output, error, reason, killed })
    // An end is nobody's news any more: the actor of an incarnation that is over stands by itself.
    const parent = over ? {} : { parent: row.local.actor }
    const actor = createActor(stage.routineLogic, { id: row.id, snapshot, ...parent } as object) as AnyActorRef
    const seen: Seen = { actor, scope: undefined, work: undefined }
    this.#seen = seen
    stage.incarnations.set(actor, this)
    actor.subscribe({ error: (cause) => stage.bus.contain(cause, `${row.path}: the lifecycle actor failed`) })
    // In the middle of a step the rest of it comes first, and then what waits already.
    if (this.#mailbox === undefined) actor.start()
    else for (let i = 0; i < this.#mailbox.length; i += 2) this.#send(actor, this.#mailbox[i] as number, this.#mailbox[i + 1])
    this.#mailbox &&= EMPTY
    return seen
  }
}

function expire(incarnation: Incarnation): void {
  incarnation.timeIsUp(TIMEOUT)
}

function giveUp(incarnation: Incarnation): void {
  incarnation.timeIsUp(GIVE_UP)
}
