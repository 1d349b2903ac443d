/** An opened database as the writer uses it: groups in, answers out, and what has to be done meanwhile. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { chainLink } from './chain.ts'
import { Digest } from './digest.ts'
import type { Answer, Question, WriterSettings } from './messages.ts'
import { type Opened, Presence } from './opening.ts'

/** So many free pages, or a quarter of all if that is more, may lie in the file. */
const FREE_PAGES = 2_048

/** So many are given back in a step. */
const STEP_PAGES = 256

/** A group as it was handed over. */
export interface Gift {
  readonly body: Uint8Array
  readonly count: number
}

export class Volume {
  readonly #opened: Opened
  readonly #db: DatabaseSync
  readonly #digest: Digest
  readonly #presence: Presence
  readonly #settings: WriterSettings
  readonly #insert: StatementSync
  readonly #free: StatementSync
  readonly #pages: StatementSync
  #number: number
  #written: number
  #durable: number
  #chain: Uint8Array
  #syncs = true
  #syncedAt = performance.now()
  /** True once a look has found that outcomes are to be forgotten, or pages to be given back. */
  #looksAgain = true

  constructor(opened: Opened, settings: WriterSettings) {
    const { db, head, end } = opened
    this.#opened = opened
    this.#settings = settings
    this.#db = db
    this.#digest = new Digest(db, head)
    this.#presence = new Presence(settings.file)
    this.#insert = db.prepare('INSERT INTO entries (number, first, count, hash, body) VALUES (?, ?, ?, ?, ?)')
    this.#free = db.prepare('PRAGMA freelist_count')
    this.#pages = db.prepare('PRAGMA page_count')
    this.#number = end.number
    this.#written = end.records
    this.#durable = end.records
    this.#chain = end.chain
  }

  /** How many entries are in the journal and not in the tables. */
  get undigested(): number {
    return this.#written - this.#digest.head.records
  }

  /** Writes groups, in one transaction. How many entries. @throws what SQLite throws, or StoreFault */
  write(groups: readonly Gift[]): number {
    const { fsync } = this.#settings
    const now = performance.now()
    const syncs = fsync === 'group' || (fsync !== 'system' && now - this.#syncedAt >= fsync)
    this.#syncing(syncs)
    let number = this.#number
    let written = this.#written
    let chain = this.#chain
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const { body, count } of groups) {
        number++
        chain = chainLink(chain, { number, first: written + 1, count }, body)
        this.#insert.run(number, written + 1, count, chain, body)
        written += count
      }
      this.#db.exec('COMMIT')
    } catch (error) {
      // A full disk may have ended it already; what is thrown then would hide why.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
    const count = written - this.#written
    this.#number = number
    this.#written = written
    this.#chain = chain
    this.#mark(syncs, now)
    return count
  }

  #mark(synced: boolean, now: number): void {
    if (synced) {
      this.#durable = this.#written
      this.#syncedAt = now
    }
    this.#presence.check()
    this.#opened.mark.write(this.#written, this.#durable, this.#chain)
  }

  /** Whether the next transaction is forced through to the disk. */
  #syncing(syncs: boolean): void {
    if (syncs === this.#syncs) return
    this.#db.exec(`PRAGMA synchronous = ${syncs ? 'FULL' : 'NORMAL'}`)
    this.#syncs = syncs
  }

  /** In how many milliseconds what was written has to be forced through; undefined if nothing has to be. */
  dueSync(): number | undefined {
    const { fsync } = this.#settings
    if (typeof fsync === 'string' || this.#durable === this.#written) return undefined
    return Math.max(0, this.#syncedAt + fsync - performance.now())
  }

  /** Forces all that was written through to the disk. */
  sync(): void {
    if (this.#durable === this.#written) return
    this.#syncing(true)
    const now = performance.now()
    this.#digest.touch()
    this.#mark(true, now)
  }

  /** A step; what it does can be done again, so that it need not be forced through. */
  digest(): void {
    this.#syncing(false)
    this.#digest.step(this.#number)
    this.#looksAgain = true
  }

  hasChores(undigested: number, now: number): boolean {
    if (this.undigested >= undigested) return true
    if (!this.#looksAgain) return false
    this.#looksAgain = this.#forgets(now) || this.#hasFree()
    return this.#looksAgain
  }

  doChore(undigested: number, now: number): void {
    this.#syncing(false)
    if (this.undigested >= undigested) this.digest()
    else if (this.#forgets(now)) this.#digest.retain(this.#settings.retain.count, now - this.#settings.retain.age)
    else if (this.#hasFree()) this.#db.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`)
  }

  #forgets(now: number): boolean {
    const { count, age } = this.#settings.retain
    const { outcomes } = this.#digest.head
    if (outcomes === 0) return false
    if (outcomes > count) return true
    const [oldest] = this.#digest.tables.oldestOutcomes(1)
    return oldest !== undefined && oldest.at < now - age
  }

  #hasFree(): boolean {
    const { freelist_count: free } = this.#free.get() as { freelist_count: number }
    if (free <= FREE_PAGES) return false
    const { page_count: all } = this.#pages.get() as { page_count: number }
    return free > all / 4
  }

  /** From the tables: all was digested. @throws StoreFault */
  answer(question: Question): Answer {
    const { tables } = this.#digest
    if (question.about === 'outcome') return tables.outcome(question.id)
    if (question.about === 'presence') return tables.find(question.id) !== undefined
    return tables.page(question.after, question.upTo, question.size)
  }

  /** Lets go of everything. What can't be folded in now is folded in by the next. */
  close(): void {
    const { db, lock, mark } = this.#opened
    try {
      if (this.#durable !== this.#written) this.sync()
    } catch {
      // It is as durable as its policy has promised.
    }
    mark.close()
    // Folds the write-ahead log in.
    db.close()
    lock.close()
  }
}
