/** The shop, and a page that looks at it, in a context of its own. */
import { type Inspector, startInspector } from 'curtaincall/inspector'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openShop, type Shop } from './shop.ts'

export interface ShopPage {
  readonly shop: Shop
  readonly inspector: Inspector
  readonly page: Page
  /** Goes to an address behind `#`, without loading anything anew. */
  go(address: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ShopPageOptions {
  readonly sessions?: number
  readonly controls?: boolean
  readonly width?: number
  readonly context?: BrowserContextOptions
  /** Before the page is loaded. */
  readonly prepare?: (page: Page) => void
}

/** Opens both; disposing of it closes both. */
export async function openShopPage(browser: Browser, options: ShopPageOptions = {}): Promise<ShopPage> {
  const { sessions = 3, controls = false, width = 1_360, context: more, prepare } = options
  const shop = openShop(sessions)
  await shop.global.ready()
  const inspector = await startInspector(shop.global, { controls })
  const context = await browser.newContext({ viewport: { width, height: 820 }, ...more })
  const page = await context.newPage()
  prepare?.(page)
  await page.goto(inspector.url)
  await page.waitForSelector('.row')
  return {
    shop,
    inspector,
    page,
    go: (address) =>
      page.evaluate((hash) => {
        location.hash = hash
      }, address),
    [Symbol.asyncDispose]: async () => {
      await context.close()
      await inspector.close()
      await shop.global.shutdown({ mode: 'immediate' })
    },
  }
}
