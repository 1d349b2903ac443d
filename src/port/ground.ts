/**
 * The port of grounds: where the body of a routine runs. Inline there are two, functions and actors; a thread, a process or an
 * engine is another one, with the same states, policies and events above it.
 *
 * O1  Every call of a ground is a deed (turn/turn.ts): it is made between turns, and what the ground reports begins a turn.
 * O2  A body may be told to stop while it is being begun: `ask` or `kill` come before `begin` has returned, and `run.asked` says so.
 * O3  Once a run is over, it ignores what its ground reports, except that the body of an orphan has ended after all.
 * O4  A ground that ends bodies later than `kill` returns says in `endsWithin` how long that may take. Its run is asked to stop first, and is over
 *     once the ground says that the body is gone, by `returned(undefined)`, or that time is up. From `kill` on it reports nothing else: what
 *     the body returned or threw comes too late.
 * O5  Where that time is up, the end says `stuck`, and the body is an orphan until the ground says that it is gone. Such a ground is told to `kill`
 *     once more, and has nothing to do then.
 * O6  A `kill` that comes before `begin` is for good: the ground begins nothing, and says at once that the body is gone.
 */
import type { Blocked } from '../../machines/lifecycle-event.ts'
import type { Logger } from '../contract/index.ts'
import type { Subject } from './subject.ts'

/** One run of a routine, to the ground that it stands on. */
export interface Run {
  readonly subject: Subject
  /** Which run of the routine it is, from 1. */
  readonly number: number
  readonly input: unknown
  /** True once it has ended: nothing that its body does reaches the routine any more. */
  readonly over: boolean
  /** True once its body was told to stop, or given up on. */
  readonly asked: boolean
  /** Aborted when the body is to stop. */
  readonly signal: AbortSignal
  /** Binds path and incarnation. */
  readonly logger: Logger
  /** Belongs to the ground: what it remembers of this run. The run itself does not read it. */
  footing: unknown
  /** Aborts `signal`, if anybody has asked for it. */
  abort(reason: unknown): void
  /** The body has returned. */
  returned(output: unknown): void
  /** The body has thrown. */
  threw(error: unknown): void
  /** Something beside the body threw. */
  strayed(error: unknown, what: string): void
  /** The body lives: see `hungAfter`. */
  beat(): void
}

/** A question, to the ground that its message is handed to. */
export interface Pending {
  /** True once it is over, answered or not. */
  readonly settled: boolean
}

/** A body that waits for a place to run in, or that could not be ended. */
export type Standing = 'waiting' | 'stuck'

/** A ground. It has no state of its own: what it knows of a run stands in `run.footing`. */
export interface Ground {
  /** Begins the body. */
  begin(run: Run): void
  /** Tells the body to stop, for this reason. */
  ask(run: Run, reason: unknown): void
  /** Ends a body that was given up on, if it can. A function that runs inline cannot be ended. */
  kill(run: Run, reason: unknown): void
  /** True if `kill` ends the body at once. Otherwise a killed body becomes an orphan, unless `endsWithin` is given. */
  readonly ends: boolean
  /** Milliseconds in which `kill` ends a body, where it takes time; see O4. */
  readonly endsWithin?: number
  /** True if what is stuck keeps its permit until it is gone. */
  readonly holdsPermits?: boolean
  /** Where a run is, in words: `in a thread`. @default inline */
  describe?(run: Run): string
  /** How a run stands, where it does not just run. Asked in a turn, so it looks at nothing of the user's. */
  standing?(run: Run): Standing | undefined
  /** The runs that do not just run. */
  standings?(): Iterable<Run>
  /** A tree has ended: what was kept ready for its routines is let go of. */
  leave?(tree: object): PromiseLike<unknown> | undefined
  /** Why the body of a run may be silent; undefined if nothing blocks it, or nobody knows. Its own code is not asked. */
  diagnose?(run: Run): Promise<Blocked | undefined>
  /**
   * True if the body takes messages, as far as that is known; what it does not take waits in the mailbox, until it comes for it.
   * Asked in a turn, so it looks at nothing of the user's.
   */
  takes(run: Run): boolean
  /** True if it does take one at this moment. */
  accepts(run: Run): boolean
  /**
   * Hands over a message that is taken; `reply` and `question` are there if somebody waits for the answer. True if the body has yet to
   * come to it: then the mailbox is told when it does, and has it again if the run ends before.
   */
  deliver(run: Run, message: unknown, reply: ((value: unknown) => void) | undefined, question?: Pending): boolean | void
}

/** The key under which work of another kind than functions and actors says on which ground it stands. */
export const GROUND: unique symbol = Symbol('curtaincall.ground')

/** Work that brings its ground along. */
export interface GroundedWork {
  readonly [GROUND]: Ground
}

const grounds = new WeakMap<object, Ground>()
/** Most processes have none. */
let areUsed = false

/** True for work that brings its ground along. Looks at it, once: not in a turn. */
export function isGrounded(work: unknown): work is GroundedWork {
  if (typeof work !== 'object' || work === null) return false
  if (grounds.has(work)) return true
  if (!(GROUND in work)) return false
  grounds.set(work, (work as GroundedWork)[GROUND])
  areUsed = true
  return true
}

/** The ground of work that has brought it along. */
export function groundOf(work: object): Ground | undefined {
  return areUsed ? grounds.get(work) : undefined
}
