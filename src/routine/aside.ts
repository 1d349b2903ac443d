/** What a routine remembers beside its run. Most have nothing to: they share one, which makes each of them 72 B smaller. */
import type { Resumption } from './resumption.ts'

class Aside {
  /** How often it was restarted. */
  restarts = 0
  /** Of the last incarnation that failed, of those before the present one. */
  error: unknown = undefined
  /** When its first incarnation started, of those before the present one. */
  bornAt: number | undefined = undefined
  /** The timer of a delayed restart. */
  backoff: unknown = undefined
  /** Failures in a row. */
  streak = 0
  /** The event that a restart was ordered with, whatever `restart` says. */
  ordered: number | undefined = undefined
  /** Why it was told to stop, if that was between two incarnations. */
  lateReason: unknown = undefined
  /** True if the `start` of its present incarnation failed, or asked to be ignored. */
  unstarted = false
  /** True if the `start` of its present incarnation threw. */
  startThrew = false
  /** Of its present incarnation, once it has ended: whether another would help, as far as `restartIf` knows. Undefined until asked. */
  helps: boolean | undefined = undefined
  /** Of the next delay: how far it strays, from 0 to 1. Undefined until asked. */
  chance: number | undefined = undefined
  /** Where its actor goes on after a crash, if it is to. */
  resumption: Resumption | undefined = undefined
}

/** For reading only. */
const NOTHING: Readonly<Aside> = new Aside()

/** Has something beside, or nothing. */
export abstract class Remembering {
  #aside: Readonly<Aside> = NOTHING

  /** To read. */
  protected get aside(): Readonly<Aside> {
    return this.#aside
  }

  /** To write to. */
  get own(): Aside {
    return (this.#aside = this.#aside === NOTHING ? new Aside() : this.#aside)
  }

  /** How often it was restarted. */
  get restarts(): number {
    return this.#aside.restarts
  }

  /** True if the `start` of its present incarnation failed, or asked to be ignored. */
  get unstarted(): boolean {
    return this.#aside.unstarted
  }

  /** True if `start` threw: a first start that fails is an end, as in OTP. */
  get startFailed(): boolean {
    return this.#aside.startThrew
  }

  /** Of its present incarnation, once it has ended: whether another would help. Undefined until `restartIf` was asked. */
  get helps(): boolean | undefined {
    return this.#aside.helps
  }

  get resumption(): Resumption | undefined {
    return this.#aside.resumption
  }

  /** Why it was told to stop, if that was between two incarnations. */
  get lateReason(): unknown {
    return this.#aside.lateReason
  }
}
