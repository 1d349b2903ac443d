/**
 * What a watchdog costs where nothing blocks: `npm run bench:watchdog`. The same job with and without one, by turns in one process,
 * in CPU time of the main thread; the ratio is the median of the pairs, with its 95 % bounds. And, with less noise, what the main thread
 * does for it while nobody does anything.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { createGlobalManager } from '../src/index.ts'
import { startWatchdog } from '../src/watchdog/index.ts'

const PAIRS = 100
const JOBS = 50_000
const LIVE = 100
const IDLE = 10_000

const cpu = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / JOBS
}

async function pass(watched: boolean): Promise<number> {
  const global = createGlobalManager({ logger: false })
  const watchdog = watched ? startWatchdog(global) : undefined
  await watchdog?.ready
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIVE })
  const body = (): Promise<void> => Promise.resolve()
  let begun = 0
  const lane = async (): Promise<void> => {
    while (begun++ < JOBS) await local.spawn('job', body).outcome
  }
  const before = cpu()
  await Promise.all(Array.from({ length: LIVE }, lane))
  const spent = cpu() - before
  if (global.metrics().completed < JOBS) throw new Error('not all jobs are done')
  watchdog?.stop()
  await global.shutdown()
  return spent
}

/** Share of the main thread, in percent, that is used while nothing happens. */
async function idle(watched: boolean): Promise<number> {
  const global = createGlobalManager({ logger: false })
  const watchdog = watched ? startWatchdog(global) : undefined
  await watchdog?.ready
  const { user, system } = process.threadCpuUsage()
  await wait(IDLE)
  const after = process.threadCpuUsage()
  watchdog?.stop()
  await global.shutdown()
  return (after.user + after.system - user - system) / 10 / IDLE
}

for (let warm = 0; warm < 10; warm++) await pass(warm % 2 === 0)
const ratios: number[] = []
for (let pair = 0; pair < PAIRS; pair++) {
  const first = pair % 2 === 0
  const [a, b] = [await pass(first), await pass(!first)]
  ratios.push(first ? a / b : b / a)
}
ratios.sort((a, b) => a - b)
const at = (share: number): string => (ratios[Math.floor(share * PAIRS)] as number).toFixed(4)
// Bounds of the median, by the binomial distribution.
const spread = (1.96 * Math.sqrt(PAIRS)) / 2 / PAIRS
process.stdout.write(`a job, watched ÷ not: ${at(0.5)} (${at(0.5 - spread)} to ${at(0.5 + spread)}), ${PAIRS} pairs\n`)
const [without, within] = [await idle(false), await idle(true)]
process.stdout.write(`the main thread, idle: ${within.toFixed(3)} % of its time, ${without.toFixed(3)} % without\n`)
