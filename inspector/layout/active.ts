/** Which states of a chart are active, from the value of a machine's state. */
import type { ChartState } from '../../src/inspector/protocol.ts'

/**
 * Ids of all states that are active, ancestors and the root included; nothing if the value is not one of this chart.
 *
 * A state value consists of keys, and ids may be anything: so the chart is walked by keys.
 */
export function activeIds(chart: ChartState, value: unknown): ReadonlySet<string> {
  const found = new Set<string>()
  return walk(chart, value, found) && found.size > 1 ? found : new Set()
}

function walk(state: ChartState, value: unknown, found: Set<string>): boolean {
  found.add(state.id)
  if (typeof value === 'string') return into(state, value, undefined, found)
  // A state without states below it has an empty value in a parallel one.
  if (typeof value !== 'object' || value === null) return value === undefined
  return Object.entries(value).every(([key, inner]) => into(state, key, inner, found))
}

function into(state: ChartState, key: string, inner: unknown, found: Set<string>): boolean {
  const child = state.states.find((each) => each.key === key)
  return child !== undefined && walk(child, inner, found)
}

/** The value as a person says it: `checkout (payment: waiting, stock: done)`. */
export function valueText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return '–'
  const parts = Object.entries(value).map(([key, inner]) => {
    if (typeof inner === 'string') return `${key}: ${inner}`
    const below = valueText(inner)
    return below === '' ? key : `${key} (${below})`
  })
  return parts.join(', ')
}
