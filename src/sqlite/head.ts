/** The one row that says what the tables hold, and from where the journal goes on. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { RowSum, rowCheck } from './row-check.ts'
import { damaged } from './store-fault.ts'

interface HeadRow {
  readonly journal: string
  readonly root: string
  readonly made: number
  readonly number: number
  readonly records: number
  readonly chain: Uint8Array
  readonly living: number
  readonly living_sum: number
  readonly ids: number
  readonly ids_sum: number
  readonly outcomes: number
  readonly check: number
  readonly lives: number
}

/** What the tables hold: changed in place, and written at the end of the transaction that changes them. */
export class Head {
  readonly journal: string
  /** The name of the tree that it belongs to. */
  readonly root: string
  readonly made: number
  /** The last group that was digested. */
  number: number
  /** How many entries were digested. */
  records: number
  /** The chain there. */
  chain: Uint8Array
  /** All that is kept of routines without an outcome. */
  readonly living: RowSum
  /** All ids. */
  readonly ids: RowSum
  outcomes: number
  lives: number

  constructor(row: Omit<HeadRow, 'check'>) {
    this.journal = row.journal
    this.root = row.root
    this.made = row.made
    this.number = row.number
    this.records = row.records
    this.chain = row.chain
    this.living = new RowSum(row.living, row.living_sum)
    this.ids = new RowSum(row.ids, row.ids_sum)
    this.outcomes = row.outcomes
    this.lives = row.lives
  }

  /** What the database says. @throws StoreFault */
  static read(db: DatabaseSync, version: number): Head {
    // A journal of the first version does not know how often it was opened.
    const lives = version === 1 ? '0 AS lives' : 'lives'
    const row = db.prepare(`SELECT *, ${lives} FROM head`).get() as HeadRow | undefined
    if (row === undefined) throw damaged('its head is gone')
    const head = new Head(row)
    if (head.check(version) !== row.check) throw damaged('its head is not as it was written')
    return head
  }

  check(version: number): number {
    const { made, number, records, living, ids, outcomes, lives } = this
    const facts = [made, number, records, living.rows, living.sum, ids.rows, ids.sum, outcomes, ...(version === 1 ? [] : [lives])]
    return rowCheck(this.journal, 'head', `${this.root}\n${facts.join()}`, this.chain)
  }

  /** Before a transaction that may come to nothing. */
  copy(): Head {
    const { journal, root, made, number, records, chain, living, ids, outcomes, lives } = this
    const sums = { living: living.rows, living_sum: living.sum, ids: ids.rows, ids_sum: ids.sum }
    return new Head({ journal, root, made, number, records, chain, ...sums, outcomes, lives })
  }
}

/** Writes heads of this release's version. */
export class HeadWriter {
  readonly #put: StatementSync
  readonly #version: number

  constructor(db: DatabaseSync, version: number) {
    this.#version = version
    this.#put = db.prepare(
      `INSERT OR REPLACE INTO head (one, journal, root, made, number, records, chain, living, living_sum, ids, ids_sum, outcomes, "check", lives)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
  }

  write(head: Head): void {
    const { journal, root, made, number, records, chain, living, ids, outcomes, lives } = head
    const check = head.check(this.#version)
    this.#put.run(journal, root, made, number, records, chain, living.rows, living.sum, ids.rows, ids.sum, outcomes, check, lives)
  }
}
