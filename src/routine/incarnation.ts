/**
 * The hand of machines/routine.ts: one run of a routine.
 *
 * Unobserved, it is driven by the table that is derived from the machine. On the first look a genuine XState actor is made from its
 * state and drives from then on; both ways end in `#apply`, so there is one place where effects happen. This is the hot path.
 *
 * I1  A step is part of one turn (turn.ts); what it does to foreign code are deeds, and what comes of these are turns of their own.
 * I2  Timeout, heartbeat watch and shutdown time are disarmed at the end, whichever it is.
 * I3  Once it is over, nothing that its body does reaches the routine.
 * I4  A step or a deed that throws is reported, and fails the incarnation that it belongs to; nobody else comes to harm.
 */
import type { AnyActorRef, AnyMachineSnapshot, DoneActorEvent, ErrorActorEvent, EventObject, StateValue } from 'xstate'
import { ROUTINE_EVENTS } from '../../machines/routine.ts'
import { abortContained, containedController, type SignalOwner } from '../turn/contained-signal.ts'
import { RoutineTimeoutError } from '../contract/errors.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Door, LifecycleActor } from '../turn/lifecycle-actor.ts'
import { obeys } from '../contract/outcome.ts'
import type { RoutineRow } from './routine.ts'
import { ExitRequest, exitStep } from '../contract/exit-request.ts'
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
  FAIL,
  FIELD,
  FIELDS,
  FINAL,
  GIVE_UP,
  HANDLED,
  KILL,
  KILLS,
  OUTPUT,
  payloadOf,
  REASON,
  SETTLE,
  snapshotOf,
  START,
  TARGET,
  TIMEOUT,
} from './routine-steps.ts'
import type { Stage } from '../turn/stage.ts'
import type { Turn } from '../turn/turn.ts'
import { runWork } from './work.ts'

/** What only those have whose actor somebody has looked at. */
interface Seen {
  readonly actor: LifecycleActor
  /** The user's own. */
  work: AnyActorRef | undefined
}

const OVER = 1
const KILLED = 2
/** Its body has begun, and has not ended. */
const BODY_RUNS = 4
const TIMED = 8
/** Its body was told to stop. */
const ASKED = 16
/** What its body threw is a way to obey. */
const OBEYED = 32
/** Its body had not ended when it was given up on. */
const ORPHANED = 64
/** It is over, and nobody has answered that. */
const UNANSWERED = 128

export class Incarnation implements SignalOwner, Door {
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

  /** True from its end to the answer (turn.ts, T3): until then nobody has heard of it. */
  get unanswered(): boolean {
    return (this.#flags & UNANSWERED) !== 0
  }

  set unanswered(unanswered: boolean) {
    this.#flags = unanswered ? this.#flags | UNANSWERED : this.#flags & ~UNANSWERED
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

  /** @internal */
  get turn(): Turn {
    return this.#stage.turn
  }

  // --- the machine's steps -------------------------------------------------------------------

  /** Tells it something. In a turn. */
  step(event: number, payload: unknown): void {
    if (this.#seen === undefined) {
      const step = this.#stepAt(event)
      if ((step & HANDLED) !== 0) this.#carryOut(step, payload)
    } else if (!this.over) this.#seen.actor.tell(eventOf(event, payload))
  }

  /** True if the event means anything in its present state. */
  heeds(event: number): boolean {
    return (this.#stepAt(event) & HANDLED) !== 0
  }

  #stepAt(event: number): number {
    return this.#stage.steps[this.#state * COLUMNS + event] as number
  }

  /** Its genuine actor has decided; the table says what that means here. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject): void {
    const column = ROUTINE_EVENTS.indexOf(event.type as (typeof ROUTINE_EVENTS)[number])
    if (column < 0) return
    const step = this.#stepAt(column)
    if (this.#stage.table.indexOf(snapshot.value) !== (step & TARGET))
      throw new Error(`the derived table differs from the machine at ${event.type}`)
    this.#carryOut(step, (event as unknown as Record<string, unknown>)[FIELDS[(step >> FIELD) & 3] as string])
  }

  #carryOut(step: number, payload: unknown): void {
    try {
      this.#apply(step, payload)
    } catch (error) {
      this.#stage.bus.contain(error, `${this.row.path}: a step of its lifecycle threw`)
      this.turn.next(fail, this, error)
    }
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
    stage.turn.deed(runBody, this)
  }

  /** Begins its work, unless it has ended meanwhile. A deed. */
  run(): void {
    if (this.over) return
    this.#flags |= BODY_RUNS
    const { row } = this
    const { interceptor, tap } = this.#stage
    if (interceptor !== undefined) interceptor.begin(row, () => runWork(this))
    else if (tap !== undefined) tap.run(row, () => runWork(this))
    else runWork(this)
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
    this.turn.deed(askBody, this)
    if (shutdown === 'brutal_kill') this.turn.next(giveUpOn, this)
    else if (shutdown !== 'infinity' && !this.timedByShutdown) this.#timer = this.#stage.arm(giveUp, this, shutdown)
  }

  /** Tells the body to stop: by its signal, or by stopping the user's actor, which is over at once. A deed. */
  ask(): void {
    this.#flags |= ASKED
    if (this.#controller?.signal.aborted === false) abortContained(this.#controller, this.#why)
    const { work } = this
    if (work === undefined) return
    this.stopWork(work)
    if (!this.over) this.turn.arise(done, this)
  }

  /** Stops the user's actor. A deed. */
  stopWork(work: AnyActorRef): void {
    if (this.work !== work) return
    const { actor } = this.#seen as Seen
    this.work = undefined
    this.#flags &= ~BODY_RUNS
    actor.stopChild(work)
  }

  #abandon(): void {
    this.turn.deed(askBody, this)
    this.#settle()
  }

  #settle(): void {
    this.#disarm()
    this.heartbeat?.stop()
    this.endedAt = this.#stage.clock.now()
    // An actor is stopped at once. A body is told, if nobody has told it yet.
    if ((this.#flags & BODY_RUNS) !== 0) {
      if (this.row.isActor) this.turn.deed(stopWork, this)
      else this.#flags |= ORPHANED
    }
    this.#flags = (this.#flags & ~BODY_RUNS) | UNANSWERED
    this.row.settled((this.#flags & ORPHANED) !== 0)
    if ((this.#flags & (ORPHANED | ASKED)) === ORPHANED) this.turn.deed(askBody, this)
  }

  /** True if what its body threw is a way to obey. */
  get obeyed(): boolean {
    return (this.#flags & OBEYED) !== 0
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

  /** It has returned, or its actor is done. In a turn. */
  returned(output: unknown): void {
    if (this.over) this.#settledLate()
    else {
      this.#flags &= ~BODY_RUNS
      this.step(DONE, output)
    }
  }

  /** It has thrown, or its actor has. Before a turn begins: what was thrown is looked at. */
  threw(error: unknown): void {
    if (!this.over && this.reason !== undefined && obeys(error, this.reason)) this.#flags |= OBEYED
    if (ExitRequest.is(error)) this.turn.arise(exited, this, exitStep(error.reason, this.row.path))
    else this.turn.arise(failed, this, error)
  }

  /** It has thrown. In a turn. */
  threwIn(event: number, payload: unknown): void {
    if (this.over) this.#settledLate()
    else {
      this.#flags &= ~BODY_RUNS
      this.step(event, payload)
    }
  }

  #settledLate(): void {
    if ((this.#flags & ORPHANED) === 0) return
    this.#flags &= ~ORPHANED
    this.row.local.registry.orphanSettled(this.row, this.number)
  }

  /** Made when it is first asked for; aborted from the start if that is late. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = containedController(this)
      if (this.over || (this.#flags & ASKED) !== 0) this.#controller.abort(this.#why)
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

  // --- its doors -----------------------------------------------------------------------------

  /** A user tells its actor something: the same as by the methods. To begin is its supervisor's to say. */
  sent(event: EventObject): void {
    const column = ROUTINE_EVENTS.indexOf(event.type as (typeof ROUTINE_EVENTS)[number])
    if (column <= START) return
    const payload = payloadOf(column, event)
    const outer = this.turn.begin()
    try {
      if (column === KILL || column === CANCEL) this.row.stopBy(this, column, payload)
      else this.step(column, payload)
    } finally {
      if (outer) this.turn.end()
    }
  }

  /** Its own child's end is the body's; whatever else that says is nobody's order. */
  relayed(event: EventObject): void {
    const { work } = this
    if (work === undefined) return
    if (event.type === 'xstate.done.actor.work') this.turn.arise(returned, this, (event as DoneActorEvent).output)
    else if (event.type === 'xstate.error.actor.work') this.threw((event as ErrorActorEvent).error)
  }

  stopped(): void {}

  // --- being looked at -----------------------------------------------------------------------

  #materialise(): Seen {
    const stage = this.#stage
    const { row, over, output, error, reason, killed } = this
    const snapshot = snapshotOf(this.value, over, { input: row.input, output, error, reason, killed })
    // An end is nobody's news any more: the actor of an incarnation that is over stands by itself.
    const parent = over ? {} : { parent: row.local.actor }
    const actor = new LifecycleActor(stage.routineLogic, { id: row.id, snapshot, ...parent } as object, this)
    const seen: Seen = { actor, work: undefined }
    this.#seen = seen
    stage.incarnations.set(actor, this)
    actor.onError((cause) => this.#lose(cause))
    actor.start()
    return seen
  }

  /** Its actor has failed, and nothing drives it any more: the table does, to its end. */
  #lose(cause: unknown): void {
    this.#stage.bus.contain(cause, `${this.row.path}: the lifecycle actor failed`)
    this.#seen = undefined
    this.turn.arise(fail, this, cause)
  }
}

function expire(incarnation: Incarnation): void {
  incarnation.turn.run(timeout, incarnation)
}

function giveUp(incarnation: Incarnation): void {
  incarnation.turn.run(giveUpInTime, incarnation)
}

function timeout(incarnation: Incarnation): void {
  incarnation.timeIsUp(TIMEOUT)
}

function giveUpInTime(incarnation: Incarnation): void {
  incarnation.timeIsUp(GIVE_UP)
}

function giveUpOn(incarnation: Incarnation): void {
  incarnation.step(GIVE_UP, undefined)
}

function runBody(incarnation: Incarnation): void {
  try {
    incarnation.run()
  } catch (error) {
    incarnation.threw(error)
  }
}

function askBody(incarnation: Incarnation): void {
  incarnation.ask()
}

function stopWork(incarnation: Incarnation): void {
  if (incarnation.work !== undefined) incarnation.stopWork(incarnation.work)
}

function done(incarnation: Incarnation): void {
  incarnation.step(DONE, undefined)
}

function fail(incarnation: Incarnation, error: unknown): void {
  incarnation.step(FAIL, error)
}

/** The turn of a body that has returned. */
export function returned(incarnation: Incarnation, output: unknown): void {
  incarnation.returned(output)
}

function failed(incarnation: Incarnation, error: unknown): void {
  incarnation.threwIn(FAIL, error)
}

function exited(incarnation: Incarnation, [event, payload]: readonly [event: number, payload: unknown]): void {
  incarnation.threwIn(event, payload)
}
