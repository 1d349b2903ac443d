/** A question, as it comes to an actor: the event that was asked, with a `reply` function beside. */
import type { Pending } from '../port/index.ts'

type Reply = (value: unknown) => void

/** Events of classes that carry the `reply` of a question, and which. */
const CARRIED = new WeakMap<object, Pending>()

/**
 * A plain object is copied, and so stays as it was. An event of a class is that object: a copy would lose what is on its prototype, and what is
 * private to it. Where it can't carry a `reply`, or carries that of a question that is open still, it is seen through a proxy.
 */
export function askedEvent(message: object, reply: Reply, question: Pending): object {
  if (!isOfClass(message)) return { ...message, reply }
  const carried = CARRIED.get(message)
  const isFree = carried === undefined ? !Object.hasOwn(message, 'reply') : carried.settled
  // Not enumerable: it is none of the fields of the event.
  if (!isFree || !Reflect.defineProperty(message, 'reply', { value: reply, configurable: true, writable: true }))
    return seenWith(message, reply)
  CARRIED.set(message, question)
  return message
}

/** True unless its prototype is that of plain objects, in whatever realm, or none. */
function isOfClass(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false
  const prototype: unknown = Object.getPrototypeOf(message)
  return prototype !== null && Object.getPrototypeOf(prototype) !== null
}

/** Getters and methods are called on the object itself: they may use what is private to it. */
function seenWith(message: object, reply: Reply): object {
  const seen: object = new Proxy(message, {
    get(target, key) {
      if (key === 'reply') return reply
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(target, key)) return value
      return function (this: unknown, ...args: unknown[]): unknown {
        return Reflect.apply(value, this === seen ? target : this, args)
      }
    },
  })
  return seen
}
