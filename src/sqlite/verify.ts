/**
 * What an opened database says is held against what was written, before anything of it is believed.
 *
 * V1  Each row has the checksum of its content, its place, its table and its journal.
 * V2  The rows of living routines, and the ids, are those that the head counts and sums: none is missing, none is from another time.
 * V3  Ids lie in order, so that whoever looks one up finds it, or knows that it is not there.
 * V4  The groups that were not digested are numbered without a hole and chained to the head, whose chain begins with the journal's id.
 */
import type { DatabaseSync } from 'node:sqlite'
import { chainLink, chainStart, sameLink } from './chain.ts'
import type { Head } from './head.ts'
import { rowCheck, RowSum } from './row-check.ts'
import { damaged } from './store-fault.ts'

/** A group of entries that was not digested yet. */
export interface GroupRow {
  readonly number: number
  readonly first: number
  readonly count: number
  readonly hash: Uint8Array
  readonly body: Uint8Array
}

/** Where the journal stands after its last group. */
export interface End {
  readonly number: number
  readonly records: number
  readonly chain: Uint8Array
  /** The chain after so many entries as were asked for, if a group ends there. */
  readonly chainAt: Uint8Array | undefined
}

interface Row {
  readonly check: number
  readonly number: number
  readonly at: number
  readonly id: string
  readonly routine: number
  readonly handled: number
  readonly ended: number
}

/** Where a row lies, by its table. */
const PLACES = {
  spawn: (row: Row) => `${row.number} ${row.at} ${row.id}`,
  progress: (row: Row) => `${row.routine} ${row.handled}`,
  snapshot: (row: Row) => `${row.routine}`,
  message: (row: Row) => `${row.routine} ${row.number}`,
} as const

const rowsOf = (db: DatabaseSync, sql: string): Iterable<Row> => db.prepare(sql).iterate() as Iterable<never>

/** V1 of one row. @throws StoreFault */
export function checkRow(journal: string, table: string, place: string, row: { readonly check: unknown; readonly body?: unknown }): number {
  const check = rowCheck(journal, table, place, row.body as Uint8Array | undefined)
  if (check !== row.check) throw damaged(`a row of ${table} is not as it was written (${place})`)
  return check
}

/** V1, V2, V3. @throws StoreFault */
export function verifyTables(db: DatabaseSync, head: Head): void {
  const { journal } = head
  const living = new RowSum()
  for (const [table, place] of Object.entries(PLACES)) {
    for (const row of rowsOf(db, `SELECT * FROM ${table}`)) living.add(checkRow(journal, table, place(row), row))
  }
  if (!living.equals(head.living)) throw damaged('of what was kept of routines, something is missing')
  const ids = new RowSum()
  let before = Buffer.alloc(0)
  let outcomes = 0
  for (const row of rowsOf(db, 'SELECT id, number, ended, "check" FROM routine')) {
    const { id, number, ended } = row
    ids.add(checkRow(journal, 'routine', `${number} ${ended} ${id}`, row))
    const bytes = Buffer.from(id)
    if (ids.rows > 1 && Buffer.compare(before, bytes) >= 0) throw damaged('ids are not in order')
    before = bytes
    outcomes += ended
  }
  if (!ids.equals(head.ids) || outcomes !== head.outcomes) throw damaged('ids are missing')
}

/** V4. @throws StoreFault */
export function verifyGroups(db: DatabaseSync, head: Head, marked: number): End {
  let { number, records, chain } = head
  let chainAt = records === marked ? chain : undefined
  if (records === 0 && !sameLink(chain, chainStart(head.journal, head.root))) throw damaged('its chain does not begin with its journal')
  for (const row of db.prepare('SELECT * FROM entries ORDER BY number').iterate()) {
    const group = row as unknown as GroupRow
    if (group.number !== number + 1 || group.first !== records + 1) throw damaged(`after entry ${records} some are missing`)
    chain = chainLink(chain, group, group.body)
    if (!sameLink(chain, group.hash)) throw damaged(`the entries after ${records} are not as they were written`)
    number = group.number
    records += group.count
    if (records === marked) chainAt = chain
  }
  return { number, records, chain, chainAt }
}
