/** What the page says of programs that began before it was opened: what is so, or that it is not known. */
import { afterAll, describe, expect, test } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { createGlobalManager, type GlobalManager } from 'curtaincall'
import { type Inspector, startInspector } from 'curtaincall/inspector'
import { launchBrowser } from '../support/browser.ts'
import { sendFleet } from './programs/fleet.ts'
import { ofPlatform } from './programs/pause.ts'
import { openShop } from './programs/shop.ts'

const browser = await launchBrowser()
afterAll(() => browser.close())

interface Opened {
  readonly page: Page
  /** Goes to a view, at an actor. */
  go(view: string, name?: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

async function open(from: Browser, global: GlobalManager, inspector: Inspector): Promise<Opened> {
  const context = await from.newContext({ viewport: { width: 1_360, height: 820 } })
  const page = await context.newPage()
  await page.goto(inspector.url)
  await page.waitForSelector('.row')
  return {
    page,
    go: (view, name) =>
      page.evaluate(
        (hash) => void (location.hash = hash),
        `#/${view}${name === undefined ? '' : `?path=${encodeURIComponent(global.whereis(name)?.path ?? '')}`}`,
      ),
    [Symbol.asyncDispose]: async () => {
      await context.close()
      await inspector.close()
      await global.shutdown({ mode: 'immediate', timeout: 100 })
    },
  }
}

describe('a page that is opened late', () => {
  test('names who asks three times a second; why a sibling was restarted stands in the log, and in Why', async () => {
    const global = createGlobalManager({ name: 'late' })
    const inspector = await startInspector(global)
    const { coupon } = await openShop(global, ofPlatform)
    await using opened = await open(browser, global, inspector)
    const { page, go } = opened
    await go('messages', 'auditor')
    await page.waitForSelector('.sequence .message.ask')
    await page.waitForSelector('.sequence .message.reply')
    expect(await page.locator('.heads li').allTextContents()).toEqual(['auditor#auditor', 'database#database'])
    coupon()
    await go('log')
    await page.waitForSelector('td.said:has-text("because checkout failed in run 1: RangeError: cannot book")')
    await go('why', 'mailer')
    await page.waitForSelector('.story h2:has-text("because checkout failed in run 1")')
    await go('timeline')
    await page.waitForSelector('.bar-legend li:has-text("not known")')
  })

  test('says of who had begun before the inspector that it is not known what it sends', async () => {
    const global = createGlobalManager({ name: 'late' })
    await openShop(global, ofPlatform)
    await using opened = await open(browser, global, await startInspector(global))
    const { page, go } = opened
    await go('messages', 'auditor')
    await page.getByText('it is not known what auditor sent').waitFor()
    expect(await page.locator('.messages').textContent()).not.toContain('neither sent nor received')
    await go('messages', 'database')
    await page.waitForSelector('.sequence .message.ask')
    expect(await page.locator('.heads').textContent()).toContain('not known')
    expect(await page.locator('.heads').textContent()).not.toContain('outside')
  })

  test('names who hangs among a thousand, wherever Why is asked', async () => {
    const global = createGlobalManager({ name: 'late' })
    const inspector = await startInspector(global)
    sendFleet(global, ofPlatform)
    await using opened = await open(browser, global, inspector)
    const { page, go } = opened
    await go('health')
    await page.locator('.verdict.hung').waitFor({ timeout: 20_000 })
    await go('why', 'tracker')
    await page.waitForSelector('.story h2:has-text("tracker hangs: nothing has been heard of it for")')
    await go('why')
    await page.waitForSelector('.wrong-now:has-text("tracker hangs")')
  })
})
