/**
 * A process with so many actors and 20,000 lifecycle events a second, and some other work that takes all the time that is
 * left: how much of that it gets done is what an inspector costs.
 *
 *     node bench/inspector-load.ts ACTORS none|idle|page SECONDS
 *
 * With `page` it prints the address and waits for a page to open before it measures.
 */
import { createGlobalManager } from 'curtaincall'
import { startInspector } from 'curtaincall/inspector'

const [actors, mode = 'none', seconds] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4] ?? 5)]
/** A fifth of the events are spawns and a fifth are ends: spawned, started, completed of each. */
const EVENTS = 20_000
const TURN = 10
const CHURN = (EVENTS / 3) * (TURN / 1_000)

const global = createGlobalManager({ name: 'load' })
const app = global.createApp('app')
const until = ({ signal }: { signal: AbortSignal }): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
const locals = Array.from({ length: 100 }, (_, k) => app.createLocal(`local-${k}`))
for (let k = 0; k < actors; k++) locals[k % 100]?.spawn('session', until)
const churning = app.createLocal('churn')
// Somebody counts events in every mode: what is measured is the inspector, not that there are listeners.
let events = 0
const listening = process.argv[5] === 'listen'
if (listening) global.on('*', () => void events++)

const inspector = mode === 'none' ? undefined : await startInspector(global, {})
if (inspector !== undefined) console.log(inspector.url)

let churned = 0
let debt = 0
let last = performance.now()
setInterval(() => {
  const now = performance.now()
  debt = Math.min(debt + (CHURN * (now - last)) / TURN, CHURN * 100)
  last = now
  for (; debt >= 1; debt--) {
    churned++
    churning.spawn('job', () => undefined)
  }
}, TURN)

let done = 0
let turns = 0
function job(): void {
  for (let k = 0, x = 1; k < 2_000; k++) done += (x = (x * 48_271) % 2_147_483_647) & 1
}
const turn = (): void => {
  for (let k = 0; k < 20; k++) job()
  turns++
  setImmediate(turn)
}
turn()

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))
if (mode === 'page') {
  // Told by whoever has opened the page.
  await new Promise((resolve) => process.stdin.once('data', resolve))
}
await wait(1_500)
const [before, from, jobs, cpu] = [churned, performance.now(), turns, process.cpuUsage()]
await wait(seconds * 1_000)
const passed = (performance.now() - from) / 1_000
const { user, system } = process.cpuUsage(cpu)
// For each second of processor time: what other processes take of the machine is none of ours.
const busy = (user + system) / 1e6
console.log(
  JSON.stringify({
    jobs: (turns - jobs) / busy,
    churn: (churned - before) / passed,
    heap: process.memoryUsage().heapUsed / 1e6,
    events,
  }),
)
process.exit()
