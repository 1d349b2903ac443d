/** Carries lifecycle events from where they happen up to the listeners. */
import type { LifecycleEvent, LifecycleEventOf, LifecycleEventType } from '../../machines/lifecycle-event.ts'
import { type Logger, silentLogger } from '../contract/index.ts'
import { isThenable, quiet } from './thenable.ts'
import type { Turn } from './turn.ts'
import { isInstrument } from './unseen-errors.ts'

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

/** The phase of a shutdown, to its listeners. */
export interface PhaseHold {
  /** A listener has returned a promise, which never rejects: the phase waits for it. */
  wait(promise: PromiseLike<unknown>): void
  /** A listener has thrown, or rejected. No turn is under way. */
  threw(error: unknown): void
}

/**
 * One listener, and which events it hears: those numbered after the first of these and up to the second (turn.ts, T10). A class: where
 * many literals of one place live on, V8 takes all others of that place for as long-lived.
 */
class Subscription {
  readonly listener: AnyListener
  readonly after: number
  until = Infinity
  previous: Subscription | undefined
  next: Subscription | undefined

  constructor(listener: AnyListener, after: number, previous: Subscription | undefined) {
    this.listener = listener
    this.after = after
    this.previous = previous
  }
}

/** The subscriptions of one type, in order: a chain, so that one is added and taken off in the same time however many there are. */
interface Chain {
  first: Subscription | undefined
  last: Subscription | undefined
  /** How many of them belong to somebody who looks, and not to an instrument. */
  lookers: number
}

/**
 * The listeners of one node.
 *
 * B3  To add one and to take one off cost the same however many there are.
 * B4  Once its node has ended for good none is left, and none is added.
 */
export class Listeners {
  /** Most nodes have none. */
  #byType: Map<string, Chain> | undefined
  readonly #bus: LifecycleBus
  readonly up: Listeners | undefined
  #closed = false

  constructor(bus: LifecycleBus, up: Listeners | undefined) {
    this.#bus = bus
    this.up = up
  }

  /** Adds a listener. The same function may be added more than once; each has its own subscription. */
  add(type: string, listener: AnyListener): Unsubscribe {
    if (this.#closed) return unsubscribe(() => undefined)
    const bus = this.#bus
    const chain = this.#chainOf(type)
    const own = new Subscription(listener, bus.latest, chain.last)
    if (chain.last === undefined) chain.first = own
    else chain.last.next = own
    chain.last = own
    if (!isInstrument(listener)) chain.lookers++
    bus.count(type, 1)
    return unsubscribe(() => this.#end(type, own))
  }

  #chainOf(type: string): Chain {
    const byType = (this.#byType ??= new Map())
    let chain = byType.get(type)
    if (chain === undefined) {
      chain = { first: undefined, last: undefined, lookers: 0 }
      byType.set(type, chain)
    }
    return chain
  }

  #end(type: string, own: Subscription): void {
    if (own.until !== Infinity) return
    const bus = this.#bus
    own.until = bus.latest
    bus.count(type, -1)
    // It has yet to hear what happened before.
    bus.afterWords(() => this.#remove(type, own))
  }

  /** Never while an event is told: it comes behind all words. */
  #remove(type: string, own: Subscription): void {
    const { previous, next } = own
    const chain = this.#byType?.get(type) as Chain
    if (previous === undefined) chain.first = next
    else previous.next = next
    if (next === undefined) chain.last = previous
    else next.previous = previous
    // Whoever keeps the function that ends it is not to keep its neighbours.
    own.previous = undefined
    own.next = undefined
    if (!isInstrument(own.listener)) chain.lookers--
    if (chain.first === undefined) this.#byType?.delete(type)
  }

  /** True if somebody listens to this type, or to all, here or above: an instrument is nobody, nor are so many `besides`. */
  areLookedAt(type: string, besides = 0): boolean {
    for (let node: Listeners | undefined = this; node !== undefined; node = node.up)
      if ((node.#byType?.get(type)?.lookers ?? 0) + (node.#byType?.get('*')?.lookers ?? 0) > besides) return true
    return false
  }

  /** Ends all subscriptions. */
  clear(): void {
    for (const [type, { first }] of this.#byType ?? []) {
      for (let own = first; own !== undefined; ) {
        const { next } = own
        this.#end(type, own)
        own = next
      }
    }
  }

  /** B4. Its node has ended for good. */
  close(): void {
    this.#closed = true
    this.clear()
  }

  /** Calls the listeners of its type, then those of `'*'`. */
  tell(event: LifecycleEvent, hold: PhaseHold | undefined): void {
    const byType = this.#byType
    if (byType === undefined || byType.size === 0) return
    this.#tellAll(byType.get(event.type), event, hold)
    this.#tellAll(byType.get('*'), event, hold)
  }

  #tellAll(chain: Chain | undefined, event: LifecycleEvent, hold: PhaseHold | undefined): void {
    const { seq } = event
    // One that is added meanwhile is behind, and hears nothing of this one.
    for (let own = chain?.first; own !== undefined; own = own.next)
      if (seq > own.after && seq <= own.until) this.#bus.call(own.listener, event, event.type, hold)
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
  /** What the routines were given, by the events of their failures, for a viewer; undefined as long as none has asked for it. */
  inputs: WeakMap<LifecycleEvent, unknown> | undefined = undefined
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

  /** The same of one that listeners may hold up: `hold` takes the promises that they return, and what they throw. */
  publishHeld(to: Listeners, event: LifecycleEvent, hold: PhaseHold): void {
    this.turn.word(deliverHeld, { to, hold }, event)
  }

  /** Calls `act` once all words so far are delivered: at once, if there are none. */
  afterWords(act: () => void): void {
    if (this.turn.hasWords) this.turn.afterWords(act, undefined)
    else act()
  }

  /** Calls a listener of `what`. In a word. */
  call<Event>(listener: (event: Event) => unknown, event: Event, what: string, hold?: PhaseHold): void {
    try {
      const result = listener(event)
      if (!isThenable(result)) return
      // A rejection is contained, whether or not the phase waits for the promise.
      const settled = quiet(result, (error) => {
        this.contain(error, `a listener of ${what} rejected`)
        hold?.threw(error)
      })
      if (settled !== undefined) hold?.wait(settled)
    } catch (error) {
      this.contain(error, `a listener of ${what} threw`)
      hold?.threw(error)
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

function deliverHeld({ to, hold }: { readonly to: Listeners; readonly hold: PhaseHold }, event: LifecycleEvent): void {
  for (let node: Listeners | undefined = to; node !== undefined; node = node.up) node.tell(event, hold)
}

type Level = 'debug' | 'info' | 'warn' | 'error'
