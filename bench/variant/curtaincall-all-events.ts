/** The same with somebody who hears everything. */
import { streamHeard } from './curtaincall.ts'
import type { Variant } from '../job.ts'

export const variant: Variant = { streamed: (n) => streamHeard(n, '*') }
