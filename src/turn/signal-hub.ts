/** Keeps one listener on each foreign signal, however many routines and waits are bound to it. */
import type { Clock } from '../port/index.ts'
import type { LifecycleBus } from './lifecycle-bus.ts'
import { Slices } from './slices.ts'

/** A routine or a wait that is bound to a signal. */
export interface Abortable {
  aborted(reason: unknown): void
}

/**
 * H1  The library has at most one listener on a signal, and none once nothing is bound to it.
 * H2  Binding and unbinding cost the same however many are bound: the platform's own listener list is walked at each add.
 * H3  Who leaves while the others are told is told nothing. More than a slice of them are told in several turns of the event loop.
 */
export class SignalHub {
  readonly #bound = new Map<AbortSignal, Bound>()
  readonly #bus: LifecycleBus
  readonly #clock: Clock

  constructor(bus: LifecycleBus, clock: Clock) {
    this.#bus = bus
    this.#clock = clock
  }

  /** Calls `member.aborted` in a turn of its own when `signal` is aborted; soon, if it is aborted already. */
  bind(signal: AbortSignal, member: Abortable): void {
    const known = this.#bound.get(signal)
    if (known !== undefined) {
      if (known.isAborted) this.#bus.turn.next(() => member.aborted(known.reason))
      else known.members.add(member)
      return
    }
    const bound: Bound = { signal, members: new Set([member]), listener: () => this.#abort(bound), isAborted: false, reason: undefined }
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
    bound.isAborted = true
    bound.reason = bound.signal.reason
    this.#leave(bound)
    this.#bus.turn.arise(this.#tellAll, bound)
  }

  /** Tells a member now, if it is one of those who are told in slices and was not told yet. In a turn. */
  heed(signal: AbortSignal, member: Abortable): void {
    const bound = this.#bound.get(signal)
    if (bound?.isAborted === true && bound.members.delete(member)) member.aborted(bound.reason)
  }

  /** The reason that a member is to be told; undefined if there is none. */
  reasonFor(signal: AbortSignal, member: Abortable): unknown {
    const bound = this.#bound.get(signal)
    return bound?.isAborted === true && bound.members.has(member) ? bound.reason : undefined
  }

  readonly #tellAll = (bound: Bound): void => {
    const { signal, members, reason } = bound
    const tell = (member: Abortable): void => {
      members.delete(member)
      member.aborted(reason)
    }
    const forget = (): void => {
      if (this.#bound.get(signal) === bound) this.#bound.delete(signal)
    }
    new Slices({ turn: this.#bus.turn, clock: this.#clock }).each(members.values(), tell, forget)
  }
}

interface Bound {
  readonly signal: AbortSignal
  readonly members: Set<Abortable>
  isAborted: boolean
  /** Of the signal, once that was aborted. */
  reason: unknown
  readonly listener: () => void
}
