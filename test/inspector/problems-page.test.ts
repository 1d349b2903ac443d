/** The front page of problems in a real browser: cards with stack, input and scene, a calm page, and what a reader does next. */
import { afterAll, expect, test } from 'vitest'
import { type AnyRoutine, createGlobalManager, type GlobalManager, routine } from 'curtaincall'
import { startInspector } from 'curtaincall/inspector'
import type { Page } from 'playwright-core'
import { assign, setup } from 'xstate'
import { faults } from '../support/axe.ts'
import { launchBrowser } from '../support/browser.ts'
import { untilTold } from '../support/tree.ts'

const PICTURES = '.tmp/screenshots'

const browser = await launchBrowser()
afterAll(() => browser.close())

const till = setup({ types: { context: {} as { coins: number }, events: {} as { type: 'coin' | 'jam' | 'lock' } } }).createMachine({
  id: 'till',
  initial: 'empty',
  context: { coins: 0 },
  states: {
    empty: { on: { coin: { target: 'full', actions: assign({ coins: 1 }) } } },
    full: {
      on: {
        coin: { actions: assign({ coins: ({ context }) => context.coins + 1 }) },
        jam: {
          actions: () => {
            throw new Error('the till is jammed', { cause: new TypeError('no coin fits') })
          },
        },
      },
    },
  },
})

interface Opened {
  readonly global: GlobalManager
  readonly page: Page
  readonly complaints: string[]
  send(type: 'coin' | 'jam' | 'lock'): void
  [Symbol.asyncDispose](): Promise<void>
}

async function open(
  options: { readonly width?: number; readonly colorScheme?: 'light' | 'dark'; readonly delay?: number } = {},
): Promise<Opened> {
  const { width = 1_440, colorScheme = 'light', delay } = options
  const backoff = delay === undefined ? {} : { backoff: { initial: delay, factor: 1, max: delay, jitter: 0 } }
  const global = createGlobalManager({ name: 'shop', logger: false })
  const children = [routine('till', till, { input: { street: 'Main' } as never, ...backoff }), routine('door', untilTold)]
  global.createApp('pay').createLocal('desk', { strategy: 'one_for_all', maxRestarts: 9, children })
  await global.ready()
  const inspector = await startInspector(global, { controls: true })
  const context = await browser.newContext({ viewport: { width, height: 820 }, colorScheme, reducedMotion: 'reduce' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.goto(inspector.url)
  await page.waitForSelector('.row')
  return {
    global,
    page,
    complaints,
    send: (type) => (global.whereis('shop/pay/desk/till#till') as AnyRoutine).send({ type } as never),
    [Symbol.asyncDispose]: async () => {
      await context.close()
      await inspector.close()
      await global.shutdown({ mode: 'immediate' })
    },
  }
}

/** Pixels by which the page is wider than its window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate(() =>
    Math.max(
      ...['.page', '.detail', '#pane'].map((each) => (document.querySelector(each)?.getBoundingClientRect().right ?? 0) - innerWidth),
    ),
  )

test.each([
  [1_440, 'light'],
  [900, 'dark'],
  [390, 'light'],
  [390, 'dark'],
] as const)('at %i pixels in %s a calm page and a failure are shown whole, and hold WCAG AA', async (width, colorScheme) => {
  await using opened = await open({ width, colorScheme })
  const { page, send, complaints } = opened
  await page.getByRole('heading', { name: 'Nothing is wrong' }).waitFor()
  expect(await page.locator('.legend li').count()).toBe(10)
  await page.screenshot({ path: `${PICTURES}/calm-${width}-${colorScheme}.png` })
  expect([await faults(page), await overflow(page)]).toEqual([[], 0])
  send('coin')
  send('jam')
  await page.getByText('just before: it was in full, and failed on jam', { exact: false }).waitFor()
  await page.waitForFunction(() => document.title.startsWith('(1) '))
  await page.screenshot({ path: `${PICTURES}/problem-${width}-${colorScheme}.png` })
  expect([await faults(page), await overflow(page), complaints]).toEqual([[], 0, []])
})

test('a card says who, what, where, what caused it, with which input, what it was at and what it took down', async () => {
  await using opened = await open()
  const { page, send } = opened
  send('coin')
  send('coin')
  send('jam')
  const card = page.locator('article.problem').first()
  await card.getByRole('heading', { name: /till failed Error: the till is jammed/ }).waitFor()
  await card.locator('.scene').waitFor()
  const text = (await card.textContent()) ?? ''
  for (const part of [
    '×1',
    'problems-page.test.ts',
    'caused by',
    'no coin fits',
    '"street": "Main"',
    'door#door was stopped',
    'is restarted',
  ])
    expect(text).toContain(part)
  // What is lit is the state that it was in, and the event on which it failed.
  expect(await card.locator('.drawing .box.on .title').allTextContents()).toEqual(['● till', '● full'])
  expect(await card.locator('.drawing .lit').count()).toBeGreaterThan(0)
  expect(await card.locator('.differences').textContent()).toMatch(/context\.coins.*1 → 2/)
  send('coin')
  send('jam')
  await card.getByText('×2').waitFor()
  // What is read stays open when something worse comes above it.
  const frail = opened.global.createApp('other').createLocal('frail', { maxRestarts: 0 })
  frail.spawn('once', () => Promise.reject(new Error('at once')), { restart: 'permanent' })
  await page.getByRole('heading', { name: /^frail gave up/ }).waitFor()
  expect(await page.locator('article.problem.open h3').textContent()).toContain('till failed')
})

test('a place is copied, or opens the editor that was chosen, which is remembered', async () => {
  await using opened = await open()
  const { page, send } = opened
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  send('coin')
  send('jam')
  const place = page.locator('.failure .frames .own .place').first()
  await place.click()
  await place.getByText('copied').waitFor()
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^\/.*problems-page\.test\.ts:\d+:\d+$/)
  await page.getByLabel('A click on a place').first().selectOption('vscode')
  expect(await page.locator('.failure .frames .own a.place').first().getAttribute('href')).toMatch(
    /^vscode:\/\/file\/.*problems-page\.test\.ts:\d+:\d+$/,
  )
  await page.reload()
  await page.locator('.failure .frames .own a.place').first().waitFor()
})

test('it took two clicks at most: why, and the moment itself with its machine as it was', async () => {
  await using opened = await open()
  const { page, send } = opened
  send('coin')
  send('jam')
  await page.getByRole('button', { name: /^why till#till failed/ }).click()
  await page.locator('.steps .asked .failure').waitFor()
  await page.getByRole('tab', { name: 'Problems' }).click()
  await page.getByRole('button', { name: /^see that moment: till#till/ }).click()
  await page.waitForSelector('.connection.recording')
  await page.locator('.active-now', { hasText: 'full' }).waitFor()
  // The recording has its problems, too, each at its moment.
  await page.getByRole('tab', { name: 'Problems' }).click()
  await page.locator('article.problem .failure').waitFor()
  await page.getByRole('slider', { name: 'Moment' }).focus()
  await page.keyboard.press('Home')
  await page.getByRole('heading', { name: 'Nothing is wrong' }).waitFor()
})

test('between two runs the state of the failed one stays, with the time to the next', async () => {
  await using opened = await open({ delay: 60_000 })
  const { page, send } = opened
  send('coin')
  send('jam')
  await page.evaluate(() => {
    location.hash = `#/actor?path=${encodeURIComponent('shop/pay/desk/till#till')}`
  })
  // It counts down, though nothing happens meanwhile.
  await page.getByText(/Its next run starts in 5[0-8]\.\d s/).waitFor()
  await page.locator('.active-now', { hasText: 'full' }).waitFor()
  await page.locator('.last-failure .failure').waitFor()
  await page.screenshot({ path: `${PICTURES}/between.png` })
  expect(await faults(page)).toEqual([])
})

test('events that its state takes are lit; one that it refuses is said to be refused, and never to be sent', async () => {
  await using opened = await open()
  const { page } = opened
  await page.evaluate(() => {
    location.hash = `#/actor?path=${encodeURIComponent('shop/pay/desk/till#till')}`
  })
  await page.locator('.event-chips .possible', { hasText: 'coin' }).waitFor()
  expect(await page.locator('.event-chips .refused').allTextContents()).toEqual(['⊘ jam'])
  await page.locator('.event-chips .refused').click()
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.locator('output.bad', { hasText: 'jam was refused' }).waitFor()
  await page.locator('.event-chips .possible').click()
  await page.getByRole('button', { name: 'Send', exact: true }).click()
  await page.locator('output', { hasText: 'coin was sent' }).waitFor()
  await page.waitForFunction(() => document.querySelectorAll('.event-chips .possible').length === 2)
})

test('a function shows its own steps, and the chart of all lifecycles only where somebody asks for it', async () => {
  await using opened = await open()
  const { page, send } = opened
  send('coin')
  send('jam')
  await page.evaluate(() => {
    location.hash = `#/actor?path=${encodeURIComponent('shop/pay/desk/door#door')}`
  })
  await page.locator('.run-steps', { hasText: 'running' }).waitFor()
  expect(await page.locator('.run-steps li b').allTextContents()).toContain('started')
  expect(await page.locator('.earlier-runs').textContent()).toContain('run 1 cancelled')
  expect(await page.locator('.chart').count()).toBe(0)
  await page.getByText('the chart of its lifecycle').click()
  await page.locator('.chart .box.on').first().waitFor()
  expect(await faults(page)).toEqual([])
})
