/** What threads do beyond what every ground does. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  createGlobalManager,
  type Routine,
  routine,
  type GlobalManager,
  type GlobalManagerOptions,
  type LocalManager,
  type LocalManagerOptions,
} from 'curtaincall'
import { move, thread, threadPool, threads, type ThreadPoolOptions, type WorkerPool } from 'curtaincall/thread'

type Fixture = typeof import('./fixture.ts')

const FIXTURE = new URL('./fixture.ts', import.meta.url)

interface Line {
  readonly text: string | undefined
  readonly details: Record<string, unknown>
}

let global: GlobalManager
let lines: Line[] = []
let waiting: (() => void)[] = []

const look = (): void => waiting.splice(0).forEach((tell) => tell())

/** Waits for what comes of a log line or an event. */
async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise<void>((resolve) => waiting.push(resolve))
}

const ups = (): number => lines.filter(({ text }) => text === 'up').length

function tree(options: LocalManagerOptions = {}, given: GlobalManagerOptions = {}): LocalManager {
  const write = (details: object, text?: string): void => {
    lines.push({ details: details as Record<string, unknown>, text })
    look()
  }
  global = createGlobalManager({ logger: { debug: write, info: write, warn: write, error: write }, ...given })
  global.on('*', look)
  return global.createApp('app').createLocal('local', options)
}

function work(options: ThreadPoolOptions = {}): { readonly pool: WorkerPool; readonly bodies: ReturnType<typeof threads<Fixture>> } {
  const pool = threadPool(options)
  return { pool, bodies: threads<Fixture>(FIXTURE, { pool }) }
}

/** One that is in such a call for certain: who looks from outside has found it there. */
async function inNativeCall(
  local: LocalManager,
  native: ReturnType<typeof work>['bodies']['native'],
  options: object = {},
): Promise<Routine<number>> {
  const blocked: unknown[] = []
  using _ = local.on('routine.hung', (event) => void blocked.push(event.blocked))
  const routine = local.spawn('native', native, { input: 700, hungAfter: 50, ...options })
  await until(() => blocked.includes('native'))
  return routine
}

afterEach(async () => {
  await global.shutdown({ mode: 'immediate' })
  lines = []
  waiting = []
})

describe('its pool', () => {
  test('P2: no thread is made before the first use; one is warm for the next routine', async () => {
    const { pool, bodies } = work({ maxThreads: 4 })
    const local = tree()
    expect(pool.counts).toEqual({ starting: 0, running: 0, idle: 0, ending: 0, stuck: 0, waiting: 0 })
    const first = await local.spawn('first', bodies.whichThread).result()
    const second = await local.spawn('second', bodies.whichThread).result()
    expect(first).toBeGreaterThan(0)
    expect(second).toBe(first)
    expect(pool.counts).toMatchObject({ idle: 1, running: 0 })
  })

  test('L3: of runs that follow each other at once each begins in the asynchronous context of nobody', async () => {
    const { bodies } = work({ maxThreads: 1 })
    const local = tree()
    for (let run = 0; run < 50; run++) expect(await local.spawn('one', bodies.enter, { input: `${run}` }).result()).toBe(undefined)
  })

  test('P1, P3: what is more than maxThreads runs and waits, seen in health(), in its order', async () => {
    const { pool, bodies } = work({ maxThreads: 1 })
    const local = tree()
    const [first, second, third] = ['a', 'b', 'c'].map((id) => local.spawn('hold', bodies.hold, { id }))
    await until(() => ups() === 1)
    expect([pool.counts.waiting, pool.counts.running]).toEqual([2, 1])
    expect(second?.state).toBe('running')
    expect(local.health()).toMatchObject({ waiting: ['global/app/local/hold#b', 'global/app/local/hold#c'], stuck: [], status: 'healthy' })
    first?.send('over')
    await until(() => ups() === 2)
    expect(local.health().waiting).toEqual(['global/app/local/hold#c'])
    second?.send('over')
    third?.send('kept meanwhile')
    expect(await third?.result()).toBe('kept meanwhile')
    expect(pool.counts).toMatchObject({ waiting: 0, idle: 1 })
  })

  test('K3: a cancel, a kill and a timeout during the wait end at once', async () => {
    const { pool, bodies } = work({ maxThreads: 1 })
    const local = tree()
    const first = local.spawn('hold', bodies.hold)
    const cancelled = local.spawn('hold', bodies.hold)
    const killed = local.spawn('hold', bodies.hold)
    const timed = local.spawn('hold', bodies.hold, { timeout: 1 })
    await until(() => ups() === 1)
    expect(await cancelled.cancel('enough')).toEqual({ status: 'cancelled', reason: 'enough', killed: false })
    expect(await killed.kill('now')).toEqual({ status: 'cancelled', reason: 'now', killed: true })
    expect(await timed.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_TIMEOUT' } })
    expect(pool.counts).toMatchObject({ waiting: 0, running: 1 })
    first.send('over')
    expect(await first.result()).toBe('over')
    expect(ups()).toBe(1)
  })

  test('H2: who waits for a thread is not hung', async () => {
    const { bodies } = work({ maxThreads: 1 })
    const local = tree()
    const hung: string[] = []
    local.on('routine.hung', ({ id }) => void hung.push(id))
    local.spawn('hold', bodies.hold, { id: 'silent', hungAfter: 100 })
    local.spawn('hold', bodies.hold, { id: 'waits', hungAfter: 50 })
    await until(() => hung.length > 0)
    expect(hung).toEqual(['silent'])
  })

  test('P4: an idle thread goes after its idle time', async () => {
    const { pool, bodies } = work({ idleTimeout: 20 })
    const local = tree()
    await local.spawn('x', bodies.whichThread).result()
    expect(pool.counts.idle).toBe(1)
    await pool.close()
    await local.spawn('x', bodies.whichThread).result()
    expect(pool.counts.idle).toBe(1)
    // Nobody is told of that: its number is.
    while (pool.counts.idle > 0) await new Promise((resolve) => setImmediate(resolve))
    while (pool.counts.ending > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(Object.values(pool.counts)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('P4: with the last tree that has used it all threads go, and shutdown() waits for that', async () => {
    const { pool, bodies } = work()
    const local = tree()
    await local.spawn('x', bodies.whichThread).result()
    const other = createGlobalManager()
    await other.createApp('a').createLocal('l').spawn('x', bodies.whichThread).result()
    await global.shutdown()
    expect(pool.counts.idle).toBe(1)
    await other.shutdown()
    expect(Object.values(pool.counts)).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('K2: one that was told to go has no run any more, though it is there still', async () => {
    const { pool, bodies } = work({ maxThreads: 1 })
    const local = tree()
    const holding = local.spawn('hold', bodies.hold)
    await until(() => ups() === 1)
    const closed = pool.close()
    holding.send('over')
    expect(await holding.result()).toBe('over')
    // Its thread goes, and this one waits for a place.
    const next = local.spawn('x', bodies.whichThread)
    await next.started
    expect(pool.counts).toMatchObject({ ending: 1, waiting: 1 })
    expect(await next.result()).toBeGreaterThan(0)
    await closed
  })

  test('with reuse: false each run has a thread of its own', async () => {
    const { pool, bodies } = work({ reuse: false })
    const local = tree()
    const ids = [await local.spawn('x', bodies.whichThread).result(), await local.spawn('x', bodies.whichThread).result()]
    expect(new Set(ids).size).toBe(2)
    await pool.close()
    expect(Object.values(pool.counts)).toEqual([0, 0, 0, 0, 0, 0])
  })
})

describe('what cannot be ended', { timeout: 30_000 }, () => {
  test.each([
    { stuck: 'release', count: 0, hired: true },
    { stuck: 'hold', count: 1, hired: false },
  ] as const)('K5: a call that nothing interrupts is stuck, with its permit and place: $stuck', async ({ stuck, count, hired }) => {
    const pool = threadPool({ maxThreads: 1, stuck })
    const bodies = threads<Fixture>(FIXTURE, { pool, killDeadline: 30 })
    const local = tree({ maxRoutines: 2 })
    const routine = await inNativeCall(local, bodies.native)
    expect(await routine.kill('now')).toEqual({ status: 'cancelled', reason: 'now', killed: true, stuck: true })
    expect([pool.counts.stuck, local.count, local.metrics().orphaned]).toEqual([1, count, 1])
    expect(local.health()).toMatchObject({ status: 'degraded', stuck: [routine.path] })
    const next = local.spawn('x', bodies.whichThread)
    await next.started
    expect(pool.counts.waiting).toBe(hired ? 0 : 1)
    expect(await next.result()).toBeGreaterThan(0)
    await until(() => local.metrics().orphaned === 0)
    expect([pool.counts.stuck, local.count]).toEqual([0, 0])
    expect(local.health()).toMatchObject({ status: 'healthy', stuck: [] })
  })

  test('H1: a silent native call is told apart', async () => {
    const { bodies } = work()
    const local = tree()
    const routine = await inNativeCall(local, bodies.native)
    expect(await routine.result()).toBeTypeOf('number')
  })

  test('K5: a shutdown does not wait for it longer than the kill may take', async () => {
    const pool = threadPool()
    const bodies = threads<Fixture>(FIXTURE, { pool, killDeadline: 50 })
    const local = tree()
    const routine = await inNativeCall(local, bodies.native, { shutdown: 'infinity' })
    const report = await global.shutdown({ timeout: 50 })
    expect([report.killed, report.orphaned]).toEqual([1, 1])
    expect(await routine.outcome).toMatchObject({ killed: true, stuck: true })
    expect(pool.counts.stuck).toBe(1)
  })
})

describe('what goes over', { timeout: 30_000 }, () => {
  test('parts that are handed over are gone here, both ways', async () => {
    const { bodies } = work()
    const local = tree()
    const bytes = new Uint8Array([1, 2, 3])
    const output = await local.spawn('sum', bodies.sum, { input: move({ bytes }, [bytes.buffer]) }).result()
    expect(output).toEqual({ sum: 6, bytes: new Uint8Array([2, 3, 4]) })
    expect(bytes.byteLength).toBe(0)
    const summing = thread<Fixture, 'sum'>(FIXTURE, 'sum', { transfer: ({ bytes: given }) => [given.buffer] })
    const more = new Uint8Array([4])
    expect(await local.spawn('sum', summing, { input: { bytes: more } }).result()).toMatchObject({ sum: 4 })
    expect(more.byteLength).toBe(0)
    const handing = local.spawn('handOver', bodies.handOver)
    expect(await handing.ask('give')).toEqual(new Uint8Array([7, 8]))
    expect(await handing.result()).toBe(true)
  })

  test('too much memory in small things is the failure of that routine alone', async () => {
    const { bodies } = work({ resourceLimits: { maxOldGenerationSizeMb: 24 } })
    const local = tree()
    const other = local.spawn('hold', bodies.hold)
    const outcome = await local.spawn('fill', bodies.fill).outcome
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_GROUND_LOST', cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' } } })
    other.send('still there')
    expect(await other.result()).toBe('still there')
  })

  test('U2: a late error of one that has ended is its own, and harms nobody', async () => {
    const { pool, bodies } = work({ maxThreads: 1 })
    const local = tree()
    expect(await local.spawn('letGo', bodies.letGo, { input: 20, id: 'gone' }).result()).toBe('ended')
    const next = local.spawn('hold', bodies.hold)
    await until(() => lines.some(({ details }) => (details['err'] as Error | undefined)?.message === 'too late'))
    expect(next.state).toBe('running')
    next.send('unharmed')
    expect(await next.result()).toBe('unharmed')
    // What is left in such a thread is not known: it is not used again.
    expect(pool.counts.idle).toBe(0)
  })

  test('what is no function, or no module, fails its routine and says why', async () => {
    const local = tree()
    const missing = thread<Record<string, () => void>, string>(FIXTURE, 'notABody')
    expect(await local.spawn('x', missing).outcome).toMatchObject({
      error: { message: expect.stringMatching(/exports no function .*notABody/) as string },
    })
    const nowhere = thread<Record<string, () => void>, string>(new URL('./nowhere.ts', import.meta.url), 'x')
    expect(await local.spawn('x', nowhere).outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_MODULE_NOT_FOUND' } })
  })
})

describe('as children', { timeout: 30_000 }, () => {
  test('a group is restarted once what it leaves behind is gone: nothing overlaps', async () => {
    const { pool, bodies } = work({ maxThreads: 2 })
    const local = tree({
      strategy: 'one_for_all',
      children: [routine('loop', bodies.loop, { shutdown: 10 }), routine('fragile', bodies.fragile)],
    })
    await local.ready()
    await until(() => ups() === 2)
    ;(local.routine('fragile') as Routine<unknown, string>).send('break')
    await until(() => ups() === 4)
    expect(pool.counts).toMatchObject({ running: 2, waiting: 0, ending: 0, stuck: 0 })
    expect([local.routine('loop')?.incarnation, local.routine('fragile')?.incarnation]).toEqual([2, 2])
    expect(local.metrics()).toMatchObject({ orphaned: 0, failures: 1 })
  })
})

describe('wrong options', () => {
  test.each([
    [{ maxThreads: 0 }, 'thread option maxThreads must be a whole number of at least 1, or Infinity; received 0'],
    [{ killDeadline: -1 }, /thread option killDeadline must be .*; received -1/],
    [{ stuck: 'keep' }, /thread option stuck must be .*'release'.*; received "keep"/],
    [{ pool: {} }, 'thread option pool must be a pool of the same kind; received an object'],
    [{ threads: 4 }, /thread: unknown option "threads"; known are /],
  ])('%o', (options, message) => {
    expect(() => thread(FIXTURE, 'hold' as never, options as never)).toThrow(message)
  })

  test('how threads are kept is said once; a snapshot is for actors', () => {
    const pool = threadPool()
    expect(() => thread<Fixture>(FIXTURE, 'hold', { pool, maxThreads: 3 })).toThrow(
      /thread option maxThreads must be left out where pool is given/,
    )
    expect(() => thread<Fixture>('./relative.ts', 'hold')).toThrow(/thread module must be the URL of a module/)
    expect(() => threadPool({ maxThreads: 0.5 })).toThrow(/thread pool option maxThreads/)
    const local = tree()
    const work = thread<Fixture, 'hold'>(FIXTURE, 'hold', { pool })
    expect(() => local.spawn('x', work, { resume: 'snapshot' } as never)).toThrow(/resume must be 'fresh' where the work is no actor logic/)
  })
})
