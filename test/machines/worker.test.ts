/** The table of a worker stands in the sources; here XState is asked. */
import { expect, test } from 'vitest'
import { exploreMachine } from 'curtaincall/testing'
import { tabulate, WORKER_EVENTS, workerMachine } from 'curtaincall/machines'
import { WORKER_TABLE } from '../../src/ground/worker-table.ts'

test("N1: the table in the sources is the one that XState's own transition() gives", () => {
  const { states, cells } = tabulate(workerMachine, WORKER_EVENTS, [])
  const asked = Object.fromEntries(
    states.map((state, row) => {
      const steps = WORKER_EVENTS.flatMap((event, column) => {
        const { handled, target, actions } = cells[row * WORKER_EVENTS.length + column] as (typeof cells)[number]
        const to = states[target] as string
        return handled && state !== 'gone' ? [[event, actions.length === 0 ? { to } : { to, effect: actions[0] }]] : []
      })
      return [state as string, Object.fromEntries(steps) as object]
    }),
  )
  expect(WORKER_TABLE).toEqual(asked)
})

test('K1 to K3: every state leads to its end, and one that was told to end is never idle again', () => {
  const { deadlocks, trapped, violations, edges } = exploreMachine(workerMachine, { invariants: {} })
  expect([...deadlocks, ...trapped, ...violations]).toEqual([])
  const from = (state: string): string[] =>
    edges.filter((edge) => edge.from.includes(`"${state}"`)).map(({ to }) => to.replaceAll(/[^a-z]/g, ''))
  expect(from('terminating').every((to) => to.startsWith('stuck') || to.startsWith('gone'))).toBe(true)
  expect(from('stuck').every((to) => to.startsWith('gone'))).toBe(true)
})
