/** Carries lifecycle events from where they happen up to whoever listens. */
import type { LifecycleEvent, LifecycleEventOf, LifecycleEventType } from '../machines/lifecycle-event.ts'
import type { Logger } from './logger.ts'

/** A listener of one type of event, or of all. A promise returned for `manager.phase` holds the phase until it settles. */
export type LifecycleListener<T extends LifecycleEventType | '*'> = (
  event: T extends LifecycleEventType ? LifecycleEventOf<T> : LifecycleEvent,
) => unknown

/** Ends a subscription: call it, or let `using` do so. */
export interface Unsubscribe {
  (): void
  [Symbol.dispose](): void
}

/** Makes a function Disposable, and harmless when called twice. */
export function unsubscribe(undo: () => void): Unsubscribe {
  let done = false
  const once = (): void => {
    if (done) return
    done = true
    undo()
  }
  return Object.assign(once, { [Symbol.dispose]: once })
}

type AnyListener = (event: LifecycleEvent) => unknown

type Hold = (promise: PromiseLike<unknown>) => void

/** One listener, as long as it wants to hear. */
interface Subscription {
  readonly listener: AnyListener
  live: boolean
}

/** The listeners of one node. */
export class Listeners {
  /** Arrays that are never written to: who comes meanwhile hears the next event first. */
  readonly #byType = new Map<string, readonly Subscription[]>()
  readonly #bus: LifecycleBus
  readonly up: Listeners | undefined

  constructor(bus: LifecycleBus, up: Listeners | undefined) {
    this.#bus = bus
    this.up = up
  }

  /** Adds a listener. The same function may be added more than once; each has its own subscription. */
  add(type: string, listener: AnyListener): Unsubscribe {
    const own: Subscription = { listener, live: true }
    this.#byType.set(type, [...(this.#byType.get(type) ?? []), own])
    this.#bus.count(type, 1)
    return unsubscribe(() => {
      if (!own.live) return
      own.live = false
      const left = (this.#byType.get(type) ?? []).filter((other) => other !== own)
      if (left.length === 0) this.#byType.delete(type)
      else this.#byType.set(type, left)
      this.#bus.count(type, -1)
    })
  }

  /** Removes all. */
  clear(): void {
    for (const [type, subscriptions] of this.#byType) {
      for (const own of subscriptions) own.live = false
      this.#bus.count(type, -subscriptions.length)
    }
    this.#byType.clear()
  }

  /** Calls those that want the event. */
  tell(event: LifecycleEvent, hold: Hold | undefined): void {
    if (this.#byType.size === 0) return
    this.#tellAll(this.#byType.get(event.type), event, hold)
    this.#tellAll(this.#byType.get('*'), event, hold)
  }

  #tellAll(subscriptions: readonly Subscription[] | undefined, event: LifecycleEvent, hold: Hold | undefined): void {
    if (subscriptions === undefined) return
    for (const { live, listener } of subscriptions) if (live) this.#bus.call(listener, event, event.type, hold)
  }
}

interface Delivery {
  readonly to: Listeners
  readonly event: LifecycleEvent
  readonly hold: Hold | undefined
  readonly after: (() => void) | undefined
}

/**
 * One bus for one global manager.
 *
 * B1  Every listener hears events in the order of `seq`, also when a listener causes further ones.
 * B2  What a listener throws is contained: logged and counted.
 */
export class LifecycleBus {
  /** How many listeners there are in the whole tree, for each type: of a type that nobody hears no object is made. */
  readonly #listeners = new Map<string, number>()
  #listening = 0
  /** How many of them hear everything. */
  #hearing = 0
  /** Errors of listeners and loggers that were contained. */
  contained = 0
  #seq = 0
  #delivering = false
  readonly #waiting: Delivery[] = []
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** True if somebody in the tree listens to this type, or to all. */
  hears(type: string): boolean {
    return this.#listening > 0 && (this.#hearing > 0 || this.#listeners.has(type))
  }

  /** Listeners of a type came or went. */
  count(type: string, by: number): void {
    this.#listening += by
    if (type === '*') this.#hearing += by
    const left = (this.#listeners.get(type) ?? 0) + by
    if (left === 0) this.#listeners.delete(type)
    else this.#listeners.set(type, left)
  }

  /** The number of the next event. */
  next(): number {
    return ++this.#seq
  }

  /**
   * Delivers an event to a node's listeners and to those of all nodes above it.
   *
   * @param hold Takes promises that listeners return.
   * @param after Runs once the event is delivered.
   */
  publish(to: Listeners, event: LifecycleEvent, hold?: Hold, after?: () => void): void {
    if (this.#delivering) {
      this.#waiting.push({ to, event, hold, after })
      return
    }
    this.#delivering = true
    // The common case takes no place in the queue, which costs 0.2 µs.
    this.#deliver(to, event, hold, after)
    if (this.#waiting.length > 0) this.#catchUp()
    this.#delivering = false
  }

  #catchUp(): void {
    // By index: what listeners cause joins at the end, and taking from the front of a long array is dear.
    for (let i = 0; i < this.#waiting.length; i++) {
      const { to, event, hold, after } = this.#waiting[i] as Delivery
      this.#deliver(to, event, hold, after)
    }
    this.#waiting.length = 0
  }

  #deliver(to: Listeners, event: LifecycleEvent, hold: Hold | undefined, after: (() => void) | undefined): void {
    for (let node: Listeners | undefined = to; node !== undefined; node = node.up) node.tell(event, hold)
    after?.()
  }

  /** Calls a listener of `what`. */
  call<Event>(listener: (event: Event) => unknown, event: Event, what: string, hold?: Hold): void {
    try {
      const result = listener(event)
      if (!isThenable(result)) return
      // A rejection of a listener is its own, whether or not somebody waits for it.
      const quiet = Promise.resolve(result).catch((error: unknown) => this.contain(error, `a listener of ${what} rejected`))
      hold?.(quiet)
    } catch (error) {
      this.contain(error, `a listener of ${what} threw`)
    }
  }

  /** Counts and logs an error that nobody else can take. */
  contain(error: unknown, message: string): void {
    this.contained++
    this.log('error', { err: error }, message)
  }

  /** Writes a line; a logger that throws is counted and does no harm. */
  log(level: 'debug' | 'info' | 'warn' | 'error', details: object, message: string): void {
    try {
      this.#logger[level](details, message)
    } catch {
      this.contained++
    }
  }
}

/** True for anything with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
