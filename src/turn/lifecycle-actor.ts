/**
 * The genuine XState actors of managers and routines, behind doors: only the library drives a lifecycle.
 *
 * A1  What a user sends to a public `actor` is an order of the public API, or nothing. What comes from actors below (`sendParent`,
 *     `sendBack`) is seen by inspection only: no lifecycle reacts to it.
 * A2  Observers receive snapshots as words (turn.ts), so that an actor may be driven in the middle of a turn.
 * A3  XState remembers each type of event that a machine has met. So a machine of the library's meets its own events only: the ends of
 *     those below, which have their ids in their types, stop at the door.
 */
import {
  Actor,
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type EventObject,
  type InspectionEvent,
  type Observer,
  type Subscription,
} from 'xstate'
import { quiet } from './thenable.ts'
import type { Turn } from './turn.ts'

/** The owner of an actor: it decides what events from outside mean. */
export interface Door {
  readonly turn: Turn
  /** A user sends an event to this actor, which may be that of an earlier life. */
  sent(event: EventObject, to: LifecycleActor): void
  /** An actor below it sends it an event. */
  relayed(event: EventObject): void
  /** A user stops it, which XState allows of a root. */
  stopped(): void
  /** Its machine has decided: `actions` are the names of its effects, in order. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject, actions: readonly string[]): void
}

/** What XState has beside its types. */
const XSTATE = Actor.prototype as unknown as { _send(this: LifecycleActor, event: EventObject): void }

/** What is no event is nothing that anybody could mean. */
function isEvent(event: unknown): event is EventObject {
  return typeof event === 'object' && event !== null
}

type Observing<T> = ((value: T) => void) | Partial<Observer<T>>

export class LifecycleActor extends Actor<AnyActorLogic> {
  /** Whose actor it is. */
  readonly door: Door
  /** Stops an actor below this one; of a routine's actor. */
  declare stopChild: (child: AnyActorRef) => void
  /** The event that the library is sending. */
  #own: EventObject | undefined

  constructor(logic: AnyActorLogic, options: ActorOptions<AnyActorLogic>, door: Door) {
    super(logic, options)
    this.door = door
  }

  /** The value of its snapshot. */
  get stateValue(): unknown {
    return (this.getSnapshot() as AnyMachineSnapshot).value
  }

  /** What its machine has failed of; of a manager's actor. */
  get failure(): unknown {
    return failureIn(this.getSnapshot() as AnyMachineSnapshot)
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
  _send(event: EventObject): void {
    if (!isEvent(event)) return
    if (this.#own !== event) {
      this.door.relayed(event)
      return
    }
    this.#own = undefined
    XSTATE._send.call(this, event)
  }

  /** What its machine has decided is carried out. */
  perform(snapshot: AnyMachineSnapshot, event: EventObject, actions: readonly string[]): void {
    this.door.perform(snapshot, event, actions)
  }

  override stop(): this {
    // As of any actor that is not a root: XState says so itself.
    if (this._parent !== undefined) super.stop()
    this.door.stopped()
    return this
  }

  override subscribe(observer?: Observing<never>, error?: (error: unknown) => void, complete?: () => void): Subscription {
    const given = typeof observer === 'object' ? observer : { next: observer, error, complete }
    const told = new Told(given as Partial<Observer<unknown>>, this.door.turn)
    return subscribed(told, super.subscribe(told as never))
  }

  /** The library's own: its logic has thrown. */
  onError(listener: (error: unknown) => void): void {
    super.subscribe({ error: listener })
  }

  /** Adds an observer of inspection that is called at once, also in the middle of a turn. It may only record what it receives. */
  listenIn(observer: (event: InspectionEvent) => void): Subscription {
    return inspects.get(this.system)?.(observer) ?? this.system.inspect(observer)
  }
}

function failureIn({ context }: AnyMachineSnapshot): unknown {
  return (context as { readonly error?: unknown }).error
}

/** The original `inspect` of each root system, which calls its observers at once. */
const inspects = new WeakMap<object, AnyActorRef['system']['inspect']>()

/** A2, for `system.inspect` of a root. */
export function inspectInWords(root: LifecycleActor, turn: Turn): void {
  const { system } = root
  const inspect = system.inspect.bind(system)
  inspects.set(system, inspect)
  system.inspect = (observer) => {
    const told = inWords(observer, turn)
    return subscribed(told, inspect(told))
  }
}

/** A2, for an observer of inspection. */
export function inWords(observer: Observing<InspectionEvent>, turn: Turn): Told<InspectionEvent> {
  return new Told(typeof observer === 'function' ? { next: observer } : observer, turn)
}

/** One observer, as long as it wants to hear. The functions are looked up when they are called, as XState does. */
class Told<T> implements Observer<T> {
  live = true
  readonly observer: Partial<Observer<T>>
  readonly turn: Turn

  constructor(observer: Partial<Observer<T>>, turn: Turn) {
    this.observer = observer
    this.turn = turn
  }

  readonly next = (value: T): void => this.turn.word(tellNext, this, value)
  readonly error = (error: unknown): void => this.turn.word(tellError, this, error)
  readonly complete = (): void => this.turn.word(tellComplete, this, undefined)
}

function tellNext<T>({ live, observer, turn }: Told<T>, value: T): void {
  if (live) contain(observer.next?.(value), turn)
}

function tellError<T>({ live, observer, turn }: Told<T>, error: unknown): void {
  if (live) contain(observer.error?.(error), turn)
}

function tellComplete<T>({ live, observer, turn }: Told<T>): void {
  if (live) contain(observer.complete?.(), turn)
}

/** An observer may be an async function. */
function contain(result: unknown, turn: Turn): void {
  if (result !== undefined) void quiet(result, (error) => turn.contain(error))
}

function subscribed<T>(told: Told<T>, subscription: Subscription): Subscription {
  return {
    unsubscribe: () => {
      told.live = false
      subscription.unsubscribe()
    },
  }
}
