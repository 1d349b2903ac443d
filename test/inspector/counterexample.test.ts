/** A run that breaks a law, as it is told: by the page, by `curtaincall explain`, and in its file. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { manager, routine } from 'curtaincall'
import { showRecording } from 'curtaincall/inspector'
import { explainTrace, faults, law, readTrace, simulate, type Step, type Trace, writeTrace } from 'curtaincall/testing'
import { numberIn } from '../../inspector/state/number.ts'
import { Ledger } from '../../src/inspector/ledger.ts'
import type { KeptEvent, Recording } from '../../src/inspector/protocol.ts'
import { fromTrace } from '../../src/inspector/recording.ts'
import { why } from '../../src/inspector/story.ts'
import { launchBrowser } from '../support/browser.ts'
import { untilTold } from '../support/tree.ts'

/** Broken as soon as the cache is stopped by anybody. */
const cacheStays = law('cacheStays', function* ({ events }) {
  for (const { i, type, actor } of events) {
    if (!/routine\.(cancelled|killed)/.test(type) || !actor.endsWith('#cache')) continue
    const begun = events.findLast((event) => event.i < i && event.type === 'routine.started' && event.actor === actor)
    yield { message: 'the cache was stopped', witnesses: begun === undefined ? [i] : [begun.i, i] }
  }
})

async function run(script: readonly Step[], given: Parameters<typeof simulate>[1] = {}): Promise<Trace> {
  const books = manager('books', { strategy: 'rest_for_one', children: [routine('db', untilTold), routine('cache', untilTold)] })
  const { trace } = await simulate({ name: 'shop', children: [books] }, { ...given, laws: [cacheStays], script })
  return trace
}

const inGroup = (): Promise<Trace> => run([{ do: 'wait', ms: 50 }], { faults: { db: faults.throws(20, 1) } })

function told(recording: Recording, seq: number): ReturnType<typeof why> {
  const ledger = new Ledger(1_000)
  for (const event of recording.events) ledger.record(event)
  return why(ledger, seq, undefined)
}

describe('what led to it', () => {
  test('to the end of a sibling, the failure of the one whose group it is', async () => {
    const recording = fromTrace(await inGroup(), 'found')
    const [begun = 0, ended = 0] = recording.violations[0]?.witnesses ?? []
    expect(told(recording, begun)?.headline).toBe('cache started')
    const story = told(recording, ended)
    expect(story?.headline).toContain('because db failed in run 1')
    expect(story?.steps.map(({ type, asked }) => [type, asked])).toEqual([
      ['routine.spawned', false],
      ['routine.started', false],
      ['routine.failed', false],
      ['routine.cancelled', true],
    ])
  })

  test.each([
    [{ do: 'cancel', routine: 'cache' }, 'cancel cache'],
    [{ do: 'kill', routine: 'cache' }, 'kill cache'],
  ] as const)('what was done from outside: %o', async (step, text) => {
    const recording = fromTrace(await run([{ do: 'wait', ms: 10 }, step, { do: 'wait', ms: 10 }]), 'found')
    const ended = recording.violations[0]?.witnesses.at(-1) ?? 0
    const story = told(recording, ended)
    expect(story?.headline).toContain(`because it was told from outside: ${text}`)
    expect(story?.steps[0]).toMatchObject({ type: 'step', sentence: `it was told from outside: ${text}` })
  })

  test('what was done to another, or at another time, did not lead to it', async () => {
    const recording = fromTrace(
      await run([
        { do: 'kill', routine: 'db' },
        { do: 'wait', ms: 10 },
      ]),
      'found',
    )
    const ended = recording.violations[0]?.witnesses.at(-1) ?? 0
    expect(told(recording, ended)?.headline).not.toContain('from outside')
  })

  test('a step without a text, which a page may have been saved with, is about nobody', () => {
    const event = (seq: number, type: string, more: object): KeptEvent => ({ seq, at: 0, type, path: 'g/a/l/x#1', cause: null, ...more })
    const ledger = new Ledger(10)
    for (const each of [event(1, 'step', { text: 7 }), event(2, 'routine.cancelled', {})]) ledger.record(each)
    expect(why(ledger, 2, undefined)?.steps.length).toBe(1)
  })
})

test('an event has one number: in the file, in the explanation, and on the page', async () => {
  const trace = await inGroup()
  const folder = mkdtempSync(join(tmpdir(), 'curtaincall-numbers-'))
  const file = join(folder, 'found.cct.jsonl')
  writeTrace(file, trace)
  const lines = readFileSync(file, 'utf8').split('\n')
  const read = readTrace(file)
  rmSync(folder, { recursive: true })
  const recording = fromTrace(read, 'found')
  const { witnesses = [] } = recording.violations[0] ?? {}
  expect(witnesses.length).toBe(2)
  for (const seq of witnesses) {
    const number = numberIn(recording, seq)
    const event = recording.events.find((each) => each.seq === seq) as KeptEvent
    expect(JSON.parse(lines[number + 1] ?? '')).toMatchObject({ i: number, type: event.type, actor: event.path })
    const marked = explainTrace(read)
      .split('\n')
      .filter((line) => line.startsWith('▶'))
    expect(marked.some((line) => new RegExp(`^▶ +${number} `).test(line))).toBe(true)
  }
  // In a process, and in what was saved of one in a page, an event is called by its place among all that there were.
  expect(numberIn(undefined, 477)).toBe(477)
  expect(numberIn({ ...recording, first: undefined } as Recording, 477)).toBe(477)
})

describe('the page', async () => {
  const browser = await launchBrowser()
  afterAll(() => browser.close())

  test('says in every view that a law is broken, and nowhere that all is well', async () => {
    const trace = await run([
      { do: 'cancel', routine: 'cache' },
      { do: 'wait', ms: 10 },
    ])
    await using inspector = await showRecording([trace])
    const page = await browser.newPage({ viewport: { width: 1_360, height: 820 } })
    await page.goto(inspector.url)
    await page.waitForSelector('.row')
    expect(await page.locator('.verdict').textContent()).toContain('It breaks a law: cacheStays')
    const everything: string[] = []
    for (const view of ['problems', 'health', 'why', 'timeline', 'log', 'shutdown', 'actor', 'messages']) {
      await page.evaluate((name) => (location.hash = `#/${name}?path=shop`), view)
      await page.waitForTimeout(400)
      expect(await page.locator('.violated').count()).toBe(1)
      everything.push((await page.locator('main').textContent()) ?? '')
    }
    expect(everything.join('\n')).not.toMatch(/Nothing is wrong|Nothing has gone wrong|It has ended: completed/)
    // What has ended well is not green.
    const [completed, muted] = await page.evaluate(() => {
      const style = getComputedStyle(document.querySelector('.page') as Element)
      return ['--completed', '--muted'].map((name) => style.getPropertyValue(name))
    })
    expect(completed).toBe(muted)
    await page.close()
  })

  test('leads from the law to the event that breaks it, by the number of the file, with its cause', async () => {
    const trace = await inGroup()
    const broken = trace.verdict.violations[0]?.witnesses.at(-1)
    await using inspector = await showRecording([trace])
    const page = await browser.newPage({ viewport: { width: 1_360, height: 820 } })
    await page.goto(inspector.url)
    await page.getByRole('button', { name: 'what led to it' }).click()
    await page.waitForSelector('.steps .asked')
    expect(await page.locator('.story h2').textContent()).toContain('because db failed in run 1')
    expect(await page.locator('.steps .asked small').textContent()).toContain(`event ${broken}`)
    const named = await page.locator('.violations small').first().textContent()
    expect(named).toContain(`${broken}`)
    await page.close()
  })
})
