/** Effect's own way for a known number of tasks; it forks the next one when one ends, so that queued and streamed are the same. */
import { Effect, Exit } from 'effect'
import { Check, LIMIT, task, TIMEOUT, type Variant } from '../job.ts'

export const variant: Variant = {
  async spawn(n) {
    const check = new Check(n)
    const each = (i: number) =>
      Effect.tryPromise({ try: (signal) => task(i, signal), catch: (error) => error }).pipe(
        Effect.timeout(TIMEOUT),
        Effect.exit,
        Effect.map((exit) => {
          if (Exit.isSuccess(exit)) check.done(exit.value)
          else check.failed()
        }),
      )
    const all = Array.from({ length: n }, (_, i) => i)
    await Effect.runPromise(Effect.forEach(all, each, { concurrency: LIMIT, discard: true }))
    check.verify()
  },

  async streamed(n) {
    return this.spawn?.(n)
  },
}
