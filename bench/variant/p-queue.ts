import PQueue, { TimeoutError } from 'p-queue'
import { callAll, Check, LIMIT, stream, task, TIMEOUT, type Variant } from '../job.ts'

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
