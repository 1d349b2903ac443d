/**
 * The durable store beside bare node:sqlite: `npm run bench:store -- [--rounds N] [--lives N] [--folder F]`.
 *
 * A life is two records, a spawn and an outcome, some 200 bytes each. Bare is one table, one row a record, as much JSON, one transaction a
 * batch. Each measurement is a fresh process on a fresh file; variants take turns. `burst`: all is appended at once, bare in batches of
 * 1,024, as large as a group of ours. `waiters`: 500 lives at a time, each appends its next record when the last is acknowledged; bare in
 * batches of 500. `its thread` is the processor time of the thread of the tree, for a record, all told.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { median } from './measure.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    lives: { type: 'string', default: '100000' },
    folder: { type: 'string' },
    variant: { type: 'string' },
  },
})
const LIVES = Number(values.lives)
const WAITERS = 500
const BATCH = 1_024
const AT = 1_767_225_600_000.5

type Mode = 'burst' | 'waiters'
type Policy = 'group' | 'system'

interface Figures {
  readonly seconds: number
  /** Microseconds a record. */
  readonly main: number
  /** Until the last was acknowledged and digested, too. */
  readonly digested: number
}

const idOf = (i: number): string => `order-${((i * 2_654_435_761) % 4_294_967_296).toString(36)}-${i.toString(36)}`
const spawned = (i: number) => {
  const id = idOf(i)
  const input = { file: 'cat.jpg', number: i, nested: { sizes: [1, 2, 3] } }
  return { type: 'spawned', id, path: `shop/api/images/resize#${id}`, at: AT, work: 'resize', input, options: { timeout: 5_000 } } as const
}
const ended = (i: number) =>
  ({ type: 'outcome', id: idOf(i), at: AT + i, outcome: { status: 'completed', output: { file: 'cat.jpg', size: [i, i] } } }) as const

const host = { name: 'shop', now: () => AT, failed: (error: unknown) => process.stderr.write(`${String(error)}\n`), log: () => undefined }

function bare(file: string, policy: Policy, mode: Mode): Figures {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${policy === 'group' ? 'FULL' : 'NORMAL'};
    CREATE TABLE record (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, body TEXT NOT NULL)`)
  const insert = db.prepare('INSERT INTO record (id, body) VALUES (?, ?)')
  const size = mode === 'burst' ? BATCH / 2 : WAITERS / 2
  const begun = performance.now()
  const before = process.threadCpuUsage()
  for (let from = 0; from < LIVES; from += size) {
    db.exec('BEGIN')
    for (let i = from; i < Math.min(LIVES, from + size); i++) {
      for (const record of [spawned(i), ended(i)]) insert.run(record.id, JSON.stringify(record))
    }
    db.exec('COMMIT')
  }
  const seconds = (performance.now() - begun) / 1_000
  const { user, system } = process.threadCpuUsage(before)
  db.close()
  return { seconds, main: (user + system) / (2 * LIVES), digested: seconds }
}

async function ours(file: string, policy: Policy, mode: Mode): Promise<Figures> {
  const { sqliteStore } = await import('curtaincall/sqlite')
  const journal = await sqliteStore(file, { fsync: policy }).open(host)
  const begun = performance.now()
  const before = process.threadCpuUsage()
  await new Promise<void>((resolve) => {
    let left = 2 * LIVES
    const acknowledge = (): void => {
      if (--left === 0) resolve()
    }
    let next = 0
    const live = (): void => {
      if (next === LIVES) return
      const i = next++
      journal.append(spawned(i), () => {
        acknowledge()
        journal.append(ended(i), () => {
          acknowledge()
          live()
        })
      })
    }
    if (mode === 'waiters') for (let i = 0; i < WAITERS; i++) live()
    else
      for (let i = 0; i < LIVES; i++) {
        journal.append(spawned(i), acknowledge)
        journal.append(ended(i), acknowledge)
      }
  })
  const seconds = (performance.now() - begun) / 1_000
  const { user, system } = process.threadCpuUsage(before)
  await journal.has('none')
  const digested = (performance.now() - begun) / 1_000
  await journal.close()
  return { seconds, main: (user + system) / (2 * LIVES), digested }
}

/** Makes `LIVES` routines without an outcome, and is killed as soon as all are acknowledged, or digested as well. */
async function leave(file: string, rests: boolean): Promise<void> {
  const { sqliteStore } = await import('curtaincall/sqlite')
  const journal = await sqliteStore(file, { fsync: 'system' }).open(host)
  let left = LIVES
  const last = Promise.withResolvers<void>()
  for (let i = 0; i < LIVES; i++) journal.append(spawned(i), () => --left === 0 && last.resolve())
  await last.promise
  // A question is answered when all was digested.
  if (rests) await journal.has('none')
  process.kill(process.pid, 'SIGKILL')
}

interface Return {
  readonly opened: number
  readonly first: number
  readonly all: number
}

/** Milliseconds since the store was asked for. */
async function comeBack(file: string): Promise<Return> {
  const { sqliteStore } = await import('curtaincall/sqlite')
  const begun = performance.now()
  const since = (): number => performance.now() - begun
  const journal = await sqliteStore(file, { fsync: 'system' }).open(host)
  const opened = since()
  let first = 0
  for await (const _ of journal.unfinished()) first ||= since()
  const all = since()
  await journal.close()
  return { opened, first, all }
}

function restoring(folder: string): void {
  say(`\n${LIVES} routines without an outcome, read back after a kill -9:\n`)
  say('| killed | opened, ms | first page, ms | all, ms |')
  say('| --- | ---: | ---: | ---: |')
  for (const [how, says] of [
    ['leave', 'at the last acknowledgement'],
    ['rests', 'once it had nothing to do'],
  ] as const) {
    const found: Return[] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const file = join(mkdtempSync(join(folder, 'curtaincall-bench-')), 'store.db')
      const run = (what: string) =>
        spawnSync(process.execPath, [import.meta.filename, '--variant', `${what} ${file}`, '--lives', values.lives])
      run(how)
      found.push(JSON.parse(run('return').stdout.toString()) as Return)
      rmSync(dirname(file), { recursive: true })
    }
    const of = (key: keyof Return): string => Math.round(median(found.map((each) => each[key]))).toString()
    say(`| ${says} | ${of('opened')} | ${of('first')} | ${of('all')} |`)
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

if (values.variant?.startsWith('leave') === true) await leave(values.variant.slice('leave '.length), false)
else if (values.variant?.startsWith('rests') === true) await leave(values.variant.slice('rests '.length), true)
else if (values.variant?.startsWith('return') === true) say(JSON.stringify(await comeBack(values.variant.slice('return '.length))))
else if (values.variant !== undefined) {
  const [who, policy, mode] = values.variant.split(' ') as [string, Policy, Mode]
  const folder = mkdtempSync(join(values.folder ?? tmpdir(), 'curtaincall-bench-'))
  const run = who === 'bare' ? bare : ours
  process.stdout.write(JSON.stringify(await run(join(folder, 'store.db'), policy, mode)))
  rmSync(folder, { recursive: true })
} else {
  const cases = (['group', 'system'] as const).flatMap((policy) => (['burst', 'waiters'] as const).map((mode) => ({ policy, mode })))
  const found = new Map<string, Figures[]>()
  const folder = values.folder === undefined ? [] : ['--folder', values.folder]
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { policy, mode } of cases) {
      for (const who of ['bare', 'ours']) {
        const variant = `${who} ${policy} ${mode}`
        const args = [import.meta.filename, '--variant', variant, '--lives', values.lives, ...folder]
        const figures = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Figures
        found.set(variant, [...(found.get(variant) ?? []), figures])
      }
    }
  }
  const of = (variant: string, key: keyof Figures): number => median((found.get(variant) ?? []).map((figures) => figures[key]))
  say(`${2 * LIVES} records, ${values.rounds} rounds, Node.js ${process.versions.node}, SQLite ${process.versions.sqlite}\n`)
  say('| fsync | how | bare, records/s | ours, records/s | ratio | ours, digested as well | its thread, bare | its thread, ours |')
  say('| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |')
  const rate = (seconds: number): number => Math.round((2 * LIVES) / seconds / 1_000)
  for (const { policy, mode } of cases) {
    const [b, o] = [of(`bare ${policy} ${mode}`, 'seconds'), of(`ours ${policy} ${mode}`, 'seconds')]
    const digested = of(`ours ${policy} ${mode}`, 'digested')
    const ratio = `${Math.round((100 * b) / o)} %`
    const [bareMain, main] = [of(`bare ${policy} ${mode}`, 'main').toFixed(2), of(`ours ${policy} ${mode}`, 'main').toFixed(2)]
    say(
      `| ${policy} | ${mode} | ${rate(b)} k | ${rate(o)} k | ${ratio} | ${rate(digested)} k, ${Math.round((100 * b) / digested)} % | ${bareMain} µs | ${main} µs |`,
    )
  }
  restoring(values.folder ?? tmpdir())
}
