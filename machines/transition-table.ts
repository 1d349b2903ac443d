/**
 * A machine whose decisions depend on state and event type alone, as a dense table.
 *
 * The cells are computed by XState's own `transition()`, state by state and event by event, so
 * there is no second copy of the transitions to keep in step.
 *
 * T1  A cell names the state and the actions that XState's own `transition()` gives, in its order.
 * T2  A cell names what the transition writes into context: a field of the event, or `true`.
 * T3  An event that the machine ignores leads back to the same state without actions or writes.
 */
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, type StateValue } from 'xstate'
import { type Decision, Decisions } from './decisions.ts'

/** One cell of the table. */
export interface TableCell {
  /** Index of the next state. */
  readonly target: number
  /** Names of the actions, in order. */
  readonly actions: readonly string[]
  /** Context keys that take the event's field of the same name. */
  readonly copies: readonly string[]
  /** Context keys that become true. */
  readonly raises: readonly string[]
  /** False if the machine ignores the event there. */
  readonly handled: boolean
}

/** A machine as rows (states) and columns (events). */
export interface TransitionTable {
  readonly states: readonly StateValue[]
  /** The outermost state name of each state, such as `running` for `running.working`. */
  readonly names: readonly string[]
  readonly final: readonly boolean[]
  /** cells[state * events.length + event] */
  readonly cells: readonly TableCell[]
  readonly events: readonly string[]
  /** The index of a state value; -1 if it is none of this machine's. */
  indexOf(value: StateValue): number
}

function outermost(value: StateValue): string {
  return typeof value === 'string' ? value : (Object.keys(value)[0] as string)
}

/**
 * Derives the table of a machine by visiting every state that the given events reach.
 *
 * @param machine A machine without guards on context, `always`, `after` or invocations on the way.
 * @param events The event types, in the order wanted for the columns.
 * @param fields The fields of events that the machine may copy into context.
 */
export function tabulate(machine: AnyStateMachine, events: readonly string[], fields: readonly string[]): TransitionTable {
  return tableOf(machine, events, new Decisions(machine, { events, fields, flags: [], words: [] }))
}

/** The table of a machine whose decisions are remembered. */
function tableOf(machine: AnyStateMachine, events: readonly string[], decisions: Decisions): TransitionTable {
  const [{ value: first, context }] = initialTransition(machine, undefined) as [AnyMachineSnapshot, unknown]
  const snapshots = [decisions.snapshotOf(first as StateValue, context)]
  const states = [(snapshots[0] as AnyMachineSnapshot).value as StateValue]
  const cells: TableCell[] = []
  for (const { value } of snapshots)
    for (const type of events) {
      const { next, actions, writes, ignored } = decisions.of(decisions.snapshotOf(value as StateValue, context), { type }) as Decision
      let target = states.indexOf(next.value as StateValue)
      if (target < 0) {
        target = snapshots.push(next) - 1
        states.push(next.value as StateValue)
      }
      const copies = writes.flatMap(({ key, field }) => (field === undefined ? [] : [key]))
      const raises = writes.flatMap(({ key, value: set }) => (set === true ? [key] : []))
      cells.push({ target, actions, copies, raises, handled: !ignored })
    }
  return {
    states,
    names: states.map(outermost),
    final: snapshots.map(({ status }) => status === 'done'),
    cells,
    events,
    indexOf(value) {
      const index = states.indexOf(value)
      // What has not come of a decision that is remembered is another object.
      return index < 0 ? states.findIndex((state) => JSON.stringify(state) === JSON.stringify(value)) : index
    },
  }
}
