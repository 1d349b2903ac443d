/** The managers' table as src/manager/manager-table.ts has it: made from their machine by XState itself. */
import { type AnyMachineSnapshot, type AnyStateMachine, type EventObject, initialTransition, type StateValue, transition } from 'xstate'
import { appManagerMachine, globalManagerMachine, localManagerMachine } from '../../machines/index.ts'
import { EFFECT, EFFECTS, GAVE_UP, HANDLED, HURRIED, MANAGER_EVENTS, STATE } from '../../src/manager/manager-steps.ts'

/** The machines that the table is of: one for each level, which decide the same. */
export const managerMachines: readonly AnyStateMachine[] = [globalManagerMachine, appManagerMachine, localManagerMachine]

interface Context {
  readonly gaveUp: boolean
  readonly hurried: boolean
  readonly error: unknown
}

/** The event that a column stands for, and the context in which it does. */
function columnAs(column: string, context: Context): readonly [EventObject, Context] {
  const [type = '', word] = column.split(' ')
  const mode = word === 'immediate' ? { mode: word } : {}
  const flags = type === 'phaseDone' ? { gaveUp: word === 'gaveUp', hurried: word === 'hurried' } : {}
  return [
    { type, ...mode, ...{ error: Symbol('error') } },
    { ...context, ...flags },
  ]
}

const isFinal = (machine: AnyStateMachine, value: StateValue): boolean => machine.resolveState({ value, context: {} }).status === 'done'

/** The states in the order in which they are reached, the final ones last, and what is decided in those that are not. */
export function tabulate(machine: AnyStateMachine): { readonly states: readonly StateValue[]; readonly steps: readonly number[] } {
  const [{ value: first, context }] = initialTransition(machine, undefined) as [AnyMachineSnapshot, unknown]
  const states = [first as StateValue]
  const cells: { readonly next: AnyMachineSnapshot; readonly effect: string; readonly handled: boolean; readonly before: Context }[] = []
  for (const value of states) {
    if (isFinal(machine, value)) continue
    for (const column of MANAGER_EVENTS) {
      const [event, before] = columnAs(column, context as Context)
      const from = machine.resolveState({ value, context: before as never })
      const [next, actions] = transition(machine, from, event) as [AnyMachineSnapshot, readonly { readonly type: string }[]]
      if (actions.length > 1) throw new Error(`more than one effect: ${actions.map(({ type }) => type).join()}`)
      cells.push({ next, effect: actions[0]?.type ?? 'none', handled: next !== from || actions.length > 0, before })
      if (!states.some((state) => JSON.stringify(state) === JSON.stringify(next.value))) states.push(next.value as StateValue)
    }
  }
  const ordered = [...states.filter((value) => !isFinal(machine, value)), ...states.filter((value) => isFinal(machine, value))]
  if (ordered.length > STATE + 1) throw new Error(`the managers' machine has ${ordered.length} states`)
  const steps = cells.map(({ next, effect, handled, before }) => {
    const after = next.context as Context
    const target = ordered.findIndex((state) => JSON.stringify(state) === JSON.stringify(next.value))
    const sets = (after.hurried && !before.hurried ? HURRIED : 0) | (after.gaveUp && !before.gaveUp ? GAVE_UP : 0)
    if ((after.error !== before.error) !== ((sets & GAVE_UP) !== 0)) throw new Error('an error is kept by who gives up, and by no other')
    if (!handled) return 0
    return target | sets | (EFFECTS.indexOf(effect as 'none') << EFFECT) | HANDLED
  })
  return { states: ordered, steps }
}

const quoted = (text: string): string => `'${text}'`
const hex = (step: number): string => `0x${step.toString(16).padStart(3, '0')}`
const written = (value: StateValue): string =>
  typeof value === 'string' ? quoted(value) : `{ stopping: ${quoted(Object.values(value)[0] as string)} }`

/** The text of the file. */
export function textOfTable(): string {
  const { states, steps } = tabulate(globalManagerMachine)
  const width = MANAGER_EVENTS.length
  const rows = Array.from({ length: steps.length / width }, (_, row) => steps.slice(row * width, (row + 1) * width))
  return `/**
 * The table of machines/manager.ts, in integers that manager-steps.ts takes apart. To make that machine, and to ask XState for its first
 * decision, takes the first manager of a process four milliseconds.
 *
 * MT1 It is written by \`npx vitest run test/manager/manager-table.test.ts --update=all\`, which otherwise holds it to what XState's own
 *     \`transition()\` decides, state by state and event by event.
 */
import type { StateValue } from 'xstate'

/** The states, the final ones last; the first is the initial one. */
export const STATES: readonly StateValue[] = [
${states.map((value) => `  ${written(value)},`).join('\n')}
]

/** steps[state * MANAGER_EVENTS.length + column]; of final states there are none. */
export const steps: readonly number[] = /* @__PURE__ */ [
${rows.map((row) => `  [${row.map(hex).join(', ')}],`).join('\n')}
].flat()
`
}
