/** A routine, to its messages. */
import type { RoutineSpec } from '../spec/index.ts'
import type { Pending, Subject } from '../port/index.ts'
import type { Tree } from '../turn/index.ts'

export interface Addressee {
  readonly tree: Tree
  readonly subject: Subject
  readonly limits: RoutineSpec['mailbox']
  /** True once it has ended for good. */
  readonly ended: boolean
  /** True from the end of an incarnation until the next one begins. */
  readonly isBetween: boolean
  /** True if its body takes messages, as far as is known; else it comes for them. */
  readonly takes: boolean
  /** True if it does at this moment. Looked at between turns. */
  readonly accepts: boolean
  /** Hands a message to its body. A deed. True if the body has yet to come to it, which {@link Mailbox.came} says then. */
  deliver(message: unknown, reply: ((value: unknown) => void) | undefined, question: Pending | undefined): boolean
  /** What its present incarnation has failed of. */
  readonly failure: unknown
  announceAside(type: 'message.dropped' | 'message.deadLetter', extra: object): void
}

/** One run, to the messages that its body comes for. */
export interface Receiver {
  readonly over: boolean
  readonly signal: AbortSignal
}
