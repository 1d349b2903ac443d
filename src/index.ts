/**
 * Supervised actors on XState v5.
 *
 * @module
 */

// The hierarchy
export { createGlobalManager, GlobalManager } from './manager/global-manager.ts'
export { AppManager } from './manager/app-manager.ts'
export { LocalManager } from './manager/local-manager.ts'
export type { AvailabilityOptions, ChildEntry, LivingChild, Manager, ManagerState } from './manager/manager.ts'
export type {
  GlobalManagerOptions,
  LocalManagerOptions,
  ManagerOptions,
  ManagerStartContext,
  SupervisorOptions,
} from './spec/manager-spec.ts'

// Children
export { manager, routine } from './manager/children.ts'
export type { ChildInstance, ChildResult } from './supervision/child-calls.ts'
export type { ChildSpec, ManagerChild, RoutineChild } from './spec/child-spec.ts'
export type { AutoShutdown, CallError, ChildCounts, Strategy } from '../machines/supervisor.ts'

// Routines
export type { Routine, RoutineFrom, RoutineState } from './contract/routine-handle.ts'
export type { Body, RoutineContext } from './manager/body.ts'
export type { ExitReason } from './contract/exit-reason.ts'
export {
  ignore,
  type MailboxOptions,
  type OnHung,
  type RoutineOptions,
  type ShutdownTime,
  type StartContext,
} from './spec/routine-spec.ts'
export type { CancelledOutcome, CompletedOutcome, EndKind, FailedOutcome, Outcome, RoutineEnd } from './contract/outcome.ts'
export type { Envelope } from './contract/routine-context.ts'
export { link, watch } from './routine/links.ts'
export type { WaitOptions } from './contract/wait-options.ts'

// Shutdown
export type { ShutdownOptions } from './contract/shutdown-options.ts'
export type { ErrorReport, PhaseReport, ReportTotals, RoutineReport, ShutdownReport } from './contract/report.ts'
export type { NamedReport } from './shutdown/named-shutdown.ts'
export { handleSignals, type SignalName } from './manager/process-signals.ts'

// Watching
export type { LifecycleListener, Unsubscribe } from './turn/lifecycle-bus.ts'
export type {
  ControlEvent,
  LifecycleEvent,
  LifecycleEventOf,
  LifecycleEventType,
  ManagerEvent,
  MessageEvent,
  Phase,
  RefusalCode,
  RefusedEvent,
  RoutineEvent,
  ShutdownMode,
  ShutdownTrigger,
} from '../machines/lifecycle-event.ts'
export type { Health } from './manager/health.ts'
export type { HealthStatus } from '../machines/health.ts'
export { type Durations, MAX_NAMES, type Metrics, type MetricValues } from './count/metrics.ts'

// Programs for `curtaincall run`
export type { Program, ProgramContext, ProgramResult } from './cli/program.ts'

// Ports and vocabulary
export type { Clock } from './port/clock.ts'
export type { Logger, LogMethod } from './contract/logger.ts'
export type { Backoff, RestartType } from '../machines/restart-policy.ts'

// Errors
export {
  AskTimeoutError,
  ConfigError,
  CurtaincallError,
  type CurtaincallErrorCode,
  MailboxFullError,
  ManagerExistsError,
  NotRunningError,
  RestartLimitError,
  RoutineCancelledError,
  RoutineFailedError,
  RoutineHungError,
  RoutineTimeoutError,
  SpawnRefusedError,
  StartFailedError,
} from './contract/errors.ts'
