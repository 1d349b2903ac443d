/** A body in a call that no thread leaves before it is done, for longer than any of these programs lives. */
import { pbkdf2Sync } from 'node:crypto'
import type { WorkContext } from '../../../src/worker/index.ts'

export function hash({ logger }: WorkContext): void {
  logger.info({}, 'busy')
  pbkdf2Sync('curtain', 'call', 50_000_000, 64, 'sha512')
}
