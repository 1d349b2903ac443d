/** What a store does over time: versions, what it keeps, how it stays small, backups. */
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { spawnSync } from 'node:child_process'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test, vi } from 'vitest'
import { chainLink, chainStart } from '../../src/sqlite/chain.ts'
import { Group } from '../../src/sqlite/frame.ts'
import { Head } from '../../src/sqlite/head.ts'
import { sqliteStore } from '../../src/sqlite/index.ts'
import { Digest } from '../../src/sqlite/digest.ts'
import { APPLICATION_ID, SCHEMA_VERSION, stepsUpTo } from '../../src/sqlite/schema.ts'
import { FakeHost, message, outcome, restored, snapshot, spawned, write } from '../support/store-host.ts'
import { newFile, open } from './place.ts'

/** For what a store does when there is nothing else to do. */
const WAIT = { interval: 5, timeout: 50_000 }

/** Looks at a store that is closed. */
function look<Result>(file: string, act: (db: DatabaseSync) => Result): Result {
  const db = new DatabaseSync(file)
  try {
    return act(db)
  } finally {
    db.close()
  }
}

const countOf = (file: string, table: string): number =>
  look(file, (db) => (db.prepare(`SELECT count(*) AS many FROM ${table}`).get() as { many: number }).many)

describe('versions', () => {
  test('an empty file is a store that has not begun', async () => {
    const file = newFile()
    writeFileSync(file, '')
    const journal = await open(file)
    await write(journal, spawned('a'))
    await journal.close()
    expect(look(file, (db) => db.prepare('PRAGMA user_version').get())).toEqual({ user_version: SCHEMA_VERSION })
  })

  test('what the first version has written is brought to this one, and says the same', async () => {
    const file = newFile()
    look(file, (db) => {
      db.exec(`${stepsUpTo(1)}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = 1`)
      const sums = { living: 0, living_sum: 0, ids: 0, ids_sum: 0, outcomes: 0 }
      const head = new Head({
        journal: 'ab'.repeat(16),
        root: 'shop',
        made: 1,
        number: 0,
        records: 0,
        chain: chainStart('ab'.repeat(16), 'shop'),
        ...sums,
        lives: 0,
      })
      db.prepare(
        `INSERT INTO head (one, journal, root, made, number, records, chain, living, living_sum, ids, ids_sum, outcomes, "check") VALUES (1, ?, 'shop', 1, 0, 0, ?, 0, 0, 0, 0, 0, ?)`,
      ).run(head.journal, head.chain, head.check(1))
      const group = new Group(1_000)
      group.add('spawned', 'a', 5, JSON.stringify({ path: 'shop/a', work: 'w', input: 1, options: {} }))
      group.add('message', 'a', 1, '"hello"')
      const body = new Uint8Array(group.buffer, 0, group.length)
      const hash = chainLink(head.chain, { number: 1, first: 1, count: 2 }, body)
      db.prepare('INSERT INTO entries (number, first, count, hash, body) VALUES (1, 1, 2, ?, ?)').run(hash, body)
    })
    const journal = await open(file)
    expect([journal.position, await restored(journal)]).toMatchObject([
      2,
      [{ id: 'a', input: 1, messages: [{ number: 1, message: 'hello' }] }],
    ])
    await write(journal, outcome('a'))
    await journal.close()
    expect(look(file, (db) => db.prepare('SELECT lives FROM head').get())).toEqual({ lives: 1 })
    const again = await open(file)
    expect(await again.outcomeOf('a')).toMatchObject({ outcome: { output: 'a' } })
    await again.close()
  })

  test('a migration that comes to nothing leaves the file as it was', async () => {
    const file = newFile()
    // Its tables are those of this version, and it says that it is the first.
    await (await open(file)).close()
    look(file, (db) => db.exec('PRAGMA user_version = 1'))
    const before = readFileSync(file)
    await expect(open(file)).rejects.toMatchObject({ code: 'ERR_STORE_DAMAGED' })
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

describe('what is kept', () => {
  test('outcomes: so many, the latest; all that has not ended', async () => {
    const file = newFile()
    const journal = await open(file, { retain: { count: 100 } })
    await write(journal, spawned('living'), message('living', 1), snapshot('living', 1, 's'))
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 600; i++) {
        journal.append(spawned(`r${round}-${i}`), () => undefined)
        journal.append(outcome(`r${round}-${i}`), () => undefined)
      }
      await write(journal, message('living', 2 + round))
    }
    await journal.has('r0-0')
    await journal.close()
    // The rest is forgotten when there is nothing else to do: here, once it is open again.
    const again = await open(file, { retain: { count: 100 } })
    await vi.waitFor(async () => expect(await again.has('r9-499')).toBe(false), WAIT)
    expect([await again.has('r9-499'), await again.has('r9-500'), await again.outcomeOf('r0-0')]).toMatchObject([false, true, undefined])
    expect(await again.outcomeOf('r9-599')).toMatchObject({ outcome: { output: 'r9-599' } })
    expect(await restored(again)).toMatchObject([{ id: 'living', handled: 1, messages: { length: 10 } }])
    // An id that is retained no more can be used anew.
    await write(again, spawned('r0-0'))
    expect(await restored(again)).toHaveLength(2)
    await again.close()
    expect([countOf(file, 'outcome'), countOf(file, 'routine')]).toEqual([100, 102])
  })

  test('outcomes: for so long, by the clock of the tree', async () => {
    const file = newFile()
    const host = new FakeHost()
    host.time = 100_000
    const journal = await open(file, { retain: { age: 1_000 } }, host)
    await write(journal, spawned('old'), outcome('old', 1, 99_500), spawned('new'), outcome('new', 2, 100_000))
    expect(await journal.has('old')).toBe(true)
    host.time = 100_600
    // The time comes with what is appended.
    await write(journal, spawned('later'))
    await vi.waitFor(async () => expect(await journal.has('old')).toBe(false), WAIT)
    expect(await journal.has('new')).toBe(true)
    await journal.close()
  })

  test('a journal stays short, and a file that has shrunk gives its pages back, while it goes on', async () => {
    const file = newFile()
    const journal = await open(file, { retain: { count: 10 } })
    const large = Array.from({ length: 2_000 }, (_, i) => spawned(`r${i}`, 'x'.repeat(20_000)))
    await write(journal, ...large)
    await journal.has('r0')
    await journal.close()
    const before = statSync(file).size
    expect(before).toBeGreaterThan(40_000_000)
    const again = await open(file, { retain: { count: 10 } })
    await write(again, ...large.map(({ id }) => outcome(id)))
    let appended = 0
    await vi.waitFor(async () => {
      // It goes on meanwhile. Pages are given back when the log is put in its place.
      await write(again, spawned(`s${appended++}`, 'x'.repeat(20_000)), outcome(`s${appended - 1}`))
      expect(statSync(file).size).toBeLessThan(before / 2)
    }, WAIT)
    await again.has('r0')
    await again.close()
    expect([countOf(file, 'entries'), countOf(file, 'outcome') >= 10]).toEqual([0, true])
  })
})

describe('a backup', () => {
  test('is made while the store goes on, is one of one moment, and is a store', async () => {
    const file = newFile()
    const store = sqliteStore(file, { fsync: 'system' })
    const journal = await store.open(new FakeHost())
    await write(journal, ...Array.from({ length: 3_000 }, (_, i) => spawned(`r${i}`)))
    let appended = 3_000
    const backup = store.backup(`${file}.copy`)
    while (await Promise.race([backup.then(() => false), write(journal, spawned(`r${appended++}`)).then(() => true)]));
    expect(appended).toBeGreaterThan(3_000)
    const copy = await open(`${file}.copy`)
    expect(copy.position).toBeGreaterThanOrEqual(3_000)
    expect((await restored(copy)).map(({ id }) => id)).toEqual(Array.from({ length: copy.position }, (_, i) => `r${i}`))
    // Each goes its own way.
    await write(copy, outcome('r0', 'of the copy'))
    await write(journal, outcome('r0', 'of the first'))
    expect(await journal.outcomeOf('r0')).toMatchObject({ outcome: { output: 'of the first' } })
    await copy.close()
    await journal.close()
  })

  test('overwrites nothing unless it is told to, and never what has a log', async () => {
    const file = newFile()
    const store = sqliteStore(file)
    const journal = await store.open(new FakeHost())
    await write(journal, spawned('a'))
    const target = `${file}.copy`
    writeFileSync(target, 'precious')
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'ERR_EXISTS' })
    expect(readFileSync(target, 'utf8')).toBe('precious')
    await expect(store.backup(file, { overwrite: true })).rejects.toMatchObject({ code: 'ERR_EXISTS' })
    writeFileSync(`${target}-wal`, 'left behind')
    await expect(store.backup(target, { overwrite: true })).rejects.toMatchObject({ code: 'ERR_EXISTS' })
    expect(readFileSync(target, 'utf8')).toBe('precious')
    const other = `${file}.other`
    writeFileSync(other, 'old')
    writeFileSync(`${other}-partial`, 'of one that was killed')
    await store.backup(other, { overwrite: true })
    expect(existsSync(`${other}-partial`)).toBe(false)
    await journal.close()
    const copy = await open(other)
    expect(await copy.has('a')).toBe(true)
    await copy.close()
  })

  test.each(['', '-wal', '-shm', '-lock', '-mark'])('never takes the place of a file of the store itself: %s', async (end) => {
    const file = newFile()
    const store = sqliteStore(file)
    const journal = await store.open(new FakeHost())
    await write(journal, spawned('a'))
    const elsewhere = `${file}.folder`
    symlinkSync(dirname(file), elsewhere)
    for (const target of [`${file}${end}`, join(elsewhere, `${basename(file)}${end}`), relative(process.cwd(), `${file}${end}`)])
      await expect(store.backup(target, { overwrite: true })).rejects.toMatchObject({ code: 'ERR_EXISTS' })
    await write(journal, spawned('b'))
    await journal.close()
    // Also where that file is not there just now.
    await expect(store.backup(`${file}${end}`)).rejects.toMatchObject({ code: 'ERR_EXISTS' })
    const again = await open(file)
    expect((await restored(again)).map(({ id }) => id)).toEqual(['a', 'b'])
    await again.close()
  })

  test('of two to the same file at once the first is there, and whole', async () => {
    const file = newFile()
    const store = sqliteStore(file)
    const journal = await store.open(new FakeHost())
    await write(journal, ...Array.from({ length: 300 }, (_, i) => spawned(`r${i}`)))
    const target = `${file}.copy`
    const [first, second] = await Promise.allSettled([store.backup(target), store.backup(target)])
    expect([first.status, second.status]).toEqual(['fulfilled', 'rejected'])
    await store.backup(target, { overwrite: true })
    await journal.close()
    const copy = await open(target)
    expect(copy.position).toBe(300)
    await copy.close()
  })

  test.each([
    ['nothing there', (file: string) => file, 'ERR_STORE_GONE'],
    ['a file of something else', (file: string) => (writeFileSync(file, 'x'.repeat(5_000)), file), 'ERR_STORE_FOREIGN'],
  ])('of %s is refused', async (_, make, code) => {
    const file = newFile()
    make(file)
    await expect(sqliteStore(file).backup(`${file}.copy`)).rejects.toMatchObject({ code })
    expect(existsSync(`${file}.copy`)).toBe(false)
  })

  test('whose folder is not there is refused', async () => {
    const file = newFile()
    await (await open(file)).close()
    await expect(sqliteStore(file).backup(`${file}/no/copy`)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_STORE_/) })
    await expect(sqliteStore(file).backup('')).rejects.toMatchObject({ code: 'ERR_CONFIG' })
  })
})

describe('options', () => {
  test.each([
    ['', {}],
    [':memory:', {}],
    ['file:x', {}],
    ['a', { fsync: 'sometimes' }],
    ['a', { fsync: 0 }],
    ['a', { patience: -1 }],
    ['a', { maxWaiting: 0 }],
    ['a', { maxSize: 5 }],
    ['a', { retain: 5 }],
    ['a', { retain: { count: 0.5 } }],
    ['a', { retain: { age: 0 } }],
    ['a', { retain: { days: 7 } }],
    ['a', { journalMode: 'wal' }],
  ])('%j %j is refused at once', (file, options) => {
    expect(() => sqliteStore(file, options as never)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }))
  })

  test('nothing is opened before a tree opens it', () => {
    const file = newFile()
    sqliteStore(file)
    expect(existsSync(file)).toBe(false)
  })

  test('where there is no node:sqlite, that is said by the call', () => {
    const text = `import { sqliteStore } from ${JSON.stringify(new URL('../../src/sqlite/index.ts', import.meta.url).href)}
      try { sqliteStore('a.db') } catch (error) { console.log(error.code, error.message) }`
    const { stdout } = spawnSync(process.execPath, ['--no-experimental-sqlite', '--input-type=module', '-e', text], { encoding: 'utf8' })
    expect(stdout).toMatch(/^ERR_CONFIG sqliteStore needs node:sqlite, which this runtime \(Node\.js \d+\..*\) does not have/)
  })
})

test('D1: a step of digesting that fails changes nothing', () => {
  const file = newFile()
  look(file, (db) => {
    db.exec(stepsUpTo(SCHEMA_VERSION))
    const sums = { living: 0, living_sum: 0, ids: 0, ids_sum: 0, outcomes: 0 }
    const chain = chainStart('cd'.repeat(16), 'shop')
    const head = new Head({ journal: 'cd'.repeat(16), root: 'shop', made: 1, number: 0, records: 0, chain, ...sums, lives: 1 })
    const digest = new Digest(db, head)
    digest.touch()
    const group = new Group(1_000)
    group.add('spawned', 'a', 5, '{}')
    const body = new Uint8Array(group.buffer, 0, group.length)
    const place = { number: 1, first: 1, count: 2 }
    db.prepare('INSERT INTO entries (number, first, count, hash, body) VALUES (1, 1, 2, ?, ?)').run(chainLink(chain, place, body), body)
    // It says two, and has one.
    expect(() => digest.step(1, 100)).toThrow('has other entries than it says')
    expect([digest.head.records, db.isTransaction, digest.tables.find('a')]).toEqual([0, false, undefined])
  })
})
