/** A budget of its own instead of a restart type. */
import type { Variant } from '../job.ts'
import { restarted } from './curtaincall.ts'

export const variant: Variant = {
  restart: (n) => restarted(n, { attempts: n + 1 }),
}
