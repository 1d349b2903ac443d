/** The same with somebody who hears everything: spawned, started, and the end. */
import type { Variant } from '../job.ts'
import { streamHeard } from './curtaincall.ts'

export const variant: Variant = { streamed: (n) => streamHeard(n, ['*'], 3 * n) }
