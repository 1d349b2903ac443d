/**
 * Supervised actors on XState v5.
 *
 * @module
 */

// The hierarchy
export { createGlobalManager, GlobalManager } from './manager/index.ts'
export { AppManager } from './manager/index.ts'
export { LocalManager } from './manager/index.ts'
export type { AvailabilityOptions, ChildEntry, LivingChild, Manager, ManagerState } from './manager/index.ts'
export type {
  GlobalManagerOptions,
  LocalManagerOptions,
  ManagerOptions,
  ManagerStartContext,
  StoreFailurePolicy,
  SupervisorOptions,
} from './spec/index.ts'
export type { DurableWork } from './spec/index.ts'
export { durableStore } from './recovery/index.ts'
export type { StoreState } from './port/index.ts'

// Children
export { manager, routine } from './manager/index.ts'
export type { ChildInstance, ChildResult } from './supervision/index.ts'
export type { ChildSpec, ManagerChild, RoutineChild } from './spec/index.ts'
export type { AutoShutdown, CallError, ChildCounts, Strategy } from '../machines/supervisor.ts'

// Routines
export type { AnyRoutine, Routine, RoutineFrom, RoutineState } from './contract/index.ts'
export type {
  AnyBody,
  AnyWork,
  ArgumentsFor,
  Body,
  HandleOf,
  InputFor,
  InputIsMissing,
  RoutineContext,
  RoutineOf,
  Whole,
} from './manager/index.ts'
export type { ExitReason } from './contract/index.ts'
export {
  ignore,
  type ChildOptions,
  type LogicArguments,
  type MailboxOptions,
  type OnHung,
  type OptionsFor,
  type ResumeOptions,
  type RoutineOptions,
  type ShutdownTime,
  type StartContext,
} from './spec/index.ts'
export type { CancelledOutcome, CompletedOutcome, EndKind, FailedOutcome, Outcome, RoutineEnd } from './contract/index.ts'
export type { Envelope } from './contract/index.ts'
export { link, watch } from './routine/index.ts'
export type { WaitOptions } from './contract/index.ts'

// Shutdown
export type { ShutdownOptions } from './contract/index.ts'
export type { ErrorReport, PhaseReport, ReportTotals, RoutineReport, ShutdownReport } from './contract/index.ts'
export type { NamedReport } from './shutdown/index.ts'
export { handleSignals, type SignalName, type SignalOptions } from './manager/index.ts'

// Watching
export type { LifecycleListener, Unsubscribe } from './turn/index.ts'
export type {
  Blocked,
  ControlEvent,
  LifecycleEvent,
  LifecycleEventOf,
  LifecycleEventType,
  LoopEvent,
  ManagerEvent,
  MessageEvent,
  Phase,
  RefusalCode,
  RefusedEvent,
  RoutineEvent,
  ShutdownMode,
  ShutdownTrigger,
  StoreEvent,
} from '../machines/lifecycle-event.ts'
export type { Health } from './manager/index.ts'
export type { HealthStatus } from '../machines/health.ts'
export { type Durations, MAX_NAMES, type Metrics, type MetricValues } from './count/index.ts'

// Programs for `curtaincall run`
export type { Program, ProgramContext, ProgramResult } from './manager/index.ts'

// Ports and vocabulary
export type {
  Clock,
  DurableStore,
  Journal,
  StoredDelay,
  StoredEntry,
  StoredOutcome,
  StoredRoutine,
  StoreHost,
} from './port/index.ts'
export type { Logger, LogMethod } from './contract/index.ts'
export type { Backoff, RestartType } from '../machines/restart-policy.ts'

// Errors
export {
  AskTimeoutError,
  ConfigError,
  CurtaincallError,
  type CancelCode,
  type CurtaincallErrorCode,
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
} from './contract/index.ts'
