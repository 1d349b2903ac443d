/** Who held up a shutdown, in a real browser: on a page that was open, when the process has gone, and on a recording. */
import { mkdirSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { startInspector } from 'curtaincall/inspector'
import type { Page } from 'playwright-core'
import { faults } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'

const FOLDER = `${process.cwd()}/.tmp/account`
mkdirSync(FOLDER, { recursive: true })
const browser = await launchBrowser()
afterAll(() => browser.close())

const polite = ({ signal }: { signal: AbortSignal }): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve))

/** A tree of which one holds up the whole. */
function openTree() {
  const global = createGlobalManager({ name: 'shop' })
  const api = global.createApp('api')
  const pricing = api.createLocal('prices').spawn('pricing', () => new Promise(() => undefined))
  const mails = api.createLocal('mails')
  for (let k = 0; k < 3; k++) mails.spawn('mailer', polite)
  const old = api.createLocal('old')
  const holder = old.spawn('legacy-export', () => new Promise(() => undefined), { shutdown: 'infinity' })
  old.spawn('quick', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 150))))
  return { global, pricing, holder }
}

async function shot(page: Page, name: string): Promise<void> {
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 })
    await page.waitForTimeout(50)
    await page.screenshot({ path: `${FOLDER}/${name}-${width}.png`, fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

const SAID = /legacy-export held all for [\d.]+ m?s; pricing and 3 others got 0 ms/

test('a page that was open says who held it up when the process has gone; a victim is excused', async () => {
  const { global, pricing, holder } = openTree()
  const inspector = await startInspector(global)
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto(inspector.url)
  await page.waitForSelector('[role=treeitem]')
  await page.click('#tab-shutdown')
  await global.shutdown({ timeout: 600 })
  await inspector.close()
  await page.waitForSelector('.connection.disconnected')
  await page.waitForSelector('.account')
  expect(await page.textContent('.account .said')).toMatch(SAID)
  expect(await page.locator('.critical .holder').textContent()).toMatch(/^legacy-export \d+ ms$/)
  const text = (await page.textContent('.account')) ?? ''
  for (const word of ['quick', 'cancelled', 'Got 0 ms', 'pricing', 'Abandoned']) expect(text).toContain(word)
  await shot(page, 'closed')
  expect(await faults(page)).toEqual([])
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.waitForTimeout(50)
  expect(await faults(page)).toEqual([])
  await page.screenshot({ path: `${FOLDER}/closed-dark.png` })
  expect([pricing.path, holder.path].every((path) => path.startsWith('shop/api/'))).toBe(true)
  await page.context().close()
})

test('Why of a victim names the holder, and of the latest that went wrong it is the holder: also in a recording', async () => {
  const { global, pricing, holder } = openTree()
  await using inspector = await startInspector(global)
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto(inspector.url)
  await page.waitForSelector('[role=treeitem]')
  await global.shutdown({ timeout: 600 })
  const look = async (): Promise<void> => {
    await page.evaluate(() => (location.hash = '#/why'))
    await page.waitForSelector('.story h2:has-text("legacy-export held all for")')
    expect(await page.locator('.steps .asked').textContent()).toContain(holder.path)
    await page.evaluate((path) => (location.hash = `#/why?path=${encodeURIComponent(path)}`), pricing.path)
    await page.waitForSelector('.story h2:has-text("pricing got 0 ms to stop: legacy-export had held up the shutdown of shop")')
    const text = (await page.textContent('.story')) ?? ''
    expect(text).toContain('Nothing is wrong with pricing')
    expect(text).not.toContain('Let the work listen to context.signal')
  }
  await look()
  await shot(page, 'why-victim')
  await page.click('text=◂ look back')
  await page.waitForSelector('.connection.recording')
  await look()
  await page.click('#tab-health')
  await page.waitForSelector('.held-up')
  expect(await page.textContent('.held-up')).toMatch(SAID)
  await shot(page, 'health-over')
  await page.click('#tab-shutdown')
  expect(await page.textContent('.account .said')).toMatch(SAID)
  await page.context().close()
})
