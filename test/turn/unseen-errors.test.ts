/** Errors that nobody looks at are printed, once: U1 and U2 of src/turn/unseen-errors.ts. */
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { createGlobalManager, type GlobalManagerOptions, manager, routine, watch } from 'curtaincall'
import { createTestProbe } from 'curtaincall/testing'
import { untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('no database')
}

let printed: MockInstance<typeof console.error>
beforeEach(() => {
  printed = vi.spyOn(console, 'error').mockImplementation(() => undefined)
})
afterEach(() => {
  printed.mockRestore()
})

describe.each([{ strict: false }, { strict: true }])('U1 (strict: $strict)', (mode) => {
  function make(options: GlobalManagerOptions = {}) {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'g', clock, ...mode, ...options })
    const local = global.createApp('a').createLocal('l')
    /** One turn of the event loop, as far as the tree knows. */
    const turn = async (): Promise<unknown[][]> => {
      await settle()
      await clock.advance(0)
      return printed.mock.calls.map((line) => line.slice(1))
    }
    return { global, local, clock, turn }
  }

  test('a routine that fails for good: path and error, once, a macrotask after its end', async () => {
    const { local, turn } = make()
    local.spawn('job', failing, { id: 'x' })
    await settle()
    expect(printed).not.toHaveBeenCalled()
    expect(await turn()).toEqual([['g/a/l/job#x', 'has failed', new Error('no database')]])
    expect(printed.mock.calls[0]?.[0]).toContain('nobody looks at it')
    expect(await turn()).toHaveLength(1)
  })

  test.each([
    ['its outcome', ({ one }) => void one.outcome],
    ['its result', ({ one }) => void one.result().catch(() => undefined)],
    ['a watcher', ({ one }) => void watch(one, () => undefined)],
    ['a listener of failures', ({ local }) => void local.on('routine.failed', () => undefined)],
    ['a listener of everything, far above', ({ global }) => void global.on('*', () => undefined)],
  ] as [string, (looked: any) => void][])('not if somebody looks: %s', async (_, look) => {
    const { global, local, turn } = make()
    const one = local.spawn('job', failing)
    look({ global, local, one })
    expect(await turn()).toEqual([])
  })

  test('not if somebody looks until then; looking later does not take it back, nor does a listener elsewhere', async () => {
    const { global, local, turn } = make()
    const one = local.spawn('job', failing)
    await settle()
    void one.outcome
    expect(await turn()).toEqual([])
    global.createApp('b').on('*', () => undefined)
    local.on('routine.completed', () => undefined)
    const two = local.spawn('job', failing)
    expect(await turn()).toHaveLength(1)
    void two.outcome
    const off = local.on('routine.failed', () => undefined)
    off()
    local.spawn('job', failing)
    expect(await turn()).toHaveLength(2)
  })

  test('instruments are nobody', async () => {
    const { global, local, turn } = make()
    createTestProbe(global)
    local.spawn('job', failing)
    expect(await turn()).toHaveLength(1)
  })

  test('a failure that is answered with a restart is none; the last one of several attempts is', async () => {
    const { local, turn } = make()
    local.spawn('job', ({ incarnation }) => (incarnation < 3 ? failing() : 'done'), { restart: 'transient' })
    expect(await turn()).toEqual([])
    local.spawn('job', failing, { attempts: 3 })
    expect(await turn()).toHaveLength(1)
  })

  test('a cancel, a kill and a timeout: only what ends as failed', async () => {
    const { local, clock, turn } = make()
    void local.spawn('a', untilTold).cancel()
    void local.spawn('b', () => new Promise(() => undefined)).kill()
    local.spawn('c', untilTold, { timeout: 10, id: 'c' })
    await settle()
    await clock.advance(10)
    expect((await turn()).map(([path]) => path)).toEqual(['g/a/l/c#c'])
  })

  test('U2: a tree that gives up is printed with what led to it, and nothing of that by itself', async () => {
    const { global, turn } = make({ children: [routine('db', failing)] })
    await turn()
    expect(global.state).toBe('failed')
    const calls = await turn()
    expect(calls).toHaveLength(1)
    expect(calls[0]?.slice(0, 2)).toEqual(['g', 'gave up'])
    expect((calls[0]?.[2] as Error | undefined)?.cause).toEqual(new Error('no database'))
  })

  test.each([
    ['its outcome', (global: ReturnType<typeof createGlobalManager>) => void global.outcome],
    ['a listener', (global: ReturnType<typeof createGlobalManager>) => void global.on('manager.gaveUp', () => undefined)],
    ['a shutdown', (global: ReturnType<typeof createGlobalManager>) => void global.shutdown()],
  ])('not if somebody looks at the tree: %s', async (_, look) => {
    const { global, turn } = make({ children: [routine('db', failing)] })
    look(global)
    expect((await turn()).filter(([path]) => path === 'g')).toEqual([])
  })

  test('a tree that could not start, unless somebody asks whether it has', async () => {
    const start = failing
    const { turn } = make({ children: [manager('m', { children: [routine('db', untilTold, { start })] })] })
    const lines = await turn()
    expect(lines.map(([path, what]) => [path, what])).toEqual([['g', 'could not start']])
    const asked = createGlobalManager({ clock: new VirtualClock(), children: [routine('db', untilTold, { start })] })
    await expect(asked.ready()).rejects.toThrow('the start of its child')
    expect(await turn()).toHaveLength(1)
  })

  test('a logger is told, and false is silence', async () => {
    const lines: string[] = []
    const log = (_: object, message = ''): void => void lines.push(message)
    const logged = make({ logger: { debug: log, info: log, warn: log, error: log } })
    logged.local.spawn('job', failing)
    const silent = make({ logger: false })
    silent.local.spawn('job', failing)
    await logged.turn()
    expect(await silent.turn()).toEqual([])
    expect(lines).toEqual(['routine failed'])
  })
})

test('logger: anything else is refused', () => {
  expect(() => createGlobalManager({ logger: true as never })).toThrow(/logger must be an object with the methods .*, or false/)
})
