/** The routine's table stands in the sources as a constant; here it is asked for again. */
import { expect, test } from 'vitest'
import { steps } from '../../src/routine/routine-steps.ts'
import { STATE_NAMES, STATES } from '../../src/routine/routine-table.ts'
import { table, textOfTable } from '../support/routine-table.ts'

test("N2: the table in the sources is the one that XState's own transition() gives", async () => {
  await expect(textOfTable()).toMatchFileSnapshot('../../src/routine/routine-table.ts')
})

test('N2: its rows are the states, and as many as there are', () => {
  expect(STATES).toEqual(table.states)
  expect(STATE_NAMES).toEqual(table.names)
  expect(steps).toHaveLength(table.cells.length)
})
