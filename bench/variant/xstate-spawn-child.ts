/** XState's own way: a parent machine that spawns a child per task, capped at the limit. Quadratic beyond it, hence small counts only. */
import { assign, createActor, fromPromise, setup, spawnChild } from 'xstate'
import { Check, LIMIT, task, type Variant } from '../job.ts'

export const variant: Variant = {
  async spawn(n) {
    const check = new Check(n)
    const job = fromPromise(async ({ input, signal }: { input: number; signal: AbortSignal }) => {
      try {
        check.done(await task(input, signal))
      } catch {
        check.failed()
      }
    })
    const parent = setup({ types: { context: {} as { next: number; ended: number } }, actors: { job } }).createMachine({
      context: { next: LIMIT, ended: 0 },
      entry: Array.from({ length: LIMIT }, (_, i) => spawnChild('job', { id: `${i}`, input: i })),
      initial: 'running',
      states: {
        running: {
          always: { guard: ({ context }) => context.ended === n, target: 'done' },
          on: {
            'xstate.done.actor.*': [
              {
                guard: ({ context }) => context.next < n,
                actions: [
                  spawnChild('job', { id: ({ context }) => `${context.next}`, input: ({ context }) => context.next }),
                  assign({ next: ({ context }) => context.next + 1, ended: ({ context }) => context.ended + 1 }),
                ],
              },
              { actions: assign({ ended: ({ context }) => context.ended + 1 }) },
            ],
          },
        },
        done: { type: 'final' },
      },
    })
    await new Promise<void>((resolve) => {
      const actor = createActor(parent)
      actor.subscribe({ complete: resolve, error: () => undefined })
      actor.start()
    })
    check.verify()
  },
}
