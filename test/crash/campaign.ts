/**
 * The crash campaign: a program that appends under load is killed with -9 at random instants, and what it had acknowledged is known by
 * this process, which has heard it through a pipe. The next life tells what it finds.
 *
 * After each: what is found is what a prefix of all entries leads to (nothing reordered, no hole, nothing of an entry and not all of it);
 * the prefix holds all that was acknowledged; no outcome is another, or gone while it is to be retained.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { StoredRoutine } from '../../src/port/index.ts'
import { randomFrom } from '../../src/testing/schedule.ts'
import { sqliteStore } from '../../src/sqlite/index.ts'
import { FakeHost, restored, Told } from '../support/store-host.ts'
import { entriesOf, MOMENTS, type Moment, type Order } from './workload.ts'

const RETAIN = 400
const LIVES_OF_A_FILE = 15
const POLICIES = ['group', 'system', 5] as const

export interface Tally {
  kills: number
  /** Lives that were killed, by what they were doing. */
  readonly moments: Record<Moment, number>
  entries: number
  acknowledged: number
  outcomes: number
  /** Found although they were not acknowledged. */
  unacknowledged: number
  backups: number
  longestOpening: number
  /** What is wrong. */
  readonly faults: string[]
}

/** What a life has told. */
class Life {
  readonly child: ChildProcess
  readonly ended: Promise<void>
  acknowledged = 0
  position: number | undefined
  found: { unfinished: StoredRoutine[]; outcomes: [string, unknown][]; strangers: boolean[] } | undefined
  readonly lines: string[] = []
  #text = ''
  readonly #waiting: { readonly word: string; readonly resolve: () => void }[] = []

  constructor(program: string, orderFile: string) {
    this.child = spawn(process.execPath, [program, orderFile], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#hear(text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.lines.push(`stderr ${text}`))
    this.ended = new Promise((resolve) => this.child.on('close', () => resolve()))
  }

  #hear(text: string): void {
    this.#text += text
    let at = 0
    for (;;) {
      if (this.#text[at] === '.') {
        this.acknowledged++
        at++
        continue
      }
      const end = this.#text.indexOf('\n', at)
      if (end < 0) break
      this.#line(this.#text.slice(at, end))
      at = end + 1
    }
    this.#text = this.#text.slice(at)
  }

  #line(line: string): void {
    const word = line.split(' ', 1)[0] as string
    const rest = line.slice(word.length + 1)
    if (word === 'opened') this.position = (JSON.parse(rest) as { position: number }).position
    if (word === 'found') this.found = JSON.parse(rest) as NonNullable<Life['found']>
    this.lines.push(line.slice(0, 200))
    for (const each of this.#waiting) if (each.word === word) each.resolve()
  }

  /** Resolves once it has said so, or has ended. */
  says(word: string): Promise<void> {
    return Promise.race([new Promise<void>((resolve) => this.#waiting.push({ word, resolve })), this.ended])
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Kills so many lives of one store. */
export async function crash(folder: string, kills: number, seed: number, tell: (line: string) => void = () => undefined): Promise<Tally> {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const program = new URL('program.ts', import.meta.url).pathname
  const moments = Object.fromEntries(MOMENTS.map((moment) => [moment, 0])) as Record<Moment, number>
  const tally: Tally = {
    kills: 0,
    moments,
    entries: 0,
    acknowledged: 0,
    outcomes: 0,
    unacknowledged: 0,
    backups: 0,
    longestOpening: 0,
    faults: [],
  }
  const orderFile = `${folder}/order.json`
  let file = `${folder}/store-0.db`
  let told = new Told()
  let position = 0
  /** Entries of the last life of which it is not known yet how many have lasted. */
  let last: { readonly order: Order; readonly acknowledged: number } | undefined

  for (let life = 0; tally.kills < kills && tally.faults.length === 0; life++) {
    const moment = MOMENTS[below(MOMENTS.length)] as Moment
    const order: Order = {
      file,
      seed,
      life,
      moment,
      fsync: POLICIES[below(POLICIES.length)] as Order['fsync'],
      retain: RETAIN,
      living: living(told, last),
      ended: [...told.outcomes.keys(), ...(last === undefined ? [] : endedBy(last, told))].slice(-2 * RETAIN),
    }
    writeFileSync(orderFile, JSON.stringify(order))
    const began = performance.now()
    const one = new Life(program, orderFile)
    if (moment === 'opening') {
      await one.says('begins')
      await pause(random() * 150)
    } else {
      await one.says('found')
      tally.longestOpening = Math.max(tally.longestOpening, performance.now() - began)
      if (moment === 'backing-up' && random() < 0.7) await one.says('backed')
      if (moment === 'closing' && random() < 0.8) await one.says('closes')
      await pause(random() * 60)
    }
    one.child.kill('SIGKILL')
    await one.ended
    tally.kills++
    moments[moment]++

    const fault = (what: string): void => {
      tally.faults.push(`life ${life} (${moment}, seed ${seed}, ${file}): ${what}\n  ${one.lines.slice(-6).join('\n  ')}`)
    }
    if (one.lines.some((line) => /^(failed|refused|stderr)/.test(line))) fault('it has failed')
    if (one.position === undefined) {
      if (moment !== 'opening') fault('it was not opened')
      continue
    }
    const outcomes = told.outcomes.size
    // What has lasted of the life before.
    const lasted = one.position - position
    if (last !== undefined) {
      if (lasted < last.acknowledged) fault(`${last.acknowledged} were acknowledged, ${lasted} are there`)
      tally.unacknowledged += lasted - last.acknowledged
      const entries = entriesOf(last.order)
      for (let i = 0; i < lasted; i++) told.take(entries.next().value as never)
      tally.entries += lasted
    } else if (lasted !== 0) fault(`${position} were there, and now ${one.position}`)
    position = one.position
    last = { order: { ...order, living: [...told.unfinished.keys()] }, acknowledged: one.acknowledged }
    tally.acknowledged += one.acknowledged
    if (one.found !== undefined) compare(one.found, told, fault)
    // What it has appended is what its order said: the routines that were living by then.
    if (!isDeepStrictEqual(order.living, last.order.living)) last = { order, acknowledged: one.acknowledged }
    if (moment === 'backing-up' && existsSync(`${file}.copy`)) {
      tally.backups++
      await look(`${file}.copy`, one.position + one.acknowledged, fault)
    }
    tally.outcomes += told.outcomes.size - outcomes
    // A file of its own now and then, so that the making of one is met as well, and what a life tells stays short.
    if (life % LIVES_OF_A_FILE === LIVES_OF_A_FILE - 1) {
      file = `${folder}/store-${life}.db`
      told = new Told()
      position = 0
      last = undefined
    }
    if (life % 50 === 49) tell(`${tally.kills} killed, ${tally.entries} entries`)
  }
  return tally
}

/** Those that a life may go on with, as far as it is known before it begins. */
function living(told: Told, last: { readonly order: Order; readonly acknowledged: number } | undefined): string[] {
  if (last === undefined) return [...told.unfinished.keys()]
  const after = structuredClone({ unfinished: told.unfinished, outcomes: told.outcomes })
  const guess = Object.assign(new Told(), after)
  const entries = entriesOf(last.order)
  for (let i = 0; i < last.acknowledged; i++) guess.take(entries.next().value as never)
  return [...guess.unfinished.keys()]
}

function endedBy(last: { readonly order: Order; readonly acknowledged: number }, told: Told): string[] {
  const guess = Object.assign(new Told(), structuredClone({ unfinished: told.unfinished, outcomes: told.outcomes }))
  const entries = entriesOf(last.order)
  for (let i = 0; i < last.acknowledged; i++) guess.take(entries.next().value as never)
  return [...guess.outcomes.keys()].slice(told.outcomes.size)
}

/** A backup is a store, whenever whoever made it was killed. */
async function look(copy: string, atLeast: number, fault: (what: string) => void): Promise<void> {
  try {
    const journal = await sqliteStore(copy).open(new FakeHost())
    await restored(journal)
    // No more than a few groups were written and not acknowledged.
    if (journal.position > atLeast + 20_000) fault(`the backup has ${journal.position} entries`)
    await journal.close()
  } catch (error) {
    fault(`the backup: ${(error as Error).message}`)
  }
}

function compare(found: NonNullable<Life['found']>, told: Told, fault: (what: string) => void): void {
  const expected = JSON.parse(JSON.stringify([...told.unfinished.values()])) as unknown[]
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(found.unfinished)), expected))
    fault(`${found.unfinished.length} without an outcome are there, ${expected.length} should be, or one of them is another`)
  const retained = new Set([...told.outcomes.keys()].slice(-RETAIN))
  for (const [id, outcome] of found.outcomes) {
    const kept = told.outcomes.get(id)
    if (outcome === undefined || outcome === null ? retained.has(id) : !isDeepStrictEqual(outcome, kept))
      fault(`the outcome of ${id} is another`)
  }
  if (found.strangers.some(Boolean)) fault('one is there that was never spawned')
}
