/**
 * What the inspector costs, and how the page does: `npm run bench:inspector`.
 *
 * For 1,000, 10,000 and 100,000 actors with 20,000 lifecycle events a second, in fresh processes and turn by turn: the other
 * work that the process gets done, without an inspector, with one that nobody looks at, with a page, and with a frozen page; and of the page its
 * frames a second, still and while it scrolls, how late what it shows is, and when there is a first picture. Before, its files' sizes.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { launchBrowser } from '../test/support/browser.ts'
import { WebSocket } from 'ws'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    actors: { type: 'string', default: '1000,10000,100000' },
    seconds: { type: 'string', default: '4' },
    page: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const rounds = Number(values.rounds)

interface Load {
  readonly jobs: number
  readonly churn: number
  readonly heap: number
}

interface Running {
  readonly child: ChildProcess
  readonly line: () => Promise<string>
}

function start(actors: number, mode: string, seconds = Number(values.seconds)): Running {
  const child = spawn(process.execPath, ['bench/inspector-load.ts', String(actors), mode, String(seconds)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  return { child, line: async () => String((await lines.next()).value) }
}

async function measure(actors: number, mode: 'none' | 'idle' | 'attached' | 'frozen'): Promise<Load> {
  const isPage = mode === 'attached' || mode === 'frozen'
  const { child, line } = start(actors, isPage ? 'page' : mode)
  let socket: WebSocket | undefined
  if (mode !== 'none') {
    const url = new URL(await line())
    if (isPage) {
      socket = await attach(url, mode === 'attached')
      child.stdin?.write('go\n')
    }
  }
  const result = JSON.parse(await line()) as Load
  socket?.terminate()
  return result
}

/** What a page does, without drawing: the cost to the process alone. */
async function attach(url: URL, acknowledges: boolean): Promise<WebSocket> {
  const { headers } = await fetch(url, { redirect: 'manual' })
  const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
  const key = headers.get('location')?.split('=')[1] ?? ''
  const socket = new WebSocket(`ws://${url.host}/live`, `curtaincall.${key}`, { headers: { cookie, origin: url.origin } })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  socket.on('message', (_, isBinary) => {
    if (isBinary && acknowledges) socket.send('{"ack":1}')
  })
  return socket
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`

interface Drawn {
  readonly still: number
  readonly scrolling: number
  readonly lag: number
  readonly first: number
}

/** Counts pictures, and how old what is shown is, inside the page. */
const FRAMES = `(async (scrolls) => {
  const box = document.querySelector('.rows')
  let frames = 0
  const end = performance.now() + 3000
  while (performance.now() < end) {
    await new Promise((resolve) => requestAnimationFrame(resolve))
    frames++
    if (scrolls) box.scrollTop = (box.scrollTop + 240) % Math.max(1, box.scrollHeight - box.clientHeight)
  }
  return frames / 3
})`

async function draw(actors: number): Promise<Drawn> {
  const { child, line } = start(actors, 'page', 120)
  const url = await line()
  const browser = await launchBrowser()
  const page = await (await browser.newContext({ viewport: { width: 1360, height: 820 } })).newPage()
  const begun = performance.now()
  await page.goto(url)
  await page.waitForSelector('.row')
  const first = performance.now() - begun
  child.stdin?.write('go\n')
  for (const row of await page.locator('.row.local .twist').all()) if ((await page.locator('.row').count()) < 40) await row.click()
  const still = await page.evaluate<number>(`${FRAMES}(false)`)
  const scrolling = await page.evaluate<number>(`${FRAMES}(true)`)
  const lag = await page.evaluate<number>(`(async () => {
    const seen = []
    for (let k = 0; k < 60; k++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      seen.push(Date.now() - Number(document.querySelector('.page').dataset.at))
    }
    return Math.max(...seen)
  })()`)
  await browser.close()
  child.kill()
  return { still, scrolling, lag, first }
}

/** Kilobytes of the page's files, compressed. */
function sizeOf(...names: readonly string[]): string {
  const bytes = names.map((name) => gzipSync(readFileSync(new URL(`../dist/inspector/${name}`, import.meta.url)), { level: 9 }).length)
  return `${(bytes.reduce((sum, each) => sum + each, 0) / 1_000).toFixed(0)} kB`
}

console.log(
  `the page, compressed: ${sizeOf('index.html', 'page.js', 'page.css')}; elk.js, with the first statechart: ${sizeOf('elk.js')}\n`,
)
console.log('| actors | no page | a page | a frozen page | frames/s still / scrolling | lag, at most | first picture |')
console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const actors of values.actors.split(',').map(Number)) {
  const found: Record<string, number[]> = { idle: [], attached: [], frozen: [] }
  for (let round = 0; round < rounds; round++) {
    const without = await measure(actors, 'none')
    for (const mode of ['idle', 'attached', 'frozen'] as const) found[mode]?.push(1 - (await measure(actors, mode)).jobs / without.jobs)
  }
  const drawn: Drawn[] = []
  for (let round = 0; values.page && round < rounds; round++) drawn.push(await draw(actors))
  const middle = (name: keyof Drawn): string => median(drawn.map((each) => each[name])).toFixed(0)
  const lost = Object.values(found).map(
    (losses) => `${percent(median(losses))} (${percent(Math.min(...losses))} to ${percent(Math.max(...losses))})`,
  )
  const seen =
    drawn.length === 0 ? ['–', '–', '–'] : [`${middle('still')} / ${middle('scrolling')}`, `${middle('lag')} ms`, `${middle('first')} ms`]
  console.log(`| ${[actors.toLocaleString('en'), ...lost, ...seen].join(' | ')} |`)
}
process.exit()
