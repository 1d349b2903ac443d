/** Post-mortems: written by a process that really goes down, opened from disk in a real browser; and what keeps them from doing harm. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { recordPostMortem } from 'curtaincall/inspector'
import type { Page } from 'playwright-core'
import { BlackBox } from '../../src/inspector/black-box.ts'
import { Forest } from '../../src/inspector/forest.ts'
import { Player } from '../../src/inspector/player.ts'
import type { ChartState, KeptEvent, Recording } from '../../src/inspector/protocol.ts'
import { takeTree } from '../../src/inspector/take-tree.ts'
import { launchBrowser } from '../support/browser.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const PICTURES = `${process.cwd()}/.tmp/post-mortem`
mkdirSync(PICTURES, { recursive: true })
const chart = {} as ChartState
const CHARTS = { routine: chart, global: chart, app: chart, local: chart }
const program = fileURLToPath(new URL('./programs/post-mortem.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'curtaincall-'))
const browser = await launchBrowser()
afterAll(async () => {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What a file holds. */
function recordingIn(file: string): Recording {
  const [, text = ''] = /id="recording">([^<]+)/.exec(readFileSync(file, 'utf8')) ?? []
  return (JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as Recording[])[0] as Recording
}

/** Lets a process go down, and opens what it has left. */
async function left(how: string): Promise<{ page: Page; file: string; err: string; status: number | null }> {
  const directory = join(folder, how)
  const { stderr: err, status } = spawnSync(process.execPath, [program, how, directory], { encoding: 'utf8' })
  const files = readdirSync(directory)
  expect(files).toHaveLength(1)
  expect(files[0]).toMatch(new RegExp(`^shop-${how}-\\d{8}T\\d{9}Z-1\\.html$`))
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('request', (request) => request.url().startsWith('http') && complaints.push(request.url()))
  const file = join(directory, files[0] as string)
  await page.goto(`file://${file}`)
  await page.waitForSelector('.fault')
  expect(complaints).toEqual([])
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: 900 })
    await page.screenshot({ path: `${PICTURES}/${how}-${width}.png`, fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  return { page, file, err, status }
}

describe('a process that goes down leaves one file, which opens from disk with that fault', () => {
  test('a shutdown that ran out of time: who held it up, and who got none of it; the terminal says the same', async () => {
    const { page, err } = await left('shutdown.timedOut')
    const said = await page.textContent('.account .said')
    expect(said).toMatch(/^legacy-export held all for \d+ ms; pricing got 0 ms$/)
    expect(await page.textContent('.fault')).toContain(said)
    expect(err).toContain(`curtaincall: ${said}`)
    expect(await page.locator('.critical .holder').textContent()).toMatch(/^legacy-export/)
    expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Shutdown')
    await page.context().close()
  })

  test('a crash: the error with its stack, the tree as it was', async () => {
    const { page, err, status } = await left('crash')
    expect(status).not.toBe(0)
    expect(err).toContain('Error: the ledger is torn')
    expect(await page.textContent('.fault')).toContain('the process crashed: Error: the ledger is torn')
    expect(await page.textContent('.verdict')).toContain('The process crashed')
    expect(await page.textContent('.fault pre')).toMatch(/post-mortem\.ts:\d+/)
    expect(await page.locator('[role=treeitem]').count()).toBeGreaterThan(3)
    await page.context().close()
  })

  test('a manager gave up: why, from the first failure to what came of it', async () => {
    const { page, err, file } = await left('gaveUp')
    const headline = (await page.textContent('.story h2')) ?? ''
    expect(headline).toContain('gave up')
    expect(headline).toContain('no such picture')
    expect(err).toContain(headline)
    expect(await page.locator('[role=tab][aria-selected=true]').textContent()).toBe('Why')
    // It was written anew when that manager had stopped.
    const { events, fault } = recordingIn(file)
    expect(events.some(({ type, path }) => type === 'manager.stopped' && path === fault?.path)).toBe(true)
    await page.click('#tab-log')
    await page.click('.fault >> text=back to that moment')
    await page.waitForSelector('.story h2')
    await page.context().close()
  })
})

describe('what keeps it from doing harm', () => {
  const fails = (): never => {
    throw new Error('boom')
  }

  test('P4: no more files than the limit; what happens within a second, or follows from it, is one', async () => {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'a b c', clock, logger: false })
    const told: string[] = []
    const directory = join(folder, 'many')
    using postMortem = recordPostMortem(global, { on: ['gaveUp'], directory, limit: 2, told: (_, said) => told.push(said) })
    const app = global.createApp('app', { maxRestarts: 100 })
    for (let k = 0; k < 5; k++) {
      app
        .createLocal(`l${k}`, { maxRestarts: 0 })
        .spawn('x', fails, { restart: 'permanent' })
        .outcome.catch(() => undefined)
      await clock.advance(2_000)
    }
    expect(postMortem.files.map((file) => file.slice(directory.length + 1))).toEqual([
      expect.stringMatching(/^a_b_c-gaveUp-\d+-1\.html$/) as string,
      expect.stringMatching(/^a_b_c-gaveUp-\d+-2\.html$/) as string,
    ])
    expect(told[0]).toMatch(/^l0 gave up: more than 0 restarts within 5000 ms – because x failed in run 1: Error: boom/)
    await Promise.all([global.shutdown({ mode: 'immediate' }), clock.advance(1_000)])
  })

  test('B1, B2: what was pushed out is undone; played from there it is the tree that is', async () => {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'g', clock, logger: false })
    const local = global.createApp('a').createLocal('l', { maxRestarts: 0 })
    const directory = join(folder, 'ring')
    using postMortem = recordPostMortem(global, { on: ['gaveUp'], directory, events: 20, told: () => undefined })
    const stays = local.spawn('stays', () => new Promise(() => undefined), { shutdown: 0 })
    for (let k = 0; k < 100; k++) await Promise.all([local.spawn('brief', () => k).outcome, clock.advance(1)])
    local.spawn('x', fails, { restart: 'permanent' }).outcome.catch(() => undefined)
    await clock.advance(100)
    const { events, base, fault } = recordingIn(postMortem.files[0] as string)
    expect(events.length).toBeLessThanOrEqual(20)
    expect(base.find(([path]) => path === stays.path)?.[2]).toBe('running')
    expect(fault).toMatchObject({ kind: 'gaveUp', view: 'why', path: 'g/a/l' })
    expect(base.filter(([path]) => path.includes('brief')).length).toBeLessThanOrEqual(1)
    await Promise.all([global.shutdown({ mode: 'immediate' }), clock.advance(1_000)])
  })

  test('B2: wherever the ring begins, the tree at its end is the one that lives', async () => {
    for (let capacity = 1; capacity < 60; capacity += 3) {
      const clock = new VirtualClock()
      const global = createGlobalManager({ name: 'g', clock, logger: false })
      const box = new BlackBox(global, capacity)
      global.on('*', (event) => box.record(event as unknown as KeptEvent))
      const local = global.createApp('a').createLocal('l', { maxRestarts: 100 })
      const queue = global.createApp('b').createLocal('q', { maxRoutines: 1, overflow: 'queue' })
      const flaky = ({ incarnation }: { incarnation: number }): unknown => (incarnation < 3 ? fails() : new Promise(() => undefined))
      for (let k = 0; k < 3; k++) {
        local.spawn('flaky', flaky, { restart: 'transient', hungAfter: 500 })
        queue.spawn('waits', () => new Promise(() => undefined))
        local.spawn('brief', () => k)
        await clock.advance(300)
      }
      await clock.advance(300)
      const recording = box.recording()
      const player = new Player(recording, CHARTS)
      player.seek(player.to)
      const living = new Forest(Infinity)
      takeTree(global, living, [])
      for (const [path, , state] of living.base())
        expect([capacity, path, player.answer('actor', { path })?.state]).toEqual([capacity, path, state])
      await Promise.all([global.shutdown({ mode: 'immediate' }), clock.advance(1_000)])
    }
  })

  test('P3: what can’t be written is said, and the tree goes its way; a wrong option or folder is refused at once', async () => {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'g', clock, logger: false })
    const directory = join(folder, 'gone')
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    using postMortem = recordPostMortem(global, { directory })
    rmSync(directory, { recursive: true })
    const app = global.createApp('a', { maxRestarts: 0 })
    app
      .createLocal('l', { maxRestarts: 0 })
      .spawn('x', fails, { restart: 'permanent' })
      .outcome.catch(() => undefined)
    await clock.advance(1_000)
    expect(said.mock.calls.flat().join(' ')).toContain('no post-mortem was written of')
    said.mockRestore()
    expect([postMortem.files, global.state, existsSync(directory)]).toEqual([[], 'running', false])
    await Promise.all([global.shutdown({ mode: 'immediate' }), clock.advance(1_000)])
    const other = createGlobalManager()
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(() => recordPostMortem(other, { directory: join(file, 'below') })).toThrow('recordPostMortem directory')
    expect(() => recordPostMortem(other, { on: ['never'] as never })).toThrow("'shutdown.timedOut'")
    expect(() => recordPostMortem(other, { limit: 0 })).toThrow('a whole number above 0')
    expect(() => recordPostMortem({} as never)).toThrow('a global manager')
  })

  test('a closed one hears nothing more, neither of the tree nor of the process', () => {
    const before = process.listenerCount('uncaughtExceptionMonitor')
    const global = createGlobalManager({ name: 'g' })
    const postMortem = recordPostMortem(global, { directory: join(folder, 'closed') })
    expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(before + 1)
    postMortem.close()
    expect([process.listenerCount('uncaughtExceptionMonitor'), global.tree.bus.hears('routine.started')]).toEqual([before, false])
  })
})
