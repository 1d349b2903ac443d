/**
 * Takes the pictures of docs/inspector: `npm run screenshots`, or `npm run screenshots -- problems` for that one. Most are of the
 * main job, the indexer with its passing faults, which is looked at while it runs; a statechart and a sequence of messages are of
 * the shop that the tests use, and the front page is of the shop that `npm start` shows.
 */
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startInspector } from 'curtaincall/inspector'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../test/support/browser.ts'
import { openShop } from '../test/support/shop.ts'

const root = join(import.meta.dirname, '..')
const folder = join(root, 'docs', 'inspector')
mkdirSync(folder, { recursive: true })
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

async function openPage(browser: Browser, url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1_360, height: 800 }, colorScheme })
  const page = await context.newPage()
  await page.goto(url)
  await page.waitForSelector('.row')
  return page
}

async function show(page: Page, address: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash
  }, address)
  await wait(1_200)
  // What is still being read is no picture of anything.
  await page.waitForFunction(() => !document.getElementById('pane')?.textContent?.includes('Reading…'))
}

const picture = (page: Page, name: string): Promise<unknown> => page.screenshot({ path: join(folder, `${name}.png`) })

interface Running {
  readonly url: string
  readonly isDone: Promise<void>
  readonly stop: () => void
}

/** The indexer, with a page to look at it. */
async function startIndexer(...args: readonly string[]): Promise<Running> {
  const run = ['dist/src/cli/curtaincall.js', 'run', '--controls', 'examples/01-indexer/indexer.ts', ...args]
  const child = spawn(process.execPath, run, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise: opened, resolve: open } = Promise.withResolvers<string>()
  const { promise: isDone, resolve: done } = Promise.withResolvers<void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, address] = /^inspector: (.+)$/.exec(line) ?? []
    if (address !== undefined) open(address)
    if (line.includes('stays up for the inspector')) done()
  })
  return { url: await opened, isDone, stop: () => void child.kill('SIGINT') }
}

/** A machine at the moment of its failure. */
async function frontPage(browser: Browser): Promise<void> {
  const { url, stop } = await startIndexer('--demo', 'src')
  const page = await openPage(browser, url)
  await page.locator('.scene .drawing .lit').first().waitFor()
  // The better layout of the statechart comes a moment later.
  await wait(1_500)
  await picture(page, 'problems')
  stop()
}

async function mainJob(browser: Browser): Promise<void> {
  const { url, isDone, stop } = await startIndexer('--faults')
  const page = await openPage(browser, url)
  await wait(1_300)
  await show(page, '#/health')
  await picture(page, 'health')
  await show(page, '#/timeline?path=run%2Findexer%2Ffiles')
  await picture(page, 'timeline')
  await show(page, '#/log?path=run%2Findexer%2Ffiles')
  await picture(page, 'log')
  await show(page, '#/why?path=run%2Findexer%2Ffiles')
  await picture(page, 'why')
  await isDone
  await show(page, '#/shutdown?path=run')
  await page.getByRole('button', { name: 'Shut down', exact: true }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Shut down/ })
    .click()
  await wait(1_500)
  await picture(page, 'shutdown')
  stop()
}

async function shop(browser: Browser): Promise<void> {
  const opened = openShop(1_000)
  const { global, order } = opened
  await using inspector = await startInspector(global, { controls: true })
  const page = await openPage(browser, inspector.url)
  const dark = await openPage(browser, inspector.url, 'dark')
  const address = `?path=${encodeURIComponent(order.path)}`
  await show(page, `#/messages${address}`)
  await opened.stumble()
  for (const type of ['add', 'add', 'pay', 'paid', 'fail', 'add', 'pay'] as const) {
    order.send({ type })
    await wait(150)
  }
  await show(page, `#/messages${address}`)
  await picture(page, 'messages')
  await show(page, `#/actor${address}`)
  await show(dark, `#/actor${address}`)
  await wait(1_500)
  await picture(page, 'actor')
  await picture(dark, 'dark')
  await global.shutdown({ mode: 'immediate' })
}

const browser = await launchBrowser()
await frontPage(browser)
if (!process.argv.includes('problems')) {
  await mainJob(browser)
  await shop(browser)
}
await browser.close()
process.exit()
