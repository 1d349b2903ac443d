/** One listener on a signal of somebody else's, however many routines and waits are bound to it. */

import type { LifecycleBus } from './lifecycle-bus.ts'

/** Something that an aborted signal is told to. */
export interface Abortable {
  aborted(reason: unknown): void
}

/**
 * H1  A signal has at most one listener of ours, and none once nobody here is bound to it.
 * H2  Binding and unbinding cost the same however many are bound: the platform's own listener list is walked at each add.
 */
export class SignalHub {
  readonly #bound = new Map<AbortSignal, { readonly members: Set<Abortable>; readonly listener: () => void }>()
  readonly #bus: LifecycleBus

  constructor(bus: LifecycleBus) {
    this.#bus = bus
  }

  /** Tells `member` when `signal` is aborted; the caller has seen that it is not yet. */
  bind(signal: AbortSignal, member: Abortable): void {
    const known = this.#bound.get(signal)
    if (known !== undefined) {
      known.members.add(member)
      return
    }
    const members = new Set([member])
    const listener = (): void => {
      this.#leave(signal, listener)
      for (const each of members) each.aborted(signal.reason)
    }
    this.#bound.set(signal, { members, listener })
    signal.addEventListener('abort', listener)
  }

  /** Forgets `member`. */
  unbind(signal: AbortSignal, member: Abortable): void {
    const known = this.#bound.get(signal)
    if (known === undefined || !known.members.delete(member) || known.members.size > 0) return
    this.#leave(signal, known.listener)
  }

  /** Called in the middle of ends: what a signal that only looks like one throws harms none of them. */
  #leave(signal: AbortSignal, listener: () => void): void {
    this.#bound.delete(signal)
    try {
      signal.removeEventListener('abort', listener)
    } catch (error) {
      this.#bus.contain(error, 'a signal did not let go of its listener')
    }
  }
}
