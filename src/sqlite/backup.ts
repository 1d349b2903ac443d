/** A backup while the store goes on. */
import { realpathSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { CurtaincallError } from '../contract/index.ts'
import { check, flag, refuse } from '../spec/index.ts'
import type { BackupOrder, BackupReply } from './backup-thread.ts'
import { errorOf } from './journal.ts'
import { threadFile } from './link.ts'

/** Options of a backup. */
export interface BackupOptions {
  /** Takes the place of a file that is there. @default false */
  readonly overwrite?: boolean | undefined
}

/** What lies beside a store, and is its own. */
const ITS_OWN = ['', '-wal', '-shm', '-lock', '-mark', '-journal']

/** A path as the system sees it, whichever links lead to its folder. */
function real(path: string): string {
  const folder = dirname(resolve(path))
  try {
    return resolve(realpathSync(folder), basename(path))
  } catch {
    return resolve(path)
  }
}

/** The latest of each target: two at a time would take each other's copy away before it has its name. */
const latest = new Map<string, Promise<void>>()

/** Copies a store. */
export async function backUp(file: string, target: string, options: BackupOptions): Promise<void> {
  if (typeof target !== 'string' || target.length === 0) throw refuse('the target of a backup', 'the path of a file', target)
  check('backup', options, { overwrite: flag })
  const place = real(target)
  if (ITS_OWN.some((end) => place === real(`${file}${end}`)))
    throw new CurtaincallError('ERR_EXISTS', `${target} is a file of the store itself: a backup goes elsewhere`)
  const before = latest.get(place) ?? Promise.resolve()
  const own = before.then(() => copyTo(file, target, options))
  const over = own.then(
    () => undefined,
    () => undefined,
  )
  latest.set(place, over)
  try {
    await own
  } finally {
    if (latest.get(place) === over) latest.delete(place)
  }
}

async function copyTo(file: string, target: string, options: BackupOptions): Promise<void> {
  const order: BackupOrder = { file, target, overwrite: options.overwrite === true }
  const { promise, resolve, reject } = Promise.withResolvers<BackupReply>()
  const worker = new Worker(threadFile('backup-thread'), { workerData: order, name: 'curtaincall backup', execArgv: [] })
  worker.once('message', resolve)
  worker.once('error', reject)
  worker.once('exit', () => reject(new CurtaincallError('ERR_STORE_FAILED', `the backup of ${file} has ended before it was done`)))
  const reply = await promise
  if (reply.exists)
    throw new CurtaincallError('ERR_EXISTS', `there is a file ${target}: a backup takes its place only with overwrite: true`)
  if (reply.fault !== undefined) throw errorOf(file, '', reply.fault)
}
