/** One shutdown of one manager, phase by phase. */
export type { Closing, Flock } from './closing.ts'
export { type NamedReport, shutdownRoutines } from './named-shutdown.ts'
export { ShutdownRun } from './shutdown.ts'
