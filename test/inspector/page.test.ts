/** The page in a real browser: every view, by keyboard alone, in light and dark, with few and with many. Pictures go to .tmp/screenshots. */
import { afterAll, describe, expect, test } from 'vitest'
import { startInspector } from 'curtaincall/inspector'
import { faults } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { openShopPage, type ShopPage } from '../support/shop-page.ts'

const PICTURES = '.tmp/screenshots'
const VIEWS = ['problems', 'health', 'actor', 'why', 'timeline', 'messages', 'log', 'shutdown'] as const

const browser = await launchBrowser()
afterAll(() => browser.close())

interface Opened extends ShopPage {
  /** What the browser complained of. */
  readonly complaints: string[]
}

async function open(
  options: { sessions?: number; controls?: boolean; colorScheme?: 'light' | 'dark'; width?: number } = {},
): Promise<Opened> {
  const { sessions = 10, colorScheme = 'light', ...rest } = options
  const complaints: string[] = []
  const opened = await openShopPage(browser, {
    ...rest,
    sessions,
    context: { colorScheme, reducedMotion: 'reduce', acceptDownloads: true },
    prepare: (page) => {
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', (error) => complaints.push(error.message))
      // What the page asks for has to be what the process answers, also where the page would not show that it was not.
      page.on('websocket', (socket) =>
        socket.on('framereceived', ({ payload }) => {
          if (typeof payload === 'string' && /^\{"id":\d+,"error":/.test(payload)) complaints.push(payload)
        }),
      )
    },
  })
  return { ...opened, complaints }
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test('every view shows the tree, holds WCAG AA, and makes the browser complain of nothing', async () => {
    await using opened = await open({ colorScheme, controls: true })
    const { shop, page, complaints, go } = opened
    await shop.stumble()
    for (const type of ['add', 'add', 'pay', 'paid'] as const) shop.order.send({ type })
    for (const view of VIEWS) {
      if (view === 'shutdown') void shop.global.shutdown({ timeout: 60_000 })
      await go(`#/${view}?path=${encodeURIComponent(view === 'why' ? 'shop/api/images' : shop.order.path)}`)
      await page.waitForSelector(`#tab-${view}[aria-selected=true]`)
      await page.waitForFunction(() => !/…<\/strong>|Reading…/.test(document.getElementById('pane')?.innerHTML ?? '…'))
      await page.screenshot({ path: `${PICTURES}/${view}-${colorScheme}.png` })
      expect([view, await faults(page)]).toEqual([view, []])
    }
    expect(complaints).toEqual([])
  })
})

test('the tree is walked by keyboard alone', async () => {
  await using opened = await open()
  const { page } = opened
  await page.locator('.rows').focus()
  const chosen = (): Promise<string | null> => page.evaluate(() => new URLSearchParams(location.hash.split('?')[1]).get('path'))
  await page.keyboard.press('Home')
  expect(await chosen()).toBe('shop')
  for (const [key, path] of [
    ['ArrowDown', 'shop/infra'],
    ['ArrowRight', 'shop/infra/db#db'],
    ['ArrowDown', 'shop/infra/cache#cache'],
    ['ArrowLeft', 'shop/infra'],
    ['ArrowLeft', 'shop/infra'],
    ['ArrowDown', 'shop/api'],
    ['ArrowDown', 'shop/api/orders'],
    ['ArrowRight', 'shop/api/orders'],
  ] as const) {
    await page.keyboard.press(key)
    expect([key, await chosen()]).toEqual([key, path])
  }
  await page.keyboard.press('ArrowRight')
  expect(await chosen()).toContain('shop/api/orders/order#')
  await page.keyboard.press('End')
  expect(await chosen()).toContain('shop/bulk/shard-0')
})

test('the filter shows who matches and the way there, and stands in the address', async () => {
  await using opened = await open()
  const { page, shop, go } = opened
  await shop.stumble()
  await page.waitForSelector('.row:has-text("images") .counts .completed')
  await page.getByRole('searchbox', { name: 'Filter by name or path' }).fill('resize')
  await page.waitForFunction(() => document.querySelectorAll('.row').length === 4)
  expect(await page.locator('.row .name').allTextContents()).toEqual(['shop', 'api', 'images', 'resize'])
  expect(await page.evaluate(() => location.hash)).toContain('find=resize')
  await go('#/health?only=restarted')
  await page.waitForFunction(() => document.querySelector('.matching')?.textContent?.startsWith('3 of'))
})

test('an address leads to the same place on a page that is opened anew', async () => {
  await using opened = await open()
  const { page, shop, inspector } = opened
  const other = await page.context().newPage()
  await other.goto(`${new URL(inspector.url).origin}/#/log?path=${encodeURIComponent(shop.order.path)}`)
  await other.waitForSelector('.row.chosen')
  expect(await other.locator('.row.chosen .name').textContent()).toBe('order')
  await other.waitForSelector('#tab-log[aria-selected=true]')
})

test('a lost process is waited for, and what was shown stays; so it does where another run takes its place, until a tab is let in', async () => {
  await using opened = await open()
  const { page, shop, inspector, go } = opened
  await go('#/log')
  await page.waitForSelector('.events td')
  await page.waitForTimeout(500)
  const place = (): Promise<unknown> => page.locator('.lines').boundingBox()
  const before = await place()
  const port = Number(new URL(inspector.url).port)
  await inspector.close()
  await page.waitForSelector('.connection.disconnected')
  await page.locator('.stale', { hasText: /not the latest: .*connection/ }).waitFor()
  expect(await page.locator('.row').count()).toBeGreaterThan(3)
  expect([await place(), await page.locator('#pane .failed').count()]).toEqual([before, 0])
  await page.screenshot({ path: `${PICTURES}/disconnected.png` })
  // Another run has another token: the page says so instead of trying for ever, and takes nothing away.
  await using again = await startInspector(shop.global, { port })
  await page.waitForSelector('.replaced')
  expect(await page.textContent('.replaced')).toContain('open the address that it has printed')
  expect(await page.locator('.row').count()).toBeGreaterThan(3)
  expect(await page.locator('.events td').count()).toBeGreaterThan(3)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${PICTURES}/replaced-${colorScheme}.png` })
    expect(await faults(page)).toEqual([])
  }
  const other = await page.context().newPage()
  await other.goto(again.url)
  await other.waitForSelector('.row')
  await page.waitForSelector('.connection.live')
  expect(await page.locator('.replaced').count()).toBe(0)
})

test('a frame that cannot be read ends the page with a word about it, instead of a tree that is wrong', async () => {
  await using opened = await open()
  const { page } = opened
  await page.routeWebSocket('**/live', (socket) => {
    const server = socket.connectToServer()
    server.onMessage((message) => socket.send(typeof message === 'string' ? message : message.subarray(0, -3)))
  })
  await page.reload()
  await page.waitForSelector('.refused')
  expect(await page.textContent('.refused')).toMatch(/sent something that this page can't read \(.+\): load it anew/)
})

test('one looks back: the tree as it was, event by event, and live again', async () => {
  await using opened = await open()
  const { page, shop } = opened
  await shop.stumble()
  await page.waitForFunction(() => document.querySelector('.badge')?.textContent?.startsWith('0 ') === false)
  await page.getByRole('button', { name: 'look back' }).click()
  await page.waitForSelector('.connection.recording')
  const restarted = (): Promise<string | null> => page.locator('.totals li[title=completed]').textContent()
  expect((await restarted())?.trim()).toBe('1')
  await page.getByRole('slider', { name: 'Moment' }).focus()
  await page.keyboard.press('Home')
  await page.waitForFunction(() => document.querySelector('.totals li[title=completed]')?.textContent?.trim() === '0')
  expect(await page.evaluate(() => location.hash)).toContain('at=')
  await page.screenshot({ path: `${PICTURES}/recording.png` })
  await page.getByRole('button', { name: 'live' }).click()
  await page.waitForSelector('.connection.live')
  await page.waitForFunction(() => document.querySelector('.totals li[title=completed]')?.textContent?.trim() === '1')
})

test('a recording is saved as a page that opens from disk, without a process', async () => {
  await using opened = await open()
  const { page, shop } = opened
  await shop.stumble()
  await page.locator('.menu summary').click()
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: /opens from disk/ }).click()
  const file = `${process.cwd()}/.tmp/saved.html`
  await (await download).saveAs(file)
  const alone = await (await browser.newContext()).newPage()
  const complaints: string[] = []
  alone.on('pageerror', (error) => complaints.push(error.message))
  await alone.goto(`file://${file}`)
  await alone.waitForSelector('.row')
  expect(await alone.locator('.totals li[title=completed]').textContent()).toContain('1')
  await alone.getByRole('tab', { name: 'Log' }).click()
  await alone.waitForSelector('.events td')
  expect(await alone.locator('.events').textContent()).toContain('the disk is busy')
  expect(complaints).toEqual([])
  await alone.close()
})

describe('controls', () => {
  test('are not there unless they are enabled', async () => {
    await using opened = await open()
    const { page, shop, go } = opened
    await go(`#/actor?path=${encodeURIComponent(shop.order.path)}`)
    await page.waitForSelector('.row.chosen')
    expect(await page.locator('[role=toolbar]').count()).toBe(0)
  })

  test('say whom they hit before they do, in bulk too, and stand in the log', async () => {
    await using opened = await open({ controls: true })
    const { page, shop, go } = opened
    await go('#/log?find=session')
    await page.getByRole('button', { name: 'Cancel all' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.textContent()).toContain('10 living routines that pass the filter')
    await page.screenshot({ path: `${PICTURES}/controls.png` })
    expect(await faults(page)).toEqual([])
    await page.keyboard.press('Escape')
    expect(shop.global.countOf('session')).toBe(10)
    await page.getByRole('button', { name: 'Cancel all' }).click()
    await dialog.getByRole('button', { name: /^Cancel all/ }).click()
    await shop.global.waitFor('session')
    await page.getByText('10 told').waitFor()
    await page.getByRole('button', { name: 'orders', exact: true }).click()
    await page.waitForFunction(() => document.querySelectorAll('.events tbody tr').length === 10)
    expect(shop.global.routines().map(({ name }) => name)).toEqual(expect.not.arrayContaining(['session']))
  })
})

test('100,000 actors are there at once, and the last of them is a key away', async () => {
  await using opened = await open({ sessions: 100_000 })
  const { page } = opened
  await page.waitForFunction(() => document.querySelector('.matching')?.textContent?.startsWith('100,0'))
  await page.getByRole('searchbox', { name: 'Filter by name or path' }).fill('shard-9')
  await page.waitForFunction(() => document.querySelector('.matching')?.textContent?.startsWith('10,001 of'))
  await page.getByRole('searchbox', { name: 'Filter by name or path' }).fill('')
  await page.locator('.rows').focus()
  await page.keyboard.press('End')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('End')
  await page.waitForFunction(() => decodeURIComponent(location.hash).includes('shop/bulk/shard-9/session#'))
  expect(await page.locator('.row').count()).toBeLessThan(80)
  await page.screenshot({ path: `${PICTURES}/100k.png` })
})

test('a narrow window shows the tree above the view', async () => {
  await using opened = await open({ width: 700 })
  await opened.page.screenshot({ path: `${PICTURES}/narrow.png` })
  const [tree, detail] = await Promise.all(['.tree', '.detail'].map((each) => opened.page.locator(each).boundingBox()))
  expect((tree?.y ?? 0) + (tree?.height ?? 0)).toBeLessThanOrEqual((detail?.y ?? 0) + 1)
})
