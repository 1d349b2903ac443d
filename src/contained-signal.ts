/**
 * The signal that a body gets: a genuine AbortSignal whose listeners may throw.
 *
 * The platform sends what a listener throws to `uncaughtException`; a listener on a routine's
 * signal belongs to that routine, so here its error goes to the routine instead.
 */

type Listener = EventListenerOrEventListenerObject
type EventListenerObject = { handleEvent(event: Event): void }
type EventListenerOrEventListenerObject = ((this: AbortSignal, event: Event) => unknown) | EventListenerObject

/** Whose signal it is. */
export interface SignalOwner {
  listenerThrew(error: unknown): void
}

const OWNER = Symbol('curtaincall.owner')
const WRAPPED = Symbol('curtaincall.wrapped')

/** A listener and what the platform was given in its place. */
interface Pair {
  readonly listener: Listener
  readonly wrapped: Listener
}

interface Contained extends AbortSignal {
  [OWNER]: SignalOwner
  /** A map from the second listener on: nearly all signals have one, and a map is 184 B. */
  [WRAPPED]?: Pair | Map<Listener, Listener>
}

function contain(owner: SignalOwner, listener: Listener): Listener {
  return function (this: AbortSignal, event: Event): void {
    try {
      const result = typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event)
      if (result instanceof Promise) result.catch((error: unknown) => owner.listenerThrew(error))
    } catch (error) {
      owner.listenerThrew(error)
    }
  }
}

function known(signal: Contained, listener: Listener): Listener | undefined {
  const wrapped = signal[WRAPPED]
  if (wrapped instanceof Map) return wrapped.get(listener)
  return wrapped?.listener === listener ? wrapped.wrapped : undefined
}

function remember(signal: Contained, listener: Listener): Listener {
  const wrapped = contain(signal[OWNER], listener)
  const before = signal[WRAPPED]
  if (before === undefined) signal[WRAPPED] = { listener, wrapped }
  else if (before instanceof Map) before.set(listener, wrapped)
  else {
    signal[WRAPPED] = new Map([
      [before.listener, before.wrapped],
      [listener, wrapped],
    ])
  }
  return wrapped
}

function addEventListener(this: Contained, type: string, listener: Listener | null, options?: object | boolean): void {
  const callable = typeof listener === 'function' || (typeof listener === 'object' && listener !== null)
  const given = callable ? (known(this, listener) ?? remember(this, listener)) : listener
  AbortSignal.prototype.addEventListener.call(this, type, given as never, options as never)
}

function removeEventListener(this: Contained, type: string, listener: Listener, options?: object | boolean): void {
  AbortSignal.prototype.removeEventListener.call(this, type, (known(this, listener) ?? listener) as never, options as never)
}

/**
 * An AbortController whose signal hands the errors of its listeners to its owner; to be aborted by {@link abortContained}.
 * Own properties, because a prototype of its own costs 390 ns for each signal (`Object.setPrototypeOf`), and these 10.
 */
export function containedController(owner: SignalOwner): AbortController {
  const controller = new AbortController()
  const signal = controller.signal as Contained
  signal.addEventListener = addEventListener
  signal.removeEventListener = removeEventListener
  signal[OWNER] = owner
  return controller
}

/** Aborts it. `onabort` is contained here and not when it is set: an own accessor costs 230 ns for each signal. */
export function abortContained(controller: AbortController, reason: unknown): void {
  const signal = controller.signal as Contained
  const { onabort } = signal
  if (typeof onabort === 'function') Object.assign(signal, { onabort: contain(signal[OWNER], onabort as Listener) })
  controller.abort(reason)
}
