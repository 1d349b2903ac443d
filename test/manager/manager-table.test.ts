/** The managers' table stands in the sources as a constant; here it is asked for again. */
import { expect, test } from 'vitest'
import { MANAGER_EVENTS, stepOf } from '../../src/manager/manager-steps.ts'
import { STATES, steps } from '../../src/manager/manager-table.ts'
import { holdManagersEqual } from '../support/equality.ts'
import { managerMachines, tabulate, textOfTable } from '../support/manager-table.ts'

test("MT1: the table in the sources is the one that XState's own transition() gives, of all three levels", async () => {
  await expect(textOfTable()).toMatchFileSnapshot('../../src/manager/manager-table.ts')
  for (const machine of managerMachines) expect(tabulate(machine)).toEqual({ states: STATES, steps })
})

test('MS1: what is none of its events leads to nothing', () => {
  for (const stage of STATES.keys()) expect(stepOf(stage, { type: 'unheard of' })).toBe(0)
})

test('MS1: on random scripts the table decides what XState decides, context and effects included', () => {
  const { steps: made, met } = holdManagersEqual(2_000)
  expect(made).toBeGreaterThan(5_000)
  // All but final states, which have no columns, met all events.
  expect(met.size).toBeGreaterThan((steps.length / MANAGER_EVENTS.length) * 5)
})
