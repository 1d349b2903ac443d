/** What a routine remembers beside its present run. Most have nothing to: they share one, which makes each of them 72 B smaller. */
import type { Resumption } from './resumption.ts'
import { CANCEL } from './routine-steps.ts'

class Memory {
  /** How often it was restarted. */
  restarts = 0
  /** Of the last incarnation that failed, of those before the present one. */
  error: unknown = undefined
  /** When its first incarnation started, of those before the present one. */
  bornAt: number | undefined = undefined
  /** The timer of a delayed restart. */
  backoffTimer: unknown = undefined
  /** Failures in a routine. */
  streak = 0
  /** The event that a restart was ordered with, whatever `restart` says. */
  restartOrdered: number | undefined = undefined
  /** Why it was told to stop, if that was between two incarnations. */
  lateReason: unknown = undefined
  /** True if the `start` of its present incarnation failed, or asked to be ignored. */
  notStarted = false
  /** True if the `start` of its present incarnation threw: a first start that fails is an end, as in OTP. */
  startThrew = false
  /** Of its present incarnation, once it has ended: whether another would help. Undefined until `restartIf` was asked. */
  helps: boolean | undefined = undefined
  /** Of its next delay: how far it strays, from 0 to 1. Undefined until `random` was asked. */
  chance: number | undefined = undefined
  /** Where its actor goes on after a crash, if it is to. */
  resumption: Resumption | undefined = undefined
  /** The asynchronous context of its spawn, if there is one to keep. */
  asyncContext: unknown = undefined
}

/** For reading only. */
const NOTHING: Readonly<Memory> = new Memory()

/** Has something to remember, or nothing. */
export abstract class Remembering {
  #memory: Readonly<Memory> = NOTHING

  /** To read. */
  get memory(): Readonly<Memory> {
    return this.#memory
  }

  /** To write to. */
  get ownMemory(): Memory {
    return (this.#memory = this.#memory === NOTHING ? new Memory() : this.#memory)
  }

  /** Another incarnation follows; `error` and `bornAt` are of those before it. */
  remember(error: unknown, bornAt: number | undefined): void {
    const memory = this.ownMemory
    memory.error = error
    memory.bornAt = bornAt
    memory.restartOrdered = undefined
    memory.startThrew = false
    memory.notStarted = false
    memory.helps = undefined
    memory.restarts++
  }

  /** How often it was restarted. */
  get restarts(): number {
    return this.#memory.restarts
  }

  /** True if its restart was ordered by hand: such a restart never counts against the limit and never waits. */
  get restartIsFree(): boolean {
    return this.#memory.restartOrdered === CANCEL
  }

  get resumption(): Resumption | undefined {
    return this.#memory.resumption
  }

  get asyncContext(): unknown {
    return this.#memory.asyncContext
  }
}
