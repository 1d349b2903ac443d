/** The last resort of handleSignals, in processes of their own: what is left of a shutdown may hold up the end of the process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test, vi } from 'vitest'

vi.setConfig({ testTimeout: 20_000 })

const PROGRAM = join(import.meta.dirname, 'last-resort', 'program.ts')

/** A program of this kind, which says line by line where it is; `on` is called for each of its lines. */
async function run(
  kind: string,
  on: (line: string, pid: number) => void,
): Promise<{ lines: string[]; code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [PROGRAM, kind], { stdio: ['ignore', 'pipe', 'inherit'] })
  // One that does not end is a failure, and nothing that outlives its test.
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    on(line, child.pid as number)
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { lines, code, signal }
}

/** Sends a signal for each line that stands here. */
const answering =
  (signals: Readonly<Record<string, NodeJS.Signals>>) =>
  (line: string, pid: number): void => {
    const signal = signals[line]
    if (signal !== undefined) process.kill(pid, signal)
  }

test('SG2: while a thread holds up process.exit, a signal has its usual effect', async () => {
  const seen = await run('exits', answering({ ready: 'SIGTERM', exiting: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended', 'exiting'], code: null, signal: 'SIGTERM' })
})

test('SG2: so it has when the program exits in the midst of the shutdown', async () => {
  const seen = await run('exits at once', answering({ ready: 'SIGTERM', exiting: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'exiting'], code: null, signal: 'SIGTERM' })
})

test('SG3: told twice, it ends by the signal when it exits and something holds it up', async () => {
  const seen = await run('exits', answering({ ready: 'SIGINT', closing: 'SIGINT' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended', 'exiting'], code: null, signal: 'SIGINT' })
})

test('SG3: told twice, it ends by the signal when the time is over, though nobody exits', async () => {
  const seen = await run('lingers', answering({ ready: 'SIGTERM', closing: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended'], code: null, signal: 'SIGTERM' })
})

test('SG4: it is killed where others listen to the signal', async () => {
  const seen = await run('others listen', answering({ ready: 'SIGTERM', closing: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended', 'another heard it'], code: null, signal: 'SIGKILL' })
})

test('SG4: so it is when it exits', async () => {
  const seen = await run('exits, others listen', answering({ ready: 'SIGTERM', closing: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended', 'exiting'], code: null, signal: 'SIGKILL' })
})

test('SG3: where nothing is left the process ends as it likes, told twice or not', async () => {
  const seen = await run('obeys', answering({ ready: 'SIGTERM', closing: 'SIGTERM' }))
  expect(seen).toEqual({ lines: ['ready', 'closing', 'ended', 'exiting'], code: 7, signal: null })
})
