/** What processes do beyond what every ground does. */
import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type LocalManager, type Logger } from 'curtaincall'
import { childProcess, childProcesses, processPool, type ProcessPoolOptions } from 'curtaincall/process'
import { threadPool } from 'curtaincall/thread'

type Fixture = typeof import('./fixture.ts')

const FIXTURE = new URL('./fixture.ts', import.meta.url)

interface Line {
  readonly text: string | undefined
  readonly details: Record<string, unknown>
}

let global: GlobalManager
let lines: Line[] = []
let waiting: (() => void)[] = []

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise<void>((resolve) => waiting.push(resolve))
}

function loggerOf(bindings: object): Logger {
  const write = (details: object, text?: string): void => {
    lines.push({ details: { ...bindings, ...details }, text })
    for (const tell of waiting.splice(0)) tell()
  }
  return { debug: write, info: write, warn: write, error: write, child: (more) => loggerOf({ ...bindings, ...more }) }
}

function tree(): LocalManager {
  global = createGlobalManager({ logger: loggerOf({}) })
  return global.createApp('app').createLocal('local')
}

const bodiesOf = (options: ProcessPoolOptions = {}): ReturnType<typeof childProcesses<Fixture>> =>
  childProcesses<Fixture>(FIXTURE, { pool: processPool(options) })

/** Whether there is such a process; one that has ended and was not asked about is none. */
async function isThere(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }))
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

/** Waits until none of them is there: signals are sent at once, and take their time. */
async function gone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) while (await isThere(pid)) await new Promise((resolve) => setImmediate(resolve))
}

afterEach(async () => {
  await global.shutdown({ mode: 'immediate' })
  lines = []
  waiting = []
})

describe('a process', { timeout: 30_000 }, () => {
  test('G2: a kill ends the whole group, though it heeds no SIGTERM: no grandchild is left', async () => {
    const local = tree()
    const routine = local.spawn('breed', bodiesOf({ killAfter: 50 }).breed)
    await until(() => lines.some(({ text }) => text === 'up') && lines.some(({ text }) => text?.startsWith('grandchild') === true))
    const [up] = lines.filter(({ text }) => text === 'up')
    const { pid, child } = (up as Line).details as { pid: number; child: number }
    expect([await isThere(pid), await isThere(child)]).toEqual([true, true])
    expect(await routine.kill('now')).toEqual({ status: 'cancelled', reason: 'now', killed: true })
    expect(await isThere(pid)).toBe(false)
    await gone([child])
  })

  test('G3: what it has started goes with the process that it belongs to, however busy it is', async () => {
    tree()
    const program = fileURLToPath(new URL('./leaving-process.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program])
    const { pid, child } = JSON.parse(stdout) as { pid: number; child: number }
    await gone([pid, child])
  })

  test('what it writes are log lines of its routine, the last one too', async () => {
    const local = tree()
    const routine = local.spawn('speak', bodiesOf({ reuse: false }).speak)
    await routine.outcome
    await until(() => lines.some(({ text }) => text === 'three'))
    expect(lines.map(({ text, details }) => [text, details['stream'], details['path']])).toEqual([
      ['one', 'stdout', routine.path],
      ['two', 'stdout', routine.path],
      ['three', 'stderr', routine.path],
    ])
  })

  test('a native crash is the failure of that routine, with the signal', async () => {
    const local = tree()
    const bodies = bodiesOf()
    const other = local.spawn('hold', bodies.hold)
    expect(await local.spawn('crash', bodies.crash).outcome).toMatchObject({
      status: 'failed',
      error: { code: 'ERR_GROUND_LOST', signal: 'SIGSEGV', exitCode: null },
    })
    other.send('unharmed')
    expect(await other.result()).toBe('unharmed')
  })

  test('too much memory is the failure of that routine, and what it said of it is in the log', async () => {
    const local = tree()
    const outcome = await local.spawn('fill', bodiesOf({ execArgv: ['--max-old-space-size=32'] }).fill).outcome
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_GROUND_LOST' } })
    expect(lines.some(({ text }) => /heap out of memory/.test(text ?? ''))).toBe(true)
  })

  test('one that cannot be made fails its routine and says why', async () => {
    const local = tree()
    const outcome = await local.spawn('hold', bodiesOf({ cwd: '/nowhere/at/all' }).hold).outcome
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_GROUND_LOST', cause: { code: 'ENOENT' } } })
  })

  test('nothing keeps this process alive while all are idle', async () => {
    const local = tree()
    const server = createServer().listen(0)
    await local.spawn('speak', bodiesOf().speak).result()
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap')).toEqual([])
    server.close()
  })

  test('its options are checked', () => {
    tree()
    expect(() => childProcess<Fixture>(FIXTURE, 'hold', { maxProcesses: 0 })).toThrow(/process option maxProcesses must be a whole number/)
    expect(() => childProcess<Fixture>(FIXTURE, 'hold', { pool: threadPool() })).toThrow(
      /process option pool must be a pool of the same kind/,
    )
    expect(() => processPool({ killAfter: -1 })).toThrow(/process pool option killAfter/)
  })
})
