/** Everything that has to hold of a supervised tree. */
import { expectations } from './expectations.ts'
import { invariants } from './invariants.ts'
import type { Law } from './law.ts'
import { refinesMachines } from './refines.ts'

/** Invariants, expectations, and that the machines allow what was done. */
export const laws: readonly Law[] = [...invariants, ...expectations, refinesMachines]
