/** The managers' table stands in the sources as a constant; here it is asked for again. */
import { expect, test } from 'vitest'
import { columnOf, MANAGER_EVENTS, steps } from '../../src/manager/manager-steps.ts'
import { FLAGS, STATES } from '../../src/manager/manager-table.ts'
import { eventOf, tables, textOfTable } from '../support/manager-table.ts'
import { holdManagersEqual } from '../support/equality.ts'

test("MT1: the table in the sources is the one that XState's own transition() gives, of all three levels", async () => {
  await expect(textOfTable()).toMatchFileSnapshot('../../src/manager/manager-table.ts')
  for (const { rows, steps: own } of tables) {
    expect(rows).toEqual(STATES.map((value, row) => ({ value, flags: FLAGS[row] })))
    expect(own).toEqual([...steps])
  }
})

test('MS1: each of its events has a column, and no other', () => {
  expect(MANAGER_EVENTS.map((column) => columnOf(eventOf(column)))).toEqual(MANAGER_EVENTS.map((_, column) => column))
  expect(columnOf({ type: 'unheard of' })).toBe(-1)
})

test('MS1: on random scripts the table decides what XState decides, context and effects included', () => {
  const { steps: made, met } = holdManagersEqual(1_000)
  expect(made).toBeGreaterThan(3_000)
  expect(met.size).toBeGreaterThan(100)
})
