/**
 * What threads and processes cost, and how fast a kill is: `npm run bench:grounds [-- --kills N] [-- --runs N]`.
 *
 * One core is kept busy by a thread of its own while kills are timed. Beside piscina, if that is there: `npm i --no-save piscina@5.3.2`. The
 * variants take turns; the median of the turns is printed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type AnyRoutine, createGlobalManager, type LocalManager, type Logger } from 'curtaincall'
import { childProcesses, processPool } from 'curtaincall/process'
import { threadPool, threads } from 'curtaincall/thread'

type Bodies = typeof import('./ground-bodies.ts')

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' }, runs: { type: 'string', default: '5000' } } })
const KILLS = Number(values.kills)
const RUNS = Number(values.runs)
/** Its types are taken off here: a thread that has done that for itself takes 3 ms longer to end. */
const folder = mkdtempSync(join(tmpdir(), 'grounds-'))
const BODIES = pathToFileURL(join(folder, 'ground-bodies.mjs'))
writeFileSync(BODIES, stripTypeScriptTypes(readFileSync(new URL('./ground-bodies.ts', import.meta.url), 'utf8')))
process.on('exit', () => rmSync(folder, { recursive: true }))
const KINDS = ['spin', 'sleep', 'turn'] as const

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(1)
const sortedUp = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b)

let isUp: (() => void) | undefined
const quiet = (_details: object, text?: string): void => void (text === 'up' && isUp?.())
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** Spawns one, and waits until its body is at it. */
async function up(spawn: () => AnyRoutine): Promise<AnyRoutine> {
  const { promise, resolve } = Promise.withResolvers<void>()
  isUp = resolve
  const routine = spawn()
  await promise
  // The line was posted just before it: give it the time to begin.
  await new Promise((begun) => setTimeout(begun, 5))
  return routine
}

/** The same without any of this: a thread of the platform's. */
const BARE = `const { parentPort, workerData } = require('node:worker_threads')
parentPort.postMessage('up')
if (workerData === 'spin') for (;;);
if (workerData === 'sleep') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
setInterval(() => undefined, 1)`

async function timeBare(kind: string): Promise<number> {
  const worker = new Worker(BARE, { eval: true, workerData: kind })
  await new Promise((heard) => worker.once('message', heard))
  await new Promise((begun) => setTimeout(begun, 5))
  const began = performance.now()
  const gone = new Promise((exited) => worker.once('exit', exited))
  void worker.terminate()
  await gone
  return performance.now() - began
}

function tellKills(ground: string, kind: string, times: readonly number[]): void {
  const sorted = sortedUp(times)
  say(`| ${ground} | ${kind} | ${times.length} | ${at(sorted, 0.5)} ms | ${at(sorted, 0.99)} ms | ${at(sorted, 1)} ms |`)
}

async function timeKills(local: LocalManager, ground: string, bodies: Record<(typeof KINDS)[number], never>, kills: number): Promise<void> {
  for (const kind of KINDS) {
    const times: number[] = []
    const bare: number[] = []
    for (let k = 0; k < kills; k++) {
      // They take turns, so that a slow spell of the machine hits both.
      if (ground === 'thread') bare.push(await timeBare(kind))
      const routine = await up(() => local.spawn(kind, bodies[kind]) as AnyRoutine)
      const began = performance.now()
      const outcome = await routine.kill()
      times.push(performance.now() - began)
      if (outcome.status !== 'cancelled' || !outcome.killed || 'stuck' in outcome)
        throw new Error(`${ground} ${kind}: ${JSON.stringify(outcome)}`)
    }
    tellKills(ground, kind, times)
    if (bare.length > 0) tellKills('terminate() of worker_threads', kind, bare)
  }
}

/** A call that nothing interrupts: when the kill says so, and when it is gone. */
async function timeStuck(local: LocalManager): Promise<void> {
  const { native } = threads<Bodies>(BODIES, { pool: threadPool(), killDeadline: 100 })
  const routine = await up(() => local.spawn('native', native as never) as AnyRoutine)
  const began = performance.now()
  const gone = new Promise((resolve) => local.on('routine.settled', resolve))
  const outcome = await routine.kill()
  const settled = performance.now() - began
  // A stuck thread keeps nothing alive.
  const alive = setInterval(() => undefined, 1_000)
  await gone
  clearInterval(alive)
  say(
    `\nA native call, with a kill deadline of 100 ms: ${JSON.stringify({ ...outcome, reason: undefined })} after ${settled.toFixed(0)} ms, gone after ${(performance.now() - began).toFixed(0)} ms.`,
  )
}

interface Contender {
  readonly name: string
  run(input: number): PromiseLike<unknown>
  close(): PromiseLike<unknown>
}

async function piscina(): Promise<Contender[]> {
  // Not among what the package is built with: it is named so that nobody takes it for that.
  const name: string = 'piscina'
  const found = (await import(name).catch(() => undefined)) as
    | { Piscina: new (options: object) => { run(input: number): PromiseLike<unknown>; destroy(): PromiseLike<unknown> } }
    | undefined
  if (found === undefined) return []
  const pool = new found.Piscina({ filename: BODIES.href, minThreads: 1, maxThreads: 1 })
  return [{ name: 'piscina', run: (input) => pool.run(input), close: () => pool.destroy() }]
}

async function timeRuns(): Promise<void> {
  const global = createGlobalManager({ logger: false })
  const local = global.createApp('a').createLocal('l')
  const thread = threads<Bodies>(BODIES, { maxThreads: 1 }).increment
  const child = childProcesses<Bodies>(BODIES, { maxProcesses: 1 }).increment
  const close = (): Promise<unknown> => Promise.resolve()
  const contenders: Contender[] = [
    { name: 'inline', run: (input) => local.spawn('x', async (context) => context.input + 1, { input }).result(), close },
    { name: 'thread', run: (input) => local.spawn('x', thread, { input }).result(), close: () => global.shutdown() },
    ...(await piscina()),
    { name: 'process', run: (input) => local.spawn('x', child, { input }).result(), close },
  ]
  say('\n| a trivial task on a warm one | wall | CPU, all threads | wall, 100 at once |\n| --- | ---: | ---: | ---: |')
  const figures = new Map(contenders.map(({ name }) => [name, { wall: [] as number[], cpu: [] as number[], many: [] as number[] }]))
  for (const { run } of contenders) for (let k = 0; k < RUNS / 5; k++) await run(k)
  for (let round = 0; round < 7; round++)
    for (const { name, run } of contenders) {
      const { wall, cpu, many } = figures.get(name) as { wall: number[]; cpu: number[]; many: number[] }
      const used = process.cpuUsage()
      let began = performance.now()
      for (let k = 0; k < RUNS; k++) await run(k)
      wall.push(((performance.now() - began) / RUNS) * 1_000)
      const { user, system } = process.cpuUsage(used)
      cpu.push((user + system) / RUNS)
      began = performance.now()
      for (let k = 0; k < RUNS; k += 100) await Promise.all(Array.from({ length: 100 }, (_, each) => run(each)))
      many.push(((performance.now() - began) / RUNS) * 1_000)
    }
  for (const [name, { wall, cpu, many }] of figures)
    say(`| ${name} | ${at(sortedUp(wall), 0.5)} µs | ${at(sortedUp(cpu), 0.5)} µs | ${at(sortedUp(many), 0.5)} µs |`)
  for (const contender of contenders) await contender.close()
}

/** What the first run costs, and what one that is idle holds. */
async function timeStarts(): Promise<void> {
  say('\n| starting one | wall | resident memory of this process, each |\n| --- | ---: | ---: |')
  for (const ground of ['thread', 'process'] as const) {
    const many = 8
    const bodies =
      ground === 'thread'
        ? threads<Bodies>(BODIES, { pool: threadPool({ maxThreads: many, reuse: false }) })
        : childProcesses<Bodies>(BODIES, { pool: processPool({ maxProcesses: many, reuse: false }) })
    const kept =
      ground === 'thread'
        ? threads<Bodies>(BODIES, { pool: threadPool({ maxThreads: many }) })
        : childProcesses<Bodies>(BODIES, { pool: processPool({ maxProcesses: many }) })
    const global = createGlobalManager({ logger })
    const local = global.createApp('a').createLocal('l')
    const times: number[] = []
    for (let k = 0; k < 20; k++) {
      const began = performance.now()
      await local.spawn('x', bodies.increment, { input: 1 }).result()
      times.push(performance.now() - began)
    }
    const before = process.memoryUsage.rss()
    const held: AnyRoutine[] = []
    for (let k = 0; k < many; k++) held.push(await up(() => local.spawn('turn', kept.turn as never) as AnyRoutine))
    const each = (process.memoryUsage.rss() - before) / many / 1_048_576
    say(`| ${ground} | ${at(sortedUp(times), 0.5)} ms | ${each.toFixed(1)} MB |`)
    await global.shutdown({ mode: 'immediate' })
  }
}

const global = createGlobalManager({ logger })
const local = global.createApp('a').createLocal('l')
const busy = new Worker('for (;;);', { eval: true })
say('| ground | blocked by | kills | median | p99 | most |\n| --- | --- | ---: | ---: | ---: | ---: |')
await timeKills(local, 'thread', threads<Bodies>(BODIES) as never, KILLS)
await timeKills(local, 'process', childProcesses<Bodies>(BODIES) as never, Math.ceil(KILLS / 4))
await busy.terminate()
await timeStuck(local)
await global.shutdown()
await timeRuns()
await timeStarts()
