/** Laws: what has to hold of every run, whoever states it. */
import type { ShutdownReport } from '../contract/index.ts'
import { callable, refuse, type RoutineSpec, type Rule } from '../spec/index.ts'
import type { PendingTimer } from './virtual-clock.ts'
import type { Request } from './script.ts'
import type { TraceEvent, Violation } from './trace.ts'

/** What is known of a routine of a run. */
export interface RoutineFacts {
  readonly restart: RoutineSpec['restart']
  /** Its own budget; undefined where the limit of its manager counts. */
  readonly attempts?: number | undefined
  /** Milliseconds; 0 for 'brutal_kill'. */
  readonly shutdown: number
  readonly timeout: number
  /** True if it is one of the `children` of its manager. */
  readonly service: boolean
  /** True with `resume: 'snapshot'`: it has one start from its input where its manager would give up. */
  readonly resumes: boolean
  /** True if its work is actor logic, which has no signal: to ask it to stop is to stop its actor. */
  readonly logic: boolean
  /** How long it goes on after it was told to stop. */
  readonly deafFor: number
  /** True if what is wrong with it leaves something behind. */
  readonly leaks: boolean
  /** True if it shuts its manager down itself. */
  readonly hurries: boolean
}

/** What a run left behind. */
export interface Remains {
  /** Timers that are still armed. */
  readonly timers: readonly PendingTimer[]
  /** Paths of routines and managers that are still registered. */
  readonly actors: readonly string[]
  /** Permits that are still held, by the path of the manager. */
  readonly permits: Readonly<Record<string, number>>
  /** Listeners that are still on the process. */
  readonly listeners: number
}

/** What laws know of a manager: its options, every default filled in. */
export interface ManagerFacts {
  readonly maxRestarts: number
  readonly restartWindow: number
  readonly maxRoutines: number
  readonly shutdown: number
}

/** How far a run came, before the shutdown at its end. */
export interface Reach {
  /** Virtual milliseconds. */
  readonly ms: number
  /** Timers of the tree that had fired. */
  readonly timers: number
  /** How many of the events had happened. */
  readonly events: number
  /** Timers that were armed and had not fired, the next one first. */
  readonly ahead: readonly PendingTimer[]
}

/** A run, as laws see it. */
export interface Run {
  readonly events: readonly TraceEvent[]
  /** Of the global manager; undefined if it was not shut down. */
  readonly report: ShutdownReport | undefined
  /** Shutdowns that were asked for; times as in `events`. */
  readonly requests: readonly Readonly<Request>[]
  readonly managers: ReadonlyMap<string, ManagerFacts>
  readonly routines: ReadonlyMap<string, RoutineFacts>
  /** Moments at which a manager held more permits than it has. */
  readonly excess: readonly { readonly i: number; readonly path: string; readonly count: number }[]
  readonly remains: Remains
  readonly reach: Reach
  /** True if it has a store, which is closed at its end, as long as there is time for that. */
  readonly hasStore?: boolean
  /** Totals of the global manager. */
  readonly totals: {
    readonly spawned: number
    readonly completed: number
    readonly failed: number
    readonly cancelled: number
    readonly killed: number
    readonly running: number
    readonly pending: number
  }
}

/** What a law found: a message, and the `i` of the events that show it. */
export interface Finding {
  readonly message: string
  readonly witnesses?: readonly number[]
}

/** Something that has to hold of every run. */
export interface Law {
  readonly name: string
  /** Finds where it does not hold. */
  readonly check: (run: Run) => Iterable<Finding>
}

/** Something that has to happen in some run of a campaign. */
export interface Goal {
  readonly name: string
  readonly reached: (run: Run) => boolean
}

/**
 * States a law.
 *
 * @throws ConfigError without a name, or without something to check.
 * @example
 * const noOrderTwice = law('noOrderTwice', function* ({ events }) {
 *   const charged = events.filter(({ text }) => text?.startsWith('charge'))
 *   if (charged.length > 1) yield { message: 'charged twice', witnesses: charged.map(({ i }) => i) }
 * })
 */
export function law(name: string, check: Law['check']): Law {
  checkName('law', name)
  if (!callable.accepts(check)) throw refuse(`law ${name}`, callable.range, check)
  return { name, check }
}

/**
 * States a goal: a campaign in which no run reaches it fails, since it has shown nothing about it. It answers at once.
 *
 * @throws ConfigError without a name, or without a function.
 * @example
 * const killed = sometimes('phase killing reached', ({ events }) => events.some(({ type }) => type === 'routine.killed'))
 */
export function sometimes(name: string, reached: Goal['reached']): Goal {
  checkName('goal', name)
  if (!callable.accepts(reached)) throw refuse(`goal ${name}`, callable.range, reached)
  return { name, reached }
}

/** Rules for options that take laws, and goals: arrays of objects with a name and a function. */
export const lawList: Rule = { range: 'an array of laws', accepts: (value) => isListOf(value, 'check') }
export const goalList: Rule = { range: 'an array of goals', accepts: (value) => isListOf(value, 'reached') }

function isListOf(value: unknown, method: 'check' | 'reached'): boolean {
  return Array.isArray(value) && value.every((each) => typeof each?.name === 'string' && typeof each[method] === 'function')
}

const nonEmptyText: Rule = { range: 'a text that is not empty', accepts: (value) => typeof value === 'string' && value !== '' }

/** Findings are reported by the name, so it must not be empty. */
function checkName(what: string, name: unknown): void {
  if (!nonEmptyText.accepts(name)) throw refuse(`${what} name`, nonEmptyText.range, name)
}

/** Holds a run against laws. A law that throws is itself at fault, and says so. */
export function judge(run: Run, laws: readonly Law[]): Violation[] {
  return laws.flatMap(({ name, check }) => {
    try {
      return [...check(run)].map(({ message, witnesses = [] }) => ({ law: name, message, witnesses }))
    } catch (error) {
      const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      return [{ law: name, message: `the law itself is at fault, not the system: it threw ${said}`, witnesses: [] }]
    }
  })
}
