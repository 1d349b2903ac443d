/** What an incarnation asks of the routine that it belongs to. */
import type { Chronicle } from '../durable/index.ts'
import type { Ground, Subject } from '../port/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import type { Beating } from './heartbeat.ts'
import type { Bound } from './due-signal.ts'
import type { Host } from './host.ts'
import type { CANCEL, KILL } from './routine-steps.ts'

/** A routine, to one run of it. */
export interface Owner extends Subject, Beating, Bound {
  readonly tree: Tree
  readonly local: Host
  readonly spec: RoutineSpec
  readonly input: unknown
  readonly ground: Ground
  /** What the journal is told of it; of a durable one. */
  readonly chronicle: Chronicle | undefined
  /** True if its `start` has run. */
  readonly hasAcquired: boolean
  /** The same as its body sees it: within what those have added who look on. */
  bodyContext: unknown
  /** The reason of a cancel that was given none. */
  readonly cancelReason: unknown
  /** An incarnation is to begin. By now another one may have replaced it. */
  launch(incarnation: unknown): void
  /** It has begun to run. */
  begun(at: number): void
  /** It is over; the supervisor answers that in a turn of its own. */
  settled(): void
  /** The body of an abandoned incarnation has ended after all. */
  orphanSettled(incarnation: number): void
  /** A user has sent its actor a cancel or a kill. */
  stopBy(incarnation: unknown, event: typeof CANCEL | typeof KILL, reason: unknown): void
}
