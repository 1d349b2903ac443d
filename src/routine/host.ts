/** What a routine asks of the manager that it lives in, and of its supervisor. */
import type { AnyActorRef } from 'xstate'
import type { RoutineCancelledError } from '../contract/index.ts'
import type { Listeners, Tree, TreeNode } from '../turn/index.ts'
import type { ClosingSignals } from './closing-signal.ts'

/** The manager that a routine lives in. */
export interface Host<Routine = unknown> {
  readonly path: string
  readonly tree: Tree
  readonly listeners: Listeners
  /** Its own actor, the parent of those of its routines. */
  readonly actor: AnyActorRef
  /** True once nothing is accepted, and nothing restarts. */
  readonly closed: boolean
  /** True once its life has ended. */
  readonly over: boolean
  /** The reason of a cancel that was given none. */
  readonly cancelReason: RoutineCancelledError
  readonly registry: Registrar<Routine>
  /** Where it stands in the tree. */
  readonly place: TreeNode
  /** One routine more, or fewer, is silent. */
  countHung(by: 1 | -1): void
}

/** Where a manager keeps its routines, and answers their ends. */
export interface Registrar<Routine> {
  readonly closing: ClosingSignals
  /** True if what was spawned may begin: not any more once the manager closes without a drain. */
  readonly admits: boolean
  /** One routine more, or fewer, does not run: it waits, or its end has not been answered. */
  countIdle(by: 1 | -1): void
  /** Makes the id of a routine that has none yet. */
  identify(routine: Routine): string
  /** An incarnation has ended. A turn. */
  settle(routine: Routine, orphan: boolean): void
  /** The body of an abandoned incarnation has ended after all. */
  orphanSettled(routine: Routine, incarnation: number): void
  /** Begins it now, if it is a child that waits for a delayed restart. False if it is not. */
  hasten(routine: Routine): boolean
}

/** The child that a routine is of its supervisor. */
export interface Post {
  /** How many incarnations it has had, over all routines. */
  incarnations: number
  /** True from the moment on that its present incarnation counts as started: its body begins, whatever comes next. */
  readonly hasStarted: boolean
  /** One of many, made by a template. */
  readonly isInstance: boolean
  /** `willRestart` of its last end; undefined before the first end and after a start. */
  readonly toRestart: boolean | undefined
}
