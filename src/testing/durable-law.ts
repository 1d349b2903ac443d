/** Laws about the lives of a tree that outlives its process, whoever states them. */
import { callable, refuse } from '../spec/index.ts'
import type { JournalRecord } from './journal-watch.ts'
import type { Run } from './law.ts'
import type { Trace, Violation } from './trace.ts'

/** A life that was played. */
export interface Life {
  /** How it has ended. */
  readonly end: 'shutdown' | 'process' | 'power'
  /** Milliseconds since the first life began. */
  readonly begins: number
  readonly run: Run
  readonly trace: Trace
  /** What the tree and its store have told each other. */
  readonly journal: JournalRecord
  /** How much outlasts a loss of power: all that was acknowledged (`group`), or nothing for certain (`system`). */
  readonly fsync: 'group' | 'system'
}

/** What such a law has found: a message, the life it was in, and the `i` of the events of that life that show it. */
export interface DurableFinding {
  readonly message: string
  readonly life?: number
  readonly witnesses?: readonly number[]
}

/** Something that has to hold of all lives of a tree together. */
export interface DurableLaw {
  readonly name: string
  /** Finds where it does not hold. */
  readonly check: (lives: readonly Life[]) => Iterable<DurableFinding>
}

/**
 * States a law about the lives of a tree.
 *
 * @throws ConfigError without a name, or without something to check.
 * @example
 * const chargedOnce = durableLaw('chargedOnce', function* () {
 *   if (bank.charged > 1) yield { message: `charged ${bank.charged} times` }
 * })
 */
export function durableLaw(name: string, check: DurableLaw['check']): DurableLaw {
  if (typeof name !== 'string' || name === '') throw refuse('durableLaw name', 'a text that is not empty', name)
  if (!callable.accepts(check)) throw refuse(`durableLaw ${name}`, callable.range, check)
  return { name, check }
}

/** Such a law that was broken; `life` is the number of the life that shows it, from 0. */
export interface DurableViolation extends Violation {
  readonly life?: number | undefined
}

/** Holds lives against laws. A law that throws is itself at fault, and says so. */
export function judgeLives(lives: readonly Life[], laws: readonly DurableLaw[]): DurableViolation[] {
  return laws.flatMap(({ name, check: find }): DurableViolation[] => {
    try {
      return [...find(lives)].map(({ message, life, witnesses = [] }) => ({ law: name, message, witnesses, life }))
    } catch (error) {
      const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
      return [{ law: name, message: `the law itself is at fault, not the system: it threw ${said}`, witnesses: [] }]
    }
  })
}
