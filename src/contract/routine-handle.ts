/** The handle of a routine, as it is typed for users. */
import type { ActorRefFrom, AnyActorLogic, AnyActorRef, EventFromLogic, OutputFrom } from 'xstate'
import type { RoutineMachine } from '../../machines/routine.ts'
import type { ExitReason } from './exit-reason.ts'
import type { Outcome } from './outcome.ts'
import type { WaitOptions } from './wait-options.ts'

/** The state of a routine: that of its present incarnation. */
export type RoutineState = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled'

/** One supervised piece of work: a stable identity over all its incarnations. Without arguments any routine is one. */
export interface Routine<Output = unknown, Message = never, Reply = unknown, Work = AnyActorRef | undefined> {
  readonly id: string
  readonly name: string
  /** Its path, state and incarnation: what `JSON.stringify`, and a log, makes of it. */
  toJSON(): object
  /** Such as `shop/api/images/resize#V1StGXR8`. */
  readonly path: string
  readonly state: RoutineState
  /** Which run this is, from 1. */
  readonly incarnation: number
  /** How often it was restarted. */
  readonly restarts: number
  /** When the present incarnation started, in milliseconds of the clock; undefined before. */
  readonly startedAt: number | undefined
  /** Milliseconds that the present incarnation has been running, or ran. */
  readonly uptime: number
  /** What the last failed incarnation threw. */
  readonly error: unknown
  /** The lifecycle actor of the present incarnation. Looking makes a genuine XState actor of it. */
  readonly actor: ActorRefFrom<RoutineMachine>
  /** The user's own actor, where the work is actor logic and runs. */
  readonly work: Work
  /** The first end that its supervisor does not answer with a restart. Never rejects. */
  readonly outcome: Promise<Outcome<Output>>
  /**
   * Of a durable one: resolves once all outlasts the process that was entered into the store of it so far, by calls that have returned: its
   * spawn, what it was sent, its end.
   *
   * @throws Rejects with the error of the store; with ConfigError if it is not durable. A rejection that nobody awaits raises nothing.
   */
  readonly durable: Promise<void>
  /** True once it has started; false if it ended before. Never rejects. */
  readonly started: Promise<boolean>
  /**
   * Its output.
   *
   * @throws Rejects with RoutineFailedError or RoutineCancelledError, cause inside; with RoutineTimeoutError
   * when `timeout` milliseconds are over (the routine goes on); with the reason of an aborted signal.
   */
  result(options?: WaitOptions): Promise<Output>
  /** Asks it to stop, for good; it has its `shutdown` time to obey. */
  cancel(reason?: unknown): Promise<Outcome<Output>>
  /** Ends it at once: its signal is aborted and nobody waits for it. */
  kill(reason?: unknown): Promise<Outcome<Output>>
  /**
   * Cancels the present incarnation and starts another, whatever `restart` says; does not count against the limit.
   *
   * @returns True when it has started, false if it ended before. Throws NotRunningError if it has ended.
   */
  restart(): Promise<boolean>
  /**
   * Ends the present incarnation with an OTP reason, as if by its own choice, so that its supervisor decides: the way
   * to make it fail on purpose. Its signal is aborted and nobody waits for it.
   *
   * @returns False if it has ended, or is stopping, already.
   */
  exit(reason: ExitReason): boolean
  /**
   * Sends a message: to the body's `messages`, or as an event to the user's own actor. Before the routine starts, and
   * between two incarnations, it waits; see `mailbox`. To a routine that has ended it is a `message.deadLetter`.
   *
   * @throws MailboxFullError if the mailbox is full and its overflow policy is 'reject'.
   */
  send(message: Message): void
  /**
   * Sends a message and waits for the answer: `reply` of the body's envelope, or the `reply` function that an actor finds
   * in its event.
   *
   * @param options `timeout` defaults to 5_000 ms.
   * @throws Rejects with AskTimeoutError, or SelfAskError where its own body has asked and not come to it in time; NotRunningError if the
   * incarnation that was asked ends, or the routine has ended, without an answer, with what it failed of as the `cause`; MailboxFullError; the reason of an aborted signal.
   */
  ask(message: Message, options?: WaitOptions): Promise<Reply>
}

/** A routine of which nothing is known but that it is one, and to which anything may be sent. */
export type AnyRoutine = Routine<unknown, unknown>

/** The handle that spawning this logic gives. */
export type RoutineFrom<Logic extends AnyActorLogic> = Routine<
  OutputFrom<Logic>,
  EventFromLogic<Logic>,
  unknown,
  ActorRefFrom<Logic> | undefined
>
