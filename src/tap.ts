/** The port through which an inspector sees, while somebody looks, what lifecycle events do not tell. */
import type { RoutineRow } from './routine.ts'

/** What a message is. */
export type MessageKind = 'send' | 'ask' | 'reply'

export interface Tap {
  /** A routine was spawned: the caller's line is still on the stack. */
  spawned(row: RoutineRow): void
  /** Runs the beginning of an incarnation's work. */
  run(row: RoutineRow, work: () => void): void
  /**
   * A message to, or an answer from, a routine whose work is a function; XState tells of those to actors.
   *
   * @param asker who had asked, of an answer.
   * @returns who sent it, as far as that is known.
   */
  message(row: RoutineRow, message: unknown, kind: MessageKind, asker?: RoutineRow): RoutineRow | undefined
}
