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
const FIRST = Symbol('curtaincall.first')
const OTHERS = Symbol('curtaincall.others')

interface Contained extends AbortSignal {
  [OWNER]: SignalOwner
  /** The first listener, called by {@link callFirst}: nearly all signals have one, and a closure for each is 112 B. */
  [FIRST]?: Listener
  /** The others, and what the platform was given in their place. */
  [OTHERS]?: Map<Listener, Listener>
}

function call(signal: Contained, listener: Listener, event: Event): void {
  try {
    const result = typeof listener === 'function' ? listener.call(signal, event) : listener.handleEvent(event)
    if (result instanceof Promise) result.catch((error: unknown) => signal[OWNER].listenerThrew(error))
  } catch (error) {
    signal[OWNER].listenerThrew(error)
  }
}

/** What the platform is given in place of the first listener of any signal. */
function callFirst(this: AbortSignal, event: Event): void {
  call(this as Contained, (this as Contained)[FIRST] as Listener, event)
}

function contain(signal: Contained, listener: Listener): Listener {
  return (event: Event): void => call(signal, listener, event)
}

function known(signal: Contained, listener: Listener): Listener | undefined {
  return signal[FIRST] === listener ? callFirst : signal[OTHERS]?.get(listener)
}

function remember(signal: Contained, listener: Listener): Listener {
  if (signal[FIRST] === undefined) {
    signal[FIRST] = listener
    return callFirst
  }
  const contained = contain(signal, listener)
  ;(signal[OTHERS] ??= new Map()).set(listener, contained)
  return contained
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
  if (typeof onabort === 'function') Object.assign(signal, { onabort: contain(signal, onabort as Listener) })
  controller.abort(reason)
}
