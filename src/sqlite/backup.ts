/** A backup while the store goes on. */
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

/** Copies a store. */
export async function backUp(file: string, target: string, options: BackupOptions): Promise<void> {
  if (typeof target !== 'string' || target.length === 0) throw refuse('the target of a backup', 'the path of a file', target)
  check('backup', options, { overwrite: flag })
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
