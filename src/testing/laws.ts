/** Everything that has to hold of a supervised tree. */
import { expectations } from './expectations.ts'
import { invariants } from './invariants.ts'
import type { Law } from './law.ts'

/** Invariants and expectations together. */
export const laws: readonly Law[] = [...invariants, ...expectations]
