/** The watchdog, in processes of their own: a loop that is blocked is blocked for its tests as well. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createGlobalManager, type LoopEvent } from 'curtaincall'
import { startWatchdog } from 'curtaincall/watchdog'

const PROGRAM = join(import.meta.dirname, 'program.ts')
const THRESHOLD = 100

interface Seen {
  readonly events: readonly LoopEvent[]
  readonly signal: string | undefined
  readonly stderr: string
  /** After each of two moments, whether the global object is as it was. */
  readonly left: readonly boolean[]
}

/** What a program of this kind prints, and how it ends. */
function run(...args: string[]): Promise<Seen> {
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter(Boolean)
      const said = lines.map((line) => JSON.parse(line) as LoopEvent | { left: boolean })
      const left = said.flatMap((one) => ('left' in one ? [one.left] : []))
      resolve({ events: said.filter((one) => 'type' in one), signal: error?.signal ?? undefined, stderr, left })
    })
  })
}

test.each([['at its start'], ['after an await'], ['without its context'], ['its only one'], ['an actor']])(
  'a body that blocks the event loop is named, with its stack and for how long: %s',
  async (kind) => {
    const { events, signal, stderr, left } = await run(kind)
    expect(events).toMatchObject([{ type: 'loop.blocked', path: 'shop/api/images/body#1', doing: 'javascript', cause: null }])
    const [{ duration, since, at, stack }] = events as [LoopEvent]
    expect(duration).toBeGreaterThan(600 - THRESHOLD)
    expect(at - since).toBeCloseTo(duration)
    expect(stack).toMatch(/^at spin \(.*program\.ts:\d+:\d+\)$/m)
    expect({ signal, stderr, left }).toEqual({ signal: undefined, stderr: '', left: [false, true] })
  },
)

test('several watch one thread: each tells, the routine is named by its own, and the thread goes on', async () => {
  const { events, signal, stderr } = await run('watched by several')
  for (const name of ['shop/api/images/body#1', 'bank', 'mill']) expect(events.map(({ path }) => path)).toContain(name)
  expect({ signal, stderr }).toEqual({ signal: undefined, stderr: '' })
})

test('where several run the same body, its manager is named', async () => {
  const { events } = await run('one of two')
  expect(events[0]).toMatchObject({ path: 'shop/api/images', doing: 'javascript' })
  expect(events[0]?.stack).toMatch(/^at body /m)
})

test('a call that runs no JavaScript is told from a loop', async () => {
  const { events } = await run('natively')
  expect(events).toMatchObject([{ path: 'shop/api/images/body#1', doing: 'native' }])
})

test('what is no body’s is the root’s', async () => {
  const { events } = await run('elsewhere')
  expect(events).toMatchObject([{ path: 'shop', doing: 'javascript' }])
})

test('WD1: of a loop that turns nothing is told', async () => {
  expect(await run('not at all')).toEqual({ events: [], signal: undefined, stderr: '', left: [false, true] })
})

test('it is nobody who looks: a tree that gives up beside it is printed', async () => {
  const { stderr } = await run('gives up')
  expect(stderr).toMatch(/^curtaincall: shop gave up, and nobody looks at it/m)
})

test('WD3: after its limit the process is ended, with a report', async () => {
  const { events, signal, stderr } = await run('after an await', '300')
  expect({ events, signal }).toEqual({ events: [], signal: 'SIGKILL' })
  expect(stderr).toMatch(/^curtaincall: the event loop has been blocked for 0\.\d s by shop\/api\/images\/body#1; its limit is 300 ms/)
  expect(stderr).toMatch(/^ {4}at spin \(.*program\.ts:\d+:\d+\)$/m)
})

test('bad options name the option, the range and what came, and nothing is started', async () => {
  const global = createGlobalManager({ name: 'shop' })
  const given = (options: object) => () => startWatchdog(global, options)
  expect(given({ threshold: 5 })).toThrow('watchdog option threshold must be a number of milliseconds from 20')
  expect(given({ endAfter: 'soon' })).toThrow('watchdog option endAfter must be')
  expect(given({ threshold: 200, endAfter: 100 })).toThrow('watchdog option endAfter must be at least threshold, 200; received 100')
  expect(given({ limit: 1 })).toThrow('watchdog: unknown option "limit"; known are threshold, endAfter')
  expect(() => startWatchdog({} as never)).toThrow('startWatchdog global must be a global manager')
  await global.shutdown()
})
