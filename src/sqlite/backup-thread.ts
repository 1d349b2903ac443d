/**
 * The thread of a backup.
 *
 * K1  The copy is made beside its target, forced through to the disk, and only then gets its name; a backup that is killed leaves no more
 *     than `-partial`, which the next one takes away.
 * K2  A file that is there stays, unless it was said that it may be overwritten: the system decides, not a look before.
 * K3  A `-wal` beside the target, of whatever was there, would be taken for that of the copy: then nothing is copied.
 * K4  It reads by a connection of its own, of one moment; the writer goes on meanwhile.
 */
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { markOf } from './mark.ts'
import type { Fault } from './messages.ts'
import { APPLICATION_ID } from './schema.ts'
import { faultFrom, StoreFault } from './store-fault.ts'

export interface BackupOrder {
  readonly file: string
  readonly target: string
  readonly overwrite: boolean
}

export interface BackupReply {
  readonly exists: boolean
  readonly fault?: Fault | undefined
}

/** So many milliseconds the copying waits for a lock. */
const TIMEOUT = 5_000

function sync(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** By SQLite, into a file that is nobody's yet. */
function copy(file: string, partial: string): void {
  const db = new DatabaseSync(file, { readOnly: true, timeout: TIMEOUT })
  try {
    const { application_id: application } = db.prepare('PRAGMA application_id').get() as { application_id: number }
    if (application !== APPLICATION_ID) throw new StoreFault('ERR_STORE_FOREIGN', 'it is a database of something else')
    db.prepare('VACUUM INTO ?').run(partial)
  } finally {
    db.close()
  }
}

function backUp({ file, target: given, overwrite }: BackupOrder): BackupReply {
  const target = resolve(given)
  if (existsSync(target) && (!overwrite || statSync(target).ino === statSync(file).ino)) return { exists: true }
  if (existsSync(`${target}-wal`)) return { exists: true }
  if (!existsSync(file)) throw new StoreFault('ERR_STORE_GONE', 'there is no such file')
  const partial = `${target}-partial`
  const clean = (): void => {
    for (const each of [partial, `${partial}-journal`]) rmSync(each, { force: true })
  }
  clean()
  try {
    copy(file, partial)
    sync(partial)
    if (overwrite) renameSync(partial, target)
    else linkSync(partial, target)
    // What it says is about the journal that was there.
    rmSync(markOf(target), { force: true })
    sync(dirname(target))
    return { exists: false }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return { exists: true }
    throw error
  } finally {
    clean()
  }
}

if (parentPort !== null) {
  let reply: BackupReply
  try {
    reply = backUp(workerData as BackupOrder)
  } catch (error) {
    reply = { exists: false, fault: faultFrom(error) }
  }
  parentPort.postMessage(reply)
}
