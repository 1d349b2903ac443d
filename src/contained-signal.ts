/**
 * The signal that a body gets: a genuine AbortSignal whose listeners may throw.
 *
 * The platform sends what a listener throws to `uncaughtException`; a listener on a routine's
 * signal belongs to that routine, so here its error goes to the routine instead.
 */

type Listener = EventListenerOrEventListenerObject
type Report = (error: unknown) => void

const REPORT = Symbol('curtaincall.report')
const WRAPPED = Symbol('curtaincall.wrapped')

interface Contained {
  [REPORT]: Report
  [WRAPPED]: Map<Listener, Listener> | undefined
}

type EventListenerObject = { handleEvent(event: Event): void }
type EventListenerOrEventListenerObject = ((this: AbortSignal, event: Event) => unknown) | EventListenerObject

function contain(signal: AbortSignal & Contained, listener: Listener): Listener {
  return function (this: AbortSignal, event: Event): void {
    try {
      const result = typeof listener === 'function' ? listener.call(this, event) : listener.handleEvent(event)
      if (result instanceof Promise) result.catch(signal[REPORT])
    } catch (error) {
      signal[REPORT](error)
    }
  }
}

let prototype: object | undefined

/** Made at first use, so that importing this file does no work. The same for all: it holds no state. */
function containedPrototype(): object {
  const handler = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'onabort') as PropertyDescriptor
  prototype ??= Object.create(AbortSignal.prototype, {
    addEventListener: {
      value(this: AbortSignal & Contained, type: string, listener: Listener | null, options?: object | boolean) {
        if (typeof listener !== 'function' && (typeof listener !== 'object' || listener === null)) {
          return AbortSignal.prototype.addEventListener.call(this, type, listener as never, options as never)
        }
        const known = (this[WRAPPED] ??= new Map())
        let wrapped = known.get(listener)
        if (wrapped === undefined) known.set(listener, (wrapped = contain(this, listener)))
        AbortSignal.prototype.addEventListener.call(this, type, wrapped as never, options as never)
      },
    },
    removeEventListener: {
      value(this: AbortSignal & Contained, type: string, listener: Listener, options?: object | boolean) {
        const wrapped = this[WRAPPED]?.get(listener)
        AbortSignal.prototype.removeEventListener.call(this, type, (wrapped ?? listener) as never, options as never)
      },
    },
    onabort: {
      get(this: AbortSignal) {
        return handler.get?.call(this)
      },
      set(this: AbortSignal & Contained, listener: unknown) {
        handler.set?.call(this, typeof listener === 'function' ? contain(this, listener as Listener) : listener)
      },
    },
  })
  return prototype as object
}

/**
 * An AbortController whose signal hands the errors of its listeners to `report`.
 */
export function containedController(report: Report): AbortController {
  const controller = new AbortController()
  const signal = controller.signal as AbortSignal & Contained
  Object.setPrototypeOf(signal, containedPrototype())
  signal[REPORT] = report
  signal[WRAPPED] = undefined
  return controller
}
