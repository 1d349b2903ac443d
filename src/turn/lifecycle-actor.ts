/**
 * The genuine XState actors of managers and routines, behind doors: only the library drives a lifecycle.
 *
 * A1  What a user sends to a public `actor` is an order of the public API, or nothing. What comes from actors below (`sendParent`,
 *     `sendBack`) is seen by inspection only: no lifecycle reacts to it.
 * A2  Observers receive snapshots as words (turn.ts), so that an actor may be driven in the middle of a turn.
 * A3  XState remembers each type of event that a machine has met. So a machine of the library's meets its own events only: the ends of
 *     those below, which have their ids in their types, stop at the door.
 */
import type { ActorOptions, AnyActorLogic, AnyMachineSnapshot, EventObject, InspectionEvent, Observer, Subscription } from 'xstate'
import type { Decided } from './machine-logic.ts'
import { type Observing, subscribed, Told } from './told.ts'
import type { Tree } from './tree.ts'
import { XStateActor } from './xstate-actor.ts'

/** The owner of an actor: it decides what events from outside mean. */
export interface Door {
  readonly tree: Tree
  /** A user sends an event to this actor, which may be that of an earlier life. */
  sent(event: EventObject, to: LifecycleActor): void
  /** An actor below it sends it an event. */
  relayed(event: EventObject): void
  /** A user stops it, which XState allows of a root. */
  stopped(): void
  /** Its machine has thrown: the actor is over. */
  failed(error: unknown): void
  /** What its table says; undefined if that is nothing. */
  decide(snapshot: AnyMachineSnapshot, event: EventObject): Decided | undefined
  /** Its machine has decided as its table does. */
  perform(event: EventObject): void
}

/** What is no event is nothing that anybody could mean. */
function isEvent(event: unknown): event is EventObject {
  return typeof event === 'object' && event !== null
}

export class LifecycleActor extends XStateActor {
  /** Whose actor it is. */
  readonly door: Door
  /** The event that the library is sending. */
  #own: EventObject | undefined

  constructor(logic: AnyActorLogic, options: ActorOptions<AnyActorLogic>, door: Door) {
    super(logic, options)
    this.door = door
  }

  /** True if somebody sees each of its steps. */
  get isInspected(): boolean {
    return this.door.tree.isInspected
  }

  /** The library's own. In a turn. */
  tell(event: EventObject): void {
    this.#own = event
    super.send(event as never)
  }

  override send(event: EventObject): void {
    if (!isEvent(event)) return
    if (this.#own === event) super.send(event as never)
    else this.door.sent(event, this)
  }

  /** @internal XState's way in for whatever is sent, by whomever. */
  override _send(event: EventObject): void {
    if (!isEvent(event)) return
    if (this.#own !== event) {
      this.door.relayed(event)
      return
    }
    this.#own = undefined
    super._send(event)
  }

  /** What its machine has decided is carried out. */
  perform(event: EventObject): void {
    this.door.perform(event)
  }

  override stop(): this {
    // As of any actor that is not a root: XState says so itself.
    if (this._parent !== undefined) super.stop()
    this.door.stopped()
    return this
  }

  override subscribe(observer?: Observing<never>, error?: (error: unknown) => void, complete?: () => void): Subscription {
    const given = typeof observer === 'object' ? observer : { next: observer, error, complete }
    const told = new Told(given as Partial<Observer<unknown>>, this.door.tree.turn)
    return subscribed(told, super.subscribe(told as never))
  }

  /** @internal Its logic has thrown. Those who observe it without asking for errors are no reason to end the process. */
  override _reportError(error: unknown): void {
    this.door.failed(error)
    if (this.observers.size > 0) super._reportError(error)
    else this.eventListeners.clear()
  }

  /** Adds an observer of inspection that is called at once, also in the middle of a turn. It may only record what it receives. */
  listenIn(observer: (event: InspectionEvent) => void): Subscription {
    return this.door.tree.system.inspect(observer)
  }
}
