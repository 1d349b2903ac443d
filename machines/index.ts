/**
 * The statecharts of curtaincall and the pure decisions beside them: no clock, no timers, no effects.
 *
 * @module
 */
export { type HealthSigns, type HealthStatus, judgeHealth } from './health.ts'
export {
  type LifecycleEvent,
  type LifecycleEventOf,
  type LifecycleEventType,
  type LoopEvent,
  type ManagerEvent,
  type MessageEvent,
  PHASES,
  type Phase,
  type RefusalCode,
  type RefusedEvent,
  type RoutineEvent,
  type ShutdownMode,
  type ShutdownTrigger,
} from './lifecycle-event.ts'
export type { ManagerLevel, ManagerMachine, ManagerMachineContext, ManagerMachineEvent } from './manager.ts'
export { type Backoff, backoffDelay, type ExitKind, type RestartType, RestartWindow, shouldRestart } from './restart-policy.ts'
export { ROUTINE_EVENTS, type RoutineMachineContext, type RoutineMachineEvent } from './routine.ts'
export type { SignalsMachineEvent } from './signals.ts'
export {
  appManagerMachine,
  globalManagerMachine,
  localManagerMachine,
  routineMachine,
  signalsMachine,
  workerMachine,
} from './statecharts.ts'
export {
  type AutoShutdown,
  type Begun,
  type Call,
  type CallError,
  type Child,
  type ChildCounts,
  type ChildState,
  type Command,
  type EndReason,
  isBadCombination,
  type Message,
  type Strategy,
  type Supervision,
  supervise,
  type Verdict,
  type Wish,
} from './supervisor.ts'
export { type PhaseSigns, phaseIsOver } from './shutdown.ts'
export { WORKER_EVENTS, type WorkerEventType, type WorkerMachine } from './worker.ts'
export { type TableCell, type TransitionTable, tabulate } from './transition-table.ts'
