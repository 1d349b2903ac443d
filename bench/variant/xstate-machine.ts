/** One plain XState machine per task: an invoked promise, a timeout by `after`; the limit by hand. */
import { createActor, fromPromise, setup } from 'xstate'
import { askAll, Check, sendAll, stream, Sum, task, TIMEOUT, type Variant } from '../job.ts'

const machine = setup({
  types: { input: {} as { i: number }, context: {} as { i: number; output?: number }, events: {} as { type: 'again' } },
  actors: { task: fromPromise(({ input, signal }: { input: { i: number }; signal: AbortSignal }) => task(input.i, signal)) },
}).createMachine({
  context: ({ input }) => input,
  initial: 'running',
  states: {
    running: {
      invoke: { src: 'task', input: ({ context }) => context, onDone: 'done', onError: 'failed' },
      after: { [TIMEOUT]: 'failed' },
    },
    done: { type: 'final' },
    failed: { type: 'final' },
  },
})

function submit(i: number, check: Check): Promise<void> {
  return new Promise((resolve) => {
    const actor = createActor(machine, { input: { i } })
    actor.subscribe({
      complete: () => {
        if (actor.getSnapshot().value === 'done') check.done(i)
        else check.failed()
        resolve()
      },
      error: () => undefined,
    })
    actor.start()
  })
}

/** A receiver without a supervisor: a machine that adds up, and answers. */
const receiver = setup({
  types: {
    context: {} as { sum: Sum },
    input: {} as Sum,
    events: {} as { type: 'add'; i: number } | { type: 'double'; i: number; reply: (value: number) => void },
  },
}).createMachine({
  context: ({ input }) => ({ sum: input }),
  on: {
    add: { actions: ({ context, event }) => context.sum.add(event.i) },
    double: { actions: ({ event }) => event.reply(2 * event.i) },
  },
})

export const variant: Variant = {
  async send(n) {
    const sum = new Sum()
    const actor = createActor(receiver, { input: sum }).start()
    await sendAll(n, sum, (i) => actor.send({ type: 'add', i }))
    actor.stop()
  },

  async ask(n) {
    const actor = createActor(receiver, { input: new Sum() }).start()
    await askAll(n, (i) => new Promise((reply) => actor.send({ type: 'double', i, reply })))
    actor.stop()
  },

  async spawn(n) {
    const check = new Check(n)
    await stream(n, (i) => submit(i, check))
    check.verify()
  },

  async streamed(n) {
    return this.spawn?.(n)
  },

  async restart(n) {
    let attempt = 0
    const again = setup({
      actors: {
        body: fromPromise(async () => {
          await undefined
          if (++attempt <= n) throw new Error('again')
        }),
      },
    }).createMachine({
      initial: 'running',
      states: {
        running: { invoke: { src: 'body', onDone: 'done', onError: { target: 'running', reenter: true } } },
        done: { type: 'final' },
      },
    })
    await new Promise<void>((resolve) => {
      const actor = createActor(again)
      actor.subscribe({ complete: resolve, error: () => undefined })
      actor.start()
    })
  },
}
