import { createGlobalManager, type LifecycleEvent, type LocalManager, type RoutineContext, type RoutineOptions } from '../../src/index.ts'
import {
  askAll,
  callAll,
  Check,
  DEADLINE,
  held,
  LIMIT,
  oneByOne,
  plainTask,
  sendAll,
  stream,
  Sum,
  task,
  TIMEOUT,
  type Variant,
} from '../job.ts'
import { beating, perOperation, expect, MANY, SILENCE, throws, timed } from '../own-time.ts'

async function submit(local: LocalManager, i: number, check: Check): Promise<void> {
  const outcome = await local.spawn('task', ({ signal }) => task(i, signal), { timeout: TIMEOUT }).outcome
  if (outcome.status === 'completed') check.done(outcome.output)
  else check.failed()
}

async function submitPlain(local: LocalManager, i: number, check: Check): Promise<void> {
  const outcome = await local.spawn('task', () => plainTask(i)).outcome
  if (outcome.status === 'completed') check.done(outcome.output)
  else check.failed()
}

/** Has all of them run, at most {@link LIMIT} at a time. */
async function plainly(n: number, run: (n: number, each: (i: number) => Promise<void>) => Promise<unknown>): Promise<void> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT, overflow: 'queue', maxQueue: n })
  const check = new Check(n)
  await run(n, (i) => submitPlain(local, i, check))
  check.verify()
  await global.shutdown()
}

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

async function dropped(): Promise<number> {
  const global = createGlobalManager()
  const mailbox = { capacity: 1, overflow: 'drop-newest' } as const
  const receiver = global.createApp('app').createLocal('local').spawn('deaf', untilAborted, { mailbox })
  await receiver.started
  receiver.send(0 as never)
  const figure = await perOperation(() => timed(MANY, () => receiver.send(1 as never)))
  let drops = 0
  global.on('message.dropped', () => drops++)
  receiver.send(2 as never)
  expect(drops, 1)
  return figure
}

function refused(): Promise<number> {
  const local = createGlobalManager().createApp('app').createLocal('local', { maxRoutines: 1 })
  local.spawn('task', untilAborted)
  return perOperation(() => timed(MANY, () => throws(() => local.spawn('task', untilAborted), /has no permit left/)))
}

async function beat(n: number): Promise<number> {
  const local = createGlobalManager().createApp('app').createLocal('local')
  const beats: (() => void)[] = []
  const body = (context: RoutineContext): Promise<void> => {
    beats.push(context.heartbeat)
    return untilAborted(context)
  }
  for (let i = 0; i < n; i++) local.spawn('task', body, { hungAfter: SILENCE })
  await new Promise((resolve) => setImmediate(resolve))
  const figure = await beating(beats)
  expect(local.metrics().running, n)
  return figure
}

/** Fails n times, and is started again by this. */
export async function restarted(n: number, options: RoutineOptions): Promise<void> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRestarts: Infinity })
  const body = async ({ incarnation }: { incarnation: number }): Promise<number> => {
    await undefined
    if (incarnation <= n) throw new Error('again')
    return incarnation
  }
  const last = await local.spawn('task', body, options).result()
  if (last !== n + 1) throw new Error(`ended at ${last}`)
  await global.shutdown()
}

export const variant: Variant = {
  figures: { dropped, refused, beating: beat },

  async spawn(n) {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT, overflow: 'queue', maxQueue: n })
    const check = new Check(n)
    await Promise.all(Array.from({ length: n }, (_, i) => submit(local, i, check)))
    check.verify()
    await global.shutdown()
  },

  async streamed(n) {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
    const check = new Check(n)
    await stream(n, (i) => submit(local, i, check))
    check.verify()
    await global.shutdown()
  },

  spawnPlain: (n) => plainly(n, (count, each) => Promise.all(Array.from({ length: count }, (_, i) => each(i)))),
  streamedPlain: (n) => plainly(n, stream),
  single: (n) => plainly(n, oneByOne),

  async spawnAndStop(n) {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
    let ran = 0
    const body = (context: RoutineContext): Promise<void> => {
      ran++
      return untilAborted(context)
    }
    await stream(n, async () => {
      const routine = local.spawn('task', body)
      await routine.started
      const outcome = await routine.cancel()
      if (outcome.status !== 'cancelled') throw new Error(`${outcome.status} instead of cancelled`)
    })
    expect(ran, n)
    await global.shutdown()
  },

  async call(n, timed) {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local')
    const check = new Check(n)
    const own = (i: number): Promise<unknown> => timed(() => submit(local, i, check))
    await callAll(n, own)
    check.verify()
    await global.shutdown()
  },

  async soak(n, look) {
    const global = createGlobalManager()
    const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
    const slice = n / 100
    for (let done = 0; done < n; done += slice) {
      const check = new Check(slice)
      await stream(slice, (i) => submit(local, i, check))
      check.verify()
      look(done + slice, global.routines().length + global.count)
    }
    await global.shutdown()
  },

  restart: (n) => restarted(n, { restart: 'transient' }),

  async send(n) {
    const global = createGlobalManager()
    const sum = new Sum()
    const body = async ({ messages }: RoutineContext<undefined, number>): Promise<void> => {
      for await (const { message } of messages) sum.add(message)
    }
    const receiver = global.createApp('app').createLocal('local').spawn('receiver', body)
    await receiver.started
    await sendAll(n, sum, (i) => receiver.send(i))
    await global.shutdown()
  },

  async ask(n) {
    const global = createGlobalManager()
    const body = async ({ messages }: RoutineContext<undefined, number, number>): Promise<void> => {
      for await (const { message, reply } of messages) reply(2 * message)
    }
    const receiver = global.createApp('app').createLocal('local').spawn('receiver', body)
    await askAll(n, (i) => receiver.ask(i))
    await global.shutdown()
  },

  async live(n, kind) {
    const global = createGlobalManager()
    const apps = Array.from({ length: 10 }, (_, i) => global.createApp(`app ${i}`))
    const locals = apps.flatMap((app) => Array.from({ length: 10 }, (_, i) => app.createLocal(`local ${i}`)))
    const outcomes: Promise<unknown>[] = []
    for (let i = 0; i < n; i++) {
      // One local after the other, or by turns: then those that are stopped together lie far apart in memory.
      const local = locals[kind === 'scattered' ? i % locals.length : Math.floor((i * locals.length) / n)] as LocalManager
      if (kind === 'bare') local.spawn('task', () => held(i))
      else {
        const body = ({ signal }: { signal: AbortSignal }) =>
          new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        outcomes.push(local.spawn('task', body, { timeout: 60_000 }).outcome)
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
    return async () => {
      const report = await global.shutdown({ timeout: kind === 'bare' ? 0 : DEADLINE })
      // One by one: Promise.all would add 200 B to each.
      for (const outcome of outcomes) await outcome
      if ((kind === 'bare' ? report.killed : report.cancelled) !== n || (kind === 'full' && report.timedOut))
        throw new Error('not all were stopped')
    }
  },
}

/** Streams while a listener hears of these events, `expected` of them. */
export async function streamHeard(
  n: number,
  types: readonly (LifecycleEvent['type'] | '*')[],
  expected: number,
  listener: (event: LifecycleEvent) => void = () => undefined,
): Promise<void> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
  let heard = 0
  for (const type of types)
    global.on(type, (event: LifecycleEvent) => {
      heard++
      listener(event)
    })
  const check = new Check(n)
  await stream(n, (i) => submit(local, i, check))
  check.verify()
  if (heard !== expected) throw new Error(`heard ${heard} events instead of ${expected}`)
  await global.shutdown()
}
