/** Options of a shutdown: checked before anything is stopped. */
import { PHASES } from '../../machines/lifecycle-event.ts'
import type { ShutdownOptions, ShutdownPlan } from '../shutdown/shutdown.ts'
import { abortSignal, check, duration, durationOrInfinity, objectOf, oneOf, type Rule } from './check.ts'

/** The whole of a shutdown, in milliseconds, where none is given. */
export const DEFAULT_SHUTDOWN_TIMEOUT = 10_000

const PHASE_RULES = Object.fromEntries(PHASES.map((phase) => [phase, duration]))

export const SHUTDOWN_RULES = {
  mode: oneOf('graceful', 'immediate'),
  timeout: durationOrInfinity,
  drain: duration,
  phases: objectOf(...PHASES),
  signal: abortSignal,
} satisfies Record<keyof ShutdownOptions, Rule>

/** Checks and completes the options of a shutdown. Throws ConfigError. */
export function checkShutdownOptions(
  options: ShutdownOptions,
  path: string,
): Omit<ShutdownPlan, 'held' | 'cause'> & Pick<ShutdownOptions, 'signal'> {
  check('shutdown', options, SHUTDOWN_RULES, path)
  const { mode = 'graceful', timeout = DEFAULT_SHUTDOWN_TIMEOUT, drain = 0, phases = {}, signal } = options
  check('shutdown phases', phases, PHASE_RULES, path)
  return { mode, timeout, drain, phases, signal }
}
