/** The moment that the page looks at: in its address, while it plays, and on the scale of the timeline. */
import { afterAll, describe, expect, test } from 'vitest'
import { launchBrowser } from '../support/browser.ts'
import { openShopPage, type ShopPage } from '../support/shop-page.ts'

const browser = await launchBrowser()
afterAll(() => browser.close())

interface Opened extends ShopPage {
  /** The moment that is shown. */
  shown(): Promise<number>
  /** The moment in the address. */
  said(): Promise<number>
}

async function open(): Promise<Opened> {
  const opened = await openShopPage(browser)
  const { page } = opened
  return {
    ...opened,
    shown: () => page.evaluate(() => Number(document.querySelector<HTMLInputElement>('input[aria-label=Moment]')?.value)),
    said: () => page.evaluate(() => Number(new URLSearchParams(location.hash.split('?')[1]).get('at'))),
  }
}

describe('a moment', () => {
  test('goes on while it plays, whatever is clicked meanwhile; and the address is of where one is', async () => {
    await using opened = await open()
    const { page, shop, shown, said } = opened
    await shop.stumble()
    await page.waitForTimeout(3_000)
    await shop.stumble()
    await page.waitForTimeout(300)
    await page.getByRole('button', { name: 'look back' }).click()
    await page.waitForSelector('.connection.recording')
    await page.getByRole('slider', { name: 'Moment' }).focus()
    await page.keyboard.press('Home')
    await page.waitForFunction(() => location.hash.includes('at='))
    const begun = await shown()
    await page.getByRole('button', { name: 'play' }).click()
    let before = begun
    for (const tab of ['Log', 'Health', 'Actor']) {
      await page.waitForTimeout(300)
      before = await shown()
      await page.getByRole('tab', { name: tab }).click()
      expect(await shown()).toBeGreaterThanOrEqual(before)
      expect(await said()).toBeGreaterThanOrEqual(before)
    }
    await page.locator('.row').nth(2).click()
    expect(await shown()).toBeGreaterThanOrEqual(before)
    expect(before).toBeGreaterThan(begun + 600)
  })

  test('in an address that is put into a living page is looked back at', async () => {
    await using opened = await open()
    const { page, shop, go, shown } = opened
    await shop.stumble()
    await page.waitForTimeout(600)
    const at = await page.evaluate(() => Number(document.querySelector('.page')?.getAttribute('data-at')))
    await shop.stumble()
    await page.waitForFunction((then) => Number(document.querySelector('.page')?.getAttribute('data-at')) > then, at)
    await go(`#/actor?path=${encodeURIComponent(shop.order.path)}&at=${Math.ceil(at)}`)
    await page.waitForSelector('.connection.recording')
    expect(await shown()).toBeCloseTo(Math.ceil(at), 0)
    await page.getByRole('button', { name: 'live' }).click()
    await page.waitForSelector('.connection.live')
  })
})
