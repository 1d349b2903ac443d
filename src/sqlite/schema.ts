/** What the database consists of, and how an older one becomes as new. */
import type { DatabaseSync } from 'node:sqlite'
import { damaged, StoreFault } from './store-fault.ts'

/** In the header of each file: 'CCjl'. */
export const APPLICATION_ID = 0x43_43_6a_6c

/**
 * Each step leads from the version that is its place to the next. What was published is not changed any more: it is added to.
 *
 * `entries` is the journal, a row for each group; `head` says up to where it was digested into the other tables, and what those hold.
 * `routine` knows each id, in the order of ids, without an index beside it: what was verified row by row can be searched. All else is
 * found by the number of the entry that has made it: of a living routine its spawn, of one that has ended its outcome.
 */
const STEPS: readonly string[] = [
  `CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), journal TEXT NOT NULL, root TEXT NOT NULL, made INTEGER NOT NULL,
    number INTEGER NOT NULL, records INTEGER NOT NULL, chain BLOB NOT NULL, living INTEGER NOT NULL, living_sum INTEGER NOT NULL,
    ids INTEGER NOT NULL, ids_sum INTEGER NOT NULL, outcomes INTEGER NOT NULL, "check" INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE entries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, count INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL
  ) STRICT;
  CREATE TABLE routine (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, ended INTEGER NOT NULL, "check" INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE spawn (number INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, at REAL NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE progress (routine INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, handled INTEGER NOT NULL) STRICT;
  CREATE TABLE snapshot (routine INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE message (
    routine INTEGER NOT NULL, number INTEGER NOT NULL, "check" INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (routine, number)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outcome (number INTEGER PRIMARY KEY, "check" INTEGER NOT NULL, at REAL NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL) STRICT;`,
  'ALTER TABLE head ADD COLUMN lives INTEGER NOT NULL DEFAULT 0;',
]

/** What this release writes. */
export const SCHEMA_VERSION = STEPS.length

/** Makes a database what it was in a version. */
export function stepsUpTo(version: number, from = 0): string {
  return STEPS.slice(from, version).join('\n')
}

const one = (db: DatabaseSync, pragma: string): number => (db.prepare(`PRAGMA ${pragma}`).get() as Record<string, number>)[pragma] as number

/** What a file is before anything is written to it: empty, or ours of this version. @throws StoreFault for all others. */
export function recognise(db: DatabaseSync): number {
  const version = one(db, 'user_version')
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (one(db, 'application_id') !== APPLICATION_ID) {
    if (tables > 0 || version !== 0) throw new StoreFault('ERR_STORE_FOREIGN', 'it is a database of something else')
    return 0
  }
  if (version > SCHEMA_VERSION)
    throw new StoreFault(
      'ERR_STORE_NEWER',
      `a newer release has written it: its schema is ${version}, this release knows ${SCHEMA_VERSION} and older`,
    )
  if (version === 0 || tables === 0) throw damaged('its tables are gone')
  return version
}

/** Brings what was recognised to the version of this release. In a transaction. */
export function migrate(db: DatabaseSync, version: number): void {
  db.exec(stepsUpTo(SCHEMA_VERSION, version))
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
}

/** The schema as SQLite tells it. */
export function schemaText(db: DatabaseSync): string {
  const rows = db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all()
  return JSON.stringify(rows)
}
