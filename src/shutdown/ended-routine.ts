/** What the shutdowns above have to do with one: they note ends of routines, and errors, and may be its reason. */
import type { Phase, ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import type { EndKind, RoutineCancelledError, RoutineReport } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import type { ShutdownRun } from './shutdown.ts'

/** A manager, and the managers above it. */
export interface Ancestry {
  readonly over: boolean
  readonly run: ShutdownRun | undefined
  readonly trigger: ShutdownTrigger
  readonly up: Ancestry | undefined
}

/** When an incarnation was asked to stop, if it was, and when it has ended. */
interface Times {
  readonly askedAt: number | undefined
  readonly endedAt: number | undefined
}

/** Each shutdown from here upwards notes the end of a routine; `error` is what its report is to tell of, if anything. In a turn. */
export function noteEnd(manager: Ancestry, routine: SupervisedRoutine, outcome: EndKind, orphan: boolean, error: unknown): void {
  let stopping: Ancestry | undefined = manager
  while (stopping !== undefined && stopping.run === undefined) stopping = stopping.up
  const run = stopping?.run
  if (run === undefined) return
  const { path, current } = routine
  // Managers that close together have one entry: they have begun together.
  let begun = run.startedAt
  let entry = entryOf(path, outcome, run.phase, begun, current)
  for (let each: Ancestry | undefined = manager; each !== undefined; each = each.up) {
    if (each.run === undefined) continue
    const { startedAt } = each.run
    if (startedAt !== begun) entry = entryOf(path, outcome, run.phase, startedAt, current)
    begun = startedAt
    each.run.routineEnded(entry, orphan, error === undefined ? undefined : { path, error })
  }
}

/** Both in milliseconds from the beginning of a shutdown. What had ended before, and was not to end for good, ends with its beginning. */
function entryOf(path: string, outcome: EndKind, phase: Phase, begun: number, { askedAt, endedAt }: Times): RoutineReport {
  const duration = Math.max(0, (endedAt as number) - begun)
  // One that was asked before holds it up from its beginning on.
  const asked = askedAt === undefined ? undefined : Math.max(0, askedAt - begun)
  return { path, outcome, phase, duration, asked, heldUp: asked === undefined ? 0 : duration - asked }
}

/** Each shutdown from here upwards that has no report yet notes what a listener of a phase has thrown. In a turn. */
export function noteError(manager: Ancestry, path: string, error: unknown): void {
  for (let each: Ancestry | undefined = manager; each !== undefined; each = each.up) if (!each.over) each.run?.blame({ path, error })
}

/** The reason of the shutdown above that has led to the one of this manager; undefined if it began here. */
export function reasonFromAbove(manager: Ancestry): RoutineCancelledError | undefined {
  let begun: ShutdownRun | undefined
  for (let at: Ancestry | undefined = manager; at?.trigger === 'supervisor' && at.up?.run !== undefined; at = at.up) {
    begun = at.up.run
    if (begun.ownReason !== undefined) return begun.ownReason
  }
  return begun?.reason
}
