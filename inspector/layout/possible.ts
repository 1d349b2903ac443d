/** Which events a machine may take in its present state. */
import type { ChartState } from '../../src/inspector/protocol.ts'
import { activeIds } from './active.ts'

/**
 * For each event that has a transition in an active state, the guards that decide it; none if one needs no guard. Guards are code of
 * the user's, and are not asked.
 */
export function possibleEvents(chart: ChartState, value: unknown): ReadonlyMap<string, readonly string[]> {
  const active = activeIds(chart, value)
  const found = new Map<string, readonly string[]>()
  const visit = (state: ChartState): void => {
    if (!active.has(state.id)) return
    for (const { event, guard } of state.transitions) {
      const known = found.get(event)
      if (guard === undefined || known?.length === 0) found.set(event, [])
      else found.set(event, [...(known ?? []), guard])
    }
    for (const child of state.states) visit(child)
  }
  visit(chart)
  return found
}
