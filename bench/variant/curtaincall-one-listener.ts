/** The same with somebody who hears of every end. */
import { streamHeard } from './curtaincall.ts'
import type { Variant } from '../job.ts'

export const variant: Variant = { streamed: (n) => streamHeard(n, 'routine.completed') }
