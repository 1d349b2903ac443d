import { expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { tabulate } from 'curtaincall/machines'

const machine = setup({
  types: { context: {} as { was: boolean; is: boolean; note: unknown }, events: {} as { type: string; note?: unknown } },
  actions: {
    act: () => undefined,
    raise: assign({ is: true }),
    copy: assign(({ event }) => ({ note: event.note })),
  },
}).createMachine({
  initial: 'a',
  context: { was: true, is: false, note: undefined },
  states: {
    a: { on: { go: 'b', act: { actions: 'act' }, raise: { actions: 'raise' }, copy: { actions: 'copy' } } },
    b: { type: 'final' },
  },
})

test('T1, T2, T3: a cell holds what the transition does, and nothing that was so before', () => {
  const table = tabulate(machine, ['go', 'act', 'raise', 'copy', 'other'], ['note'])
  const nothing = { target: 0, actions: [], copies: [], raises: [], handled: false }
  expect(table.cells).toEqual([
    { ...nothing, target: 1, handled: true },
    { ...nothing, actions: ['act'], handled: true },
    { ...nothing, raises: ['is'], handled: true },
    { ...nothing, copies: ['note'], handled: true },
    nothing,
    ...Array.from({ length: 5 }, () => ({ ...nothing, target: 1 })),
  ])
  expect([table.states, table.names, table.final]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
    [false, true],
  ])
  expect(['a', 'b', 'c'].map((value) => table.indexOf(value))).toEqual([0, 1, -1])
})
