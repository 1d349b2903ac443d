/**
 * What a step of the managers' table says.
 *
 * MS1 Nothing is decided here: each integer of manager-table.ts says what XState's `transition()` decides of machines/manager.ts, by state,
 *     event, and what the guards read: the mode of a shutdown, and two flags of the context.
 */
import type { EventObject, StateValue } from 'xstate'
import { STATES, steps } from './manager-table.ts'

/** The columns: an event, and what of it or of the context its guards ask for. */
export const MANAGER_EVENTS = [
  'start',
  'shutdown',
  'shutdown immediate',
  'giveUp',
  'hurry',
  'phaseDone',
  'phaseDone hurried',
  'phaseDone gaveUp',
] as const

/** Effects, as machines/manager.ts names them; a step has at most one. */
export const EFFECTS = ['none', 'open', 'close', 'cancel', 'wait', 'kill', 'clean', 'end'] as const
export const OPEN = 1
export const END = 7

/** The parts of a step, and of a stage, which is a state with its flags: `stage & STATE`. A step sets flags, and takes none back. */
export const STATE = 15
export const HURRIED = 1 << 4
/** The step that sets it also keeps the error of the event. */
export const GAVE_UP = 1 << 5
/** The parts of a step alone: `(step >> EFFECT) & 7`, and whether the machine reacts. */
export const EFFECT = 6
export const HANDLED = 1 << 9

const FLAGS = HURRIED | GAVE_UP

/** What follows from an event in a stage; 0 if nothing does. */
export function stepOf(stage: number, event: EventObject): number {
  const column = columnOf(stage, event)
  return column < 0 ? 0 : (steps[(stage & STATE) * MANAGER_EVENTS.length + column] ?? 0)
}

function columnOf(stage: number, { type, mode }: EventObject & { readonly mode?: unknown }): number {
  const column = MANAGER_EVENTS.indexOf(type as 'start')
  if (type === 'shutdown' && mode === 'immediate') return column + 1
  if (type !== 'phaseDone' || (stage & FLAGS) === 0) return column
  return column + ((stage & GAVE_UP) === 0 ? 1 : 2)
}

/** The stage that a step leads to. */
export function stageAfter(stage: number, step: number): number {
  return (stage & FLAGS) | (step & (STATE | FLAGS))
}

/** The value of its state. */
export function valueOf(stage: number): StateValue {
  return STATES[stage & STATE] as StateValue
}

/** What the context says of it. */
export function contextOf(stage: number, error: unknown): object {
  return { error, gaveUp: (stage & GAVE_UP) !== 0, hurried: (stage & HURRIED) !== 0 }
}

/** The error that is known after a step. */
export function errorAfter(step: number, event: EventObject, before: unknown): unknown {
  return (step & GAVE_UP) === 0 ? before : (event as { readonly error?: unknown }).error
}
