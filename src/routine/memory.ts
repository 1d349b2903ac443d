/** What a routine remembers beside its present run. Most routines remember nothing and share one object, which saves 72 B each. */
import { ConfigError } from '../contract/index.ts'
import type { Chronicle } from '../durable/index.ts'
import type { ClosingSignal } from './closing-signal.ts'
import type { Resumption } from './resumption.ts'
import { CANCEL } from './routine-steps.ts'

/** An event that ends an incarnation, and what comes with it. */
interface HeldStop {
  readonly event: number
  readonly payload: unknown
}

class Memory {
  /** How often it was restarted. */
  restarts = 0
  /** How many of these were ordered by hand. */
  ordered = 0
  /** The error of the last incarnation that failed, before the present one. */
  error: unknown
  /** When its first incarnation started, if that was before the present one. */
  bornAt: number | undefined
  /** The timer of a delayed restart. */
  backoffTimer: unknown
  /** Failures in a row. */
  streak = 0
  /** The event of a restart that was ordered: it follows whatever the `restart` option says. */
  restartOrdered: number | undefined
  /** Why it was asked to stop, if that was between two incarnations. */
  lateReason: unknown
  /** How far the `start` of its present incarnation is; `none` too if that failed, or asked to be ignored. */
  start: 'none' | 'runs' | 'returned' = 'none'
  /** A stop that came while it ran: it takes effect once that has returned. */
  heldStop: HeldStop | undefined
  /** True if the `start` of its present incarnation failed, or asked to be ignored. */
  notStarted = false
  /** True if the `start` of its present incarnation threw: a first start that fails is an end, as in OTP. */
  startThrew = false
  /** What `restartIf` has returned for the end of the present incarnation; undefined until it was called. */
  helps: boolean | undefined
  /** What `random` has returned for the jitter of the next delay; undefined until it was called. */
  chance: number | undefined
  /** Where its actor goes on after a crash; with `resume: 'snapshot'`. */
  resumption: Resumption | undefined
  /** What the journal is told of it; of a durable one. */
  chronicle: Chronicle | undefined
  /** Tells the body of the present incarnation that its manager closes, if it has asked for that. */
  closing: ClosingSignal | undefined
  /** True if it has ended, and keeps its permit until its body is gone. */
  holdsPermit = false
  /** The asynchronous context of its spawn, if there is one to keep. */
  asyncContext: unknown
  /** That in which its present body began, if somebody looks on. */
  bodyContext: unknown
}

/** For reading only. */
const NOTHING: Readonly<Memory> = new Memory()

/** The base of a routine: its memory, which is shared while it is empty. */
export abstract class Remembering {
  #memory: Readonly<Memory> = NOTHING

  /** For reading. */
  get memory(): Readonly<Memory> {
    return this.#memory
  }

  /** For writing: makes an object of its own. */
  get ownMemory(): Memory {
    return (this.#memory = this.#memory === NOTHING ? new Memory() : this.#memory)
  }

  abstract readonly path: string

  get durable(): Promise<void> {
    if (this.chronicle !== undefined) return this.chronicle.durable
    const promise = Promise.reject(new ConfigError(`${this.path} is not durable`, { path: this.path, option: 'durable' }))
    promise.catch(() => undefined)
    return promise
  }

  /** No plain object: what compares, and prints what differs, then takes it as it is, and asks its `toJSON`. */
  get [Symbol.toStringTag](): string {
    return 'Routine'
  }

  /** Another incarnation follows; `error` and `bornAt` are of those before it. */
  remember(error: unknown, bornAt: number | undefined): void {
    const memory = this.ownMemory
    const byHand = this.restartIsFree
    memory.error = error
    memory.bornAt = bornAt
    memory.restartOrdered = undefined
    memory.start = 'none'
    memory.heldStop = undefined
    memory.startThrew = false
    memory.notStarted = false
    memory.helps = undefined
    memory.bodyContext = undefined
    memory.restarts++
    if (byHand) memory.ordered++
  }

  /** How often it was restarted. */
  get restarts(): number {
    return this.#memory.restarts
  }

  /** True if its restart was ordered by hand: such a restart never counts against the limit and never waits. */
  get restartIsFree(): boolean {
    return this.#memory.restartOrdered === CANCEL
  }

  /** How often it was run, without the runs that were ordered by hand. */
  get runs(): number {
    return 1 + this.#memory.restarts - this.#memory.ordered
  }

  /** True if the `start` of its present incarnation has run: what that has acquired is for the body to release. */
  get hasAcquired(): boolean {
    return this.#memory.start === 'returned'
  }

  get chronicle(): Chronicle | undefined {
    return this.#memory.chronicle
  }

  get resumption(): Resumption | undefined {
    return this.#memory.resumption
  }

  get asyncContext(): unknown {
    return this.#memory.asyncContext
  }

  get bodyContext(): unknown {
    return this.#memory.bodyContext ?? this.#memory.asyncContext
  }

  set bodyContext(captured: unknown) {
    if (captured !== this.bodyContext) this.ownMemory.bodyContext = captured
  }

  /** It is over, and keeps no context; a handle may be kept for long. */
  leaveContext(): void {
    if (this.bodyContext === undefined) return
    const { ownMemory } = this
    ownMemory.asyncContext = undefined
    ownMemory.bodyContext = undefined
  }
}
