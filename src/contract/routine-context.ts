/** What the body of a routine gets, and what can be supervised. */
import type { AnyActorLogic } from 'xstate'
import type { ExitReason } from './exit-reason.ts'
import type { Logger } from './logger.ts'

/** What a body receives: a message, and the way to answer it if its sender asked. */
export interface Envelope<Message = unknown, Reply = unknown> {
  readonly message: Message
  /** Answers an `ask`; does nothing for a `send`, the second time, or once the incarnation is over. */
  readonly reply: (value: Reply) => void
}

/** The context of one incarnation. `Local` is the manager that it lives in. */
export interface ContextOf<Local, Input = unknown, Message = never, Reply = never> {
  /** Which run of the routine this is, from 1. */
  readonly incarnation: number
  /** The `input` option of the spawn. */
  readonly input: Input
  readonly id: string
  readonly name: string
  readonly path: string
  /** Aborted when this incarnation is to stop, whatever the cause. A listener on it that throws is this routine's error. */
  readonly signal: AbortSignal
  /**
   * Aborted when the manager that it lives in begins to close: nothing more is accepted, and with `drain` the work that is there may
   * finish. Made when it is first read.
   *
   * @example
   * while (!closing.aborted) await handle(await next())
   */
  readonly closing: AbortSignal
  /**
   * Messages as they come; ends when this incarnation is told to stop.
   *
   * @example
   * for await (const { message, reply } of messages) reply(message.length)
   */
  readonly messages: AsyncIterable<Envelope<Message, Reply>>
  /** The global manager's logger with `path` and `incarnation` bound. */
  readonly logger: Logger
  /**
   * The manager that this routine lives in, a local one unless it is a child of an app or of the global manager; once this
   * incarnation is over, whatever starts something in it throws.
   */
  readonly local: Local
  /** Says that the work goes on; see `hungAfter`. May be taken out of the context. */
  readonly heartbeat: () => void
  /** Ends this incarnation with an OTP reason. Never returns. May be taken out of the context. */
  readonly exit: (reason: ExitReason) => never
}

/** Work as a function of its context, for a level of managers. */
export type BodyOf<Local, Input = unknown, Output = unknown, Message = never, Reply = never> = (
  context: ContextOf<Local, Input, Message, Reply>,
) => Output | PromiseLike<Output>

/** Any function that is work. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever its manager and its input are, a body is work
export type AnyBody = (context: ContextOf<any, any>) => unknown

/** Anything that can be supervised. */
export type Work = AnyBody | AnyActorLogic
