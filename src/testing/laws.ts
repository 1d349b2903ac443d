/** Everything that has to hold of a supervised tree. */
import { expectations } from './expectations.ts'
import { exactlyOneTerminal, invariants, withinOverallTimeout } from './invariants.ts'
import type { Law } from './law.ts'
import { refinesMachines } from './refines.ts'

/** Invariants, expectations, and that the machines allow what was done. */
export const laws: readonly Law[] = [...invariants, ...expectations, refinesMachines]

/** Those that speak of ends: they say nothing of a run that was cut off before its own. */
const OF_ENDS = new Set<Law>([exactlyOneTerminal, withinOverallTimeout, ...expectations])

/** True for a law that holds of a run up to any moment; of laws of one's own that is taken to be so. */
export function lawsOfTheLiving(law: Law): boolean {
  return !OF_ENDS.has(law)
}
