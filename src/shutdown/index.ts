/** One shutdown of one manager, phase by phase. */
export type { Closing, Flock } from './closing.ts'
export { noteEnd } from './ended-routine.ts'
export { type NamedReport, shutdownRoutines } from './named-shutdown.ts'
export { requestShutdown } from './requested-shutdown.ts'
export { ShutdownRun } from './shutdown.ts'
export { stopReason } from './stop-reason.ts'
