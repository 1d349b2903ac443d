import { assign, setup } from 'xstate'

/** A door that can be broken. */
export const door = setup({
  types: { context: {} as { opened: number }, events: {} as { type: 'open' } | { type: 'close' } | { type: 'break' } },
  guards: { isNew: ({ context }) => context.opened < 100 },
  actions: {
    fall: () => {
      throw new TypeError('off its hinges')
    },
    count: assign({ opened: ({ context }) => context.opened + 1 }),
  },
}).createMachine({
  id: 'door',
  context: { opened: 0 },
  initial: 'shut',
  states: {
    shut: { on: { open: { target: 'ajar', guard: 'isNew', actions: 'count' }, break: { actions: 'fall' } } },
    ajar: { on: { close: '#door.locked' } },
    locked: { type: 'final' },
  },
})
