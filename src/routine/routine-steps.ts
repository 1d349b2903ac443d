/**
 * What a step of the routine's table says: the hot path reads one integer, instead of five properties and the names in three arrays
 * (0.16 µs of a routine's life).
 *
 * N1  Nothing is decided here: each integer of routine-table.ts says what the cell of the same place says, in machines/transition-table.ts.
 */
import type { EventObject, StateValue } from 'xstate'
import { ROUTINE_EVENTS } from '../../machines/routine.ts'
import { FIELDS } from './routine-effects.ts'

export { STATE_NAMES, STATES, steps } from './routine-table.ts'

/** Columns of the routine's table. */
export const START = 0
export const EXIT = 1
export const DONE = 2
export const FAIL = 3
export const CANCEL = 4
export const TIMEOUT = 5
export const GIVE_UP = 6
export const KILL = 7
export const END = 8
export const LOST = 9

/** The parts of a step: `step & TARGET`, `(step >> EFFECT) & 7`, `(step >> FIELD) & 3`, and four flags. */
export const TARGET = 15
export const EFFECT = 4
export const FIELD = 7
export const HANDLED = 1 << 9
export const KILLS = 1 << 10
export const FINAL = 1 << 11
export const STRANDS = 1 << 12

/** The event that stands for a column of the table. */
export function eventOf(event: number, payload: unknown): EventObject {
  const type = ROUTINE_EVENTS[event] as string
  if (event === DONE) return { type, output: payload } as EventObject
  if (event === FAIL || event === TIMEOUT) return { type, error: payload } as EventObject
  return { type, reason: payload } as EventObject
}

/** The payload of an event that a user has made. */
export function payloadOf(event: number, given: EventObject): unknown {
  const { output, error, reason } = given as { output?: unknown; error?: unknown; reason?: unknown }
  if (event === DONE) return output
  return event === FAIL || event === TIMEOUT ? error : reason
}

/** How many columns a state has. */
export const COLUMNS = ROUTINE_EVENTS.length

/** A state as XState has it: a snapshot that its actor can go on from. */
export function snapshotOf(value: StateValue, over: boolean, context: object): object {
  const status = over ? 'done' : 'active'
  return { status, value, context, children: {}, historyValue: {}, output: undefined, error: undefined }
}

/** The context behind a step. */
export function contextAfter(step: number, before: object, payload: unknown): object {
  const field = (step >> FIELD) & 3
  if (field === 0 && (step & (KILLS | STRANDS)) === 0) return before
  const context: Record<string, unknown> = { ...before }
  if (field > 0) context[FIELDS[field] as string] = payload
  if ((step & KILLS) !== 0) context['killed'] = true
  if ((step & STRANDS) !== 0) context['stuck'] = true
  return context
}
