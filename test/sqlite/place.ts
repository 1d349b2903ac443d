/** Folders for stores, gone after the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Journal } from '../../src/port/index.ts'
import { sqliteStore, type SqliteStoreOptions } from '../../src/sqlite/index.ts'
import { FakeHost } from '../support/store-host.ts'

/** A file in a folder of its own. */
export function newFile(name = 'shop.db'): string {
  const folder = mkdtempSync(join(tmpdir(), 'curtaincall-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, name)
}

export function open(file: string, options: SqliteStoreOptions = {}, host = new FakeHost()): Promise<Journal> {
  return sqliteStore(file, { fsync: 'system', ...options }).open(host)
}
