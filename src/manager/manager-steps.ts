/**
 * What a step of the managers' table says.
 *
 * MS1 Nothing is decided here: each integer of manager-table.ts says what XState's `transition()` decides of machines/manager.ts, in the
 *     state and with the flags of its row. What the machine's guards read in context is so part of the row.
 */
import type { EventObject, StateValue } from 'xstate'
import { FLAGS, STATES, steps } from './manager-table.ts'

export { STATES, steps } from './manager-table.ts'

/** The columns. What the machine's guards read in an event is part of the column. */
export const MANAGER_EVENTS = ['start', 'shutdown', 'shutdown immediate', 'giveUp', 'hurry', 'phaseDone'] as const

/** Effects, as machines/manager.ts names them; a step has at most one. */
export const EFFECTS = ['none', 'open', 'close', 'cancel', 'wait', 'kill', 'clean', 'end'] as const
export const OPEN = 1
export const END = 7

/** The parts of a step: `step & TARGET`, `(step >> EFFECT) & 7`, and two flags. */
export const TARGET = 31
export const EFFECT = 5
export const HANDLED = 1 << 8
/** The error of the event is written into context. */
export const BLAMES = 1 << 9

/** The flags of a row. */
export const GAVE_UP = 1
export const HURRIED = 2

/** How many columns a row has. */
export const COLUMNS = MANAGER_EVENTS.length

/** The column of an event; -1 if it is none of the machine's. */
export function columnOf({ type, mode }: EventObject & { readonly mode?: unknown }): number {
  return MANAGER_EVENTS.indexOf((type === 'shutdown' && mode === 'immediate' ? 'shutdown immediate' : type) as 'start')
}

/** The state that an event leads to from a row. */
export function stateAfter(row: number, event: EventObject): StateValue {
  return STATES[(steps[row * COLUMNS + columnOf(event)] as number) & TARGET] as StateValue
}

/** The state of a row as XState has it: a snapshot that an actor can go on from. */
export function snapshotOf(row: number, initial: object, error: unknown): { readonly value: StateValue; readonly context: object } {
  const flags = FLAGS[row] as number
  const context = { ...initial, error, gaveUp: (flags & GAVE_UP) !== 0, hurried: (flags & HURRIED) !== 0 }
  return { value: STATES[row] as StateValue, context }
}
