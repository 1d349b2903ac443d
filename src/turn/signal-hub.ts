/** One listener on a signal of somebody else's, however many routines and waits are bound to it. */

import type { LifecycleBus } from './lifecycle-bus.ts'
import type { Turn } from './turn.ts'

/** Something that an aborted signal is told to. */
export interface Abortable {
  aborted(reason: unknown): void
}

/**
 * H1  A signal has at most one listener of ours, and none once nobody here is bound to it.
 * H2  Binding and unbinding cost the same however many are bound: the platform's own listener list is walked at each add.
 */
export class SignalHub {
  readonly #bound = new Map<AbortSignal, Bound>()
  readonly #bus: LifecycleBus

  constructor(bus: LifecycleBus) {
    this.#bus = bus
  }

  /** Tells `member` when `signal` is aborted, in a turn of its own; soon if it is already. */
  bind(signal: AbortSignal, member: Abortable): void {
    const known = this.#bound.get(signal)
    if (known !== undefined) {
      known.members.add(member)
      return
    }
    const bound: Bound = { signal, members: new Set([member]), listener: () => this.#abort(bound) }
    this.#bound.set(signal, bound)
    this.#bus.turn.deed(this.#listen, bound)
  }

  /** Forgets `member`. */
  unbind(signal: AbortSignal, member: Abortable): void {
    const known = this.#bound.get(signal)
    if (known === undefined || !known.members.delete(member) || known.members.size > 0) return
    this.#bound.delete(signal)
    this.#bus.turn.deed(this.#leave, known)
  }

  /** A deed: by now nobody may want to know any more, or it may have been aborted. */
  readonly #listen = (bound: Bound): void => {
    if (bound.members.size === 0) return
    if (bound.signal.aborted) this.#abort(bound)
    else bound.signal.addEventListener('abort', bound.listener)
  }

  /** A deed: what a signal that only looks like one throws harms nobody. */
  readonly #leave = ({ signal, listener }: Bound): void => {
    try {
      signal.removeEventListener('abort', listener)
    } catch (error) {
      this.#bus.contain(error, 'a signal did not let go of its listener')
    }
  }

  /** In foreign code. Each is told in a turn of its own, unless it has left meanwhile. */
  #abort(bound: Bound): void {
    const { signal, members, listener } = bound
    const reason: unknown = signal.reason
    this.#bound.delete(signal)
    this.#leave({ signal, members, listener })
    const { turn } = this.#bus
    turn.arise(tellAll, { turn, members, reason })
  }
}

interface Bound {
  readonly signal: AbortSignal
  readonly members: Set<Abortable>
  readonly listener: () => void
}

function tellAll({ turn, members, reason }: { turn: Turn; members: Set<Abortable>; reason: unknown }): void {
  turn.each([...members], (member) => {
    if (members.has(member)) member.aborted(reason)
  })
}
