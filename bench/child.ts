/** One measurement in a process of its own: `node bench/child.ts BENCHMARK VARIANT COUNT` prints a number. */
import type { Variant } from './job.ts'

const [benchmark = '', name = '', text = ''] = process.argv.slice(2)
const n = Number(text)
const { variant } = (await import(`./variant/${name}.ts`)) as { variant: Variant }

/** Operations before the clock runs, and at least so many while it does: fewer for what is quadratic. */
const operations = name === 'xstate-spawn-child' ? 2_000 : 50_000

const collect = (): void => {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
}

async function timed(run: ((count: number) => Promise<void>) | undefined): Promise<number> {
  if (run === undefined) throw new Error(`${name} has no ${benchmark}`)
  // Short runs are repeated, so that a thousand tasks are not a measure of the compiler.
  const repeats = Math.max(1, Math.round(operations / n))
  for (let done = 0; done < operations; done += n) await run(Math.min(n, operations))
  collect()
  const start = performance.now()
  for (let i = 0; i < repeats; i++) await run(n)
  return ((performance.now() - start) * 1_000) / n / repeats
}

async function shutdown(): Promise<number> {
  if (variant.live === undefined) throw new Error(`${name} has no live`)
  await (await variant.live(2_000, 'full'))()
  const stop = await variant.live(n, 'full')
  collect()
  const start = performance.now()
  await stop()
  return ((performance.now() - start) * 1_000) / n
}

/** Heap per live task. */
async function bytes(kind: 'bare' | 'full'): Promise<number> {
  if (variant.live === undefined) throw new Error(`${name} has no live`)
  await (await variant.live(2_000, kind))()
  collect()
  const before = process.memoryUsage().heapUsed
  const stop = await variant.live(n, kind)
  collect()
  const used = process.memoryUsage().heapUsed - before
  await stop()
  return used / n
}

/** Growth of the heap over a long run, in bytes. */
async function soak(): Promise<number> {
  await variant.streamed?.(100_000)
  collect()
  const before = process.memoryUsage().heapUsed
  await variant.streamed?.(n)
  collect()
  return process.memoryUsage().heapUsed - before
}

const measures: Record<string, () => Promise<number>> = {
  spawn: () => timed(variant.spawn?.bind(variant)),
  streamed: () => timed(variant.streamed?.bind(variant)),
  restart: () => timed(variant.restart?.bind(variant)),
  send: () => timed(variant.send?.bind(variant)),
  ask: () => timed(variant.ask?.bind(variant)),
  shutdown,
  bytes: () => bytes('full'),
  'bytes-bare': () => bytes('bare'),
  soak,
}

process.stdout.write(`${await measures[benchmark]?.()}\n`)
process.exit()
