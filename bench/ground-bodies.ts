/** What bench/grounds.ts has run in threads and processes. */
import { scryptSync } from 'node:crypto'
import type { WorkContext } from 'curtaincall/worker'

export const increment = ({ input }: WorkContext<number>): number => input + 1

/** The same where it is handed its input alone. */
export default (input: number): number => input + 1

export function spin({ logger }: WorkContext): never {
  logger.info({}, 'up')
  for (;;);
}

export function sleep({ logger }: WorkContext): void {
  logger.info({}, 'up')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** Its event loop turns. */
export async function turn({ logger }: WorkContext): Promise<void> {
  logger.info({}, 'up')
  setInterval(() => undefined, 1)
  await new Promise(() => undefined)
}

/** One call that nothing interrupts, of about a second. */
export function native({ logger }: WorkContext): void {
  logger.info({}, 'up')
  scryptSync('a', 'b', 64, { N: 2 ** 17, r: 8, p: 4, maxmem: 2 ** 30 })
}
