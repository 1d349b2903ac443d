/** XState's actor, with what it has beside its types: where the library's own actors take part in what it does. */
import { Actor, type ActorOptions, type AnyActorLogic, type AnyActorRef, type EventObject, type Snapshot, type Subscription } from 'xstate'
import type { Observing } from './told.ts'

/** What the library's own do in their way; as methods, which a class may override. */
type Overridden = '_parent' | 'send' | 'start' | 'stop' | 'subscribe'

type Public = Omit<Actor<AnyActorLogic>, Overridden>

export interface XStateActor extends Public {
  _parent?: AnyActorRef
  send(event: EventObject): void
  start(): this
  stop(): this
  subscribe(observer?: Observing<never>, error?: (error: unknown) => void, complete?: () => void): Subscription
  readonly observers: ReadonlySet<unknown>
  readonly eventListeners: Map<string, unknown>
  /** The way in for whatever is sent, by whomever. */
  _send(event: EventObject): void
  /** One event, to the end of what it leads to. */
  _process(event: EventObject): void
  /** A step has come to a snapshot: its effects are carried out, its observers told, its end done. */
  update(snapshot: Snapshot<unknown>, event: EventObject): void
  /** It is over: its observers are told so. */
  _complete(): void
  /** It has failed: its observers are told so. */
  _reportError(error: unknown): void
  _stop(): void
}

export const XStateActor = Actor as unknown as new (logic: AnyActorLogic, options: ActorOptions<AnyActorLogic>) => XStateActor
