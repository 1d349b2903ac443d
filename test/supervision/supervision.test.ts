import { describe, expect, test } from 'vitest'
import {
  createGlobalManager,
  type GlobalManager,
  type LifecycleEvent,
  manager,
  RestartLimitError,
  type Routine,
  routine,
  type RoutineContext,
} from 'curtaincall'
import { counter, gate, makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('boom')
}

describe.each([{ strict: false }, { strict: true }])('supervision (strict: $strict)', (mode) => {
  describe.each(['permanent', 'transient', 'temporary'] as const)('of a %s routine', (restart) => {
    test.each([
      ['returns', () => 1, restart === 'permanent'],
      ['exits with shutdown', (c: any) => c.exit('shutdown'), restart === 'permanent'],
      ['exits with {shutdown: x}', (c: any) => c.exit({ shutdown: 1 }), restart === 'permanent'],
      ['throws', failing, restart !== 'temporary'],
      ['exits as killed', (c: any) => c.exit('killed'), restart !== 'temporary'],
    ])('that %s', async (_, end, again) => {
      const { local, events } = makeTree({}, mode)
      const routine = local.spawn('x', (context) => (context.incarnation === 1 ? end(context) : untilTold(context)), { restart })
      await settle()
      expect(routine.incarnation).toBe(again ? 2 : 1)
      expect(routine.restarts).toBe(again ? 1 : 0)
      expect(events.filter((event) => event.type === 'routine.restarted')).toHaveLength(again ? 1 : 0)
      expect(routine.state === 'running').toBe(again)
      if (again) expect(await routine.cancel()).toMatchObject({ status: 'cancelled' })
    })
  })

  test('identity, outcome and handle last over restarts; each incarnation is an actor of its own', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('x', ({ incarnation }) => (incarnation < 3 ? failing() : 'done'), { restart: 'transient' })
    const { outcome, id, path } = routine
    const actors = new Set([routine.actor])
    local.on('routine.restarted', () => actors.add(routine.actor))
    expect(await outcome).toEqual({ status: 'completed', output: 'done' })
    expect(routine.outcome).toBe(outcome)
    expect([routine.id, routine.path]).toEqual([id, path])
    expect([...actors].map((actor) => actor.getSnapshot().value)).toEqual(['failed', 'failed', 'completed'])
  })

  test('backs off by initial, factor and max, with jitter from the given randomness', async () => {
    const randoms = [0, 0.5, 0.999, 0.5, 0.5]
    const { local, clock, events } = makeTree({ maxRestarts: Infinity }, { ...mode, random: () => randoms.shift() ?? 0.5 })
    const backoff = { initial: 100, factor: 2, max: 350, jitter: 0.5 }
    const routine = local.spawn('x', ({ incarnation }) => (incarnation < 5 ? failing() : 'ok'), { restart: 'transient', backoff })
    await settle()
    expect(routine.state).toBe('pending')
    await clock.advance(49)
    expect(routine.incarnation).toBe(2)
    expect(routine.startedAt).toBeUndefined()
    await clock.advance(1)
    expect(routine.incarnation).toBe(3)
    await clock.runOut()
    expect(events.flatMap((event) => (event.type === 'routine.restarted' ? [event.delay] : []))).toEqual([50, 200, 350, 350])
    expect(routine.state).toBe('completed')
  })

  test('a backoff starts over once an incarnation has run for longer than its max', async () => {
    const { local, clock, events } = makeTree({ maxRestarts: Infinity }, mode)
    const backoff = { initial: 10, factor: 10, max: 100 }
    local.spawn(
      'x',
      async ({ incarnation }) => {
        if (incarnation === 3) await new Promise((resolve) => clock.setTimeout(() => resolve(1), 101))
        if (incarnation < 5) failing()
      },
      { restart: 'transient', backoff },
    )
    await clock.runOut()
    expect(events.flatMap((event) => (event.type === 'routine.restarted' ? [event.delay] : []))).toEqual([10, 100, 10, 100])
  })

  test.each(['spawned', 'child'] as const)('restarts by hand are no failures: the first delay is still the first (%s)', async (kind) => {
    const { local, events } = makeTree({ maxRestarts: Infinity }, mode)
    const body = ({ signal, incarnation }: RoutineContext): unknown =>
      incarnation < 4 ? untilTold({ signal } as RoutineContext) : failing()
    const options = { restart: 'permanent', backoff: { initial: 10, factor: 10, max: 100_000 } } as const
    if (kind === 'spawned') local.spawn('x', body, { id: 'x', ...options })
    else await local.startChild(routine('x', body, options))
    const x = local.routine('x') as Routine
    await settle()
    for (let i = 0; i < 3; i++) await x.restart()
    await settle()
    expect(events.flatMap((event) => (event.type === 'routine.restarted' ? [event.delay] : []))).toEqual([0, 0, 0, 10])
    await local.shutdown()
  })

  test('a cancel during the backoff ends it at once', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('x', failing, { restart: 'permanent', backoff: { initial: 1_000 } })
    await settle()
    expect(local.count).toBe(1)
    expect(await routine.cancel('no')).toEqual({ status: 'cancelled', reason: 'no', killed: false })
    expect([clock.pending, local.count, local.routines().length]).toEqual([0, 0, 0])
  })

  test('restartIf tells passing failures from lasting ones; if it throws, the failure lasts', async () => {
    const { local, global } = makeTree({ maxRestarts: 10 }, mode)
    const passing = (error: unknown, restarts: number) => (error as Error).message === 'boom' && restarts < 2
    const routine = local.spawn('x', failing, { restart: 'transient', restartIf: passing })
    expect(await routine.outcome).toMatchObject({ status: 'failed' })
    expect(routine.restarts).toBe(2)
    const once = local.spawn('x', () => Promise.reject(new Error('other')), { restart: 'permanent', restartIf: passing })
    await once.outcome
    expect(once.restarts).toBe(0)
    const thrown = local.spawn('x', failing, { restart: 'transient', restartIf: failing })
    expect(await thrown.outcome).toMatchObject({ status: 'failed' })
    expect([thrown.restarts, global.metrics().contained]).toEqual([0, 1])
    // What has not failed is not asked about.
    const returns = local.spawn('x', (context) => (context.incarnation === 1 ? 'done' : untilTold(context)), {
      restart: 'permanent',
      restartIf: failing,
    })
    await settle()
    expect([returns.incarnation, returns.state]).toEqual([2, 'running'])
  })

  test('restart() starts another incarnation whatever the type, without counting and without delay', async () => {
    const { local, events } = makeTree({ maxRestarts: 0 }, mode)
    const routine = local.spawn('x', untilTold, { backoff: { initial: 1_000 } })
    await settle()
    expect(await routine.restart()).toBe(true)
    expect(routine.incarnation).toBe(2)
    expect(events.filter((event) => event.type === 'manager.gaveUp')).toEqual([])
    await routine.cancel()
    expect(() => routine.restart()).toThrow(expect.objectContaining({ code: 'ERR_NOT_RUNNING' }))
  })

  test('restart() by hand stays free, also of one that then turns out to be hung', async () => {
    const { local, clock, events } = makeTree({ maxRestarts: 0 }, mode)
    const deaf = (): Promise<never> => new Promise(() => undefined)
    const routine = local.spawn('x', deaf, { hungAfter: 10, onHung: 'restart', shutdown: 50 })
    await settle()
    const restarted = routine.restart()
    await clock.advance(50)
    expect([await restarted, routine.incarnation]).toEqual([true, 2])
    expect(events.filter(({ type }) => type === 'routine.hung')).toHaveLength(1)
  })

  test.each(['spawned', 'child'] as const)('%s: restart() in reaction to a restart that is to wait begins it at once', async (kind) => {
    const options = { restart: 'permanent', backoff: { initial: 400 } } as const
    const body = (context: RoutineContext): unknown => (context.incarnation === 1 ? failing() : untilTold(context))
    const { local, clock } = makeTree({ children: kind === 'child' ? [routine('x', body, options)] : [] }, mode)
    let restarted: Promise<boolean> | undefined
    local.on('routine.restarted', ({ id }) => {
      restarted = local.routine(id)?.restart()
    })
    const x = kind === 'child' ? local.routine('x') : local.spawn('x', body, options)
    await settle()
    expect([x?.state, await restarted, clock.pending]).toEqual(['running', true, 0])
  })

  test('a restart whose start fails is tried again, and each attempt counts', async () => {
    const { local, global } = makeTree({ maxRestarts: 3, restart: 'temporary' }, mode)
    const routine = local.spawn('x', failing, {
      restart: 'transient',
      start: ({ incarnation }) => {
        if (incarnation > 1) throw new Error('cannot')
      },
    })
    expect(await routine.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_START' } })
    expect(routine.restarts).toBe(3)
    expect((await local.outcome).errors[0]?.error).toBeInstanceOf(RestartLimitError)
    expect(global.state).toBe('running')
  })

  test('the limit counts restarts inside the window only', async () => {
    const { local, clock } = makeTree({ maxRestarts: 1, restartWindow: 100 }, mode)
    const crash: PromiseWithResolvers<void>[] = []
    const routine = local.spawn(
      'x',
      () => {
        crash.push(gate())
        return crash.at(-1)?.promise
      },
      { restart: 'permanent' },
    )
    for (let i = 0; i < 3; i++) {
      await clock.advance(101)
      crash.at(-1)?.reject(new Error('x'))
    }
    await settle()
    expect(routine.incarnation).toBe(4)
    expect(local.state).toBe('running')
    crash.at(-1)?.reject(new Error('x'))
    await settle()
    expect(local.incarnation).toBe(2)
  })

  test('giving up escalates level by level, and the global manager ends with a report', async () => {
    const clockTree = makeTree({ maxRestarts: 0 }, { ...mode, maxRestarts: 1 })
    const { global, local, story } = clockTree
    const app = global.getApp('a')
    const report = global.outcome
    // Each crash makes the local give up; a permanent local is restarted by its app, up to its limit of 3.
    for (let i = 0; i < 8 && global.state === 'running'; i++) {
      const home = global.getApp('a')?.getLocal('l') ?? global.getApp('a')?.createLocal('l', { maxRestarts: 0 })
      home?.spawn('x', failing, { restart: 'permanent' })
      await settle()
    }
    const { errors } = await report
    expect(global.state).toBe('failed')
    expect(errors[0]).toMatchObject({ path: 'g', error: { code: 'ERR_RESTART_LIMIT' } })
    expect(app?.state).toBe('failed')
    expect(story(/gaveUp g$/)).toHaveLength(1)
    expect(story(/gaveUp g\/a$/)).toHaveLength(2)
    expect(story(/restarted g\/a$/)).toHaveLength(1)
    expect(() => local.spawn('x', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
  })

  test('the crash that began it is at the end of the causes, however many levels have given up', async () => {
    const inner = manager('b', { maxRestarts: 0, children: [routine('c', failing)] })
    const outer = manager('a', { maxRestarts: 0, children: [inner] })
    const global = createGlobalManager({ maxRestarts: 0, children: [outer], ...mode })
    const { errors } = await global.outcome
    const said: string[] = []
    for (let error = errors[0]?.error as Error | undefined; error !== undefined; error = error.cause as Error | undefined)
      said.push(error.message)
    expect(said.map((line) => line.split(':')[0])).toEqual(['global', 'global/a', 'global/a/b', 'boom'])
  })

  test('a local that gives up stops its other routines, is restarted empty, and its handle goes on', async () => {
    const { local, story } = makeTree({ maxRestarts: 0 }, mode)
    const other = local.spawn('other', untilTold)
    await settle()
    const bad = local.spawn('bad', failing, { restart: 'permanent' })
    expect(await bad.outcome).toMatchObject({ status: 'failed' })
    expect(await other.outcome).toMatchObject({ status: 'cancelled', killed: false })
    await settle()
    expect([local.state, local.incarnation, local.count]).toEqual(['running', 2, 0])
    expect(await local.spawn('again', () => 'yes').result()).toBe('yes')
    expect(story(/manager/).slice(2)).toEqual([
      'manager.gaveUp g/a/l',
      'manager.phase closing g/a/l',
      'manager.phase cancelling g/a/l',
      'manager.phase waiting g/a/l',
      'manager.phase killing g/a/l',
      'manager.phase cleaning g/a/l',
      'manager.stopped g/a/l',
      'manager.restarted g/a/l',
    ])
  })

  test('a transient local that gives up is not restarted, as in OTP', async () => {
    const { global, local } = makeTree({ maxRestarts: 0, restart: 'transient' }, mode)
    local.spawn('bad', failing, { restart: 'permanent' })
    expect((await local.outcome).errors).toHaveLength(1)
    expect([local.state, global.state]).toEqual(['failed', 'running'])
    expect(global.getApp('a')?.getLocal('l')).toBeUndefined()
  })

  test('restartIf is asked nothing where the answer would not count', async () => {
    const { local } = makeTree({}, mode)
    const asked: unknown[] = []
    const failed = gate<never>()
    const draining = local.spawn('x', () => failed.promise, { restart: 'transient', restartIf: (error) => asked.push(error) > 0 })
    await settle()
    const done = local.shutdown({ drain: 1_000 })
    failed.reject(new Error('boom'))
    expect([(await draining.outcome).status, asked]).toEqual(['failed', []])
    await done
  })

  test('a crash during a shutdown restarts nothing', async () => {
    const { local, global } = makeTree({}, mode)
    const routine = local.spawn(
      'x',
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('late')))),
      {
        restart: 'permanent',
      },
    )
    await settle()
    const report = await global.shutdown()
    expect(routine.incarnation).toBe(1)
    expect(report).toMatchObject({ cancelled: 1, errors: [{ error: { message: 'late' } }] })
  })

  test('causes lead from a global end back to the crash', async () => {
    const events: LifecycleEvent[] = []
    const { local, global } = makeTree({ maxRestarts: 0, restart: 'permanent' }, { ...mode, maxRestarts: 0 })
    global.on('*', (event) => events.push(event))
    // The app's limit of 3 is used up first.
    for (let i = 0; i < 4; i++) {
      local.spawn('x', failing, { restart: 'permanent' })
      await settle()
    }
    const bySeq = new Map(events.map((event) => [event.seq, event]))
    const chain: string[] = []
    for (let at = events.findLast((e) => e.type === 'manager.stopped' && e.path === 'g'); at !== undefined; at = bySeq.get(at.cause ?? 0)) {
      chain.push(at.type)
    }
    expect(chain).toContain('manager.gaveUp')
    expect(chain).toContain('routine.failed')
    for (const event of events) if (event.cause !== null) expect(event.cause).toBeLessThan(event.seq)
  })
})

test('strict or not, the same script gives the same events', async () => {
  const run = async (strict: boolean): Promise<string> => {
    const { local, global, clock, events } = makeTree(
      { maxRoutines: 2, overflow: 'queue', maxRestarts: 50 },
      { strict, generateId: counter() },
    )
    await script(local, clock, global)
    return JSON.stringify(events, (_, value) => (value instanceof Error ? value.message : value))
  }
  const script = async (
    local: ReturnType<typeof makeTree>['local'],
    clock: ReturnType<typeof makeTree>['clock'],
    global: GlobalManager,
  ) => {
    local.spawn('a', failing, { restart: 'transient', backoff: { initial: 5, factor: 3 } })
    local.spawn('b', untilTold, { timeout: 20 })
    local.spawn('c', () => new Promise(() => undefined), { timeout: 10, shutdown: 5 })
    void local.spawn('d', untilTold).cancel()
    local.spawn('e', async () => 1)
    await clock.advance(100)
    void global.shutdown({ timeout: 50 })
    await clock.runOut()
    await global.outcome
  }
  expect(await run(true)).toBe(await run(false))
  expect(await run(false)).toBe(await run(false))
})
