/** Each way in which a store can fail: one clear error, once, and what was acknowledged is there afterwards. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { FromWriter, ToWriter } from '../../src/sqlite/messages.ts'
import type { Link, LinkListener } from '../../src/sqlite/link.ts'
import { readOptions } from '../../src/sqlite/options.ts'
import { SqliteStore } from '../../src/sqlite/store.ts'
import { FakeHost, handled, message, outcome, restored, spawned, write } from '../support/store-host.ts'
import { newFile, open } from './place.ts'

const code = (error: unknown): unknown => (error as { code?: unknown }).code

/** A program in another process, which imports the store; resolves with what it says first. */
function program(text: string, ...args: readonly string[]) {
  const source = `import { sqliteStore } from ${JSON.stringify(new URL('../../src/sqlite/index.ts', import.meta.url).href)}
    const host = { name: 'shop', now: () => 0, failed: () => undefined, log: () => undefined }
    const entry = (id) => ({ type: 'spawned', id, path: id, at: 0, work: 'w', input: 1, options: {} })
    const [file] = process.argv.slice(1)
    ${text}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  const first = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      said += more
      if (said.includes('\n')) resolve(said)
    })
  })
  const ended = new Promise<string>((resolve) => child.on('close', () => resolve(said)))
  return { child, first, ended }
}

const HOLD = `const journal = await sqliteStore(file, { fsync: 'system' }).open(host)
  await new Promise((resolve) => journal.append(entry('theirs'), resolve))
  console.log('has it')
  setInterval(() => undefined, 1_000)`

test('in use: a second process sees it at once, with the file and who has it; the lock goes with a process that is killed', async () => {
  const file = newFile()
  const { child, first, ended } = program(HOLD, file)
  await first
  const error = await open(file).catch((each: unknown) => each)
  expect([code(error), (error as Error).message]).toEqual([
    'ERR_STORE_IN_USE',
    `the store ${file} can't be used: process ${child.pid} has it open`,
  ])
  child.kill('SIGKILL')
  await ended
  const journal = await open(file)
  expect(await journal.has('theirs')).toBe(true)
  await journal.close()
})

test('DS2: full: it waits, says so, fails with one error, and what was acknowledged lasts', async () => {
  const file = newFile()
  const host = new FakeHost()
  const journal = await open(file, { maxSize: 200_000, patience: 500 }, host)
  let acknowledged = 0
  let appended = 0
  const refused: unknown[] = []
  while (host.failures.length === 0) {
    for (let i = 0; i < 50; i++)
      journal.append(spawned(`r${appended++}`, 'x'.repeat(500)), (error) => (error === undefined ? acknowledged++ : refused.push(error)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const error = await host.failure.promise
  expect([code(error), host.failures.length]).toEqual(['ERR_STORE_FULL', 1])
  expect((error as Error).cause).toMatchObject({ message: 'database or disk is full', errcode: 13 })
  expect(host.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1)
  await expect(write(journal, spawned('late'))).rejects.toBe(error)
  await expect(journal.outcomeOf('late')).rejects.toBe(error)
  expect(new Set(refused)).toEqual(new Set([error]))
  expect(refused.length).toBeGreaterThan(0)
  await journal.close()
  const again = await open(file)
  expect([again.position, (await restored(again)).length]).toEqual([acknowledged, acknowledged])
  await write(again, spawned('more'))
  await again.close()
})

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0

test.skipIf(!canMount)('DS2: full: where the disk has room again, the same store goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'curtaincall-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder])
  onTestFinished(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  const file = join(folder, 'shop.db')
  const host = new FakeHost()
  const stalled = Promise.withResolvers<void>()
  const log = host.log.bind(host)
  host.log = (level, message) => {
    log(level, message)
    if (level === 'warn') stalled.resolve()
  }
  const journal = await open(file, { patience: 60_000 }, host)
  writeFileSync(join(folder, 'ballast'), Buffer.alloc(500_000))
  const entries = Array.from({ length: 100 }, (_, i) => spawned(`r${i}`, 'x'.repeat(8_000)))
  const written = write(journal, ...entries)
  await stalled.promise
  execFileSync('mount', ['-o', 'remount,size=16m', folder])
  await written
  expect(host.failures).toEqual([])
  expect(host.lines.at(-1)).toMatch(/^info .* is written to again$/)
  expect(await restored(journal)).toHaveLength(100)
  await journal.close()
})

test('DS2: locked: another program that writes to it is waited for', async () => {
  const file = newFile()
  const host = new FakeHost()
  const stalled = Promise.withResolvers<void>()
  host.log = (level) => level === 'warn' && stalled.resolve()
  const journal = await open(file, { patience: 60_000 }, host)
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const written = write(journal, spawned('a'))
  await stalled.promise
  other.exec('ROLLBACK')
  await written
  expect(host.failures).toEqual([])
  await journal.close()
  other.close()
})

test('locked: for longer than its patience it fails', async () => {
  const file = newFile()
  const host = new FakeHost()
  const journal = await open(file, { patience: 500 }, host)
  await write(journal, spawned('a'))
  const other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  await expect(write(journal, spawned('b'))).rejects.toMatchObject({ code: 'ERR_STORE_LOCKED' })
  other.exec('ROLLBACK')
  other.close()
  expect(host.failures).toHaveLength(1)
  await journal.close()
  const again = await open(file)
  expect((await restored(again)).map(({ id }) => id)).toEqual(['a'])
  await again.close()
})

test('read-only: said when it is opened', async () => {
  const file = newFile()
  await (await open(file)).close()
  const folder = dirname(file)
  // Root may write anywhere.
  const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const text = `import { openStore } from ${JSON.stringify(new URL('../../src/sqlite/opening.ts', import.meta.url).href)}
    const settings = { file: process.argv[1], root: 'shop', now: 0, pid: 1, fsync: 'group', patience: 1, retain: {}, maxSize: Infinity }
    try { openStore(settings); console.log('opened') } catch (error) { console.log(error.code, error.errcode) }`
  const attempt = (): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', text, file], { encoding: 'utf8', ...user, cwd: tmpdir() }).stdout
  chmodSync(folder, 0o555)
  expect(attempt()).toMatch(/^ERR_STORE_READ_ONLY /)
  chmodSync(folder, 0o777)
  chmodSync(`${file}-lock`, 0o666)
  chmodSync(`${file}-mark`, 0o666)
  chmodSync(file, 0o444)
  expect(attempt()).toBe('ERR_SQLITE_ERROR 8\n')
  const journal = await open(file)
  await journal.close()
})

test('DS3: foreign: a file of something else is refused, and left as it is', async () => {
  const text = newFile()
  writeFileSync(text, 'not a database, and longer than the header of one, so that nobody takes it for an empty one.'.repeat(9))
  const before = readFileSync(text)
  await expect(open(text)).rejects.toMatchObject({ code: 'ERR_STORE_FOREIGN' })
  expect(readFileSync(text).equals(before)).toBe(true)
  const other = newFile()
  const db = new DatabaseSync(other)
  db.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)')
  db.close()
  const bytes = readFileSync(other)
  await expect(open(other)).rejects.toMatchObject({ code: 'ERR_STORE_FOREIGN' })
  expect(readFileSync(other).equals(bytes)).toBe(true)
  expect([existsSync(`${other}-wal`), existsSync(`${other}-mark`)]).toEqual([false, false])
})

test('DS3: newer: what a newer release has written is refused, and left as it is', async () => {
  const file = newFile()
  await (await open(file)).close()
  const db = new DatabaseSync(file)
  db.exec('PRAGMA user_version = 99')
  db.close()
  const before = readFileSync(file)
  await expect(open(file)).rejects.toMatchObject({ code: 'ERR_STORE_NEWER', message: expect.stringContaining('its schema is 99') })
  expect(readFileSync(file).equals(before)).toBe(true)
})

test.each([
  ['removed', (file: string) => rmSync(file)],
  ['moved away', (file: string) => renameSync(file, `${file}-gone`)],
  ['replaced', (file: string) => writeFileSync(`${file}-new`, '') ?? renameSync(`${file}-new`, file)],
  ['left without its log', (file: string) => rmSync(`${file}-wal`)],
  ['left without its lock', (file: string) => rmSync(`${file}-lock`)],
])('DS5: gone: what is %s while it is open acknowledges nothing more', async (_, act) => {
  const file = newFile()
  const host = new FakeHost()
  const journal = await open(file, {}, host)
  await write(journal, spawned('a'))
  act(file)
  await expect(write(journal, spawned('b'))).rejects.toMatchObject({ code: 'ERR_STORE_GONE' })
  expect(host.failures.map(code)).toEqual(['ERR_STORE_GONE'])
  await journal.close()
})

/** A writer by hand. */
function byHand(patience: number) {
  const sent: ToWriter[] = []
  let listener: LinkListener | undefined
  let abandoned = 0
  const link: Link = { post: (message) => void sent.push(message), hold: () => undefined, abandon: () => void abandoned++ }
  const store = new SqliteStore({ ...readOptions('nowhere', { patience }) }, (_, heard) => {
    listener = heard
    return link
  })
  const say = (message: FromWriter): void => listener?.heard(message)
  const opened = (): void => say({ type: 'opened', found: { journal: 'j', records: 0, lives: 1, warning: undefined } })
  return { store, sent, say, opened, gone: (error: unknown) => listener?.gone(error), abandoned: () => abandoned }
}

describe('a writer that', () => {
  test('says nothing is a slow disk, after the patience of the store', async () => {
    const { store, opened, sent, abandoned } = byHand(20)
    const host = new FakeHost()
    const opening = store.open(host)
    opened()
    const journal = await opening
    await expect(write(journal, spawned('a'), spawned('b'))).rejects.toMatchObject({ code: 'ERR_STORE_SLOW' })
    expect([host.failures.map(code), sent.map(({ type }) => type), abandoned()]).toEqual([['ERR_STORE_SLOW'], ['group'], 1])
    await journal.close()
  })

  test('never opens it is one as well', async () => {
    await expect(byHand(20).store.open(new FakeHost())).rejects.toMatchObject({ code: 'ERR_STORE_SLOW' })
  })

  test('ends takes the store with it, once', async () => {
    const { store, opened, gone } = byHand(10_000)
    const host = new FakeHost()
    const opening = store.open(host)
    opened()
    const journal = await opening
    const written = write(journal, spawned('a'))
    await Promise.resolve()
    gone(new Error('out of memory'))
    gone(undefined)
    await expect(written).rejects.toMatchObject({ code: 'ERR_STORE_FAILED', cause: { message: 'out of memory' } })
    expect(host.failures).toHaveLength(1)
  })

  test('has written some acknowledges those, in order, also where listeners throw', async () => {
    const { store, opened, say, sent } = byHand(10_000)
    const host = new FakeHost()
    const opening = store.open(host)
    opened()
    const journal = await opening
    const told: string[] = []
    journal.append(spawned('a'), () => told.push('a'))
    await Promise.resolve()
    journal.append(spawned('b'), () => {
      told.push('b')
      throw new Error('of a listener')
    })
    await Promise.resolve()
    for (const id of ['c', 'd']) journal.append(spawned(id), () => told.push(id))
    await Promise.resolve()
    // Q1: two are on their way; the others wait and become one.
    expect(sent.map((message) => message.type === 'group' && message.count)).toEqual([1, 1])
    say({ type: 'wrote', count: 1 })
    expect([told, sent.length]).toEqual([['a'], 3])
    say({ type: 'wrote', count: 3 })
    expect([told, journal.position]).toEqual([['a', 'b', 'c', 'd'], 4])
    expect(host.lines.at(-1)).toBe('error an acknowledgement of the store threw')
    const closed = journal.close()
    say({ type: 'closed' })
    await closed
  })
})

describe('what SQLite takes for whole', () => {
  /** The files of a store that is open, by another process. */
  const copy = (from: string, to: string, ...suffixes: readonly string[]): void => {
    for (const suffix of suffixes) execFileSync('cp', [`${from}${suffix}`, `${to}${suffix}`])
  }

  test('a log of another store beside it is seen', async () => {
    const [one, other] = [newFile(), newFile()]
    for (const file of [one, other]) {
      const journal = await open(file)
      await write(journal, spawned('a'), outcome('a'), spawned('b'))
      await journal.close()
    }
    const journal = await open(other)
    await write(journal, spawned('c'))
    copy(other, one, '-wal')
    await journal.close()
    await expect(open(one)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_STORE_(DAMAGED|FOREIGN)$/) })
  })

  test('a database without its log is seen, and one that was put back from before', async () => {
    const file = newFile()
    const there = newFile()
    mkdirSync(dirname(there), { recursive: true })
    const journal = await open(file, { fsync: 'group' })
    await write(journal, spawned('a'))
    copy(file, there, '', '-mark')
    await write(journal, spawned('b'))
    copy(file, there, '-mark')
    await journal.close()
    const error = await open(there, { fsync: 'group' }).catch((each: unknown) => each)
    expect(code(error)).toBe('ERR_STORE_DAMAGED')
  })

  test('DS3: what is refused is left as it is: with the log that belongs to it, it is whole again', async () => {
    const [file, there] = [newFile(), newFile()]
    const journal = await open(file, { fsync: 'group' })
    for (let i = 0; i < 5; i++) await write(journal, spawned(`r${i}`))
    copy(file, there, '', '-wal', '-mark')
    await journal.close()
    const whole = readFileSync(`${there}-wal`)
    const harmed = Buffer.from(whole)
    harmed[100] = (harmed[100] as number) ^ 1
    writeFileSync(`${there}-wal`, harmed)
    await expect(open(there, { fsync: 'group' })).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' })
    expect(readFileSync(`${there}-wal`).equals(harmed)).toBe(true)
    writeFileSync(`${there}-wal`, whole)
    const again = await open(there, { fsync: 'group' })
    expect(await restored(again)).toHaveLength(5)
    await again.close()
  })

  test('a database that is gone, beside its mark, is not begun anew', async () => {
    const file = newFile()
    const journal = await open(file)
    await write(journal, spawned('a'))
    await journal.close()
    rmSync(file)
    await expect(open(file)).rejects.toMatchObject({
      code: 'ERR_STORE_DAMAGED',
      message: expect.stringMatching(/1 entries of it were acknowledged; .* take .*-mark away/),
    })
    expect(existsSync(file)).toBe(false)
    rmSync(`${file}-mark`)
    await (await open(file)).close()
  })

  test('a restored backup is accepted once its mark is taken away, and says that nothing is known of its end', async () => {
    const file = newFile()
    const journal = await open(file, { fsync: 'group' })
    await write(journal, spawned('a'))
    await new SqliteStore(readOptions(file, {})).backup(`${file}.copy`)
    await write(journal, spawned('b'))
    await journal.close()
    renameSync(`${file}.copy`, file)
    await expect(open(file)).rejects.toMatchObject({
      code: 'ERR_STORE_DAMAGED',
      message: expect.stringContaining('1 entries at its end are missing that were acknowledged, from entry 2'),
    })
    rmSync(`${file}-mark`)
    const host = new FakeHost()
    const again = await open(file, {}, host)
    expect([again.position, host.lines[0]]).toEqual([1, expect.stringContaining('has no mark')])
    await again.close()
  })
})

test.each([
  ['a number that is none', { ...spawned('x'), at: Number.NaN }],
  ['half a message', { ...message('a', 1), number: 1.5 }],
  ['a message before all', { ...handled('a', 1), number: -1 }],
  ['an id that is no text', spawned('\ud800')],
  ['an id that ends within', spawned('a\0b')],
  ['an id without end', spawned('x'.repeat(70_000))],
  ['a circle', ((circle: { type: string; self?: unknown }) => spawned('x', (circle.self = circle)))({ type: '' })],
])('%s is refused before it is acknowledged, and is in nobody’s way', async (_, entry) => {
  const file = newFile()
  const host = new FakeHost()
  const journal = await open(file, {}, host)
  await write(journal, spawned('a'))
  await expect(write(journal, entry)).rejects.toMatchObject({ code: 'ERR_CONFIG' })
  await write(journal, message('a', 1))
  expect([host.failures, await restored(journal)]).toMatchObject([[], [{ id: 'a', messages: [{ number: 1 }] }]])
  await journal.close()
})

test('an outcome that is damaged is refused to who asks for it, and to nobody else', async () => {
  const file = newFile()
  const journal = await open(file)
  await write(journal, spawned('a'), outcome('a', 'right'), spawned('b'), outcome('b'))
  await journal.has('a')
  await journal.close()
  const db = new DatabaseSync(file)
  db.exec(`UPDATE outcome SET body = CAST(replace(CAST(body AS TEXT), 'right', 'wrong') AS BLOB)`)
  db.close()
  const host = new FakeHost()
  const again = await open(file, {}, host)
  await expect(again.outcomeOf('a')).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' })
  expect([await again.outcomeOf('b'), host.failures]).toMatchObject([{ outcome: { output: 'b' } }, []])
  await write(again, spawned('c'))
  await again.close()
})

test('fsync by time: what was written is forced through also if nothing follows', async () => {
  const file = newFile()
  const journal = await open(file, { fsync: 5 })
  await write(journal, spawned('a'))
  const { readMark } = await import('../../src/sqlite/mark.ts')
  await vi.waitFor(() => expect(readMark(`${file}-mark`)).toMatchObject({ written: 1, durable: 1 }), { interval: 5, timeout: 20_000 })
  await journal.close()
})

test('an idle store keeps no process alive; one that has something to write keeps it until that is written', async () => {
  const file = newFile()
  const { ended } = program(
    `const journal = await sqliteStore(file).open(host)
     journal.append(entry('a'), () => console.log('acknowledged'))`,
    file,
  )
  expect(await ended).toBe('acknowledged\n')
  const journal = await open(file)
  expect(await journal.has('a')).toBe(true)
  await journal.close()
})
