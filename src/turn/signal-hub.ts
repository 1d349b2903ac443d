/** Keeps one listener on each foreign signal, however many routines and waits are bound to it. */

import type { LifecycleBus } from './lifecycle-bus.ts'
import type { Turn } from './turn.ts'

/** A routine or a wait that is bound to a signal. */
export interface Abortable {
  aborted(reason: unknown): void
}

/**
 * H1  The library has at most one listener on a signal, and none once nothing is bound to it.
 * H2  Binding and unbinding cost the same however many are bound: the platform's own listener list is walked at each add.
 */
export class SignalHub {
  readonly #bound = new Map<AbortSignal, Bound>()
  readonly #bus: LifecycleBus

  constructor(bus: LifecycleBus) {
    this.#bus = bus
  }

  /** Calls `member.aborted` in a turn of its own when `signal` is aborted; soon, if it is aborted already. */
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

  /** A deed. By now all members may have left, or the signal may have been aborted. */
  readonly #listen = (bound: Bound): void => {
    if (bound.members.size === 0) return
    if (bound.signal.aborted) this.#abort(bound)
    else bound.signal.addEventListener('abort', bound.listener)
  }

  /** A deed. An object that only resembles a signal may throw here, which is contained. */
  readonly #leave = ({ signal, listener }: Bound): void => {
    try {
      signal.removeEventListener('abort', listener)
    } catch (error) {
      this.#bus.contain(error, 'a signal did not let go of its listener')
    }
  }

  /** Called by the platform. Each member gets a turn of its own, unless it has left meanwhile. */
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
