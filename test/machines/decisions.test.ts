/** Decisions that are asked of XState once, and then remembered. */
import { expect, test, vi } from 'vitest'
import { type AnyMachineSnapshot, assign, initialTransition, setup, type StateValue } from 'xstate'
import { Decisions, follow } from '../../machines/decisions.ts'
import { holdRemembered } from '../support/equality.ts'

const machine = setup({
  types: {
    context: {} as { open: boolean; note: unknown; list: unknown },
    events: {} as { type: 'go' | 'note' | 'list' | 'open' | 'never'; how?: string; note?: unknown },
  },
  actions: { act: () => undefined },
  guards: { may: ({ context, event }) => context.open && event.how === 'quick' },
}).createMachine({
  initial: 'a',
  context: { open: false, note: undefined, list: undefined },
  states: {
    a: {
      on: {
        go: [{ guard: 'may', target: 'b', actions: 'act' }, { actions: 'act' }],
        open: { actions: assign({ open: true }) },
        note: { actions: assign({ note: ({ event }) => event.note }) },
        list: { actions: assign({ list: ({ event }) => [event.note] }) },
      },
    },
    b: { type: 'final' },
  },
})
const terms = { events: ['go', 'open', 'note', 'list', 'never'], fields: ['note'], flags: ['open'], words: ['how'] }

const begin = () => {
  const decisions = new Decisions(machine, terms)
  const [initial] = initialTransition(machine)
  return { decisions, first: initial as AnyMachineSnapshot }
}

test('D2: a decision hangs on the state, the event, flags and words, and is asked for once for each of these', () => {
  const { decisions, first } = begin()
  const asked = vi.spyOn(machine, 'transition')
  const step = (from: AnyMachineSnapshot, event: { type: string; how?: string; note?: unknown }): AnyMachineSnapshot => {
    const decision = decisions.of(from, event)
    if (decision === undefined) throw new Error(`nothing is known of ${event.type}`)
    return follow(decision, from, event)
  }
  const stateOf = ({ value, context }: AnyMachineSnapshot): [StateValue, unknown] => [value as StateValue, context.note]
  for (let time = 0; time < 3; time++) {
    const noted = step(first, { type: 'note', note: time })
    expect(stateOf(noted)).toEqual(['a', time])
    expect(stateOf(step(noted, { type: 'go', how: 'quick' }))).toEqual(['a', time])
    const open = step(noted, { type: 'open' })
    expect(stateOf(step(open, { type: 'go', how: 'slow' }))).toEqual(['a', time])
    expect(stateOf(step(open, { type: 'go', how: 'quick' }))).toEqual(['b', time])
    expect(step(open, { type: 'never' })).toBe(open)
  }
  expect(asked).toHaveBeenCalledTimes(6)
  vi.restoreAllMocks()
})

test('D3: what is none of its events, and what makes a value of its own, is left to the machine', () => {
  const { decisions, first } = begin()
  expect(decisions.of(first, { type: 'other' })).toBeUndefined()
  expect(decisions.of(first, { type: 'list' })).toBeUndefined()
  expect(decisions.of(first, { type: 'list' })).toBeUndefined()
})

test('D1: on random scripts what is remembered of routines and managers is what XState decides, to the last field of a snapshot', () => {
  expect(holdRemembered(300)).toBeGreaterThan(500)
})
