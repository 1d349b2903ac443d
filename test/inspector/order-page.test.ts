/** What is told by the page is told once; what it shows of events and messages is readable, in a narrow window, too. */
import { afterAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { openShopPage, type ShopPage } from '../support/shop-page.ts'

const PICTURES = '.tmp/screenshots'

const browser = await launchBrowser()
afterAll(() => browser.close())

interface Opened extends ShopPage {
  /** Orders that have arrived. */
  readonly orders: string[]
}

async function open(width?: number): Promise<Opened> {
  const orders: string[] = []
  const opened = await openShopPage(browser, { controls: true, ...(width === undefined ? {} : { width }) })
  opened.shop.global.on('control.ordered', ({ path }) => void orders.push(path))
  return { ...opened, orders }
}

describe('a double click tells once', () => {
  test.each(['Restart', 'Send…'])('%s', async (name) => {
    await using opened = await open()
    const { page, shop, orders, go } = opened
    await go(`#/health?path=${encodeURIComponent(shop.order.path)}`)
    await page.getByRole('button', { name, exact: true }).click()
    if (name === 'Send…') await page.getByRole('textbox', { name: /JSON/ }).fill('{ "type": "add" }')
    await page.locator('dialog .bar button').last().dblclick()
    await page.getByText('1 told').waitFor()
    await page.waitForTimeout(300)
    expect(orders).toEqual([shop.order.path])
  })

  test('also where an actor is sent an event', async () => {
    await using opened = await open()
    const { page, shop, orders, go } = opened
    await go(`#/actor?path=${encodeURIComponent(shop.order.path)}`)
    await page.getByRole('textbox', { name: 'Event, as JSON' }).fill('{ "type": "add" }')
    await page.locator('.send button.primary').dblclick({ delay: 60 })
    await page.getByText('add was sent').waitFor()
    await page.waitForTimeout(300)
    expect(orders).toEqual([shop.order.path])
    await page.waitForTimeout(500)
    await page.locator('.send button.primary').click()
    await page.waitForTimeout(300)
    expect(orders.length).toBe(2)
  })
})

test('events of XState’s own are shown as a person says them, and in full where one points', async () => {
  await using opened = await open()
  const { page, shop, go } = opened
  await go(`#/actor?path=${encodeURIComponent(shop.order.path)}`)
  await page.waitForSelector('.active-now:has-text("cart")')
  for (const type of ['add', 'pay'] as const) shop.order.send({ type })
  await page.waitForSelector('.snapshots td[title^="xstate.after.200."]:text-is("after 200 ms")')
  await go(`#/messages?path=${encodeURIComponent(shop.order.path)}`)
  await page.waitForSelector('.lifelines button[title*="xstate.after.200."] .type:has-text("after 200 ms")')
  expect(await page.locator('.lifelines .type').allTextContents()).toEqual(expect.not.arrayContaining([expect.stringContaining('xstate.')]))
  await page.screenshot({ path: `${PICTURES}/readable.png` })
})

test.each([900, 821])('at %i pixels the log shows all of every event without scrolling sideways', async (width) => {
  await using opened = await open(width)
  const { page, shop, go } = opened
  await shop.stumble()
  for (const view of ['log', 'actor']) {
    await go(`#/${view}?path=${encodeURIComponent('shop/infra/db#db')}`)
    await page.waitForSelector('.events td')
    const outside = await page.evaluate(() => {
      const box = document.querySelector('.events')?.parentElement as HTMLElement
      const right = box.getBoundingClientRect().right
      return [...box.querySelectorAll('th, td, button')].filter((each) => each.getBoundingClientRect().right > right + 0.5).length
    })
    expect([view, outside]).toEqual([view, 0])
    const cut = await page.evaluate(
      () => [...document.querySelectorAll('.events .said')].filter((each) => each.scrollWidth > each.clientWidth + 1).length,
    )
    expect([view, cut]).toEqual([view, 0])
  }
  await go('#/log')
  await page.waitForSelector('.log .events td')
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${PICTURES}/log-${width}-${colorScheme}.png` })
  }
})
