/** What a shutdown asks of the manager that it stops, and of what is below that. */
import type { Phase, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import type { ManagerMachineEvent } from '../../machines/manager.ts'
import type { ReportTotals, RoutineCancelledError } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import type { RoutineRegistry } from '../supervision/index.ts'
import type { PhaseHold, Slices, Tree } from '../turn/index.ts'

/** A manager that stops. */
export interface Closing {
  readonly path: string
  readonly tree: Tree
  readonly flock: Flock
  /** True once its life has ended. */
  readonly over: boolean
  /** The phase that its machine is in; undefined while it does not stop. */
  readonly phase: Phase | undefined
  /** What made it stop. */
  readonly trigger: ShutdownTrigger
  /** Why those below are told to stop, where the shutdown began here. */
  readonly stopReason: RoutineCancelledError
  /** Milliseconds that its parent waits for it. */
  readonly patience: number
  /** Sends an event to its machine. */
  tell(event: ManagerMachineEvent): void
  /** Announces a phase. `hold` takes the promises of listeners that hold it up, and what they throw. Returns the number of the event. */
  announcePhase(phase: Phase, cause: number, hold: PhaseHold): number
}

/** A manager below one that stops. */
export interface Below {
  readonly run: { becomeOverdue(): void; heedOverdue(): void } | undefined
  /** From here on it accepts nothing, and its supervisor decides nothing. */
  refuse(): void
  /** It closes, and waits for its turn. */
  close(): void
}

/** The routines of a manager, and the managers below it. */
export interface Flock {
  readonly registry: RoutineRegistry
  /** Managers and routines that have not ended. */
  readonly living: number
  /** Spawned routines that live or are queued, at all levels: without the children under a strategy. */
  readonly livingSpawned: number
  /** All routines that it has had, by their ends. */
  readonly totals: ReportTotals
  /** The routines of the registries that `of` picks, at all levels, the latest first. */
  latestFirst(of: (registry: RoutineRegistry) => boolean): IterableIterator<SupervisedRoutine>
  /** From here on the manager accepts nothing, and its supervisor decides nothing. */
  refuse(): void
  /** The managers at all levels, each before those below it. */
  before(): Iterator<Below>
  /** The managers at all levels, each behind those below it. */
  behind(): Iterator<Below>
  /** Lets the latest of the managers and children that have not ended stop, in the slices of this shutdown. */
  releaseLatest(slices: Slices): void
}
