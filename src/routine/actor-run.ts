/** A run of actor logic, to the ground that it stands on. */
import type { AnyActorLogic } from 'xstate'
import type { Chronicle } from '../durable/index.ts'
import type { Mailbox } from '../message/index.ts'
import type { Run, Subject } from '../port/index.ts'
import type { Tree } from '../turn/index.ts'
import type { Resumption } from './resumption.ts'

/** One run of actor logic. */
export interface ActorRun extends Run {
  readonly subject: ActorSubject
  /** True if it has an actor of its own by now. */
  readonly observed: boolean
  /** The routine's own actor, which is made when it is first looked at. */
  readonly actor: object
}

/** A routine whose work is actor logic. */
interface ActorSubject extends Subject {
  readonly logic: AnyActorLogic
  readonly resumption: Resumption | undefined
  readonly chronicle: Chronicle | undefined
  readonly tree: Tree
  readonly mailbox: Mailbox
  /** The asynchronous context that its body runs in; see port/async-context.ts. */
  readonly bodyContext: unknown
  /** Its actor has begun, and takes messages. */
  flushMailbox(): void
}
