/** The same with somebody who hears of every routine that completes. */
import { failures, type Variant } from '../job.ts'
import { streamHeard } from './curtaincall.ts'

export const variant: Variant = { streamed: (n) => streamHeard(n, ['routine.completed'], n - failures(n)) }
