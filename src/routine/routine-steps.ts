/**
 * The routine's derived table in numbers: what a step of the hot path reads is one integer, instead of five properties and the
 * names in three arrays (0.16 µs of a routine's life).
 *
 * N1  Nothing is decided here: each integer says what the cell of the same place says, in machines/transition-table.ts.
 */
import type { EventObject, StateValue } from 'xstate'
import { Decisions } from '../../machines/decisions.ts'
import { ROUTINE_EVENTS, ROUTINE_TERMS, routineMachine } from '../../machines/routine.ts'
import { tableOf, type TransitionTable } from '../../machines/transition-table.ts'

/** Columns of the routine's table. */
export const START = 0
export const EXIT = 1
export const DONE = 2
export const FAIL = 3
export const CANCEL = 4
export const TIMEOUT = 5
export const GIVE_UP = 6
export const KILL = 7

/** Effects, as machines/routine.ts names them; a step has at most one. */
const EFFECTS = ['none', 'begin', 'settle', 'abort', 'abandon'] as const
export const BEGIN = 1
export const SETTLE = 2
export const ABORT = 3
export const ABANDON = 4

/** The field of its event that a step keeps. */
export const FIELDS = ['none', 'output', 'error', 'reason'] as const
export const OUTPUT = 1
export const ERROR = 2
export const REASON = 3

/** The parts of a step: `step & TARGET`, `(step >> EFFECT) & 7`, `(step >> FIELD) & 3`, and three flags. */
export const TARGET = 15
export const EFFECT = 4
export const FIELD = 7
export const HANDLED = 1 << 9
export const KILLS = 1 << 10
export const FINAL = 1 << 11

/** steps[state * ROUTINE_EVENTS.length + event] */
export function stepsOf(table: TransitionTable): Int32Array {
  if (table.states.length > TARGET + 1) throw new Error(`the routine's machine has ${table.states.length} states`)
  return Int32Array.from(table.cells, ({ target, actions, copies, raises, handled }) => {
    const effect = actions.length === 0 ? 0 : EFFECTS.indexOf(actions[0] as (typeof EFFECTS)[number])
    const field = copies.length === 0 ? 0 : FIELDS.indexOf(copies[0] as (typeof FIELDS)[number])
    if (effect < 0 || field < 0 || actions.length > 1 || copies.length > 1)
      throw new Error(`more than one effect or field: ${actions.join()} ${copies.join()}`)
    const flags = (handled ? HANDLED : 0) | (raises.length > 0 ? KILLS : 0) | (table.final[target] === true ? FINAL : 0)
    return target | (effect << EFFECT) | (field << FIELD) | flags
  })
}

/** What its machine decides, for the table and for the actors that are looked at. */
export const decisions: Decisions = new Decisions(routineMachine, ROUTINE_TERMS)

/** The table, and itself in numbers: constants, derived when the first routine is made, so that importing this does no work. */
export let table: TransitionTable
export let steps: Int32Array

/** Derives them, unless they are there. */
export function deriveTable(): void {
  if (steps !== undefined) return
  table = tableOf(routineMachine, ROUTINE_EVENTS, decisions)
  steps = stepsOf(table)
}

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
