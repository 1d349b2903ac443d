/** The page where no lifecycle goes on: what is inside actors is shown as it is, all the same; and what a page knows of silence. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type LocalManager } from 'curtaincall'
import { type Inspector, startInspector } from 'curtaincall/inspector'
import type { Browser, Page } from 'playwright-core'
import { assign, setup } from 'xstate'
import { launchBrowser } from '../support/browser.ts'

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
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
