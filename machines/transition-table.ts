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
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, type StateValue, transition } from 'xstate'

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
  const probe = Object.fromEntries(fields.map((field) => [field, Symbol(field)]))
  const [initial] = initialTransition(machine, undefined)
  const blank = (initial as AnyMachineSnapshot).context as Record<string, unknown>
  const snapshots: AnyMachineSnapshot[] = [initial as AnyMachineSnapshot]
  const index = new Map<string, number>([[JSON.stringify(initial.value), 0]])
  const cells: TableCell[] = []
  for (let row = 0; row < snapshots.length; row++) {
    const visited = snapshots[row] as AnyMachineSnapshot
    // From a blank context, so that a write shows even if an earlier event has written the same.
    const from = machine.resolveState({ value: visited.value, context: blank })
    for (const type of events) {
      const [next, actions] = transition(machine, from, { type, ...probe })
      const key = JSON.stringify(next.value)
      const target = index.get(key) ?? snapshots.push(next as AnyMachineSnapshot) - 1
      index.set(key, target)
      const context = next.context as Record<string, unknown>
      const copies = fields.filter((field) => context[field] === probe[field])
      const raises = Object.keys(context).filter((field) => context[field] === true && blank[field] !== true)
      const names = actions.map((action) => action.type)
      cells.push({ target, actions: names, copies, raises, handled: target !== row || names.length + copies.length + raises.length > 0 })
    }
  }
  // Those who ask often ask of values that are the same objects each time.
  const known = new WeakMap<object, number>()
  const find = (value: StateValue): number => index.get(JSON.stringify(value)) ?? -1
  return {
    states: snapshots.map((snapshot) => snapshot.value),
    names: snapshots.map((snapshot) => outermost(snapshot.value)),
    final: snapshots.map((snapshot) => snapshot.status === 'done'),
    cells,
    events,
    indexOf: (value) => {
      if (typeof value === 'string') return find(value)
      const found = known.get(value) ?? find(value)
      known.set(value, found)
      return found
    },
  }
}
