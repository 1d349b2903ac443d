/** One measurement in a process of its own: `node bench/child.ts BENCHMARK VARIANT COUNT [--file FILE] [--passes N] [--cpu]` prints a number. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ENDING, held, type Kind, letGo, type Variant } from './job.ts'
import { median } from './measure.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { file: { type: 'string' }, passes: { type: 'string', default: '1' }, cpu: { type: 'boolean' } },
})
const [benchmark = '', name = '', text = ''] = positionals
const { file } = values
/** How often the clock runs; the figure is the median, so that a spell of some milliseconds is not in it. */
const passes = Number(values.passes)
/** Milliseconds: on the wall, or of all threads' CPU, in which what the machine does beside does not count. */
function clock(): number {
  if (values.cpu !== true) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
const n = Number(text)
const { variant } = (await import(`./variant/${name}.ts`)) as { variant: Variant }

/**
 * Operations before the clock runs, and at least so many while it does: fewer for what is quadratic. Where a run is one tree, the end of the
 * first and the beginning of the second are what the compiler has not seen yet: it has to have both behind it.
 */
const operations = name === 'xstate-spawn-child' ? 2_000 : 50_000
/** Milliseconds that it runs before the clock does, at least: the compiler has done with it by then. */
const WARM = 500

/** For figures of memory. Before a clock runs nothing is collected: see "gets cold" in docs/performance.md. */
const collect = (): void => {
  for (let i = 0; i < 4; i++) globalThis.gc?.()
}

async function timed(run: ((count: number) => Promise<void>) | undefined): Promise<number> {
  if (run === undefined) throw new Error(`${name} has no ${benchmark}`)
  // Short runs are repeated, so that a thousand tasks are not a measure of the compiler.
  const repeats = Math.max(1, Math.round(operations / n))
  const begun = performance.now()
  for (let done = 0; done < operations || performance.now() - begun < WARM; done += n) await run(Math.min(n, operations))
  const figures: number[] = []
  for (let pass = 0; pass < passes; pass++) {
    const start = clock()
    for (let i = 0; i < repeats; i++) await run(n)
    figures.push(((clock() - start) * 1_000) / n / repeats)
  }
  return median(figures)
}

async function shutdown(kind: Kind = 'full'): Promise<number> {
  if (variant.live === undefined) throw new Error(`${name} has no live`)
  await (await variant.live(2_000, kind))()
  const stop = await variant.live(n, kind)
  const start = clock()
  await stop()
  return ((clock() - start) * 1_000) / n
}

/** One end among n machines that have an `after`; most lives of a few hundred are over before the compiler has done with them. */
async function endOfOne(): Promise<number> {
  if (variant.ending === undefined) throw new Error(`${name} has no ending`)
  const figures: number[] = []
  for (let pass = 0; pass < 3 + 2 * passes; pass++) {
    const { end, stop } = await variant.ending(pass < 3 ? 100 : n)
    const start = clock()
    end()
    if (pass >= 3) figures.push(((clock() - start) * 1_000) / ENDING)
    await stop()
  }
  return median(figures)
}

/** Kinds whose tasks have a body, and it a promise. */
const HELD: ReadonlySet<Kind> = new Set(['bare', 'full', 'routine-children', 'own-names'])

/** Heap per live task, over that of the promise that its body has; machines and managers have no body. */
async function bytes(kind: Kind): Promise<number> {
  if (variant.live === undefined) throw new Error(`${name} has no live`)
  await (await variant.live(2_000, kind))()
  let own = 0
  // Twice: the first time, what the beginning of the process has left behind is collected too.
  for (let time = 0; time < 2; time++) {
    letGo()
    collect()
    const before = process.memoryUsage().heapUsed
    for (let i = 0; i < n; i++) void held(i)
    collect()
    own = process.memoryUsage().heapUsed - before
  }
  letGo()
  collect()
  const before = process.memoryUsage().heapUsed
  const stop = await variant.live(n, kind)
  collect()
  const used = process.memoryUsage().heapUsed - before
  await stop()
  return (HELD.has(kind) ? used - own : used) / n
}

/** Growth of the heap over a long run in one tree, in bytes, from its first hundredth on; the curve goes to a file. */
async function soak(warm = 100_000): Promise<number> {
  if (variant.soak === undefined) throw new Error(`${name} has no soak`)
  await variant.soak(warm, () => undefined)
  const curve: string[] = ['tasks,heap bytes,registered,handles']
  const heaps: number[] = []
  await variant.soak(n, (done, registered) => {
    collect()
    heaps.push(process.memoryUsage().heapUsed)
    curve.push([done, heaps.at(-1), registered, process.getActiveResourcesInfo().length].join(','))
    if (registered > 0) throw new Error(`${registered} are still registered after ${done}`)
  })
  if (file !== undefined) writeFileSync(file, `${curve.join('\n')}\n`)
  return (heaps.at(-1) as number) - (heaps[0] as number)
}

/** One call that submits a task, in microseconds: so many of a hundred take no longer. */
async function call(percent: number): Promise<number> {
  if (variant.call === undefined) throw new Error(`${name} has no call`)
  await variant.call(50_000, (submit) => submit())
  const times = new Float64Array(n)
  let i = 0
  await variant.call(n, (submit) => {
    const start = performance.now()
    const submitted = submit()
    times[i++] = performance.now() - start
    return submitted
  })
  return (times.sort()[Math.floor((n * percent) / 100)] as number) * 1_000
}

/** The most memory that the process had, with so many live and while it stopped them, in megabytes. */
async function peak(): Promise<number> {
  await shutdown()
  return process.resourceUsage().maxRSS / 1_024
}

const measures: Record<string, () => Promise<number>> = {
  spawn: () => timed(variant.spawn?.bind(variant)),
  streamed: () => timed(variant.streamed?.bind(variant)),
  events: () => timed(variant.streamed?.bind(variant)),
  'spawn-plain': () => timed(variant.spawnPlain?.bind(variant)),
  'streamed-plain': () => timed(variant.streamedPlain?.bind(variant)),
  single: () => timed(variant.single?.bind(variant)),
  'spawn-stop': () => timed(variant.spawnAndStop?.bind(variant)),
  restart: () => timed(variant.restart?.bind(variant)),
  // What that of a child is held beside.
  'restart-child': () => timed(variant.restart?.bind(variant)),
  send: () => timed(variant.send?.bind(variant)),
  ask: () => timed(variant.ask?.bind(variant)),
  'call-p50': () => call(50),
  'call-p99': () => call(99),
  shutdown: () => shutdown(),
  'shutdown-scattered': () => shutdown('scattered'),
  million: () => shutdown(),
  'million-peak': peak,
  bytes: () => bytes('full'),
  'bytes-bare': () => bytes('bare'),
  'bytes-machine': () => bytes('machines'),
  'bytes-resumed': () => bytes('resumed'),
  after: endOfOne,
  // What a strict tree is held beside.
  strict: () => timed(variant.streamed?.bind(variant)),
  'bytes-local': () => bytes('locals'),
  'bytes-manager-child': () => bytes('manager-children'),
  'bytes-routine-child': () => bytes('routine-children'),
  'bytes-own-name': () => bytes('own-names'),
  cancel: () => shutdown('cancelled'),
  soak: () => soak(),
  'soak-machine': () => soak(20_000),
}

function figure(): Promise<number> | undefined {
  const own = variant.figures?.[benchmark]
  if (own !== undefined) return own(n)
  const job = variant.alone?.[benchmark]
  return job === undefined ? measures[benchmark]?.() : timed(job)
}

process.stdout.write(`${await figure()}\n`)
process.exit()
