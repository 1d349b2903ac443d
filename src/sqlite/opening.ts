/**
 * Opens a store: the lock, the database, its version, and all that it says, verified.
 *
 * O1  Whoever holds an exclusive transaction on `-lock`, an empty database, has the store. The system releases it with the process.
 * O2  Until all was verified nothing is written to the database but, in one transaction, a migration.
 * O3  No file of a database is opened, copied or read but through SQLite: whoever closes one of them drops the locks of the process.
 */
import { randomBytes } from 'node:crypto'
import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { chainStart, sameLink } from './chain.ts'
import { Head, HeadWriter } from './head.ts'
import { MarkFile, markOf, ownerOf, readMark, type Mark } from './mark.ts'
import type { Found, FsyncPolicy, WriterSettings } from './messages.ts'
import { migrate, recognise, SCHEMA_VERSION, schemaText } from './schema.ts'
import { damaged, StoreFault } from './store-fault.ts'
import { type End, verifyGroups, verifyTables } from './verify.ts'

/** So often an opening is tried that another process was in the way of, each for so many milliseconds. */
const TRIES = 20
const TRY_TIME = 50

/** A page of the database. */
const PAGE_SIZE = 4_096

/** So many pages `-wal` takes before they are put in their places. */
const CHECKPOINT_PAGES = 4_000

/** An opened store, in the writer. */
export interface Opened {
  readonly lock: DatabaseSync
  readonly db: DatabaseSync
  readonly head: Head
  readonly end: End
  readonly mark: MarkFile
  readonly found: Found
}

/** The database that is locked for as long as the store has an owner. */
const lockOf = (file: string): string => `${file}-lock`

/** O1. @throws StoreFault if another has it. */
function takeLock(file: string): DatabaseSync {
  const lock = new DatabaseSync(lockOf(file), { timeout: TRY_TIME })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== 5) throw error
    const pid = ownerOf(markOf(file))
    throw new StoreFault('ERR_STORE_IN_USE', `process ${pid ?? 'unknown'} has it open`)
  }
}

function isBusy(error: unknown): boolean {
  return [5, 6].includes(((error as { errcode?: number }).errcode ?? 0) & 0xff)
}

/** The switch to WAL ignores the timeout. */
function insist<Result>(act: () => Result): Result {
  for (let tries = 1; ; tries++) {
    try {
      return act()
    } catch (error) {
      if (tries === TRIES || !isBusy(error)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRY_TIME)
    }
  }
}

function openDatabase({ file, maxSize }: WriterSettings): { db: DatabaseSync; version: number } {
  const db = new DatabaseSync(file, { timeout: TRY_TIME, enableForeignKeyConstraints: false })
  try {
    const version = insist(() => recognise(db))
    // Before the first table, and so before WAL.
    if (version === 0) db.exec(`PRAGMA page_size = ${PAGE_SIZE}; PRAGMA auto_vacuum = INCREMENTAL`)
    const mode = insist(() => db.prepare('PRAGMA journal_mode = WAL').get()) as { journal_mode: string }
    if (mode.journal_mode !== 'wal') throw new StoreFault('ERR_STORE_FAILED', `this file system allows no write-ahead log`)
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${2 * CHECKPOINT_PAGES * PAGE_SIZE}`)
    db.exec('PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL')
    if (maxSize !== Infinity) db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxSize / PAGE_SIZE))}`)
    return { db, version }
  } catch (error) {
    db.close()
    throw error
  }
}

/** A database that has just been made, or migrated, to hold the schema of another against. */
function expectedSchema(): string {
  const db = new DatabaseSync(':memory:')
  migrate(db, 0)
  const text = schemaText(db)
  db.close()
  return text
}

function newHead(root: string, now: number): Head {
  const journal = randomBytes(16).toString('hex')
  const nothing = { number: 0, records: 0, living: 0, living_sum: 0, ids: 0, ids_sum: 0, outcomes: 0, lives: 0 }
  return new Head({ journal, root, made: Math.floor(now), chain: chainStart(journal, root), ...nothing })
}

/** What an opening has found to be true. */
interface Verified {
  readonly head: Head
  readonly end: End
  readonly warning: string | undefined
}

/** O2: makes, or migrates, and verifies what is in the file, before anything is changed for good. */
function prepare(db: DatabaseSync, version: number, marked: Mark | undefined, { root, now, fsync }: WriterSettings): Verified {
  db.exec('BEGIN IMMEDIATE')
  try {
    const old = version === 0 ? undefined : Head.read(db, version)
    if (old !== undefined && old.root !== root)
      throw new StoreFault('ERR_STORE_FOREIGN', `it belongs to the tree ${JSON.stringify(old.root)}`)
    if (version < SCHEMA_VERSION) migrate(db, version)
    if (schemaText(db) !== expectedSchema()) throw damaged('its tables are not as they were made')
    const head = old ?? newHead(root, now)
    verifyTables(db, head)
    const end = verifyGroups(db, head, marked?.written ?? -1)
    const warning = judgeEnd(end, head, marked, fsync)
    // Written in any case: a file that can only be read is known by it.
    head.lives++
    new HeadWriter(db, SCHEMA_VERSION).write(head)
    db.exec('COMMIT')
    return { head, end, warning }
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** What is to be said of the end of a journal, beside its mark. @throws StoreFault if more is missing than may be. */
function judgeEnd(end: End, head: Head, mark: Mark | undefined, fsync: FsyncPolicy): string | undefined {
  if (mark === undefined) return head.lives > 0 ? 'it has no mark: if entries were lost at its end, that can’t be seen' : undefined
  if (mark.journal !== head.journal) throw new StoreFault('ERR_STORE_FOREIGN', 'its mark is that of another journal')
  if (mark.written <= end.records) {
    // A group may have been written, and the process killed before its mark.
    if (end.chainAt !== undefined && !sameLink(end.chainAt, mark.chain)) throw damaged('its entries are not those that were marked')
    return undefined
  }
  const says = `${mark.written - end.records} entries at its end are missing that were acknowledged, from entry ${end.records + 1}`
  if (mark.durable > end.records || fsync === 'group') throw damaged(says)
  return `${says}: either the power was lost, which this fsync policy allows to cost them, or it is damaged`
}

/** The files have to be those that were opened, or what is written to them is written to nothing. */
export class Presence {
  readonly #files: readonly { readonly file: string; readonly inode: number }[]

  constructor(file: string) {
    this.#files = [file, `${file}-wal`, lockOf(file), markOf(file)].map((each) => ({ file: each, inode: statSync(each).ino }))
  }

  /** @throws StoreFault */
  check(): void {
    for (const { file, inode } of this.#files) {
      if (statSync(file, { throwIfNoEntry: false })?.ino !== inode)
        throw new StoreFault('ERR_STORE_GONE', `${file} was removed, or replaced, while it was open`)
    }
  }
}

/** Opens it. @throws StoreFault, or what SQLite throws; nothing is left open then. */
export function openStore(settings: WriterSettings): Opened {
  const { file, pid } = settings
  if (!isWritable(dirname(file))) throw new StoreFault('ERR_STORE_READ_ONLY', `its folder can’t be written to`)
  const lock = takeLock(file)
  let db: DatabaseSync | undefined
  let mark: MarkFile | undefined
  try {
    const opened = openDatabase(settings)
    ;({ db } = opened)
    const marked = readMark(markOf(file))
    mark = new MarkFile(markOf(file), pid)
    const { head, end, warning } = prepare(db, opened.version, marked, settings)
    // The transaction of the opening was forced through to the disk, and all before it.
    mark.begin({ journal: head.journal, written: end.records, durable: end.records, chain: end.chain })
    const found = { journal: head.journal, records: end.records, lives: head.lives, warning }
    return { lock, db, head, end, mark, found }
  } catch (error) {
    mark?.close()
    db?.close()
    lock.close()
    throw error
  }
}

/** False for a folder on read-only ground; one that does not exist is another matter. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}
