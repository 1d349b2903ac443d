/** What of the options of a durable routine goes into the journal, and comes out of it. */
import type { RoutineOptions, RoutineSpec } from './routine-spec.ts'
import { compileRoutineSpec, KEPT_OPTIONS } from './routine-spec.ts'

/** JSON has no Infinity. */
const ENDLESS = 'Infinity'

/** The options as they are written down: those that were given. */
export function keptOptions(options: RoutineOptions<never>): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const key of KEPT_OPTIONS) {
    const value: unknown = (options as Record<string, unknown>)[key]
    if (value !== undefined) kept[key] = written(value)
  }
  return kept
}

function written(value: unknown): unknown {
  if (value === Infinity) return ENDLESS
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, written(each)]])))
}

function read(value: unknown): unknown {
  if (value === ENDLESS) return Infinity
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each)]))
}

/**
 * The spec of a routine that is read back.
 *
 * @throws ConfigError if this version takes no such options.
 */
export function specFromKept(options: unknown, id: string, path: string): RoutineSpec {
  return compileRoutineSpec({ ...(read(options) as RoutineOptions<never>), durable: true, id } as RoutineOptions<never>, path)
}
