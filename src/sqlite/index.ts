/**
 * A durable store in one file, on `node:sqlite`.
 *
 * ```
 * the thread of the tree                      the writer, which alone has the database
 * ──────────────────────                      ────────────────────────────────────────
 * store.ts     sqliteStore, open, backup      writer.ts    one loop: groups, questions, chores
 * journal.ts   the port: append, ask, close   volume.ts    an opened database
 *  ├ encode    entry → JSON                    ├ opening   lock, version, verification; verify, schema, mark
 *  ├ frame     JSON → bytes of a group         ├ digest    journal → tables; tables, head, row-check
 *  ├ waiting   who is to be acknowledged       └ chain     each group bound to all before
 *  ├ patience  a disk that says nothing       backup-thread.ts   copies, by a connection of its own
 *  └ link      ─── groups, transferred ───►
 *              ◄── so many were written ───   machines/journal.ts     what an entry means
 *                                             machines/store-life.ts  what is done about a fault
 * ```
 *
 * The journal is the table `entries`: a row for each group of entries, numbered, with a hash that is chained to all before it, and whose
 * chain begins with the journal's id. A step of digesting takes groups out of it and changes the tables by what they mean, so that the
 * journal stays short, what is over within a step costs one row, and a routine is found by its id. Rows of tables have checksums; the
 * head counts and sums them, and is written with them. `-mark` says up to where entries were acknowledged: SQLite takes a journal without
 * its end for a whole one. `-lock` is a database on which the owner has a transaction for as long as it lives.
 *
 * What happens at a fault: full, locked or slow is waited out for the patience of the store, and then ends it like all others: the tree is
 * told, once, what waits is refused, and what was acknowledged is in the file (docs/store.md has the table).
 *
 * @module
 */
export type { BackupOptions } from './backup.ts'
export type { FsyncPolicy } from './messages.ts'
export type { RetainOptions, SqliteStoreOptions } from './options.ts'
export { type SqliteStore, sqliteStore } from './store.ts'
