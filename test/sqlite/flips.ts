/**
 * A small journal with one byte changed, or cut off there: at each offset of each of its files.
 *
 * What is opened then is as it was, or a prefix of it that the policy allows and that is said to be one, or it is refused.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { StoredEntry } from '../../src/port/index.ts'
import { routineFrom, outcomeFrom } from '../../src/sqlite/encode.ts'
import { sqliteStore } from '../../src/sqlite/index.ts'
import type { WriterSettings } from '../../src/sqlite/messages.ts'
import { openStore } from '../../src/sqlite/opening.ts'
import { faultFrom } from '../../src/sqlite/store-fault.ts'
import { Volume } from '../../src/sqlite/volume.ts'
import { FakeHost, randomEntries, Told, write } from '../support/store-host.ts'

/** A store as a killed process has left it, byte by byte. */
export interface Remains {
  readonly entries: readonly StoredEntry[]
  readonly files: ReadonlyMap<string, Buffer>
}

/**
 * Some of it digested, some in the journal, all of it acknowledged; killed: some folded into the database, some in `-wal`; or closed.
 */
export async function makeRemains(folder: string, seed: number, end: 'killed' | 'closed', fsync: 'group' | 'system'): Promise<Remains> {
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 's.db')
  const entries = randomEntries(seed, 120, 12)
  const settings = { fsync }
  const first = await sqliteStore(file, settings).open(new FakeHost())
  await write(first, ...entries.slice(0, 40))
  // A question digests.
  await first.has('r0')
  await write(first, ...entries.slice(40, 60))
  await first.close()
  const second = await sqliteStore(file, settings).open(new FakeHost())
  for (let at = 60; at < 100; at += 10) await write(second, ...entries.slice(at, at + 10))
  if (end === 'closed') await second.has('r0')
  for (let at = 100; at < entries.length; at += 10) await write(second, ...entries.slice(at, at + 10))
  if (end === 'closed') await second.close()
  // By another process: this one would lose its locks.
  const copy = join(folder, 'copy')
  mkdirSync(copy)
  execFileSync('cp', [
    ...readdirSync(folder)
      .filter((name) => /^s[.]db(-wal|-mark)?$/.test(name))
      .map((name) => join(folder, name)),
    copy,
  ])
  if (end === 'killed') await second.close()
  return { entries, files: new Map(readdirSync(copy).map((name) => [name, readFileSync(join(copy, name))])) }
}

export type Verdict = 'as it was' | 'a prefix, said' | `refused: ${string}` | `WRONG: ${string}`

/** What is found where these files lie. */
function judge(folder: string, { entries }: Remains, files: ReadonlyMap<string, Buffer>, fsync: 'group' | 'system'): Verdict {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
  const retain = { count: Infinity, age: Infinity }
  const settings: WriterSettings = {
    file: join(folder, 's.db'),
    root: 'shop',
    now: 5,
    pid: 1,
    fsync,
    patience: 1,
    retain,
    maxSize: Infinity,
  }
  let volume: Volume | undefined
  try {
    const opened = openStore(settings)
    volume = new Volume(opened, settings)
    while (volume.undigested > 0) volume.digest(1_000)
    const { records, warning } = opened.found
    const told = Told.of(entries.slice(0, records))
    const found = (volume.answer({ about: 'page', after: 0, upTo: 1e9, size: 1_000 }) as []).map(routineFrom)
    if (!isDeepStrictEqual(found, [...told.unfinished.values()])) return `WRONG: another state after ${records}`
    for (let i = 0; i < 13; i++) {
      const answer = volume.answer({ about: 'outcome', id: `r${i}` }) as { at: number; outcome: string } | undefined
      const outcome = answer === undefined ? undefined : { at: answer.at, outcome: outcomeFrom(answer.outcome) }
      if (!isDeepStrictEqual(outcome, told.outcomes.get(`r${i}`))) return `WRONG: another outcome after ${records}`
      const isThere = told.outcomes.has(`r${i}`) || told.unfinished.has(`r${i}`)
      if (volume.answer({ about: 'presence', id: `r${i}` }) !== isThere) return `WRONG: presence after ${records}`
    }
    if (records === entries.length) return 'as it was'
    return warning === undefined ? `WRONG: ${records} of ${entries.length}, and nothing said` : 'a prefix, said'
  } catch (error) {
    return `refused: ${faultFrom(error).code}`
  } finally {
    volume?.close()
  }
}

export type Harm = 'flipped' | 'cut'

function harmed(bytes: Buffer, at: number, harm: Harm): Buffer {
  if (harm === 'cut') return Buffer.from(bytes.subarray(0, at))
  const copy = Buffer.from(bytes)
  // One bit at most offsets, all of them at some.
  copy[at] = (copy[at] as number) ^ (at % 5 === 0 ? 0xff : 1 << (at % 8))
  return copy
}

/** Counts by what was done to which file, and what came of it. */
export type Table = Map<string, Map<Verdict, number>>

/** All offsets, or each `stride`th of them. `tell` hears what is wrong. */
export function harmAll(
  folder: string,
  remains: Remains,
  stride: number,
  fsync: 'group' | 'system',
  tell: (wrong: string) => void,
  harms: readonly Harm[] = ['flipped', 'cut'],
): Table {
  const table: Table = new Map()
  for (const [name, bytes] of remains.files) {
    for (const harm of harms) {
      const counts = new Map<Verdict, number>()
      table.set(`${name} ${harm}`, counts)
      for (let at = 0; at < bytes.length; at += stride) {
        const verdict = judge(folder, remains, new Map(remains.files).set(name, harmed(bytes, at, harm)), fsync)
        counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
        if (verdict.startsWith('WRONG')) tell(`${name} ${harm} at ${at} of ${bytes.length}: ${verdict}`)
      }
    }
  }
  return table
}

/** In Markdown. */
export function tableText(table: Table): string {
  const verdicts = [...new Set([...table.values()].flatMap((counts) => [...counts.keys()]))].toSorted()
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |\n`
  const rows = [...table].map(([what, counts]) => line([what, ...verdicts.map((verdict) => counts.get(verdict) ?? 0)]))
  return line(['', ...verdicts]) + line(['---', ...verdicts.map(() => '---:')]) + rows.join('')
}
