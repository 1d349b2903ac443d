/** The page where no lifecycle goes on: what is inside actors is shown as it is, all the same; and what a page knows of silence. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type LocalManager } from 'curtaincall'
import { type Inspector, startInspector } from 'curtaincall/inspector'
import type { Page } from 'playwright-core'
import { assign, setup } from 'xstate'
import { launchBrowser } from '../support/browser.ts'

const PICTURES = '.tmp/screenshots'

const browser = await launchBrowser()
afterAll(() => browser.close())

const counter = setup({
  types: { context: {} as { n: number }, events: {} as { type: 'inc' } },
}).createMachine({ context: { n: 0 }, on: { inc: { actions: assign({ n: ({ context }) => context.n + 1 }) } } })

interface Quiet {
  readonly global: GlobalManager
  readonly local: LocalManager
  readonly inspector: Inspector
  readonly page: Page
  [Symbol.asyncDispose](): Promise<void>
}

/** A tree in which nothing begins or ends by itself, and a page that looks at it. */
async function open(address: string): Promise<Quiet> {
  const global = createGlobalManager({ name: 'shop' })
  const local = global.createApp('api').createLocal('orders')
  local.spawn('idle', ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)), {
    id: 'idle',
    hungAfter: 60_000,
  })
  const inspector = await startInspector(global)
  const page = await browser.newPage({ viewport: { width: 1_360, height: 820 } })
  await page.goto(inspector.url)
  await page.waitForSelector('.row')
  await page.evaluate((hash) => void (location.hash = hash), address)
  return {
    global,
    local,
    inspector,
    page,
    [Symbol.asyncDispose]: async () => {
      await page.close()
      await inspector.close()
      await global.shutdown({ mode: 'immediate' })
    },
  }
}

const at = (view: string, path: string): string => `#/${view}?path=${encodeURIComponent(path)}`

describe('in a quiet tree', () => {
  test('snapshots and messages go on', async () => {
    await using opened = await open('#/actor')
    const { local, page } = opened
    const actor = local.spawn('counter', counter, { id: 'a' })
    await page.evaluate((hash) => void (location.hash = hash), at('actor', actor.path))
    await page.waitForSelector('.actor .value')
    // Long enough for all that the lifecycle of its start has brought.
    await page.waitForTimeout(1_500)
    for (let k = 0; k < 5; k++) actor.send({ type: 'inc' })
    await page.waitForFunction(() => /n\s*:?\s*5/.test(document.querySelector('.actor .value')?.textContent ?? ''), undefined, {
      timeout: 3_000,
    })
    await page.evaluate((hash) => void (location.hash = hash), at('messages', actor.path))
    await page.waitForSelector('.lifelines .message')
    await page.waitForTimeout(1_500)
    const before = await page.locator('.lifelines .message').count()
    actor.send({ type: 'inc' })
    await page.waitForFunction((many) => document.querySelectorAll('.lifelines .message').length > many, before, { timeout: 3_000 })
  })

  test('the gauge of silence goes on', async () => {
    await using opened = await open(at('actor', 'shop/api/orders/idle#idle'))
    const { page } = opened
    const silent = (): Promise<string | null> => page.locator('.gauge .text').textContent()
    await page.waitForSelector('.gauge .text')
    await page.waitForTimeout(1_000)
    const before = await silent()
    await page.waitForTimeout(1_000)
    expect(await silent()).not.toBe(before)
  })
})

test('a tree that has ended is said to have ended, and how', async () => {
  await using opened = await open('#/health')
  const { global, page } = opened
  await page.waitForSelector('.verdict.healthy')
  await global.shutdown({ mode: 'immediate' })
  await page.waitForSelector('.connection.ended')
  await page.waitForFunction(() => document.querySelector('.verdict')?.textContent?.includes('It has ended: cancelled') === true)
  await page.waitForFunction(() => document.querySelector('.managers tbody')?.textContent?.includes('cancelled') === true)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${PICTURES}/ended-${colorScheme}.png` })
  }
})

/** A process of its own, which can be stopped. */
const PROGRAM = `
  import { createGlobalManager } from 'curtaincall'
  import { startInspector } from 'curtaincall/inspector'
  const global = createGlobalManager({ name: 'shop' })
  global.createApp('api').createLocal('orders').spawn('deaf', () => new Promise(() => {}), { id: 'd' })
  const { url } = await startInspector(global)
  process.stdout.write(url)
  setInterval(() => {}, 1_000)`

test.skipIf(process.platform === 'win32')(
  'C4: a process that stands still is said not to answer; when it goes on, so does the page, with nothing held against it',
  async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM])
    const page = await browser.newPage({ viewport: { width: 1_360, height: 820 } })
    try {
      const [url] = (await once(child.stdout, 'data')) as [Buffer]
      await page.goto(url.toString())
      await page.waitForSelector('.row')
      await page.evaluate((hash) => void (location.hash = hash), at('actor', 'shop/api/orders/deaf#d'))
      await page.waitForSelector('.actor')
      // A process in which nothing happens, but which runs, is none that does not answer.
      await page.waitForTimeout(4_000)
      expect(await page.locator('.connection').textContent()).toBe('live')
      const place = await page.locator('.totals').boundingBox()
      child.kill('SIGSTOP')
      await page.waitForSelector('.connection.not-answering', { timeout: 6_000 })
      expect(await page.locator('.totals').boundingBox()).toEqual(place)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: `${PICTURES}/not-answering-${colorScheme}.png` })
      }
      await page.getByText('no answer within 10 s').waitFor({ timeout: 15_000 })
      await page.screenshot({ path: `${PICTURES}/not-the-latest.png` })
      child.kill('SIGCONT')
      await page.waitForSelector('.connection.live', { timeout: 3_000 })
      await page.getByText('no answer within 10 s').waitFor({ state: 'detached', timeout: 3_000 })
    } finally {
      child.kill('SIGKILL')
      await page.close()
    }
  },
)
