/** Carries lifecycle events from where they happen up to the listeners. */
import type { LifecycleEvent, LifecycleEventOf, LifecycleEventType } from '../../machines/lifecycle-event.ts'
import { type Logger, silentLogger } from '../contract/index.ts'
import { isThenable, quiet } from './thenable.ts'
import type { Turn } from './turn.ts'

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

/** One listener, and which events it hears: those numbered after the first of these and up to the second (turn.ts, T10). */
interface Subscription {
  readonly listener: AnyListener
  readonly after: number
  until: number
}

/** The listeners of one node. */
export class Listeners {
  /** Arrays that are never written to. */
  readonly #byType = new Map<string, readonly Subscription[]>()
  readonly #bus: LifecycleBus
  readonly up: Listeners | undefined

  constructor(bus: LifecycleBus, up: Listeners | undefined) {
    this.#bus = bus
    this.up = up
  }

  /** Adds a listener. The same function may be added more than once; each has its own subscription. */
  add(type: string, listener: AnyListener): Unsubscribe {
    const bus = this.#bus
    const own: Subscription = { listener, after: bus.latest, until: Infinity }
    this.#byType.set(type, [...(this.#byType.get(type) ?? []), own])
    bus.count(type, 1)
    return unsubscribe(() => this.#end(type, own))
  }

  #end(type: string, own: Subscription): void {
    if (own.until !== Infinity) return
    const bus = this.#bus
    own.until = bus.latest
    bus.count(type, -1)
    // It has yet to hear what happened before.
    bus.afterWords(() => this.#remove(type, own))
  }

  #remove(type: string, own: Subscription): void {
    const left = (this.#byType.get(type) ?? []).filter((other) => other !== own)
    if (left.length === 0) this.#byType.delete(type)
    else this.#byType.set(type, left)
  }

  /** Ends all subscriptions. */
  clear(): void {
    for (const [type, subscriptions] of this.#byType) for (const own of subscriptions) this.#end(type, own)
  }

  /** Calls the listeners of its type, then those of `'*'`. */
  tell(event: LifecycleEvent, hold: Hold | undefined): void {
    if (this.#byType.size === 0) return
    this.#tellAll(this.#byType.get(event.type), event, hold)
    this.#tellAll(this.#byType.get('*'), event, hold)
  }

  #tellAll(subscriptions: readonly Subscription[] | undefined, event: LifecycleEvent, hold: Hold | undefined): void {
    if (subscriptions === undefined) return
    const { seq } = event
    for (const { after, until, listener } of subscriptions)
      if (seq > after && seq <= until) this.#bus.call(listener, event, event.type, hold)
  }
}

/**
 * One bus for one global manager.
 *
 * B1  Every listener hears events in the order of `seq`, also when a listener causes further ones (turn.ts, T4).
 * B2  What a listener throws is contained: logged and counted.
 */
export class LifecycleBus {
  /** How many listeners there are in the whole tree, for each type: no event is built for a type without listeners. */
  readonly #listeners = new Map<string, number>()
  #listening = 0
  /** How many of them hear everything. */
  #hearing = 0
  /** Errors of listeners and loggers that were contained. */
  contained = 0
  /** The number of the latest event. */
  latest = 0
  readonly turn: Turn
  readonly #logger: Logger

  constructor(turn: Turn, logger: Logger) {
    this.turn = turn
    this.#logger = logger
  }

  /** True if a logger was given. */
  get logs(): boolean {
    return this.#logger !== silentLogger
  }

  /** True if there is any listener in the tree. */
  get isHeard(): boolean {
    return this.#listening > 0
  }

  /** True if any listener in the tree wants this type, or all types. */
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
    return ++this.latest
  }

  /** Delivers an event to the listeners of a node and of all nodes above it. */
  publish(to: Listeners, event: LifecycleEvent): void {
    this.turn.word(deliver, to, event)
  }

  /** The same of one that listeners may hold up: `hold` takes the promises that they return. */
  publishHeld(to: Listeners, event: LifecycleEvent, hold: Hold): void {
    this.turn.word(deliverHeld, { to, hold }, event)
  }

  /** Calls `act` once all words so far are delivered: at once, if there are none. */
  afterWords(act: () => void): void {
    if (this.turn.hasWords) this.turn.afterWords(act, undefined)
    else act()
  }

  /** Calls a listener of `what`. In a word. */
  call<Event>(listener: (event: Event) => unknown, event: Event, what: string, hold?: Hold): void {
    try {
      const result = listener(event)
      if (!isThenable(result)) return
      // A rejection is contained, whether or not the phase waits for the promise.
      const settled = quiet(result, (error) => this.contain(error, `a listener of ${what} rejected`))
      if (settled !== undefined) hold?.(settled)
    } catch (error) {
      this.contain(error, `a listener of ${what} threw`)
    }
  }

  /** Counts and logs an error that no caller can receive. */
  contain(error: unknown, message: string): void {
    this.contained++
    this.log('error', { err: error }, message)
  }

  /** Writes a line; a logger that throws, or returns a promise that rejects, is counted and does no harm. */
  log(level: Level, details: object, message: string): void {
    if (this.logs) this.turn.word(this.#write, { level, details }, message)
  }

  readonly #write = ({ level, details }: { level: Level; details: object }, message: string): void => {
    try {
      void quiet(this.#logger[level](details, message) as unknown, this.#lost)
    } catch {
      this.#lost()
    }
  }

  /** A line was not written. That is not logged: the next would be lost as well. */
  readonly #lost = (): void => {
    this.contained++
  }
}

function deliver(to: Listeners, event: LifecycleEvent): void {
  for (let node: Listeners | undefined = to; node !== undefined; node = node.up) node.tell(event, undefined)
}

function deliverHeld({ to, hold }: { readonly to: Listeners; readonly hold: Hold }, event: LifecycleEvent): void {
  for (let node: Listeners | undefined = to; node !== undefined; node = node.up) node.tell(event, hold)
}

type Level = 'debug' | 'info' | 'warn' | 'error'
