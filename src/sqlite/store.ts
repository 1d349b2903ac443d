/** The store as a tree is given it. */
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { ConfigError } from '../contract/index.ts'
import { DURABILITY, type DurableStore, type Journal, type StoreHost } from '../port/index.ts'
import { attachDurability } from '../recovery/index.ts'
import { type BackupOptions, backUp } from './backup.ts'
import { SqliteJournal } from './journal.ts'
import { type StartWriter, startWriter } from './link.ts'
import { readOptions, type SqliteStoreOptions, type StoreSettings } from './options.ts'

/** A store in a file; made by {@link sqliteStore}. */
export class SqliteStore implements DurableStore {
  /** @internal */ readonly [DURABILITY] = attachDurability
  readonly #settings: StoreSettings
  readonly #start: StartWriter

  constructor(settings: StoreSettings, start: StartWriter = startWriter) {
    this.#settings = settings
    this.#start = start
  }

  /** Where it is. */
  get file(): string {
    return this.#settings.file
  }

  async open(host: StoreHost): Promise<Journal> {
    const journal = new SqliteJournal(this.#settings, host, this.#start)
    const { warning, ...found } = await journal.opened
    if (warning !== undefined) host.log('warn', `the store ${this.file}: ${warning}`)
    host.log('info', `the store ${this.file} is open`, found)
    return journal
  }

  /**
   * Copies it, as it is at one moment, into another file, which is there once it is whole. It may be open meanwhile, here or elsewhere, and
   * goes on; a thread of its own copies. The copy is a store like this one, without what has been freed.
   *
   * @throws CurtaincallError, by rejection: ERR_EXISTS if there is a file of that name and `overwrite` is not set.
   */
  async backup(target: string, options: BackupOptions = {}): Promise<void> {
    await backUp(this.file, target, options)
  }
}

/**
 * A durable store in one file, on SQLite as Node.js has it (`node:sqlite`). Nothing is opened before a tree opens it; then a thread of its
 * own has the database. See docs/store.md.
 *
 * @param file The path of the database. Beside it lie `-wal`, `-shm`, `-lock` and `-mark`.
 * @throws ConfigError for a wrong option, or if this Node.js has no `node:sqlite`.
 * @example
 * const global = createGlobalManager({ name: 'shop', store: sqliteStore('shop.db') })
 */
export function sqliteStore(file: string, options: SqliteStoreOptions = {}): SqliteStore {
  if (!isBuiltin('node:sqlite'))
    throw new ConfigError(`sqliteStore needs node:sqlite, which this runtime (Node.js ${process.versions.node}) does not have: use 24`)
  const settings = readOptions(file, options)
  return new SqliteStore({ ...settings, file: resolve(settings.file) })
}
