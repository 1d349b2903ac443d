/** What one would write without a library: a promise, an AbortController, a timer, a counter. */
import { Check, LIMIT, stream, task, TIMEOUT, type Variant } from '../job.ts'
import { beating, MANY, perOperation, SILENCE, throws, timed } from '../own-time.ts'

function refuse(): never {
  throw new Error('no more than one')
}

function supervise(i: number): Promise<number> {
  const controller = new AbortController()
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => controller.abort(new Error('timeout')), TIMEOUT)
    task(i, controller.signal)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject)
  })
}

/** Ten that are started together; the last fails n times, the others are told to stop, and once they have, all are started again. */
async function oneForAll(n: number): Promise<void> {
  let starts = 0
  let crashes = 0
  const steady = (signal: AbortSignal): Promise<void> => {
    starts++
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  }
  const fragile = async (): Promise<void> => {
    starts++
    await undefined
    if (crashes++ < n) throw new Error('again')
  }
  for (let isDone = false; !isDone; ) {
    const controllers = Array.from({ length: 9 }, () => new AbortController())
    const others = controllers.map(({ signal }) => steady(signal))
    let reason: unknown = 'done'
    try {
      await fragile()
      isDone = true
    } catch (error) {
      reason = error
    }
    for (const controller of controllers.toReversed()) controller.abort(reason)
    await Promise.all(others)
  }
  if (starts !== 10 * (n + 1)) throw new Error(`${starts} starts instead of ${10 * (n + 1)}`)
}

const each = (i: number, check: Check): Promise<void> =>
  supervise(i).then(
    (output) => check.done(output),
    () => check.failed(),
  )

export const variant: Variant = {
  async spawn(n) {
    const check = new Check(n)
    const waiting: (() => void)[] = []
    let running = 0
    let next = 0
    const release = (): void => {
      running--
      waiting[next++]?.()
    }
    const submit = async (i: number): Promise<void> => {
      if (running >= LIMIT) await new Promise<void>((resolve) => waiting.push(resolve))
      running++
      await each(i, check)
      release()
    }
    await Promise.all(Array.from({ length: n }, (_, i) => submit(i)))
    check.verify()
  },

  async streamed(n) {
    const check = new Check(n)
    await stream(n, (i) => each(i, check))
    check.verify()
  },

  async restart(n) {
    let attempt = 0
    const body = async (): Promise<number> => {
      await undefined
      if (++attempt <= n) throw new Error('again')
      return attempt
    }
    for (;;) {
      try {
        await body()
        return
      } catch {}
    }
  },

  alone: { 'one-for-all': oneForAll },

  figures: {
    refused: () => perOperation(() => timed(MANY, () => throws(refuse, /^no more/))),
    beating: (n) =>
      beating(
        Array.from({ length: n }, () => {
          const timer = setTimeout(() => undefined, SILENCE)
          return () => void timer.refresh()
        }),
      ),
  },

  async live(n, kind) {
    const controllers: AbortController[] = []
    const promises: Promise<unknown>[] = []
    for (let i = 0; i < n; i++) {
      const controller = new AbortController()
      controllers.push(controller)
      const body = new Promise((resolve) => controller.signal.addEventListener('abort', resolve, { once: true }))
      if (kind === 'bare') promises.push(body)
      else {
        const timer = setTimeout(() => controller.abort(), 60_000)
        promises.push(body.finally(() => clearTimeout(timer)))
      }
    }
    const reason = new Error('stop')
    return async () => {
      for (const controller of controllers) controller.abort(reason)
      // One by one: Promise.all would add 200 B to each.
      for (const promise of promises) await promise
    }
  },
}
