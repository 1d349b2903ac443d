/** Options of a shutdown: checked before anything is stopped. */
import { type Phase, PHASES, type ShutdownMode } from '../../machines/lifecycle-event.ts'
import type { ShutdownOptions } from '../contract/index.ts'
import { abortSignal, check, duration, durationOrInfinity, objectOf, oneOf, type Rule } from './check.ts'

/** What a shutdown is made with: options that were checked, and where it comes from. */
export interface ShutdownPlan {
  readonly mode: ShutdownMode
  readonly timeout: number
  readonly drain: number
  readonly phases: Partial<Readonly<Record<Phase, number>>>
  /** True if the parent has closed this manager and will come to it in its turn. */
  readonly held: boolean
  /** `seq` of the event that led to it, 0 if it came from outside. */
  readonly cause: number
}

/** How long a whole shutdown may take, in milliseconds, unless told otherwise. */
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

/** The plan of a graceful shutdown without options. */
export function plainShutdown(timeout: number, cause: number, held = false): ShutdownPlan {
  return { mode: 'graceful', timeout, drain: 0, phases: {}, held, cause }
}
