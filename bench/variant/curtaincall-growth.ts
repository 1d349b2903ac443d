/** What one operation costs among a given number of others: the jobs of bench/growth.ts. Each checks what came back. */
import { type AnyStateMachine, assign, setup } from 'xstate'
import { type ChildSpec, createGlobalManager, manager, routine, type RoutineContext } from '../../src/index.ts'
import { exploreMachine, simulate } from '../../src/testing/index.ts'
import { stream, type Variant } from '../job.ts'
import { perOperation, expect, MANY, timed } from '../own-time.ts'

/** So many of those who are there are looked for, from the first to the last. */
const SPREAD = 16

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** Numbers from 0 to n - 1, the first and the last among them. */
const spread = (n: number): number[] => Array.from({ length: SPREAD }, (_, i) => Math.floor((i * (n - 1)) / (SPREAD - 1)))

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve))

async function retained(n: number): Promise<number> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { retain: n })
  await stream(n, async (i) => void (await local.spawn('task', () => i, { id: `id ${i}` }).outcome))
  const sought = spread(n).map((i) => `id ${i}`)
  return perOperation(() => timed(MANY, (i) => expect(global.routine(sought[i % SPREAD] as string)?.id, sought[i % SPREAD])))
}

/** So many local managers, and a routine in each. */
async function scattered(n: number) {
  const global = createGlobalManager()
  const app = global.createApp('app')
  for (let i = 0; i < n; i++) app.createLocal(`local ${i}`).spawn(`name ${i}`, untilAborted, { id: `id ${i}` })
  await turnOfTheLoop()
  return global
}

async function whereis(n: number): Promise<number> {
  const global = await scattered(n)
  const sought = spread(n).map((i) => `id ${i}`)
  return perOperation(() => timed(MANY, (i) => expect(global.whereis<never>(sought[i % SPREAD] as string)?.['id'], sought[i % SPREAD])))
}

async function routinesNamed(n: number): Promise<number> {
  const global = await scattered(n)
  const sought = spread(n).map((i) => `name ${i}`)
  return perOperation(() =>
    timed(MANY, (i) => {
      const [found, ...others] = global.routinesNamed(sought[i % SPREAD] as string)
      expect(found?.name, sought[i % SPREAD])
      expect(others.length, 0)
    }),
  )
}

/** The last of n children fails, and is restarted. */
async function restForOne(n: number): Promise<number> {
  let running = Promise.withResolvers<() => void>()
  const fragile = ({ signal }: RoutineContext): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      running.resolve(() => reject(new Error('again')))
    })
  const steady = Array.from({ length: n - 1 }, (_, i) => routine(`steady ${i}`, untilAborted))
  const global = createGlobalManager()
  const children = [...steady, routine('fragile', fragile)]
  global.createApp('app').createLocal('local', { strategy: 'rest_for_one', children, maxRestarts: Infinity })
  let crash = await running.promise
  return perOperation(async () => {
    const start = performance.now()
    for (let i = 0; i < 50; i++) {
      running = Promise.withResolvers()
      crash()
      crash = await running.promise
    }
    const ms = performance.now() - start
    expect(global.metrics().running, n)
    return [ms, 50]
  })
}

/** Time of the call alone: between two of them a routine comes and goes. */
async function metrics(n: number): Promise<number> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  await stream(n, async (i) => void (await local.spawn(`name ${i}`, () => i).outcome))
  let completed = n
  return perOperation(async () => {
    let ms = 0
    for (let i = 0; i < 100; i++) {
      await local.spawn(`name ${i}`, () => i).outcome
      completed++
      const start = performance.now()
      const read = global.metrics()
      ms += performance.now() - start
      expect(read.completed, completed)
      if (i === 0) expect(read.byName['name 0']?.completed, (completed - n - 1) / 100 + 2)
    }
    return [ms, 100]
  })
}

type Body = RoutineContext<undefined, number>

/** A body that says what one operation costs it, and a way to send to it. */
async function inBody(body: (context: Body, send: (message: number) => void) => Promise<number>): Promise<number> {
  const local = createGlobalManager().createApp('app').createLocal('local')
  const run = (context: Body) => body(context, (message) => self.send(message))
  const self = local.spawn('body', run, { mailbox: { capacity: Infinity } })
  return self.result()
}

/**
 * n calls of `next()` wait, and each gets its message. The clock does not run while they are made: to make 100,000 promises that live as
 * long as the others is three times as dear as to make a hundred, by hand too, and that is the collector's time.
 */
const outstanding = (n: number): Promise<number> =>
  inBody(async ({ messages }, send) => {
    const reader = messages[Symbol.asyncIterator]()
    return perOperation(async () => {
      const waiting = Array.from({ length: n }, () => reader.next())
      const start = performance.now()
      let i = 0
      for (const next of waiting) {
        send(i)
        expect((await next).value?.message, i++)
      }
      return [performance.now() - start, n]
    })
  })

/** n readers wait for a message, and each of them ends. */
const returned = (n: number): Promise<number> =>
  inBody(async ({ messages }) =>
    perOperation(async () => {
      const readers = Array.from({ length: n }, () => messages[Symbol.asyncIterator]())
      const waiting = readers.map((reader) => reader.next())
      const start = performance.now()
      for (const reader of readers) void reader.return?.()
      for (const next of waiting) expect((await next).done, true)
      return [performance.now() - start, n]
    }),
  )

async function onAndOff(n: number): Promise<number> {
  const global = createGlobalManager()
  const others = Array.from({ length: n }, () => global.on('routine.failed', () => undefined))
  const figure = await perOperation(() => timed(MANY, () => global.on('routine.failed', () => undefined)()))
  for (const off of others) off()
  return figure
}

/** A chain of managers so deep, from its making to its end. */
function levels(n: number): Promise<number> {
  return perOperation(async () => {
    const start = performance.now()
    let chain: ChildSpec = manager('bottom', { children: [routine('leaf', untilAborted)] })
    for (let i = 1; i < n; i++) chain = manager('level', { children: [chain] })
    const global = createGlobalManager({ children: [chain] })
    await global.ready()
    const report = await global.shutdown()
    const ms = performance.now() - start
    expect(report.totals.spawned, 1)
    return [ms, n]
  })
}

/** Each of n children fails once, and is restarted. */
function simulated(n: number): Promise<number> {
  const children = Array.from({ length: n }, (_, i) => routine(`child ${i}`, untilAborted))
  const faults = Object.fromEntries(children.map(({ name }) => [name, 'throws(20, 1)']))
  return perOperation(async () => {
    const start = performance.now()
    const tree = { children: [manager('app', { children, maxRestarts: Infinity })] }
    const { trace, violations } = await simulate(tree, { faults, script: [{ do: 'wait', ms: 100 }] })
    const ms = performance.now() - start
    expect(violations.length, 0)
    expect(trace.events.filter(({ type }) => type === 'routine.restarted').length, n)
    return [ms, n]
  })
}

const counter = setup({
  types: { context: {} as { at: number; most: number }, input: {} as number, events: {} as { type: 'more' } | { type: 'end' } },
})

/** One state after the other. */
const chain = counter.createMachine({
  context: ({ input }) => ({ at: 1, most: input - 1 }),
  initial: 'on',
  states: {
    on: {
      on: {
        more: { guard: ({ context }) => context.at < context.most, actions: assign({ at: ({ context }) => context.at + 1 }) },
        end: { guard: ({ context }) => context.at === context.most, target: 'over' },
      },
    },
    over: { type: 'final' },
  },
})

/** All states lead to one, and that leads to all. */
const star = setup({ types: { context: {} as { at: number }, events: {} as { type: 'go'; to: number } | { type: 'back' } } }).createMachine(
  {
    context: { at: 0 },
    initial: 'hub',
    states: {
      hub: { on: { go: { target: 'ray', actions: assign({ at: ({ event }) => event.to }) }, back: 'over' } },
      ray: { on: { back: { target: 'hub', actions: assign({ at: 0 }) } } },
      over: { type: 'final' },
    },
  },
)

const raysOf = (n: number) => [...Array.from({ length: n }, (_, to) => ({ type: 'go', to: to + 1 })), { type: 'back' }]

const explored = (machine: AnyStateMachine, n: number, events?: readonly { type: string }[]) => {
  const { states, trapped, edges } = exploreMachine(machine, { input: n, ...(events === undefined ? {} : { events }) })
  expect(states.length, n)
  expect(trapped.length, 0)
  return { states, edges }
}

/** As many states: all but the last. */
const explore =
  (machine: AnyStateMachine) =>
  (n: number): Promise<number> =>
    perOperation(() => timed(1, () => void explored(machine, n))).then((figure) => figure / n)

/** Heap for each state that was found. */
async function stateBytes(n: number): Promise<number> {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const found = explored(chain, n)
  globalThis.gc?.()
  const used = process.memoryUsage().heapUsed - before
  expect(found.states.at(-1)?.path.length, n - 1)
  return used / n
}

export const variant: Variant = {
  figures: {
    retained,
    whereis,
    'routines-named': routinesNamed,
    'rest-for-one': restForOne,
    metrics,
    outstanding,
    returned,
    'on-off': onAndOff,
    level: levels,
    simulate: simulated,
    'explore-chain': explore(chain),
    'explore-star': (n) => perOperation(() => timed(1, () => void explored(star, n + 2, raysOf(n)))).then((figure) => figure / n),
    'state-bytes': stateBytes,
  },
}
