/**
 * The signal that a body gets: a genuine AbortSignal whose listeners may throw.
 *
 * The platform sends what a listener throws to `uncaughtException`; a listener on a routine's
 * signal belongs to that routine, so here its error goes to the routine instead.
 */
import { quiet } from './thenable.ts'

type Listener = EventListenerOrEventListenerObject
type EventListenerObject = { handleEvent(event: Event): void }
type EventListenerOrEventListenerObject = ((this: AbortSignal, event: Event) => unknown) | EventListenerObject

/** Whose signal it is. */
export interface SignalOwner {
  listenerThrew(error: unknown): void
}

const OWNER = Symbol('curtaincall.owner')
const FIRST = Symbol('curtaincall.first')
const KEPT = Symbol('curtaincall.kept')
const OTHERS = Symbol('curtaincall.others')

interface Contained extends AbortSignal {
  [OWNER]: SignalOwner
  /** The first listener, called by {@link callFirst}: nearly all signals have one, and a closure for each is 112 B. */
  [FIRST]?: Listener | undefined
  /** True if the first stands in more than one place, and is never let go of. */
  [KEPT]?: boolean
  /** The others, and what the platform was given in their place: weakly, since a listener may be dropped without being removed. */
  [OTHERS]?: WeakMap<Listener, Listener>
}

function call(signal: Contained, listener: Listener, event: Event): void {
  try {
    const result = typeof listener === 'function' ? listener.call(signal, event) : listener.handleEvent(event)
    if (result !== undefined) void quiet(result, (error) => signal[OWNER].listenerThrew(error))
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

/** Without `capture`: taken off in the same way, it is gone for certain. What else takes it off differs between platforms. */
function isPlain(type: string, options: object | boolean | undefined): boolean {
  if (type !== 'abort') return false
  return !(typeof options === 'object' && options !== null ? (options as { capture?: unknown }).capture : options)
}

/** What the platform is given in place of a listener: one for each, so that it tells apart what it tells apart anyway. */
function contained(signal: Contained, listener: Listener, plain: boolean): Listener {
  if (signal[FIRST] === listener) {
    if (!plain) signal[KEPT] = true
    return callFirst
  }
  const known = signal[OTHERS]?.get(listener)
  if (known !== undefined) return known
  if (plain && signal[FIRST] === undefined) {
    signal[FIRST] = listener
    return callFirst
  }
  const given = contain(signal, listener)
  ;(signal[OTHERS] ??= new WeakMap()).set(listener, given)
  return given
}

function addEventListener(this: Contained, type: string, listener: Listener | null, options?: object | boolean): void {
  const callable = typeof listener === 'function' || (typeof listener === 'object' && listener !== null)
  const given = callable ? contained(this, listener, isPlain(type, options)) : listener
  AbortSignal.prototype.addEventListener.call(this, type, given as never, options as never)
}

function removeEventListener(this: Contained, type: string, listener: Listener, options?: object | boolean): void {
  const isFirst = this[FIRST] === listener
  const given = isFirst ? callFirst : (this[OTHERS]?.get(listener) ?? listener)
  AbortSignal.prototype.removeEventListener.call(this, type, given as never, options as never)
  if (isFirst && this[KEPT] !== true && isPlain(type, options)) this[FIRST] = undefined
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

/** Aborts it, once. `onabort` is contained here and not when it is set: an own accessor costs 230 ns for each signal. */
export function abortContained(controller: AbortController, reason: unknown): void {
  const signal = controller.signal as Contained
  const { onabort, aborted } = signal
  if (aborted) return
  if (typeof onabort === 'function') Object.assign(signal, { onabort: contain(signal, onabort as Listener) })
  controller.abort(reason)
}

/** Whose signal this is, if it is one of these. */
export function ownerOfSignal(signal: AbortSignal): SignalOwner | undefined {
  return (signal as Partial<Contained>)[OWNER]
}
