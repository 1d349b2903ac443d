/**
 * Notes of each failure, as it happens, what can't be told afterwards: its stack, and the input of the routine.
 *
 * K1  It costs a bounded time a second, however much fails: a stack is turned into text only when somebody reads it. Of more
 *     failures than that, those that look alike share the stack of the latest that was read.
 * K2  It holds a bounded number: of older failures the error itself is left, and no input.
 */
import { fileURLToPath } from 'node:url'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { failureOf, inputOf, isOfOthers } from './failure.ts'
import type { FailureView } from './problem-views.ts'
import type { KeptEvent } from './protocol.ts'
import { Ring } from './ring.ts'
import { textOf } from './story.ts'

/** Failures of a second that are read, failures that are held, and kinds of them. */
const READ = 50
const HELD = 2_000
const ALIKE = 500

/** Where this package lies: in a checkout it is in no node_modules. */
const here = /^(.*\/)(?:dist\/)?src\//.exec(fileURLToPath(import.meta.url))?.[1] ?? ''

/** True for a file of a package, of the platform, or of this library. */
export function isLibrary(file: string): boolean {
  return isOfOthers(file) || (here !== '' && file.startsWith(here) && /^(?:dist|src|machines)\//.test(file.slice(here.length)))
}

type Noted = KeptEvent & { failure?: FailureView }

export class FailureNotes {
  readonly #inputs: WeakMap<LifecycleEvent, unknown>
  readonly #held = new Ring<Noted>(HELD)
  readonly #alike = new Map<string, Omit<FailureView, 'input'>>()
  #second = 0
  #read = 0

  /** @param inputs What the routines were given, by the events of their failures. */
  constructor(inputs: WeakMap<LifecycleEvent, unknown>) {
    this.#inputs = inputs
  }

  /** The same event, with what is known of its failure. */
  note(event: LifecycleEvent): KeptEvent {
    const kept = event as unknown as KeptEvent
    if (event.type !== 'routine.failed') return kept
    const noted: Noted = { ...kept }
    const failure = this.#failureOf(event)
    if (failure !== undefined) noted.failure = failure
    const oldest = this.#held.push(noted)
    if (oldest !== undefined) delete oldest.failure
    return noted
  }

  #failureOf(event: LifecycleEvent & { readonly type: 'routine.failed' }): FailureView | undefined {
    const { error, name, at } = event
    const isInTime = this.#isInTime(at)
    // To read a message is cheap beside a stack.
    const key = `${name} ${textOf(error).replace(/\d+/g, '#')}`
    const known = this.#alike.get(key)
    if (!isInTime) return known
    const failure = failureOf(error, isLibrary)
    if (this.#alike.size >= ALIKE) this.#alike.clear()
    this.#alike.set(key, failure)
    return this.#inputs.has(event) ? { ...failure, input: inputOf(this.#inputs.get(event)) } : failure
  }

  #isInTime(at: number): boolean {
    const second = Math.floor(at / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#read = 0
    }
    return ++this.#read <= READ
  }
}
