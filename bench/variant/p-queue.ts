import PQueue, { TimeoutError } from 'p-queue'
import { callAll, Check, LIMIT, oneByOne, plainTask, stream, task, TIMEOUT, type Variant } from '../job.ts'

function submit(queue: PQueue, i: number, check: Check): Promise<void> {
  const controller = new AbortController()
  return queue
    .add(() => task(i, controller.signal), { timeout: TIMEOUT })
    .then(
      (output) => check.done(output),
      (error: unknown) => {
        if (error instanceof TimeoutError) controller.abort()
        check.failed()
      },
    )
}

function submitPlain(queue: PQueue, i: number, check: Check): Promise<void> {
  return queue
    .add(() => plainTask(i))
    .then(
      (output) => check.done(output),
      () => check.failed(),
    )
}

/** Has all of them run, at most {@link LIMIT} at a time. */
async function plainly(n: number, run: (n: number, each: (i: number) => Promise<void>) => Promise<unknown>): Promise<void> {
  const queue = new PQueue({ concurrency: LIMIT })
  const check = new Check(n)
  await run(n, (i) => submitPlain(queue, i, check))
  check.verify()
}

export const variant: Variant = {
  async spawn(n) {
    const queue = new PQueue({ concurrency: LIMIT })
    const check = new Check(n)
    await Promise.all(Array.from({ length: n }, (_, i) => submit(queue, i, check)))
    check.verify()
  },

  async streamed(n) {
    const queue = new PQueue({ concurrency: LIMIT })
    const check = new Check(n)
    await stream(n, (i) => submit(queue, i, check))
    check.verify()
  },

  spawnPlain: (n) => plainly(n, (count, each) => Promise.all(Array.from({ length: count }, (_, i) => each(i)))),
  streamedPlain: (n) => plainly(n, stream),
  single: (n) => plainly(n, oneByOne),

  async call(n, timed) {
    const queue = new PQueue({ concurrency: LIMIT })
    const check = new Check(n)
    await callAll(n, (i) => timed(() => submit(queue, i, check)))
    check.verify()
  },

  async live(n) {
    const queue = new PQueue({ concurrency: n })
    const controllers: AbortController[] = []
    const promises: Promise<unknown>[] = []
    for (let i = 0; i < n; i++) {
      const controller = new AbortController()
      controllers.push(controller)
      const body = (): Promise<unknown> => new Promise((resolve) => controller.signal.addEventListener('abort', resolve, { once: true }))
      promises.push(queue.add(body, { timeout: 60_000 }))
    }
    const reason = new Error('stop')
    return async () => {
      for (const controller of controllers) controller.abort(reason)
      await Promise.all(promises)
    }
  },
}
