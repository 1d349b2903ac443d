/** What is to be handed over instead of copied. */
import type { Transferable } from 'node:worker_threads'

/** What the platform can hand over. */
export type Movable = Transferable

const moved = new WeakMap<object, readonly Movable[]>()

/**
 * Says that parts of a value are handed over to the other side, not copied: an input, an output, a message or an answer. They are gone here
 * then; a restart cannot have its input again. A process copies all the same.
 *
 * @returns The value itself.
 * @example
 * local.spawn('resize', resize, { input: move({ pixels }, [pixels.buffer]) })
 */
export function move<Value extends object>(value: Value, parts: readonly Movable[]): Value {
  moved.set(value, parts)
  return value
}

/** The parts that are handed over, once. */
export function takeMoved(value: unknown): readonly Movable[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const parts = moved.get(value)
  if (parts !== undefined) moved.delete(value)
  return parts
}
