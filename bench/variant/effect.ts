import { Effect, Exit, Fiber, FiberMap, Queue, Schedule, Semaphore } from 'effect'
import { askAll, Check, LIMIT, sendAll, stream, Sum, task, TIMEOUT, type Variant } from '../job.ts'

const work = (i: number): Effect.Effect<number, unknown> =>
  Effect.tryPromise({ try: (signal) => task(i, signal), catch: (error) => error }).pipe(Effect.timeout(TIMEOUT))

async function through(
  n: number,
  permits: number,
  check: Check,
  submitAll: (submit: (i: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const program = Effect.gen(function* () {
    const map = yield* FiberMap.make<number, number, unknown>()
    const semaphore = yield* Semaphore.make(permits)
    const run = yield* FiberMap.runtime(map)<never>()
    yield* Effect.promise(() =>
      submitAll(
        (i) =>
          new Promise((resolve) => {
            run(i, semaphore.withPermits(1)(work(i))).addObserver((exit) => {
              if (Exit.isSuccess(exit)) check.done(exit.value)
              else check.failed()
              resolve()
            })
          }),
      ),
    )
  })
  await Effect.runPromise(Effect.scoped(program))
  void n
}

export const variant: Variant = {
  async send(n) {
    const sum = new Sum()
    const program = Effect.gen(function* () {
      const queue = yield* Queue.unbounded<number>()
      const receiver = yield* Effect.forkChild(Effect.forever(Effect.map(Queue.take(queue), (i) => sum.add(i))))
      yield* Effect.promise(() => sendAll(n, sum, (i) => Queue.offerUnsafe(queue, i)))
      yield* Fiber.interrupt(receiver)
    })
    await Effect.runPromise(program)
  },

  async ask(n) {
    const program = Effect.gen(function* () {
      const queue = yield* Queue.unbounded<{ readonly i: number; readonly reply: (value: number) => void }>()
      const receiver = yield* Effect.forkChild(Effect.forever(Effect.map(Queue.take(queue), ({ i, reply }) => reply(2 * i))))
      yield* Effect.promise(() => askAll(n, (i) => new Promise((reply) => Queue.offerUnsafe(queue, { i, reply }))))
      yield* Fiber.interrupt(receiver)
    })
    await Effect.runPromise(program)
  },

  async spawn(n) {
    const check = new Check(n)
    await through(n, LIMIT, check, async (submit) => void (await Promise.all(Array.from({ length: n }, (_, i) => submit(i)))))
    check.verify()
  },

  async streamed(n) {
    const check = new Check(n)
    await through(n, LIMIT, check, (submit) => stream(n, submit))
    check.verify()
  },

  async restart(n) {
    let attempt = 0
    const body = Effect.tryPromise(async () => {
      await undefined
      if (++attempt <= n) throw new Error('again')
      return attempt
    })
    const last = await Effect.runPromise(Effect.retry(body, Schedule.recurs(n + 1)))
    if (last !== n + 1) throw new Error(`ended at ${last}`)
  },

  async live(n) {
    const body = Effect.tryPromise((signal) => new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))).pipe(
      Effect.timeout(60_000),
    )
    const fibers = Array.from({ length: n }, () => Effect.runFork(body))
    await new Promise((resolve) => setImmediate(resolve))
    return async () => {
      await Effect.runPromise(Fiber.interruptAll(fibers))
    }
  },
}
