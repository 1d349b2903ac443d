/** The managers' table as src/manager/manager-table.ts has it: made from their machine by XState itself. */
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, type StateValue, transition } from 'xstate'
import { appManagerMachine, globalManagerMachine, localManagerMachine } from '../../machines/index.ts'
import { BLAMES, EFFECT, EFFECTS, GAVE_UP, HANDLED, HURRIED, MANAGER_EVENTS, TARGET } from '../../src/manager/manager-steps.ts'

/** The machines that the table is of: one for each level, which decide the same. */
export const managerMachines: readonly AnyStateMachine[] = [globalManagerMachine, appManagerMachine, localManagerMachine]

interface Context {
  readonly gaveUp: boolean
  readonly hurried: boolean
  readonly error: unknown
}

export interface ManagerRow {
  readonly value: StateValue
  readonly flags: number
}

export const flagsOf = ({ gaveUp, hurried }: Context): number => (gaveUp ? GAVE_UP : 0) | (hurried ? HURRIED : 0)

/** The event that a column stands for. */
export function eventOf(column: string, error?: unknown): EventObject {
  const [type = '', mode] = column.split(' ')
  return { type, ...(mode === undefined ? {} : { mode }), error } as EventObject
}

/** All that can be reached, in the order in which it is. */
function tabulate(machine: AnyStateMachine): { rows: ManagerRow[]; steps: number[] } {
  const [first] = initialTransition(machine, undefined) as [AnyMachineSnapshot, unknown]
  const snapshots = [first]
  const rows: ManagerRow[] = []
  const rowOf = (snapshot: AnyMachineSnapshot): number => {
    const [value, flags] = [JSON.stringify(snapshot.value), flagsOf(snapshot.context as Context)]
    const known = snapshots.findIndex((each) => JSON.stringify(each.value) === value && flagsOf(each.context as Context) === flags)
    return known >= 0 ? known : snapshots.push(snapshot) - 1
  }
  const steps: number[] = []
  const error = Symbol('error')
  for (const from of snapshots) {
    rows.push({ value: from.value as StateValue, flags: flagsOf(from.context as Context) })
    for (const column of MANAGER_EVENTS) {
      const [next, actions] = transition(machine, from, eventOf(column, error)) as [AnyMachineSnapshot, readonly { readonly type: string }[]]
      const effect = actions.length === 0 ? 0 : EFFECTS.indexOf(actions[0]?.type as (typeof EFFECTS)[number])
      const [before, after] = [from.context as Context, next.context as Context]
      if (effect < 0 || actions.length > 1) throw new Error(`more than one effect: ${actions.map(({ type }) => type).join()}`)
      const blames = after.error !== before.error || (after.error === error && column === 'giveUp' && next !== from)
      const handled = next !== from || actions.length > 0
      steps.push(rowOf(next) | (effect << EFFECT) | (handled ? HANDLED : 0) | (blames ? BLAMES : 0))
    }
  }
  if (rows.length > TARGET + 1) throw new Error(`the managers' machine has ${rows.length} states`)
  return { rows, steps }
}

/** Of each level. */
export const tables = managerMachines.map(tabulate)

const quoted = (text: string): string => `'${text}'`
const hex = (step: number): string => `0x${step.toString(16).padStart(3, '0')}`
const written = (value: StateValue): string =>
  typeof value === 'string' ? quoted(value) : `{ stopping: ${quoted(Object.values(value)[0] as string)} }`

/** The text of the file. */
export function textOfTable(): string {
  const { rows, steps } = tables[0] as (typeof tables)[number]
  const width = MANAGER_EVENTS.length
  const lines = rows.map((_, row) => `    [${steps.slice(row * width, (row + 1) * width).map(hex).join(', ')}],`)
  return `/**
 * The table of machines/manager.ts, in integers that manager-steps.ts takes apart. To make that machine and to ask XState for its first
 * decision takes the first manager of a process four milliseconds.
 *
 * MT1 It is written by \`npx vitest run -u test/manager/manager-table.test.ts\`, which otherwise holds it to what XState's own
 *     \`transition()\` decides, state by state and event by event.
 */
import type { StateValue } from 'xstate'

/** The state of each row; the first is the initial one. */
export const STATES: readonly StateValue[] = [
${rows.map(({ value }) => `  ${written(value)},`).join('\n')}
]

/** What the context of each says: that it gave up, and that it was made to hurry. */
export const FLAGS: readonly number[] = [${rows.map(({ flags }) => flags).join(', ')}]

/** steps[row * MANAGER_EVENTS.length + column] */
export const steps: Int32Array = /* @__PURE__ */ Int32Array.from(
  [
${lines.join('\n')}
  ].flat(),
)
`
}
