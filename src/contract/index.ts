/** What the library and its users agree on: errors, outcomes, reports, the handle and the context of a routine. */
export {
  asRefusal,
  AskTimeoutError,
  ConfigError,
  CurtaincallError,
  type CancelCode,
  type CurtaincallErrorOptions,
  type CurtaincallErrorCode,
  isStartFailure,
  MailboxFullError,
  ManagerExistsError,
  NotRunningError,
  RestartLimitError,
  RoutineCancelledError,
  RoutineFailedError,
  RoutineHungError,
  RoutineTimeoutError,
  SelfAskError,
  SpawnRefusedError,
  StartFailedError,
  withoutStack,
} from './errors.ts'
export type { ExitReason } from './exit-reason.ts'
export { ExitRequest } from './exit-request.ts'
export { isError } from './is-error.ts'
export { type Logger, type LogMethod, silentLogger } from './logger.ts'
export {
  type CancelledOutcome,
  type CompletedOutcome,
  type EndKind,
  type FailedOutcome,
  obeys,
  type Outcome,
  outcomeOf,
  type RoutineEnd,
} from './outcome.ts'
export type { ErrorReport, PhaseReport, ReportTotals, RoutineReport, ShutdownReport } from './report.ts'
export type { AnyBody, BodyOf, ContextOf, Envelope, Work } from './routine-context.ts'
export type { AnyRoutine, Routine, RoutineFrom, RoutineState } from './routine-handle.ts'
export type { ShutdownOptions } from './shutdown-options.ts'
export type { WaitOptions } from './wait-options.ts'
