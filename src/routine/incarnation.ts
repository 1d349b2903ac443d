/**
 * Carries out the effects of machines/routine.ts: one run of a routine.
 *
 * Unobserved, it is driven by the table that is derived from the machine. When its actor is first read, a genuine XState actor is made from its
 * state and drives from then on; both ways end in `#apply`, so there is one place where effects happen. This is the hot path.
 *
 * I1  A step is part of one turn (turn/turn.ts); what it does to foreign code are deeds, and what comes of these are turns of their own.
 * I2  Timeout, heartbeat watch and shutdown time are disarmed at the end, whichever it is.
 * I3  Once it is over, nothing that its body does reaches the routine.
 * I4  A step or a deed that throws is reported, and fails the incarnation that it belongs to and no other.
 */
import type { StateValue } from 'xstate'
import { type Logger, obeys, RoutineTimeoutError } from '../contract/index.ts'
import type { Ground, Run } from '../port/index.ts'
import {
  abortContained,
  containedController,
  type Launch,
  type LifecycleActor,
  type SignalOwner,
  type Tree,
  type Turn,
} from '../turn/index.ts'
import { actorOf } from './actor-door.ts'
import * as turns from './body-turns.ts'
import { dueReason, heedSignal } from './due-signal.ts'
import { giveUp } from './ending.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Owner } from './owner.ts'
import { ASKED, ASKED_EARLY, BEGINS, BODY_RUNS, KILLED, OBEYED, ORPHANED, OVER, STUCK, TIMED, UNANSWERED } from './run-flags.ts'
import { ABANDON, ABORT, BEGIN, ERROR, OUTPUT, REASON, SETTLE, TERMINATE } from './routine-effects.ts'
import {
  COLUMNS,
  EFFECT,
  eventOf,
  FIELD,
  FINAL,
  GIVE_UP,
  HANDLED,
  KILLS,
  LOST,
  STATE_NAMES,
  STATES,
  steps,
  STRANDS,
  TARGET,
  TIMEOUT,
} from './routine-steps.ts'

export class Incarnation implements Run, Launch, SignalOwner {
  readonly subject: Owner
  readonly number: number
  startedAt: number | undefined
  endedAt: number | undefined
  /** When it was asked to stop. */
  askedAt: number | undefined
  output: unknown
  error: unknown
  reason: unknown
  /** What a listener on its signal threw, or its actor while it was being stopped. */
  stray: { readonly error: unknown } | undefined
  heartbeat: Heartbeat | undefined
  footing: unknown
  /** Its row of the table; the first is the initial state. */
  #state = 0
  /** Its flags, in one number instead of eight fields. */
  #flags = 0
  #actor: LifecycleActor | undefined
  #controller: AbortController | undefined
  /** Timeout, then shutdown time: never both. */
  #timer: unknown

  constructor(subject: Owner, number: number, observed: boolean) {
    this.subject = subject
    this.number = number
    if (observed) this.#materialise()
  }

  /** True if it was given up on. */
  get killed(): boolean {
    return (this.#flags & KILLED) !== 0
  }

  /** True if its ground could not end its body in time. */
  get stuck(): boolean {
    return (this.#flags & STUCK) !== 0
  }

  /** True once its state is final. */
  get over(): boolean {
    return (this.#flags & OVER) !== 0
  }

  /** True from its end until its supervisor answers that (turn/turn.ts, T3). Until then no event has reported the end. */
  get unanswered(): boolean {
    return (this.#flags & UNANSWERED) !== 0
  }

  answer(): void {
    this.#flags &= ~UNANSWERED
  }

  get asked(): boolean {
    return (this.#flags & ASKED) !== 0
  }

  /** True if what its body threw means that it has obeyed. */
  get obeyed(): boolean {
    return (this.#flags & OBEYED) !== 0
  }

  /** True if the shutdown of its manager keeps its shutdown time; otherwise it keeps a timer of its own. */
  get timedByShutdown(): boolean {
    return (this.#flags & TIMED) !== 0
  }

  set timedByShutdown(timed: boolean) {
    this.#flags = timed ? this.#flags | TIMED : this.#flags & ~TIMED
  }

  get tree(): Tree {
    return this.subject.tree
  }

  /** @internal */
  get turn(): Turn {
    return this.tree.turn
  }

  get state(): string {
    return STATE_NAMES[this.#state] as string
  }

  /** True until it begins, or ends without having begun. */
  get waits(): boolean {
    return this.#state === 0
  }

  get value(): StateValue {
    return STATES[this.#state] as StateValue
  }

  /** True if a genuine actor drives it. */
  get observed(): boolean {
    return this.#actor !== undefined
  }

  get actor(): LifecycleActor {
    return this.#actor ?? this.#materialise()
  }

  get input(): unknown {
    return this.subject.input
  }

  get logger(): Logger {
    const { logger } = this.tree
    return logger.child?.({ path: this.subject.path, incarnation: this.number }) ?? logger
  }

  launch(): void {
    if (this.waits) this.subject.launch(this)
  }

  // --- the machine's steps -------------------------------------------------------------------

  /** Sends an event to its machine. In a turn. */
  step(event: number, payload: unknown): void {
    if (this.#actor === undefined) {
      const cell = this.cellOf(event)
      if ((cell & HANDLED) !== 0) this.#carryOut(cell, payload)
    } else if (!this.over) this.#actor.tell(eventOf(event, payload))
  }

  /** True if the event means anything in its present state. */
  heeds(event: number): boolean {
    return (this.cellOf(event) & HANDLED) !== 0
  }

  /** What follows from an event in its present state. */
  cellOf(event: number): number {
    return steps[this.#state * COLUMNS + event] as number
  }

  /** Its genuine actor has decided the same. */
  follow(event: number, payload: unknown): void {
    this.#carryOut(this.cellOf(event), payload)
  }

  #carryOut(cell: number, payload: unknown): void {
    try {
      this.#apply(cell, payload)
    } catch (error) {
      this.tree.bus.contain(error, `${this.subject.path}: a step of its lifecycle threw`)
      this.turn.next(turns.fail, this, error)
    }
  }

  #apply(cell: number, payload: unknown): void {
    this.#state = cell & TARGET
    const field = (cell >> FIELD) & 3
    if (field === OUTPUT) this.output = payload
    else if (field === ERROR) this.error = payload
    else if (field === REASON) this.reason = payload
    if ((cell & (KILLS | STRANDS)) !== 0) this.#flags |= (cell & KILLS) === 0 ? STUCK : KILLED
    if ((cell & FINAL) !== 0) this.#flags |= OVER
    const effect = (cell >> EFFECT) & 7
    if (effect === BEGIN) this.#begin()
    else if (effect === SETTLE) this.#settle()
    else if (effect === ABORT) this.#abort()
    else if (effect === ABANDON) this.#abandon()
    else if (effect === TERMINATE) {
      this.#disarm()
      this.#timer = turns.terminate(this)
    }
  }

  // --- effects -------------------------------------------------------------------------------

  #begin(): void {
    const now = this.tree.clock.now()
    this.startedAt = now
    this.subject.begun(now)
    this.#flags |= BEGINS
    this.turn.beginsBody(this)
  }

  beginBody(atOnce: boolean): void {
    turns.beginBody(this, atOnce)
  }

  answerEnd(): void {
    turns.answerEnd(this)
  }

  /** Begins its body, unless it has ended meanwhile and nothing was acquired for it. A deed. */
  run(): void {
    this.#flags &= ~BEGINS
    if (this.over && (this.#flags & ORPHANED) === 0) return
    if (!this.over) this.#flags |= BODY_RUNS
    if (this.heeds(TIMEOUT)) this.#watchTime(this.startedAt as number)
    turns.callGround(this)
    if ((this.#flags & ASKED_EARLY) !== 0) this.ask()
  }

  /** Here and not in the turn before, a user's clock can be called at once. */
  #watchTime(now: number): void {
    const { timeout, hungAfter } = this.subject.spec
    if (timeout !== Infinity) this.#timer = this.tree.clock.arm(turns.expire, this, timeout, now)
    if (hungAfter !== Infinity) this.heartbeat = new Heartbeat(this.subject, hungAfter, now)
  }

  /** Its timeout, its shutdown time, or the time in which its ground was to end its body, is over. */
  timeIsUp(event: turns.TimedEvent): void {
    this.#timer = undefined
    const { path, spec } = this.subject
    if (event === GIVE_UP) giveUp(this)
    else if (event === LOST) this.step(LOST, undefined)
    else this.step(TIMEOUT, new RoutineTimeoutError(`${path} ran longer than its timeout of ${spec.timeout} ms`, { path }))
  }

  #abort(): void {
    const { spec, isActor } = this.subject
    const { shutdown } = spec
    this.askedAt = this.tree.clock.now()
    this.#disarm()
    this.turn.deed(turns.askBody, this)
    if (shutdown === 'brutal_kill') this.turn.next(turns.giveUp, this)
    else if (shutdown !== 'infinity' && !this.timedByShutdown && !isActor)
      this.#timer = this.tree.clock.arm(turns.giveUpInTime, this, shutdown, this.askedAt)
  }

  /** Asks the body to stop. A deed. */
  ask(): void {
    if ((this.#flags & BEGINS) !== 0) {
      // A body that is told to stop has begun, if only to be told.
      this.#flags |= ASKED_EARLY
      return
    }
    this.#flags |= ASKED
    this.ground.ask(this, this.#why)
  }

  /** Gives up on the body. A deed. */
  kill(): void {
    this.#flags |= ASKED
    this.ground.kill(this, this.#why)
  }

  #abandon(): void {
    if (!this.asked) this.turn.deed(turns.askBody, this)
    this.#settle()
  }

  #settle(): void {
    if (this.heartbeat?.stop() === true) this.subject.local.countHung(-1)
    this.endedAt = this.tree.clock.now()
    const isOwed = (this.#flags & BEGINS) !== 0 && this.subject.hasAcquired && !this.ground.ends
    const runs = isOwed || (this.#flags & BODY_RUNS) !== 0
    this.#flags = (this.#flags & ~BODY_RUNS) | UNANSWERED
    if (runs && this.ground.ends) this.turn.deed(turns.killBody, this)
    else if (runs) this.#flags |= ORPHANED
    this.subject.settled()
    if ((this.#flags & ORPHANED) !== 0) {
      this.turn.next(turns.answerOrphan, this)
      this.turn.deed(turns.killBody, this)
    } else this.turn.answersEnd(this)
    this.#disarm()
  }

  get ground(): Ground {
    return this.subject.ground
  }

  get #why(): unknown {
    return this.reason ?? this.error ?? this.subject.cancelReason
  }

  #disarm(): void {
    if (this.#timer === undefined) return
    this.tree.clock.disarm(this.#timer)
    this.#timer = undefined
  }

  /**
   * It is to have been told to stop by the time that this call returns (turn/turn.ts, T5). Where that was decided before, the deed may
   * still wait in a call further out.
   */
  askSoon(): void {
    if (this.state === 'running' && !this.heeds(TIMEOUT) && !this.asked) this.turn.deed(turns.askBody, this)
  }

  // --- what the body does --------------------------------------------------------------------

  returned(output: unknown): void {
    turns.returned(this, output)
  }

  threw(error: unknown): void {
    // What was thrown is looked at before a turn begins.
    const reason = this.reason ?? dueReason(this.subject)
    if (!this.over && reason !== undefined && obeys(error, reason)) this.#flags |= OBEYED
    turns.threw(this, error)
  }

  /** Its body has ended, by itself, because it was asked to stop, or after it was given up on. */
  bodyEnded(event: number, payload: unknown): void {
    if (!this.over) {
      heedSignal(this.subject)
      this.#flags &= ~BODY_RUNS
      this.step(event, payload)
    } else if ((this.#flags & ORPHANED) !== 0) {
      this.#flags &= ~ORPHANED
      this.subject.orphanSettled(this.number)
    }
  }

  /** Made when it is first asked for; aborted from the start if that is late. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = containedController(this)
      if (this.over || this.asked) this.#controller.abort(this.#why)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    if (this.#controller !== undefined) abortContained(this.#controller, reason)
  }

  beat(): void {
    if (!this.over) this.heartbeat?.beat()
  }

  listenerThrew(error: unknown): void {
    this.strayed(error, 'a listener on the signal threw')
  }

  strayed(error: unknown, what: string): void {
    this.stray ??= { error }
    this.tree.bus.contain(error, `${this.subject.path}: ${what}`)
  }

  // --- its actor -----------------------------------------------------------------------------

  #materialise(): LifecycleActor {
    const actor = (this.#actor = actorOf(this))
    actor.start()
    return actor
  }

  /** Its actor has failed, and nothing drives it any more: the table does, to its end. */
  lose(cause: unknown): void {
    this.tree.bus.contain(cause, `${this.subject.path}: the lifecycle actor failed`)
    this.#actor = undefined
    this.turn.arise(turns.fail, this, cause)
  }
}
