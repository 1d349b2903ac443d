/** Changes of more than a slice of routines or managers (SL1 to SL4 of src/turn/slices.ts), and trees deeper than a stack holds. */
import { describe, expect, test } from 'vitest'
import { type ChildSpec, createGlobalManager, type GlobalManager, manager, routine } from 'curtaincall'
import type { RoutineRegistry } from '../../src/supervision/index.ts'
import { SLICE } from '../../src/turn/slices.ts'
import { deaf, makeTree, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

/** More than the first two slices, of which the second is twice the first. */
const MANY = 4 * SLICE

/** A clock of which a test lets the timers fire one by one. */
class SteppedClock extends VirtualClock {
  /** The next slice, with what follows in microtasks. */
  async turn(): Promise<void> {
    this.fireFirst()
    await settle()
  }
}

function states(of: readonly { readonly state: string }[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { state } of of) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

describe.each([{ strict: false }, { strict: true }])('slices (strict: $strict)', (mode) => {
  function treeOf(count: number, work = untilTold) {
    const clock = new SteppedClock()
    const tree = makeTree({}, { ...mode, clock })
    const routines = Array.from({ length: count }, (_, i) => tree.local.spawn(`r${i}`, work))
    return { ...tree, clock, routines }
  }

  test('SL3: what is smaller than a slice needs no turn of the clock', async () => {
    const { global, routines, clock } = treeOf(SLICE / 2)
    await settle()
    const down = global.shutdown()
    await settle()
    expect(states(routines)).toEqual({ cancelled: SLICE / 2 })
    expect((await down).cancelled).toBe(SLICE / 2)
    expect(clock.pending).toBe(0)
  })

  test('SL1, SL2: more than a slice is asked slice by slice, the latest first, and a turn of the clock lies between', async () => {
    const { global, routines, clock, story } = treeOf(MANY)
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    await settle()
    const first = states(routines)
    expect(first['cancelled']).toBeGreaterThan(SLICE / 2)
    expect(first['cancelled']).toBeLessThanOrEqual(SLICE)
    expect(first['running']).toBe(MANY - (first['cancelled'] ?? 0))
    expect(routines[0]?.state).toBe('running')
    await clock.turn()
    expect(states(routines)['cancelled']).toBe((first['cancelled'] ?? 0) + 2 * SLICE)
    expect(global.state).toBe('stopping')
    await clock.advance(0)
    const report = await down
    expect([report.cancelled, report.timedOut, global.state]).toEqual([MANY, false, 'completed'])
    expect(report.routines.map(({ path }) => path.split('#')[0])).toEqual(routines.map((_, i) => `g/a/l/r${MANY - 1 - i}`))
    expect(story(/cancelled/)).toHaveLength(MANY)
  })

  test('D5: nothing is accepted or restarted anywhere from the first slice on, though managers follow in slices', async () => {
    const clock = new SteppedClock()
    const { global, story } = makeTree({}, { ...mode, clock })
    const app = global.createApp('many')
    // More than one slice of them are told.
    const locals = Array.from({ length: SLICE + 50 }, (_, i) => app.createLocal(`l${i}`, { maxRestarts: 9 }))
    const last = locals.at(-1) as (typeof locals)[0]
    const flaky = last.spawn('flaky', untilTold, { restart: 'permanent' })
    const [later, byHand] = ['later', 'byHand'].map((name) =>
      last.spawn(name, untilTold, { restart: 'permanent', backoff: { initial: 10, jitter: 0 } }),
    )
    await settle()
    for (const each of [later, byHand]) each?.exit(new Error('crash'))
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    // It has not closed yet, and refuses all the same.
    expect(last.state).toBe('running')
    expect(() => last.spawn('late', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    expect(() => app.createLocal('late')).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    expect([last.available, await last.whenAvailable()]).toEqual([0, false])
    expect(await last.startChild(routine('late', untilTold))).toEqual({ ok: false, error: 'down' })
    flaky.exit(new Error('crash'))
    await settle()
    expect([flaky.state, flaky.incarnation]).toEqual(['failed', 1])
    // What backs off does not begin any more, neither when its time has come nor by hand.
    clock.block(10)
    void byHand?.restart()
    await clock.advance(0)
    const report = await down
    expect([report.failed, report.children.map(({ path }) => path)]).toEqual([1, ['g/many', 'g/a']])
    expect([later, byHand].map((each) => [each?.state, each?.incarnation])).toEqual([
      ['cancelled', 2],
      ['cancelled', 2],
    ])
    expect(story(/^routine.started .*(later|byHand)/)).toHaveLength(2)
    // Each closes before any stops, parents first, and the one that something has befallen at that moment; they stop one by one, the
    // latest first.
    const closing = story(/closing g\/many\//)
    const inOrder = locals.map((_, i) => `manager.phase closing g/many/l${i}`)
    expect(closing.filter((line) => line !== inOrder.at(-1))).toEqual(inOrder.slice(0, -1))
    expect([closing.length, closing.indexOf(inOrder.at(-1) as string) < closing.length - 1]).toEqual([locals.length, true])
    expect(story(/stopped g\/many\//)).toEqual(locals.map((_, i) => `manager.stopped g/many/l${locals.length - 1 - i}`))
    const all = story(/manager/)
    expect(all.indexOf('manager.phase cancelling g')).toBeGreaterThan(all.lastIndexOf(closing.at(-1) as string))
  })

  test('D1: a deadline in the middle of the slices holds: the rest is asked, and killed a turn later', async () => {
    const { global, routines, clock, events } = treeOf(MANY, deaf)
    await settle()
    const down = global.shutdown({ timeout: 10 })
    clock.block(10)
    await clock.advance(0)
    const report = await down
    expect([report.timedOut, report.killed, report.orphaned]).toEqual([true, MANY, MANY])
    expect(states(routines)).toEqual({ cancelled: MANY })
    expect(report.routines.every(({ asked }) => asked !== undefined)).toBe(true)
    expect(events.at(-1)).toMatchObject({ type: 'manager.stopped', path: 'g' })
  })

  test('an immediate shutdown in the middle of the slices of another hurries those as well', async () => {
    const clock = new SteppedClock()
    const { global } = makeTree({}, { ...mode, clock })
    const app = global.createApp('many')
    for (let i = 0; i < SLICE / 2; i++) app.createLocal(`l${i}`).spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    void global.shutdown({ mode: 'immediate' })
    await clock.advance(0)
    expect(await down).toMatchObject({ mode: 'immediate', killed: SLICE / 2 })
    expect([global.state, app.state]).toEqual(['cancelled', 'cancelled'])
  })

  test('H3: a shared signal tells more than a slice slice by slice, and nobody who has left by then', async () => {
    const clock = new SteppedClock()
    const { local, story } = makeTree({}, { ...mode, clock })
    const controller = new AbortController()
    const ends = Array.from({ length: MANY }, () => Promise.withResolvers<string>())
    const routines = ends.map(({ promise }, i) => local.spawn(`r${i}`, () => promise, { signal: controller.signal, shutdown: 'infinity' }))
    await settle()
    controller.abort('all of you')
    await settle()
    const asked = () => routines.filter(({ actor }) => actor.getSnapshot().matches({ running: 'stopping' })).length
    expect(asked()).toBe(SLICE)
    // The last ends by itself before it is told: it was to be told by then.
    ends.at(-1)?.resolve('done')
    await settle()
    await clock.advance(0)
    expect([asked(), routines.at(-1)?.state]).toEqual([MANY - 1, 'cancelled'])
    for (const { resolve } of ends) resolve('late')
    await settle()
    expect(story(/cancelled/).length + story(/completed/).length).toBe(MANY)
    // Who binds to it while the others are told is told as well.
    expect(await local.spawn('late', untilTold, { signal: controller.signal }).outcome).toMatchObject({ status: 'cancelled' })
  })

  test('B3: a group of more than a slice is stopped and started anew in slices', async () => {
    const clock = new SteppedClock()
    const children = Array.from({ length: MANY }, (_, i) => routine(`c${i}`, untilTold))
    const { local, story } = makeTree({ strategy: 'one_for_all', children }, { ...mode, clock })
    expect(local.state).toBe('pending')
    await clock.advance(0)
    expect([local.state, local.count]).toEqual(['running', MANY])
    local.routine('c7')?.exit(new Error('crash'))
    await settle()
    expect(local.countOf('c0')).toBe(1)
    await clock.advance(0)
    expect(local.routines().every(({ state, incarnation }) => state === 'running' && incarnation === 2)).toBe(true)
    // Stopped in reverse order, started in order.
    const stopped = story(/routine.(failed|cancelled)/).slice(1)
    expect(stopped).toEqual(
      [...children.keys()]
        .reverse()
        .filter((i) => i !== 7)
        .map((i) => `routine.cancelled g/a/l/c${i}`),
    )
  })

  test('shutdownNamed cancels and kills more than a slice in slices, and its timeout is that of the whole', async () => {
    const clock = new SteppedClock()
    const { local } = makeTree({}, { ...mode, clock })
    const routines = Array.from({ length: MANY }, (_, i) => local.spawn('same', i % 2 === 0 ? deaf : untilTold))
    await settle()
    const down = local.shutdownNamed('same', { timeout: 50 })
    expect(states(routines)['running']).toBe(MANY)
    await clock.advance(50)
    const report = await down
    expect([report.cancelled, report.killed, report.timedOut]).toEqual([MANY / 2, MANY / 2, true])
  })

  test('X5: who is asked in a later slice has its own shutdown time, from the end of that slice on', async () => {
    const clock = new SteppedClock()
    const { local, global } = makeTree({}, { ...mode, clock })
    const spawn = (body: typeof untilTold | typeof deaf, shutdown: number) => local.spawn('r', body as typeof untilTold, { shutdown })
    const early = spawn(deaf, 5)
    for (let i = 0; i < MANY; i++) spawn(untilTold, 5_000)
    const latest = spawn(deaf, 5)
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    // The latest is asked in the first slice, and the early one in the last.
    await clock.advance(0)
    expect(local.routines()).toEqual([early, latest])
    await clock.advance(4)
    expect([early.state, latest.state]).toEqual(['running', 'running'])
    await clock.advance(1)
    expect((await down).killed).toBe(2)
  })

  test('SL5: whose own work ends by a shared signal before it is told was told, and is not restarted', async () => {
    const clock = new SteppedClock()
    const { local, story } = makeTree({ maxRestarts: 3 }, { ...mode, clock })
    const controller = new AbortController()
    const { signal } = controller
    const fetching = () => new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const routines = Array.from({ length: MANY }, () => local.spawn('r', fetching, { signal, restart: 'transient' }))
    const queued = local.spawn('late', untilTold, { signal, restart: 'transient' })
    await settle()
    controller.abort()
    // One that binds while the others are told is told at once.
    const bound = local.spawn('bound', untilTold, { signal })
    await settle()
    await clock.advance(0)
    expect(states([...routines, queued, bound])).toEqual({ cancelled: MANY + 2 })
    expect([local.state, local.incarnation, story(/restarted|gaveUp|failed|started .*bound/)]).toEqual(['running', 1, []])
  })

  test('D5: what waits for a permit, or to begin, never begins once its manager closes, though permits are freed between slices', async () => {
    const clock = new SteppedClock()
    const { local, global, events } = makeTree({ maxRoutines: 5, overflow: 'queue', maxQueue: Infinity }, { ...mode, clock })
    const ends = Promise.withResolvers<string>()
    for (let i = 0; i < MANY; i++) local.spawn('r', () => ends.promise)
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    const { length } = events
    ends.resolve('done')
    await settle()
    await clock.advance(0)
    const report = await down
    expect([report.completed, report.cancelled, global.count]).toEqual([5, MANY - 5, 0])
    expect(events.slice(length).filter(({ type }) => type === 'routine.started')).toEqual([])
  })

  test('a drain of more than a slice lets what waits begin', async () => {
    const clock = new SteppedClock()
    const { local, global } = makeTree({ maxRoutines: 5, overflow: 'queue', maxQueue: Infinity }, { ...mode, clock })
    for (let i = 0; i < MANY; i++) local.spawn('r', () => 'done')
    const down = global.shutdown({ timeout: Infinity, drain: 1_000 })
    await settle()
    await clock.advance(0)
    expect(await down).toMatchObject({ completed: MANY, cancelled: 0 })
  })

  test('SL5: a manager to which its parent has not come yet closes when something befalls it, and all reports add up', async () => {
    const clock = new SteppedClock()
    const { global, story } = makeTree({}, { ...mode, clock })
    const app = global.createApp('many')
    const locals = Array.from({ length: SLICE }, (_, i) => app.createLocal(`l${i}`))
    const routines = locals.map((local) => local.spawn('r', untilTold))
    await settle()
    const down = global.shutdown({ timeout: Infinity })
    expect(locals.at(-1)?.state).toBe('running')
    // One ends, and one is shut down by hand: it waits for its turn as the others do.
    void routines.at(-1)?.cancel()
    const byHand = locals.at(-2)?.shutdown()
    await settle()
    await clock.advance(0)
    const report = await down
    const of = report.children.find(({ path }) => path === 'g/many')
    expect([report.cancelled, of?.cancelled, of?.children.length]).toEqual([SLICE, SLICE, SLICE])
    expect(of?.children.map(({ routines: [one] }) => one?.outcome)).toEqual(locals.map(() => 'cancelled'))
    expect((await byHand)?.trigger).toBe('supervisor')
    expect(story(/stopped g\/many\//)).toEqual(locals.map((_, i) => `manager.stopped g/many/l${locals.length - 1 - i}`))
    const closing = story(/closing g\/many/)
    expect([closing[0], closing.length]).toEqual(['manager.phase closing g/many', SLICE + 1])
  })

  test('a clock that fails once does not hold up a shutdown beyond its time', async () => {
    const clock = new SteppedClock()
    const { local, global } = makeTree({}, { ...mode, clock, logger: false })
    for (let i = 0; i < MANY; i++) local.spawn('r', untilTold)
    await settle()
    const down = global.shutdown({ timeout: 500 })
    let throws = true
    const arm = clock.setTimeout.bind(clock)
    clock.setTimeout = (callback, delay) => {
      if (delay !== 0 || !throws) return arm(callback, delay)
      throws = false
      throw new Error('the clock fails')
    }
    await settle()
    await clock.advance(499)
    expect([throws, global.state]).toEqual([false, 'stopping'])
    await clock.advance(1)
    expect(await down).toMatchObject({ cancelled: MANY, timedOut: true })
  })

  test('giving up stops more than a slice in slices', async () => {
    const clock = new SteppedClock()
    const { local } = makeTree({ maxRestarts: 0 }, { ...mode, clock })
    const routines = Array.from({ length: MANY }, () => local.spawn('r', untilTold, { restart: 'permanent' }))
    await settle()
    routines[3]?.exit(new Error('crash'))
    await settle()
    expect(states(routines)['running']).toBeGreaterThan(SLICE)
    expect(() => local.spawn('late', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    await clock.advance(0)
    expect([states(routines), local.state, local.incarnation]).toEqual([{ failed: 1, cancelled: MANY - 1 }, 'running', 2])
  })
})

test('G3: a walk from the latest to the first comes to all that live at that moment, whoever leaves on the way', () => {
  const { local } = makeTree()
  const registry = (local as unknown as { registry: RoutineRegistry }).registry
  const routines = Array.from({ length: 6 }, (_, i) => local.spawn(`r${i}`, untilTold))
  const met: string[] = []
  for (const { path } of registry.latestFirst()) {
    met.push(path.slice(6, 8))
    // Before it begins, so that it leaves at once: one that was come to, and the next two.
    if (met.length === 2) for (const i of [5, 3, 2]) void routines[i]?.cancel()
  }
  expect(met).toEqual(['r5', 'r4', 'r1', 'r0'])
  expect([...registry.latestFirst()].map(({ path }) => path.slice(6, 8))).toEqual(['r4', 'r1', 'r0'])
})

/** Managers, each the only child of the last, and a routine at the bottom. */
function chain(depth: number): ChildSpec {
  let child: ChildSpec = manager('m', { children: [routine('leaf', untilTold)] })
  for (let i = 1; i < depth; i++) child = manager('m', { children: [child] })
  return child
}

test('a tree of 3,000 levels starts, is looked at, and stops, the deepest first', async () => {
  const depth = 3_000
  const global: GlobalManager = createGlobalManager({ name: 'g', children: [chain(depth)] })
  await global.ready()
  const [leaf] = global.routines()
  expect(leaf?.path.split('/')).toHaveLength(depth + 2)
  let health = global.health()
  let levels = 0
  for (; health.children[0] !== undefined; levels++) [health] = health.children as [typeof health]
  expect([levels, global.countOf('leaf'), global.count]).toEqual([depth, 1, 1])
  const stopped: number[] = []
  global.on('manager.stopped', ({ path }) => stopped.push(path.length))
  const report = await global.shutdown({ timeout: Infinity })
  expect([report.cancelled, report.errors, global.state]).toEqual([1, [], 'completed'])
  expect(stopped).toEqual(stopped.toSorted((a, b) => b - a))
  expect(stopped).toHaveLength(depth + 1)
  expect((await leaf?.outcome)?.status).toBe('cancelled')
})
