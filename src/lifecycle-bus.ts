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

/** The listeners of one node. */
export class Listeners {
  readonly #byType = new Map<string, Set<AnyListener>>()
  readonly #bus: LifecycleBus
  readonly up: Listeners | undefined

  constructor(bus: LifecycleBus, up: Listeners | undefined) {
    this.#bus = bus
    this.up = up
  }

  /** Adds a listener. The same function may be added more than once; each has its own subscription. */
  add(type: string, listener: AnyListener): Unsubscribe {
    const own: AnyListener = (event) => listener(event)
    let set = this.#byType.get(type)
    if (set === undefined) this.#byType.set(type, (set = new Set()))
    set.add(own)
    this.#bus.count(type, 1)
    return unsubscribe(() => {
      if (this.#byType.get(type)?.delete(own)) this.#bus.count(type, -1)
    })
  }

  /** Removes all. */
  clear(): void {
    for (const [type, set] of this.#byType) this.#bus.count(type, -set.size)
    this.#byType.clear()
  }

  /** Calls those that want the event. */
  tell(event: LifecycleEvent, call: (listener: AnyListener) => void): void {
    if (this.#byType.size === 0) return
    tellAll(this.#byType.get(event.type), call)
    tellAll(this.#byType.get('*'), call)
  }
}

function tellAll(listeners: ReadonlySet<AnyListener> | undefined, call: (listener: AnyListener) => void): void {
  if (listeners === undefined || listeners.size === 0) return
  if (listeners.size === 1) {
    // The common case: nothing to copy.
    const [only] = listeners
    call(only as AnyListener)
    return
  }
  // A copy: who is added meanwhile hears the next event first.
  for (const listener of Array.from(listeners)) if (listeners.has(listener)) call(listener)
}

interface Delivery {
  readonly to: Listeners
  readonly event: LifecycleEvent
  readonly hold: ((promise: PromiseLike<unknown>) => void) | undefined
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
    return this.#listening > 0 && (this.#listeners.has('*') || this.#listeners.has(type))
  }

  /** Listeners of a type came or went. */
  count(type: string, by: number): void {
    this.#listening += by
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
  publish(to: Listeners, event: LifecycleEvent, hold?: (promise: PromiseLike<unknown>) => void, after?: () => void): void {
    this.#waiting.push({ to, event, hold, after })
    if (this.#delivering) return
    this.#delivering = true
    // By index: what listeners cause joins at the end, and taking from the front of a long array is dear.
    for (let i = 0; i < this.#waiting.length; i++) this.#deliver(this.#waiting[i] as Delivery)
    this.#waiting.length = 0
    this.#delivering = false
  }

  #deliver({ to, event, hold, after }: Delivery): void {
    const call = (listener: AnyListener): void => this.#call(listener, event, hold)
    for (let node: Listeners | undefined = to; node !== undefined; node = node.up) node.tell(event, call)
    after?.()
  }

  #call(listener: AnyListener, event: LifecycleEvent, hold: Delivery['hold']): void {
    try {
      const result = listener(event)
      if (!isThenable(result)) return
      // A rejection of a listener is its own, whether or not somebody waits for it.
      const quiet = Promise.resolve(result).catch((error: unknown) => this.contain(error, `a listener of ${event.type} rejected`))
      hold?.(quiet)
    } catch (error) {
      this.contain(error, `a listener of ${event.type} threw`)
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
