import { describe, expect, test } from 'vitest'
import { ConfigError, createGlobalManager, handleSignals, manager, routine } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe('bad input names the option, the range and what came, before anything starts', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ maxRoutines: 0 }, 'maxRoutines must be a whole number of at least 1, or Infinity; received 0'],
    [{ maxRoutines: -1 }, 'received -1'],
    [{ maxRoutines: Number.NaN }, 'received NaN'],
    [{ maxRoutines: '8' }, 'received "8"'],
    [{ maxRestarts: 1.5 }, 'maxRestarts must be a whole number of at least 0'],
    [{ restartWindow: 0 }, 'restartWindow must be a number of milliseconds above 0'],
    [{ strategy: 'one_for_none' }, "strategy must be 'one_for_one' or 'one_for_all' or 'rest_for_one'; received \"one_for_none\""],
    [{ name: 'a/b' }, "name must be a string of 1 to 200 characters without '/' and '#'"],
    [{ clock: { now: 1 } }, 'clock must be an object with the methods now, setTimeout, clearTimeout'],
    [{ random: 4 }, 'random must be a function; received 4'],
    [{ generateId: {} }, 'generateId must be a function; received an object'],
    [{ logger: () => 1 }, 'logger must be an object with the methods debug, info, warn, error, or false; received a function'],
    [{ inspect: [] }, 'inspect must be a function, or an observer with the method next; received an array'],
    [{ strict: 1n }, 'strict must be true or false; received 1n'],
    [{ maxRoutine: 1 }, 'unknown option "maxRoutine"; known are'],
  ])('global %o', (options, message) => {
    expect(() => createGlobalManager(options)).toThrow(ConfigError)
    expect(() => createGlobalManager(options)).toThrow(message)
  })

  test.each<[Record<string, unknown>, string]>([
    [{ restart: 'always' }, "restart must be 'permanent' or 'transient' or 'temporary'; received \"always\""],
    [{ shutdown: -5 }, "shutdown must be a number of milliseconds from 0 to 2147483647, or 'infinity'; received -5"],
    [{ overflow: 'drop' }, "overflow must be 'reject' or 'queue'"],
    [{ maxQueue: -1 }, 'maxQueue must be a whole number of at least 0, or Infinity'],
    [{ retain: Infinity }, 'retain must be a whole number of at least 0; received Infinity'],
  ])('local %o', (options, message) => {
    const app = createGlobalManager().createApp('a')
    expect(() => app.createLocal('l', options)).toThrow(message)
    expect(app.locals()).toEqual([])
  })

  test.each<[Record<string, unknown>, string]>([
    [{ timeout: 0 }, 'timeout must be a number of milliseconds above 0, at most 2147483647; received 0'],
    [{ timeout: Infinity }, 'received Infinity'],
    [{ shutdown: 'never' }, "'brutal_kill' or 'infinity'; received \"never\""],
    [{ backoff: { initial: -1 } }, 'routine backoff option initial must be'],
    [{ backoff: { factor: 0.5 } }, 'factor must be a finite number of at least 1; received 0.5'],
    [{ backoff: { jitter: 2 } }, 'jitter must be a number from 0 to 1; received 2'],
    [{ backoff: { growth: 2 } }, 'unknown option "growth"'],
    [{ backoff: 5 }, 'backoff must be an object'],
    [{ backoff: [] }, 'routine option backoff must be an object with any of initial, factor, max, jitter; received an array'],
    [{ mailbox: [] }, 'routine option mailbox must be an object with any of capacity, overflow, betweenIncarnations; received an array'],
    [{ id: '' }, 'id must be a string'],
    [{ hungAfter: -1 }, 'hungAfter must be'],
    [{ onHung: 'cry' }, "onHung must be 'report' or 'restart' or 'kill'"],
    [{ signal: { aborted: false } }, 'signal must be an AbortSignal'],
    [{ start: 1 }, 'start must be a function'],
    [{ restart: null }, 'received null'],
    [{ timeOut: 1 }, 'unknown option "timeOut"'],
  ])('spawn %o', (options, message) => {
    const { local, global } = makeTree()
    expect(() => local.spawn('x', untilTold, options as never)).toThrow(message)
    expect(() => local.spawn('x', untilTold, options as never)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG', path: 'g/a/l/x' }))
    expect([local.count, global.metrics().spawned, local.routines().length]).toEqual([0, 0, 0])
  })

  test.each([[undefined], [3], ['work'], [{}], [null], [{ transition: 1 }]])('work that is not work: %o', (work) => {
    const { local } = makeTree()
    expect(() => local.spawn('x', work as never)).toThrow('routine work must be a function or XState actor logic')
    expect(local.routines()).toEqual([])
  })

  test('names and ids that are taken', () => {
    const { global, local } = makeTree()
    const app = global.getApp('a')
    expect(() => global.createApp('a')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS', path: 'g/a' }))
    expect(() => app?.createLocal('l')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    local.spawn('x', untilTold, { id: 'one' })
    expect(() => local.spawn('x', untilTold, { id: 'one' })).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    expect([global.apps().length, local.count]).toEqual([1, 1])
    expect(() => global.createApp('')).toThrow(ConfigError)
    expect(() => local.spawn(7 as never, untilTold)).toThrow('routine name must be')
  })

  test('listeners and waits', async () => {
    const { local, global } = makeTree()
    expect(() => global.on('*', 5 as never)).toThrow('on listener must be a function')
    expect(() => global.on(5 as never, () => 1)).toThrow('on type must be')
    expect(() => global.on('routine.complete' as never, () => 1)).toThrow('received "routine.complete"')
    expect(() => local.whenAvailable(null as never)).toThrow('whenAvailable options must be an object')
    expect(() => local.waitFor('x', { timeout: -1 })).toThrow('timeout')
    expect(() => handleSignals(global, [] as never)).toThrow('a list of signals')
    expect(() => handleSignals(global, ['INT' as never])).toThrow(ConfigError)
    const before = process.listenerCount('SIGUSR2')
    expect(() => handleSignals(global, ['SIGUSR2'], { timeout: '1 s' as never })).toThrow('handleSignals option timeout must be')
    expect(() => handleSignals(global, ['SIGUSR2'], { lastResort: -1 })).toThrow('handleSignals option lastResort must be')
    expect(process.listenerCount('SIGUSR2')).toBe(before)
  })

  test.each<[Record<string, unknown>, string]>([
    [{ timeout: -5 }, 'shutdownNamed option timeout must be a number of milliseconds from 0'],
    [{ timeout: Number.NaN }, 'received NaN'],
    [{ signal: 5 }, 'shutdownNamed option signal must be an AbortSignal'],
    [{ tiemout: 5 }, 'shutdownNamed: unknown option "tiemout"'],
  ])('shutdownNamed %o stops nobody', async (options, message) => {
    const { local } = makeTree()
    const routine = local.spawn('x', untilTold)
    await settle()
    expect(() => local.shutdownNamed('x', options)).toThrow(message)
    await settle()
    expect(routine.state).toBe('running')
  })

  test('handleSignals takes what can be listened to, all of it or nothing', () => {
    const { global } = makeTree()
    const before = process.listenerCount('SIGTERM')
    const range = "names must be a list of signals that the platform can listen to, such as 'SIGTERM'; received"
    for (const name of ['SIGKILL', 'SIGSTOP', 'SIGTERMM', 15, undefined, null] as never[])
      expect(() => handleSignals(global, ['SIGTERM', name])).toThrow(range)
    expect(() => handleSignals(undefined as never)).toThrow('handleSignals global must be a global manager; received undefined')
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  test('a signal is one that lets go of its listeners, too', () => {
    const { local } = makeTree()
    const half = { aborted: false, addEventListener: () => undefined } as never
    expect(() => local.spawn('x', untilTold, { signal: half })).toThrow('routine option signal must be an AbortSignal; received an object')
    expect(() => local.whenAvailable({ signal: half })).toThrow('whenAvailable option signal must be an AbortSignal; received an object')
  })

  test('H1: a signal that throws when it is to let go of its listener harms no end', async () => {
    const { local, global } = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const signal = Object.assign(new EventTarget(), { aborted: false, reason: undefined })
    signal.removeEventListener = () => {
      throw new Error('never')
    }
    const bound = local.spawn('x', () => 1, { signal: signal as never })
    const queued = local.spawn('y', () => 2)
    expect([await bound.outcome, await queued.outcome]).toMatchObject([{ output: 1 }, { output: 2 }])
    expect([global.metrics().contained, local.count]).toEqual([1, 0])
  })

  test('what is to be found, or waited for, has a name', () => {
    const { global, local } = makeTree()
    expect(() => global.whereis(undefined as never)).toThrow('whereis path must be a string; received undefined')
    expect(() => local.waitFor(undefined as never)).toThrow('waitFor name must be a string')
    expect(() => local.shutdownNamed(undefined as never)).toThrow('shutdownNamed name must be a string')
  })

  test('among children it is said which of them is none', () => {
    const children = [routine('x', untilTold), untilTold]
    const message = 'option children[1] must be what routine() or manager() returns; received a function'
    expect(() => createGlobalManager({ children } as never)).toThrow(message)
    expect(() => manager('app', { children } as never)).toThrow(message)
  })

  test.each(['overflow', 'maxQueue', 'retain', 'template'] as const)(
    'a child of the global manager has no %s: it is an app manager',
    (option) => {
      const values = { overflow: 'queue', maxQueue: 5, retain: 1, template: routine('x', untilTold) } as const
      const jobs = manager('jobs', { [option]: values[option] })
      const refused = expect.objectContaining({ code: 'ERR_CONFIG', option, message: expect.stringContaining('put it on a manager below') })
      expect(() => createGlobalManager({ children: [jobs] })).toThrow(refused)
      const { global } = makeTree()
      expect(() => global.startChild(jobs)).toThrow(refused)
      expect(() => createGlobalManager({ children: [manager('app', { children: [jobs] })] })).not.toThrow()
    },
  )

  test('a generator of ids that are none', () => {
    const { local } = makeTree({}, { generateId: () => 'a/b' })
    expect(() => local.spawn('x', untilTold)).toThrow('what generateId returns must be a string of 1 to 200 characters')
    expect([local.count, local.routines().length]).toEqual([0, 0])
  })

  test('a generator that repeats itself is called broken, and nothing half-made stays', () => {
    const { local } = makeTree({}, { generateId: () => 'same' })
    local.spawn('x', untilTold)
    expect(() => local.spawn('x', untilTold)).toThrow('generateId must return ids that are not taken')
    expect([local.count, local.routines().length, local.countOf('x')]).toEqual([1, 1, 1])
  })
})
