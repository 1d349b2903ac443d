/** Whether a listener is still there, on targets of the platform and on those of a document model that has put its own in their place. */
import { getEventListeners } from 'node:events'
import { performance } from 'node:perf_hooks'

interface ListeningOptions {
  readonly capture?: boolean
  readonly once?: boolean
  readonly signal?: AbortSignal
}

/** What `addEventListener` is given. */
export type Listening = readonly [event: string, listener: unknown, options?: boolean | ListeningOptions | null]

/** A listener on a target that can't be asked for its listeners. */
interface Noted {
  readonly event: string
  readonly listener: unknown
  readonly capture: boolean
  gone: boolean
}

const noted = new WeakMap<EventTarget, Noted[]>()

/** Where `addEventListener` is: in the global class, and in the platform's own, if that is another one. */
export function targetPrototypes(): ReadonlySet<object> {
  const found = new Set<object>([EventTarget.prototype])
  for (let each: object | null = performance; each !== null; each = Object.getPrototypeOf(each) as object | null)
    if (Object.hasOwn(each, 'addEventListener')) found.add(each)
  return found
}

/**
 * Follows a listener that is about to be added.
 *
 * @param addMarker Adds a listener before it that is called once.
 * @returns Whether it is still there.
 */
export function listening(target: EventTarget, given: Listening, addMarker: (marker: () => void) => void): () => boolean {
  const [event, listener, options] = given
  const isOver = (): boolean => (target as { aborted?: boolean }).aborted === true
  if (tellsItsListeners(target, event)) return () => !isOver() && getEventListeners(target, event).includes(listener as never)
  const entry: Noted = { event, listener, capture: captures(options), gone: false }
  noted.set(target, [...(noted.get(target) ?? []).filter(({ gone }) => !gone), entry])
  const { once, signal }: ListeningOptions = typeof options === 'object' && options !== null ? options : {}
  if (once === true) addMarker(() => (entry.gone = true))
  return () => !isOver() && !entry.gone && signal?.aborted !== true
}

/** What is removed from a target that can't be asked. */
export function noteRemoved(target: EventTarget, [event, listener, options]: Listening): void {
  for (const entry of noted.get(target) ?? [])
    if (entry.event === event && entry.listener === listener && entry.capture === captures(options)) entry.gone = true
}

function tellsItsListeners(target: EventTarget, event: string): boolean {
  try {
    getEventListeners(target, event)
    return true
  } catch {
    return false
  }
}

function captures(options: Listening[2]): boolean {
  return typeof options === 'object' && options !== null ? options.capture === true : options === true
}
