/** Each fault of the predecessor's audit, by its id: a test that fails if the fault is put back (test/faults does). */
import { getEventListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import { createMachine, fromCallback, type InspectionEvent } from 'xstate'
import {
  AppManager,
  createGlobalManager,
  CurtaincallError,
  GlobalManager,
  handleSignals,
  type LifecycleEvent,
  LocalManager,
  type Logger,
  MAX_NAMES,
  RoutineTimeoutError,
} from 'curtaincall'
import { PHASES } from 'curtaincall/machines'
import * as publicNames from 'curtaincall'
import { counter, deaf, gate, makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('boom')
}

async function uncaught(during: () => Promise<void>): Promise<unknown[]> {
  const caught: unknown[] = []
  const listener = (error: unknown): void => void caught.push(error)
  const [thrown, rejected] = [process.listeners('uncaughtException'), process.listeners('unhandledRejection')]
  process.removeAllListeners('uncaughtException').removeAllListeners('unhandledRejection')
  process.on('uncaughtException', listener).on('unhandledRejection', listener)
  try {
    await during()
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 1))
  } finally {
    process.off('uncaughtException', listener).off('unhandledRejection', listener)
    for (const each of thrown) process.on('uncaughtException', each)
    for (const each of rejected) process.on('unhandledRejection', each)
  }
  return caught
}

describe('C: correctness', () => {
  test('C1: a finished routine leaves every registry at once, on every path', async () => {
    const { local, global, clock } = makeTree({ maxRoutines: 20, overflow: 'queue' })
    const ends = {
      end: () => local.spawn('end', () => 1),
      failure: () => local.spawn('failure', failing),
      cancel: () => void local.spawn('cancel', untilTold).cancel(),
      kill: () => void local.spawn('kill', deaf).kill(),
      timeout: () => local.spawn('timeout', deaf, { timeout: 10, shutdown: 5 }),
      start: () => local.spawn('start', untilTold, { start: failing }),
      actor: () => local.spawn('actor', createMachine({ initial: 'a', states: { a: { type: 'final' } } })),
    }
    for (const end of Object.values(ends)) end()
    await clock.runOut()
    for (const name of Object.keys(ends)) expect([name, local.countOf(name), global.countOf(name)]).toEqual([name, 0, 0])
    expect([local.count, local.routines(), global.routines(), clock.pending]).toEqual([0, [], [], 0])
    expect(local.routinesNamed('end')).toEqual([])
    local.spawn('last', untilTold)
    await global.shutdown()
    expect([local.count, local.routines(), global.countOf('last')]).toEqual([0, [], 0])
  })

  test('C1: retain is bounded, and so are the names that are counted apart', async () => {
    const { local, global } = makeTree({ retain: 2 })
    expect(local.retained()).toEqual([])
    for (const id of ['1', '2', '3']) local.spawn('x', () => 1, { id })
    await settle()
    expect(local.retained().map(({ id }) => id)).toEqual(['2', '3'])
    expect([local.routine('1'), local.routine('3')?.state, local.count]).toEqual([undefined, 'completed', 0])
    for (let i = 0; i < MAX_NAMES + 50; i++) local.spawn(`name ${i}`, () => 1)
    await settle()
    const { byName, spawned } = global.metrics()
    expect(Object.keys(byName)).toHaveLength(MAX_NAMES + 1)
    expect(byName['(other)']?.completed).toBe(51)
    expect(spawned).toBe(MAX_NAMES + 53)
  })

  test('C2: whatever throws becomes that routine’s failure, is counted, logged and seen, and harms no sibling', async () => {
    const lines: unknown[] = []
    const log = (details: object, message?: string) => void lines.push([message, details])
    const logger: Logger = { debug: log, info: log, warn: log, error: log }
    const { local, global, events } = makeTree({}, { logger })
    const sibling = local.spawn('sibling', untilTold)
    const thrower = { then: () => failing() }
    const caught = await uncaught(async () => {
      const routines = [
        local.spawn('sync', failing),
        local.spawn('async', async () => failing()),
        local.spawn('undefined', () => Promise.reject(undefined)),
        local.spawn('thenable', () => thrower as unknown as Promise<void>),
        local.spawn('machine', createMachine({ entry: failing })),
        local.spawn('callback', fromCallback(failing)),
      ]
      for (const routine of routines) expect((await routine.outcome).status).toBe('failed')
    })
    expect(caught).toEqual([])
    expect(sibling.state).toBe('running')
    expect(global.metrics()).toMatchObject({ failed: 6, failures: 6, running: 1 })
    expect(events.filter(({ type }) => type === 'routine.failed')).toHaveLength(6)
    const failures = lines.filter(([message]: any) => message === 'routine failed')
    expect(failures).toHaveLength(6)
    expect(failures[0]).toMatchObject([
      'routine failed',
      { path: 'g/a/l/sync#r2', err: { message: 'boom' }, incarnation: 1, willRestart: false },
    ])
  })

  test('C2: a listener on the signal that throws is that routine’s error, contained', async () => {
    const { local } = makeTree()
    const error = new Error('in the listener')
    const caught = await uncaught(async () => {
      const routine = local.spawn('x', ({ signal }) => {
        signal.addEventListener('abort', () => {
          throw error
        })
        signal.onabort = () => {
          throw error
        }
        return new Promise((resolve) => signal.addEventListener('abort', () => resolve('fine')))
      })
      await settle()
      expect(await routine.cancel()).toMatchObject({ status: 'cancelled', killed: false, output: 'fine', error })
    })
    expect(caught).toEqual([])
  })

  test('C2: cleanup that throws, and listeners, loggers and inspectors that throw, are contained', async () => {
    const logger: Logger = { debug: failing, info: failing, warn: failing, error: failing }
    const { local, global } = makeTree({}, { logger, inspect: failing })
    global.on('*', failing)
    global.on('routine.failed', async () => failing())
    const caught = await uncaught(async () => {
      const messy = local.spawn('messy', async ({ signal }) => {
        try {
          await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        } finally {
          failing()
        }
      })
      await settle()
      expect(await messy.cancel('x')).toMatchObject({ status: 'cancelled', error: { message: 'boom' } })
      expect(await local.spawn('x', failing).outcome).toMatchObject({ status: 'failed' })
      await global.shutdown()
    })
    expect(caught).toEqual([])
    expect(global.state).toBe('completed')
  })

  test('C3: 100,000 waits that time out leave no timer, listener or waiter behind', async () => {
    const { local, clock } = makeTree({ maxRoutines: 1 })
    const { signal } = new AbortController()
    const routine = local.spawn('x', untilTold)
    await settle()
    const before = clock.pending
    for (let batch = 0; batch < 10; batch++) {
      const waits = Array.from({ length: 10_000 }, (_, i) =>
        i % 2 === 0 ? local.waitFor('x', { timeout: 1, signal }) : local.whenAvailable({ timeout: 1, signal }),
      )
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      // One timer fires the lot: the clock is virtual, so they are all due in the same instant.
      await fireAll(clock)
      expect(new Set(await Promise.all(waits))).toEqual(new Set([false]))
    }
    expect(clock.pending).toBe(before)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    expect(waiters(local)).toBe(0)
    await routine.cancel()
    expect(await local.waitFor('x')).toBe(true)
  })

  test('C3: a wait that succeeds, or is aborted, leaves nothing behind either', async () => {
    const { local, clock } = makeTree()
    const controller = new AbortController()
    const routine = local.spawn('x', untilTold)
    await settle()
    const good = local.waitFor('x', { timeout: 1_000, signal: new AbortController().signal })
    const bad = local.waitFor('x', { timeout: 1_000, signal: controller.signal })
    controller.abort('why')
    await expect(bad).rejects.toBe('why')
    await routine.cancel()
    expect(await good).toBe(true)
    expect([clock.pending, waiters(local), getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0, 0])
    await expect(local.waitFor('x', { signal: controller.signal })).rejects.toBe('why')
  })

  test('C4: a shutdown that times out still ends all five phases and leaves nothing behind', async () => {
    const { local, global, clock } = makeTree()
    const { signal } = new AbortController()
    local.spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 50, signal })
    await clock.runOut()
    const report = await done
    expect(report).toMatchObject({ timedOut: true, killed: 1, orphaned: 1 })
    expect(report.phases.map(({ phase }) => phase)).toEqual([...PHASES])
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
  })

  test('C5: creating, looking up and shutting down in any order gives one right answer', async () => {
    const { global } = makeTree()
    let seen: string | undefined
    global.on('manager.started', ({ path }) => {
      if (path === 'g/b') seen = global.getApp('b')?.state
    })
    const app = global.createApp('b')
    expect(seen).toBe('running')
    expect(global.getApp('b')).toBe(app)
    const done = app.shutdown()
    expect(() => app.createLocal('l')).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    expect(() => global.createApp('b')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    await done
    expect(global.getApp('b')).toBeUndefined()
    expect(global.createApp('b')).not.toBe(app)
    expect(global.apps().map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('C6: after a shutdown nothing is registered, armed or listening, and a second one changes nothing', async () => {
    const { global, local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const { signal } = new AbortController()
    const before = process.listenerCount('SIGUSR2')
    handleSignals(global, ['SIGUSR2'])
    local.spawn('x', untilTold, { timeout: 1_000, signal, hungAfter: 100 })
    local.spawn('q', untilTold, { signal })
    local.spawn('b', failing, { restart: 'permanent', backoff: { initial: 5_000 }, signal })
    await settle()
    let heard = 0
    global.on('*', () => heard++)
    const report = await global.shutdown()
    expect([clock.pending, getEventListeners(signal, 'abort').length, process.listenerCount('SIGUSR2')]).toEqual([0, 0, before])
    expect([global.apps(), global.routines(), global.count, local.queued]).toEqual([[], [], 0, 0])
    const after = heard
    expect(await global.shutdown({ mode: 'immediate' })).toBe(report)
    expect([heard, clock.pending]).toEqual([after, 0])
  })
})

describe('M: limits and time', () => {
  test('M1: maxRoutines holds at every level at every instant', async () => {
    const global = createGlobalManager({ maxRoutines: 3 })
    const app = global.createApp('a', { maxRoutines: 2 })
    const local = app.createLocal('l', { maxRoutines: 1 })
    const second = app.createLocal('m')
    const other = global.createApp('b').createLocal('l')
    const refused = (at: LocalManager) =>
      expect(() => at.spawn('x', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_AT_CAPACITY' }))
    local.spawn('x', untilTold)
    refused(local)
    second.spawn('x', untilTold)
    refused(second)
    other.spawn('x', untilTold)
    refused(other)
    expect([global.count, app.count, local.count, global.available]).toEqual([3, 2, 1, 0])
    await global.shutdown()
  })

  test.each([
    ['ignores its signal', deaf],
    ['throws on cancel', ({ signal }: any) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('no'))))],
    [
      'throws in its listener and hangs',
      ({ signal }: any) => {
        signal.addEventListener('abort', failing)
        return deaf()
      },
    ],
    [
      'calls shutdown from inside itself and hangs',
      ({ local }: any) => {
        void local.shutdown()
        return deaf()
      },
    ],
    [
      'spawns while stopping and hangs',
      ({ local, signal }: any) => {
        signal.addEventListener('abort', () => local.spawn('y', deaf))
        return deaf()
      },
    ],
    [
      'waits for the shutdown that it calls',
      async ({ local }: any) => {
        await local.shutdown()
      },
    ],
  ])('M2: the whole timeout holds for a routine that %s', async (_, body) => {
    const { local, global, clock } = makeTree()
    local.spawn('x', body as never, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 100 })
    await clock.runOut(100)
    const report = await done
    expect(report.duration).toBeLessThanOrEqual(100)
    expect([global.count, clock.pending]).toEqual([0, 0])
  })

  test('M3: signal handling is separate, optional and undoable', async () => {
    const names = ['SIGUSR2', 'SIGWINCH'] as const
    const count = () => names.map((name) => process.listenerCount(name))
    const before = count()
    const global = createGlobalManager()
    expect(count()).toEqual(before)
    const off = handleSignals(global, names)
    expect(count()).toEqual(before.map((n) => n + 1))
    off()
    off()
    expect(count()).toEqual(before)
    {
      using undo = handleSignals(global, names)
      expect(typeof undo).toBe('function')
    }
    expect(count()).toEqual(before)
    handleSignals(global, names)
    process.emit('SIGUSR2')
    expect(global.state).toBe('stopping')
    await global.outcome
    await settle()
    expect(count()).toEqual(before)
  })

  test('M3: a second signal makes the shutdown immediate', async () => {
    const { global, local, clock } = makeTree()
    local.spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    handleSignals(global, ['SIGUSR2'])
    process.emit('SIGUSR2')
    await clock.advance(10)
    process.emit('SIGUSR2')
    await clock.advance(0)
    expect(await global.outcome).toMatchObject({ mode: 'immediate', killed: 1, duration: 10 })
  })

  test('M4: every wait takes a timeout and a signal', async () => {
    const { global, local, clock } = makeTree({ maxRoutines: 1 })
    const routine = local.spawn('x', deaf, { shutdown: 'infinity' })
    await settle()
    const { signal } = new AbortController()
    const waits = [
      local.waitFor('x', { timeout: 5, signal }),
      local.whenAvailable({ timeout: 5, signal }),
      routine.result({ timeout: 5, signal }).catch((error: unknown) => error),
      local.ready({ timeout: 5, signal }),
      local.shutdownNamed('x', { timeout: 5, signal }),
      global.shutdown({ timeout: 5, signal }),
    ]
    await clock.advance(5)
    const [named, available, result, ready, shutdown] = await Promise.all(waits)
    expect([named, available, ready]).toEqual([false, false, undefined])
    expect(result).toBeInstanceOf(RoutineTimeoutError)
    expect(shutdown).toMatchObject({ timedOut: true, killed: 1 })
    expect([clock.pending, getEventListeners(signal, 'abort').length]).toEqual([0, 0])
  })
})

describe('H: what was missing', () => {
  test('H1: any number of global managers live side by side and share nothing', async () => {
    const [one, two] = [makeTree(), makeTree()]
    one.local.spawn('x', untilTold, { id: 'same' })
    two.local.spawn('x', untilTold, { id: 'same' })
    await settle()
    await one.global.shutdown()
    expect([one.global.count, two.global.count, two.global.state]).toEqual([0, 1, 'running'])
    expect(two.events.some(({ type }) => type === 'manager.phase')).toBe(false)
  })

  test('H2: health() per node; a hung routine is found by its heartbeat and reported, restarted or killed', async () => {
    const { global, local, clock, events } = makeTree()
    const beats = gate()
    local.spawn(
      'report',
      async ({ heartbeat }) => {
        await beats.promise
        heartbeat()
        return deaf()
      },
      { hungAfter: 100, shutdown: 0 },
    )
    const restarted = local.spawn('restart', deaf, { hungAfter: 100, onHung: 'restart', shutdown: 10 })
    const killed = local.spawn('kill', deaf, { hungAfter: 100, onHung: 'kill' })
    await clock.advance(99)
    expect(global.health()).toMatchObject({ status: 'healthy', oldestHeartbeat: 99, hung: 0, restartsLeft: 3 })
    await clock.advance(1)
    expect(await killed.outcome).toMatchObject({ status: 'cancelled', killed: true, reason: { code: 'ERR_HUNG' } })
    expect(global.health()).toMatchObject({
      status: 'hung',
      hung: 2,
      children: [{ path: 'g/a', children: [{ path: 'g/a/l', status: 'hung' }] }],
    })
    await clock.advance(10)
    expect([restarted.incarnation, restarted.state]).toEqual([2, 'running'])
    beats.resolve()
    await settle()
    expect(local.health()).toMatchObject({ status: 'degraded', hung: 0, restartsLeft: 2 })
    const boundless = global.createApp('b').createLocal('l', { maxRestarts: Infinity })
    boundless.spawn('x', ({ incarnation }) => (incarnation === 1 ? Promise.reject(new Error('boom')) : undefined), { restart: 'transient' })
    await settle()
    expect(boundless.health()).toMatchObject({ status: 'degraded', restartsLeft: Infinity })
    expect(events.filter(({ type }) => type === 'routine.hung').map(({ path }) => path.replace(/.*\/(.*)#.*/, '$1'))).toEqual([
      'report',
      'restart',
      'kill',
    ])
    void global.shutdown({ timeout: 0 })
    await clock.runOut()
    expect(global.health().status).toBe('stopping')
    expect(clock.pending).toBe(0)
  })

  test('H3: lifecycle events are one closed union, and a logger of pino’s shape gets what matters', async () => {
    const lines: string[] = []
    const make = (bindings: object): Logger => ({
      debug: () => 0,
      info: (_, message) => void lines.push(`info ${message} ${JSON.stringify(bindings)}`),
      warn: () => 0,
      error: (_, message) => void lines.push(`error ${message}`),
      child: (more) => make({ ...bindings, ...more }),
    })
    const { local, global, events } = makeTree({ maxRestarts: 0, restart: 'temporary' }, { logger: make({}) })
    local.spawn('x', ({ logger }) => logger.info({}, 'hello'))
    local.spawn('y', failing, { restart: 'permanent' })
    await local.outcome
    expect(lines).toEqual(['info hello {"path":"g/a/l/x#r1","incarnation":1}', 'error routine failed', 'error gave up'])
    for (const event of events) expect(Object.keys(event)).toEqual(expect.arrayContaining(['type', 'path', 'at', 'seq', 'cause']))
    expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).toSorted((a, b) => a - b))
    expect(global.metrics()).toMatchObject({ spawned: 2, completed: 1, failed: 1, failures: 1, durations: { count: 2 } })
  })

  test('H4: options at every spawn, validated, each with a default', () => {
    const { local } = makeTree()
    expect(local.spawn('x', untilTold).state).toBe('pending')
    expect(() => local.spawn('x', untilTold, { timeout: -1 })).toThrow(CurtaincallError)
    expect(local.spawn('x', untilTold, { timeout: 1, restart: 'transient', shutdown: 'infinity', backoff: {} }).state).toBe('pending')
  })
})

describe('R: robustness', () => {
  test('R1: a failure is isolated, restarts follow the policy, and the limit escalates', async () => {
    const { local, global } = makeTree({ maxRestarts: 1, restart: 'temporary' })
    const sibling = local.spawn('sibling', untilTold)
    const routine = local.spawn('x', failing, { restart: 'transient' })
    expect(await routine.outcome).toMatchObject({ status: 'failed' })
    expect(routine.restarts).toBe(1)
    expect((await local.outcome).errors[0]?.error).toMatchObject({ code: 'ERR_RESTART_LIMIT', cause: { message: 'boom' } })
    expect([await sibling.outcome, global.state]).toMatchObject([{ status: 'cancelled', killed: false }, 'running'])
  })

  test('R2: a producer that waits for room never exceeds the limit nor the queue', async () => {
    const { local, clock } = makeTree({ maxRoutines: 4, overflow: 'queue', maxQueue: 8 })
    let most = 0
    const producer = (async () => {
      for (let i = 0; i < 200 && (await local.whenAvailable({ room: 'queue' })); i++) {
        const { started, outcome } = local.spawn('x', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 1)))
        void started
        void outcome
        most = Math.max(most, local.count + local.queued)
      }
    })()
    await clock.runOut()
    await producer
    await clock.runOut()
    expect(most).toBe(12)
    expect(local.metrics()).toMatchObject({ completed: 200, refused: 0 })
  })
})

describe('S: shutdown', () => {
  const script = async (): Promise<string> => {
    const { global, local, clock, events } = makeTree({}, { generateId: counter() })
    const other = global.createApp('b').createLocal('m')
    for (const at of [local, other, local]) {
      at.spawn('polite', untilTold)
      at.spawn('slow', slowToStop(clock, 10))
      at.spawn('deaf', deaf, { shutdown: 20 })
    }
    await settle()
    void global.shutdown({ timeout: 1_000 })
    await clock.runOut()
    return JSON.stringify(events, (_, value) => (value instanceof Error ? value.message : value))
  }

  test('S1: the order is routine, local, app, global, siblings in reverse order of start, and the same every time', async () => {
    const trace = await script()
    expect(await script()).toBe(trace)
    const events = JSON.parse(trace) as LifecycleEvent[]
    const stopped = events.filter(({ type }) => type === 'manager.stopped').map(({ path }) => path)
    expect(stopped).toEqual(['g/b/m', 'g/b', 'g/a/l', 'g/a', 'g'])
    for (const path of stopped) {
      const end = events.findIndex((event) => event.type === 'manager.stopped' && event.path === path)
      expect(events.slice(end + 1).some((event) => event.path.startsWith(`${path}/`))).toBe(false)
    }
    const told = events.filter(({ type, path }) => type === 'routine.cancelled' && path.includes('polite')).map(({ path }) => path)
    expect(told).toEqual(['g/b/m/polite#r4', 'g/a/l/polite#r7', 'g/a/l/polite#r1'])
  })

  test('S2: one whole deadline; spawned work is waited for together', async () => {
    const { global, local, clock } = makeTree()
    for (let i = 0; i < 50; i++) local.spawn('slow', slowToStop(clock, 30))
    await settle()
    const done = global.shutdown({ timeout: 1_000 })
    await clock.runOut()
    expect(await done).toMatchObject({ cancelled: 50, duration: 30 })
    const many = makeTree()
    for (let i = 0; i < 10; i++) many.global.createApp(`app ${i}`).createLocal('l').spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const late = many.global.shutdown({ timeout: 200 })
    await many.clock.runOut()
    expect(await late).toMatchObject({ killed: 10, duration: 200 })
  })

  test('S3: at its end a routine’s signal is released, its timers disarmed, its listeners gone', async () => {
    const { local, clock } = makeTree()
    const { signal } = new AbortController()
    const aborted: boolean[] = []
    const options = { signal, timeout: 1_000, hungAfter: 500, shutdown: 100 }
    for (const body of [() => 1, failing, untilTold]) {
      const routine = local.spawn(
        'x',
        (context) => {
          context.signal.addEventListener('abort', () => aborted.push(true))
          return (body as (c: unknown) => unknown)(context)
        },
        options,
      )
      await settle()
      expect(getEventListeners(signal, 'abort').length).toBe(routine.state === 'running' ? 1 : 0)
      if (routine.state === 'running') await routine.cancel()
    }
    expect([clock.pending, getEventListeners(signal, 'abort').length, aborted.length]).toEqual([0, 0, 1])
  })

  test('S4: the five phases are states of the machine, visible, timed and reported', async () => {
    const { global, local } = makeTree()
    const states: unknown[] = []
    local.actor.subscribe({ next: ({ value }) => void states.push(value), error: failing })
    const report = await global.shutdown()
    expect(states).toEqual([...PHASES.map((phase) => ({ stopping: phase })), 'completed'])
    expect(report.children[0]?.children[0]?.phases.map(({ phase }) => phase)).toEqual([...PHASES])
    for (const phase of report.phases) expect(phase).toMatchObject({ duration: 0, exceeded: false, deadline: 10_000 })
  })
})

describe('W, X, T, O, G: hygiene', () => {
  test('W1: a permit is released exactly once on every path, a start that never happens included', async () => {
    const { local, global, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' })
    for (const make of [
      () => local.spawn('x', () => 1),
      () => local.spawn('x', ({ incarnation }) => incarnation < 3 && failing(), { restart: 'transient' }),
      () => local.spawn('x', untilTold, { start: failing }),
      () => local.spawn('x', deaf, { timeout: 1, shutdown: 1 }),
      () => local.spawn('x', deaf, { signal: AbortSignal.abort() }),
    ]) {
      const routine = make()
      const queued = local.spawn('queued', () => 1)
      void local.spawn('queued', untilTold).cancel()
      await clock.runOut()
      if (routine.state === 'running') await routine.kill()
      await settle()
      expect([routine.state === 'running', queued.state, local.count, global.count, local.queued]).toEqual([false, 'completed', 0, 0, 0])
    }
    expect(local.available).toBe(1)
  })

  test('X1: cancel() cancels, count counts the living, routines() lists the living', async () => {
    const { local } = makeTree()
    const [one, two] = [local.spawn('x', untilTold), local.spawn('x', untilTold)]
    await settle()
    expect(await one.cancel()).toMatchObject({ status: 'cancelled', output: 'obeyed' })
    expect([local.count, local.countOf('x'), local.routines()]).toEqual([1, 1, [two]])
  })

  test('X3: one hierarchy of errors with codes', () => {
    const errors = Object.entries(publicNames).filter(([name]) => name.endsWith('Error'))
    expect(errors.length).toBeGreaterThan(10)
    for (const [name, type] of errors) {
      const takesCode = name === 'CurtaincallError' || name === 'SpawnRefusedError'
      const args = takesCode ? ['ERR_AT_CAPACITY', 'message'] : ['message']
      const error = new (type as unknown as new (...args: string[]) => CurtaincallError)(...args)
      expect(error).toBeInstanceOf(CurtaincallError)
      expect(error.code).toMatch(/^ERR_[A-Z_]+$/)
      expect(error.name).toBe(name)
    }
  })

  test('X4: a name that is taken throws; looking up is another call', () => {
    const { global } = makeTree()
    const app = global.getApp('a') as AppManager
    expect(() => global.createApp('a')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    expect(() => app.createLocal('l')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    expect([global.getApp('none'), app.getLocal('none')]).toEqual([undefined, undefined])
    expect(app.getLocal('l')).toBeInstanceOf(LocalManager)
    expect(global).toBeInstanceOf(GlobalManager)
  })

  test('X5: no timeout is hidden: each is an option, per routine, manager and shutdown', async () => {
    const { global, clock } = makeTree()
    const local = global.createApp('b', { shutdown: 500 }).createLocal('l', { shutdown: 400, restartWindow: 7, maxRestarts: 2 })
    local.spawn('x', deaf, { shutdown: 300 })
    await settle()
    const done = global.shutdown({ timeout: 5_000 })
    await clock.runOut()
    expect((await done).duration).toBe(300)
  })

  test('T1: 10,000 routines at once under faults of all kinds end as they should, and nothing is left', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: Infinity, maxRoutines: 10_000 })
    const bodies = [() => 1, failing, untilTold, deaf, async () => failing()]
    for (let i = 0; i < 10_000; i++)
      local.spawn(`kind ${i % 5}`, bodies[i % 5] as never, { shutdown: 50, timeout: i % 7 === 0 ? 20 : 1_000 })
    await clock.advance(30)
    expect(global.count).toBe(global.routines().length)
    const done = global.shutdown({ timeout: 1_000 })
    await clock.advance(50)
    const { totals } = await done
    expect(totals.spawned).toBe(10_000)
    expect(totals.completed + totals.failed + totals.cancelled + totals.killed).toBe(10_000)
    expect([totals.completed, global.count, clock.pending]).toEqual([2_000, 0, 0])
  })

  test('O1: ended records are reaped at once; abandoned work is known as orphaned, by owner, until it settles', async () => {
    const { local, global, events, clock } = makeTree()
    const body = gate()
    const routine = local.spawn('x', () => body.promise, { shutdown: 5 })
    await settle()
    void routine.cancel()
    await clock.advance(5)
    expect([local.routines(), global.metrics().orphaned]).toEqual([[], 1])
    expect(events.find(({ type }) => type === 'routine.orphaned')?.path).toBe(routine.path)
    body.resolve()
    await settle()
    expect(global.metrics().orphaned).toBe(0)
    expect(events.find(({ type }) => type === 'routine.settled')?.path).toBe(routine.path)
  })

  test('G1: waiting for, counting and stopping by name, as the old function groups did', async () => {
    const { local, global, clock } = makeTree()
    local.spawn('group', untilTold)
    local.spawn('group', slowToStop(clock, 10))
    local.spawn('group', deaf, { shutdown: 'infinity' })
    const other = local.spawn('other', untilTold)
    await settle()
    expect([local.countOf('group'), global.countOf('group'), local.routinesNamed('group').length]).toEqual([3, 3, 3])
    const waited = global.waitFor('group')
    const done = local.shutdownNamed('group', { timeout: 50 })
    await clock.runOut()
    expect(await done).toMatchObject({ name: 'group', cancelled: 2, killed: 1, timedOut: true, duration: 50 })
    expect([await waited, other.state, local.countOf('group')]).toEqual([true, 'running', 0])
    expect(await local.shutdownNamed('group')).toMatchObject({ timedOut: false, routines: [] })
  })
})

test('inspection shows the whole tree with its parents', async () => {
  const actors = new Map<string, string | undefined>()
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.actor') return
    const parent = (event.actorRef as unknown as { _parent?: { id: string } })._parent
    actors.set((event.actorRef as unknown as { id: string }).id, parent?.id)
  }
  const { local, global } = makeTree({}, { inspect })
  const quiet = vi.spyOn(console, 'warn')
  local.spawn('x', untilTold, { id: 'routine' })
  local.spawn(
    'c',
    fromCallback(() => undefined),
    { id: 'logic' },
  )
  await settle()
  expect(Object.fromEntries(actors)).toEqual({ g: undefined, a: 'g', l: 'a', routine: 'l', logic: 'l', work: 'logic' })
  await global.shutdown()
  expect(quiet).not.toHaveBeenCalled()
})

/** All timers of an instant, without turning the event loop for each. */
async function fireAll(clock: VirtualClock): Promise<void> {
  clock.fireDue(1)
  await settle()
}

function waiters({ life }: LocalManager): number {
  const { permitWaiters: permit, placeWaiters: queue } = life.gate
  return life.flock.capacityWaiters.size + permit.size + queue.size + life.place.waiting.size
}
