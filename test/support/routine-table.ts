/** The routine's table as src/routine/routine-table.ts has it: made from the machine by XState itself. */
import { ROUTINE_EVENTS, routineMachine, tabulate, type TransitionTable } from '../../machines/index.ts'
import { EFFECTS, FIELDS } from '../../src/routine/routine-effects.ts'
import { EFFECT, FIELD, FINAL, HANDLED, KILLS, STRANDS, TARGET } from '../../src/routine/routine-steps.ts'

/** What the machine decides, by XState's own `transition()`. */
export const table: TransitionTable = tabulate(routineMachine, ROUTINE_EVENTS, ['output', 'error', 'reason'])

/** One cell after the other. */
function stepsOf({ states, cells, final }: TransitionTable): number[] {
  if (states.length > TARGET + 1) throw new Error(`the routine's machine has ${states.length} states`)
  return cells.map(({ target, actions, copies, raises, handled }) => {
    const effect = actions.length === 0 ? 0 : EFFECTS.indexOf(actions[0] as (typeof EFFECTS)[number])
    const field = copies.length === 0 ? 0 : FIELDS.indexOf(copies[0] as (typeof FIELDS)[number])
    if (effect < 0 || field < 0 || actions.length > 1 || copies.length > 1)
      throw new Error(`more than one effect or field: ${actions.join()} ${copies.join()}`)
    const raised = (raises.includes('killed') ? KILLS : 0) | (raises.includes('stuck') ? STRANDS : 0)
    const flags = (handled ? HANDLED : 0) | raised | (final[target] === true ? FINAL : 0)
    return target | (effect << EFFECT) | (field << FIELD) | flags
  })
}

const quoted = (text: string): string => `'${text}'`
const hex = (step: number): string => `0x${step.toString(16).padStart(3, '0')}`

/** The text of the file. */
export function textOfTable(): string {
  const values = table.states.map((value) =>
    typeof value === 'string'
      ? quoted(value)
      : `{ ${Object.entries(value)
          .map(([outer, inner]) => `${outer}: ${quoted(inner as string)}`)
          .join(', ')} }`,
  )
  const steps = stepsOf(table)
  const width = ROUTINE_EVENTS.length
  const rows = table.states.map(
    (_, row) =>
      `    [${steps
        .slice(row * width, (row + 1) * width)
        .map(hex)
        .join(', ')}],`,
  )
  return `/**
 * The table of machines/routine.ts, in integers that routine-steps.ts takes apart. To ask XState for it takes the first routine of a
 * process three milliseconds.
 *
 * N2  It is written by \`npx vitest run test/routine/routine-table.test.ts --update=all\`, which otherwise holds it to what XState's own
 *     \`transition()\` decides, state by state and event by event.
 */
import type { StateValue } from 'xstate'

/** The states, a row each; the first is the initial one. */
export const STATES: readonly StateValue[] = [
${values.map((value) => `  ${value},`).join('\n')}
]

/** The outermost name of each. */
export const STATE_NAMES: readonly string[] = [
${table.names.map((name) => `  ${quoted(name)},`).join('\n')}
]

/** steps[row * ROUTINE_EVENTS.length + event] */
export const steps: Int32Array = /* @__PURE__ */ Int32Array.from(
  [
${rows.join('\n')}
  ].flat(),
)
`
}
