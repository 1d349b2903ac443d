/** A recording that was saved in the page, opened again in a real browser: from disk, and by the command's server. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { showRecording, startInspector } from 'curtaincall/inspector'
import { readTrace } from 'curtaincall/testing'
import type { Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { openShop } from '../support/shop.ts'

const FOLDER = `${process.cwd()}/.tmp/saved`

mkdirSync(FOLDER, { recursive: true })
const browser = await launchBrowser()
afterAll(() => browser.close())

interface Saved {
  readonly trace: string
  readonly html: string
  /** Of a machine of the user's own, and of who sent it something. */
  readonly order: string
  /** What the living page said. */
  readonly was: readonly string[]
}

/** Why the page shows nothing. */
async function refusal(url: string): Promise<string | null> {
  const page = await (await browser.newContext()).newPage()
  await page.goto(url)
  await page.waitForSelector('.refused')
  const text = await page.textContent('.refused')
  await page.context().close()
  return text
}

/** What is said of the chosen actor: what is active, what differs, and the counts in the chart's table. */
async function told(page: Page): Promise<string[]> {
  await page.waitForSelector('.differences li')
  const texts = (selector: string): Promise<string[]> => page.locator(selector).allTextContents()
  const lit = await page.evaluate(() =>
    [...document.querySelectorAll('.stage .box.on > .title')].map((each) => each.textContent.replace('● ', '')).toSorted(),
  )
  return [...(await texts('.active-now strong')), `lit: ${lit.join(', ')}`, ...(await texts('.differences li'))]
}

async function save(page: Page, name: RegExp, file: string): Promise<void> {
  const download = page.waitForEvent('download')
  if ((await page.locator('.menu[open]').count()) === 0) await page.locator('.menu summary').click()
  await page.getByRole('button', { name }).click()
  await (await download).saveAs(file)
}

async function saved(): Promise<Saved> {
  const shop = openShop(10)
  await shop.global.ready()
  await using inspector = await startInspector(shop.global)
  const page = await (await browser.newContext({ acceptDownloads: true })).newPage()
  await page.goto(inspector.url)
  const order = shop.order.path
  await page.goto(`${new URL(inspector.url).origin}/#/actor?path=${encodeURIComponent(order)}`)
  await page.waitForSelector('.active-now:has-text("cart")')
  const sender = shop.orders.spawn('customer', async () => {
    for (const type of ['add', 'add', 'pay'] as const) {
      await new Promise((resolve) => setTimeout(resolve, 30))
      shop.order.send({ type })
    }
  })
  await sender.outcome
  await page.waitForSelector('.active-now:has-text("stock: done")')
  const was = await told(page)
  const [trace, html] = [`${FOLDER}/shop.cct.jsonl`, `${FOLDER}/shop.html`]
  await save(page, /Trace \(\*\.cct/, trace)
  await save(page, /opens from disk/, html)
  await page.context().close()
  await shop.global.shutdown({ mode: 'immediate' })
  return { trace, html, order, was }
}

describe('what was saved', () => {
  let all: Saved
  beforeAll(async () => {
    all = await saved()
  })

  const address = ({ order }: Saved, view: string): string => `#/${view}?path=${encodeURIComponent(order)}`

  async function shows(page: Page): Promise<void> {
    await page.waitForSelector('.connection.recording')
    expect(await told(page)).toEqual(all.was)
    expect(await page.locator('.below-chart').textContent()).toContain('taken so often by this moment')
    expect(await page.locator('.value').textContent()).toContain('sku-1')
    // Back to before the payment, by the snapshots; and by time.
    expect(await page.locator('.snapshots tbody tr').count()).toBeGreaterThanOrEqual(5)
    await page.screenshot({ path: `${FOLDER}/actor.png` })
    await page.getByRole('slider', { name: 'Snapshot' }).focus()
    await page.keyboard.press('Home')
    await page.waitForSelector('.active-now:has-text("active then: cart")')
    await page.waitForFunction(() => document.querySelector('.value')?.textContent?.includes('an empty list'))
    await page.getByRole('slider', { name: 'Moment' }).focus()
    await page.keyboard.press('Home')
    await page.waitForFunction(() => document.querySelectorAll('.snapshots tbody tr').length < 4)
    await page.screenshot({ path: `${FOLDER}/back.png`, fullPage: true })
    await page.keyboard.press('End')
    await page.evaluate(
      (hash) => {
        location.hash = hash
      },
      address(all, 'messages'),
    )
    await page.waitForFunction(() => document.querySelector('.message-key')?.textContent?.includes('4 messages'))
    const said = (await page.locator('.messages').textContent()) ?? ''
    for (const word of ['add', 'pay', 'customer']) expect(said).toContain(word)
  }

  test('opens from disk, with the chart, the snapshots and the messages; and offers no page to be saved in', async () => {
    const page = await (await browser.newContext()).newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.goto(`file://${all.html}${address(all, 'actor')}`)
    await shows(page)
    await page.locator('.menu summary').click()
    expect(await page.locator('.menu button').allTextContents()).toEqual(['Trace (*.cct.jsonl)', 'Chrome trace (*.json)'])
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('opens from a trace, the same; saved once more from there, it still holds all', async () => {
    await using inspector = await showRecording([readTrace(all.trace)])
    const page = await (await browser.newContext({ acceptDownloads: true })).newPage()
    const refusals: string[] = []
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => {
        if (typeof payload === 'string' && /^\{"id":\d+,"error":/.test(payload)) refusals.push(payload)
      }),
    )
    await page.goto(inspector.url)
    await page.goto(`${new URL(inspector.url).origin}/${address(all, 'actor')}`)
    await shows(page)
    // Nothing was asked for that the file does not have, such as a recording beside it.
    expect([refusals, await page.getByRole('tab', { name: 'Compare' }).count()]).toEqual([[], 0])
    await save(page, /Trace \(\*\.cct/, `${FOLDER}/again.cct.jsonl`)
    expect(readTrace(`${FOLDER}/again.cct.jsonl`).recorded).toEqual(readTrace(all.trace).recorded)
    expect(await page.locator('.menu button').count()).toBe(3)
    await page.context().close()
  })

  test('stands beside another, if there are two', async () => {
    await using inspector = await showRecording([readTrace(all.trace), readTrace(all.trace)])
    const page = await (await browser.newContext()).newPage()
    await page.goto(inspector.url)
    await page.waitForSelector('#tab-compare')
    await page.context().close()
  })

  test('and was broken since is no blank page: it says why', async () => {
    const file = `${FOLDER}/broken.html`
    writeFileSync(file, readFileSync(all.html, 'utf8').replace(/(id="recording">.{400})./, '$1_'))
    expect(await refusal(`file://${file}`)).toContain('The recording in this page is broken: ')
  })

  test('and says of its tree what is no tree is no blank page either', async () => {
    const file = `${FOLDER}/treeless.html`
    const changed = readFileSync(all.html, 'utf8').replace(/(id="recording">)([^<]+)/, (_, before: string, text: string) => {
      const [recording] = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as object[]
      return `${before}${gzipSync(JSON.stringify([{ ...recording, base: null }])).toString('base64')}`
    })
    writeFileSync(file, changed)
    expect(await refusal(`file://${file}`)).toContain('The recording in this page is broken: recording.base has to be a list')
  })

  test('and can’t be played is no blank page: it says why', async () => {
    const trace = readTrace(all.trace)
    const event = { i: trace.events.length, t: trace.events.at(-1)?.t, type: 'routine.started', actor: 'g/x', incarnation: { toString: 1 } }
    await using inspector = await showRecording([{ ...trace, recorded: undefined, events: [...trace.events, event] } as never])
    expect(await refusal(inspector.url)).toContain('This recording can’t be shown')
  })

  test('and can’t be fetched is no empty tree: the page says why', async () => {
    await using inspector = await showRecording([readTrace(all.trace)])
    const page = await (await browser.newContext()).newPage()
    await page.routeWebSocket(/live$/, (socket) => {
      const server = socket.connectToServer()
      socket.onMessage((message) => {
        const { id, ask } = JSON.parse(String(message)) as { id?: number; ask?: string }
        if (ask === 'recording') socket.send(JSON.stringify({ id, error: 'the disk is on fire' }))
        else server.send(message)
      })
    })
    await page.goto(inspector.url)
    await page.waitForSelector('.refused')
    expect(await page.textContent('.refused')).toContain('This recording can’t be shown')
    expect(await page.textContent('.refused')).toContain('the disk is on fire')
    await page.context().close()
  })
})
