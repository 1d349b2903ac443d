/** Heap, handles and listeners over long runs; needs --expose-gc, which vitest.config.ts gives. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { type AppManager, createGlobalManager, handleSignals, type LocalManager, type RoutineContext } from 'curtaincall'

const MB = 1024 * 1024

async function heap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await sleep(1)
  }
  return process.memoryUsage().heapUsed
}

async function run(local: LocalManager, count: number, signal: AbortSignal): Promise<void> {
  let left = count
  await new Promise<void>((resolve) => {
    const next = (): void => {
      if (left-- <= 0) {
        if (local.count === 0) resolve()
        return
      }
      const i = left
      const body = (): unknown => {
        if (i % 100 === 0) throw new Error('one in a hundred')
        return i
      }
      const routine = local.spawn('job', i % 3 === 0 ? async () => body() : body, { timeout: 60_000, signal })
      void routine.outcome.then(next)
    }
    for (let i = 0; i < 100; i++) next()
  })
}

test('C1: after 1,000,000 routines heap, registries, timers and listeners are where they were', async () => {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const { signal } = new AbortController()
  await run(local, 50_000, signal)
  const resources = process.getActiveResourcesInfo().length
  const before = await heap()
  await run(local, 1_000_000, signal)
  const after = await heap()
  expect(local.metrics()).toMatchObject({ spawned: 1_050_000, pending: 0, running: 0, orphaned: 0 })
  expect([local.count, local.routines().length, global.count]).toEqual([0, 0, 0])
  expect(after - before).toBeLessThan(2 * MB)
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(resources)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  await global.shutdown()
})

test('C3: 100,000 waits with a timeout leave heap and timers where they were', async () => {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: 1 })
  const { signal } = new AbortController()
  const routine = local.spawn('x', ({ signal: own }) => new Promise((resolve) => own.addEventListener('abort', resolve)))
  const wait = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 10_000) {
      await Promise.all(Array.from({ length: 10_000 }, () => local.waitFor('x', { timeout: 1, signal })))
    }
  }
  await wait(20_000)
  const resources = process.getActiveResourcesInfo().length
  const before = await heap()
  await wait(100_000)
  expect((await heap()) - before).toBeLessThan(1 * MB)
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(resources)
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  await routine.cancel()
  await global.shutdown()
})

test('C6: 2,000 trees made, used and shut down leave heap, timers and process listeners where they were', async () => {
  const once = async (): Promise<void> => {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local')
    for (let i = 0; i < 5; i++) {
      local.spawn('x', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)), { timeout: 60_000 })
    }
    await Promise.resolve()
    await global.shutdown()
  }
  for (let i = 0; i < 200; i++) await once()
  const resources = process.getActiveResourcesInfo().length
  const before = await heap()
  for (let i = 0; i < 2_000; i++) await once()
  expect((await heap()) - before).toBeLessThan(1 * MB)
  expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(resources)
})

test('C1: an abandoned body that never settles does not keep its routine’s manager busy', async () => {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: 1 })
  for (let i = 0; i < 100; i++) await local.spawn('deaf', () => new Promise(() => undefined)).kill()
  expect([local.count, local.routines().length]).toEqual([0, 0])
  await global.shutdown()
})

test("S3: a routine's signal lets go of listeners that were taken off, dropped by a signal of their own, or given up", async () => {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  let signal = AbortSignal.abort()
  const body = (context: { signal: AbortSignal }): Promise<unknown> => {
    signal = context.signal
    return new Promise((resolve) => signal.addEventListener('abort', resolve))
  }
  await local.spawn('service', body).started
  const added: WeakRef<() => void>[] = []
  const listen = (options?: AddEventListenerOptions): (() => void) => {
    const listener = (): void => undefined
    added.push(new WeakRef(listener))
    signal.addEventListener('abort', listener, options)
    return () => signal.removeEventListener('abort', listener, options)
  }
  const all = (): void => {
    for (let i = 0; i < 100; i++) {
      const leave = [listen(), listen(), listen({ capture: true })]
      for (const each of leave) each()
      const gone = new AbortController()
      listen({ signal: gone.signal })
      gone.abort()
    }
  }
  all()
  await heap()
  expect(added).toHaveLength(400)
  // The platform may still have the very last in its hands.
  expect(added.filter((each) => each.deref() !== undefined).length).toBeLessThan(3)
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  await global.shutdown()
})

test('C3: 50,000 waits for a message that are given up leave nothing behind', async () => {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const done = Promise.withResolvers<number>()
  const body = async (context: RoutineContext<undefined, string, string>): Promise<void> => {
    const giveUp = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const waiting = context.messages[Symbol.asyncIterator]()
        const next = waiting.next()
        await waiting.return?.()
        await next
      }
    }
    await giveUp(1_000)
    const before = await heap()
    await giveUp(50_000)
    done.resolve((await heap()) - before)
    for await (const { message, reply } of context.messages) reply(message)
  }
  const routine = local.spawn('receiver', body)
  expect(await done.promise).toBeLessThan(MB)
  expect(await routine.ask('hello')).toBe('hello')
  await global.shutdown()
})

const once = createMachine({ initial: 'on', states: { on: { on: { go: 'off' } }, off: { type: 'final' } } })

const LIVES = {
  'routines that are machines': async (_: AppManager, local: LocalManager) => {
    const routine = local.spawn('machine', once)
    await routine.started
    routine.send({ type: 'go' })
    await routine.outcome
  },
  'routines that are genuine actors': async (_: AppManager, local: LocalManager) => void (await local.spawn('actor', () => 1).outcome),
  'managers with names of their own': async (app: AppManager, _: LocalManager, i: number) =>
    void (await app.createLocal(`l${i}`).shutdown()),
}

test.each(Object.entries(LIVES))('A3: 40,000 %s leave nothing in the machines of the process', async (_, live) => {
  const global = createGlobalManager({ strict: true })
  const app = global.createApp('app')
  const local = app.createLocal('local')
  const lives = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) await live(app, local, i)
  }
  await lives(0, 10_000)
  const before = await heap()
  await lives(10_000, 50_000)
  // XState would keep 240 B for each.
  expect((await heap()) - before).toBeLessThan(1.5 * MB)
  await global.shutdown()
})

test('AC2: the store of a request that is over is kept by no timer that others share', async () => {
  const request = new AsyncLocalStorage<object>()
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const mute = local.spawn('mute', async ({ messages }: RoutineContext<undefined, number>) => {
    for await (const { message } of messages) void message
  })
  await mute.started
  const ask = (store: object): WeakRef<object> => {
    request.run(store, () => void mute.ask(0, { timeout: 50 }).catch(() => undefined))
    return new WeakRef(store)
  }
  const first = ask({ page: new Uint8Array(1_000_000) })
  // There is one at every moment, as long as it lasts.
  for (let i = 0; i < 12; i++) {
    await sleep(10)
    ask({})
    globalThis.gc?.()
  }
  expect(first.deref()).toBe(undefined)
  await global.shutdown({ mode: 'immediate' })
})

test('AC2: nor by the handle of a routine or of a manager that has ended in it', async () => {
  const request = new AsyncLocalStorage<object>()
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const handles: unknown[] = []
  const handle = async (store: object): Promise<WeakRef<object>> => {
    await request.run(store, async () => {
      const over = local.spawn('over', () => undefined, { timeout: 60_000 })
      const manager = global.createApp('another')
      handles.push(over, manager)
      await over.outcome
      await manager.shutdown()
    })
    return new WeakRef(store)
  }
  const first = await handle({ page: new Uint8Array(1_000_000) })
  await sleep(10)
  await heap()
  expect(first.deref()).toBe(undefined)
  expect(handles).toHaveLength(2)
  await global.shutdown()
})

test('AC2: in a chain of work, each spawned by the one before, nobody keeps the stores of those before it', async () => {
  const request = new AsyncLocalStorage<object>()
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const seen: WeakRef<object>[] = []
  const done = Promise.withResolvers<void>()
  const next = (left: number): void => {
    const store = { left, page: new Uint8Array(100_000) }
    seen.push(new WeakRef(store))
    request.run(store, () => {
      local.spawn('link', () => (left === 0 ? done.resolve() : next(left - 1)))
    })
  }
  next(50)
  await done.promise
  await sleep(1)
  await heap()
  expect(seen.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(3)
  await global.shutdown()
})

test('C6: signals that were handled and let go of leave nothing on a tree that lives', async () => {
  const global = createGlobalManager()
  const once = (count: number): void => {
    for (let i = 0; i < count; i++) handleSignals(global, ['SIGUSR2'])()
  }
  once(1_000)
  const before = await heap()
  once(20_000)
  expect((await heap()) - before).toBeLessThan(1 * MB)
  await global.shutdown()
})
