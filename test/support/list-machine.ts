/** A machine that remembers all that it was told: what lasts of it can be held against what was sent. */
import { assign, raise, setup } from 'xstate'

export interface Message {
  readonly type: 'add' | 'end' | 'fail' | 'ring'
  readonly n: number
}

/** Its state is the list of all that it has handled; half a second after each message it notes that, too. */
export const list = setup({ types: { context: {} as { all: string[] }, events: {} as Message } }).createMachine({
  context: { all: [] },
  initial: 'on',
  states: { on: {}, over: { type: 'final' } },
  on: {
    add: {
      actions: [
        assign(({ context, event }) => ({ all: [...context.all, `${event.n}`] })),
        raise(({ event }) => ({ type: 'ring' as const, n: event.n }), { delay: 500 }),
      ],
    },
    ring: { actions: assign(({ context, event }) => ({ all: [...context.all, `ring ${event.n}`] })) },
    end: '.over',
    fail: {
      actions: () => {
        throw new Error('a crash')
      },
    },
  },
  output: ({ context }) => context.all,
})
