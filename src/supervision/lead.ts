/** What supervision asks of managers: of the one that it belongs to, and of child managers. */
import type { EndReason } from '../../machines/supervisor.ts'
import type { Gate } from '../admission/index.ts'
import type { EndKind, RoutineCancelledError } from '../contract/index.ts'
import type { Host, SupervisedRoutine } from '../routine/index.ts'
import type { ManagerSpec } from '../spec/index.ts'
import type { Service } from './service.ts'

/** A manager, as its own supervisor sees it. */
export interface Lead {
  readonly host: Host<SupervisedRoutine>
  readonly spec: ManagerSpec
  readonly gate: Gate
  /** Managers made by hand, and children, in order of their first start: the reverse of the order in which they stop. */
  readonly startOrder: Set<object>
  /** All children have started. */
  started(): void
  /** Its supervisor has decided that it ends. */
  endBy(why: EndReason, child: Service | undefined): void
  /** A spawned routine would have needed one restart more than the limit allows. */
  giveUp(cause: number, error: unknown): void
  /** Makes the manager that is one of the children. */
  grow(child: Service): Ward
  /** A routine has ended for good; `thrown` is the error that reports mention, if there is one. */
  noteEnd(routine: SupervisedRoutine, kind: EndKind, orphan: boolean, thrown: unknown): void
  /** Which level has no permit left, in words. */
  describeLimit(): string
}

/** A child manager, as its supervisor sees it. */
export interface Ward {
  /** Itself, as users hold it. */
  readonly host: unknown
  readonly incarnation: number
  /** True from the end of a life until the next. */
  readonly over: boolean
  /** True from the end of a life until that is answered (turn/turn.ts, T3). */
  readonly unanswered: boolean
  /** True once it was shut down by hand. */
  readonly stopRequested: boolean
  /** True once no life follows any more. */
  readonly concluded: boolean
  /** Begins its first life. */
  live(): void
  /** Begins another life. */
  renew(): void
  /**
   * Ends the present life: behind what waits in its own supervisor's mailbox, or at once if that is busy and there is a shutdown time.
   * `reason` is for those below, `cause` the number of the event for which it is stopped.
   */
  stopBySupervisor(reason: RoutineCancelledError | undefined, cause: number): void
  /** Ends it for good: no life follows. */
  conclude(): void
}
