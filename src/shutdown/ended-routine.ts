/** What the shutdowns above a routine note when it ends. */
import type { EndKind } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import type { ShutdownRun } from './shutdown.ts'

/** A manager, and the managers above it. */
interface Ancestry {
  readonly run: ShutdownRun | undefined
  readonly up: Ancestry | undefined
}

/** Each shutdown from here upwards notes the end of a routine; `error` is what its report is to tell of, if anything. In a turn. */
export function noteEnd(manager: Ancestry, routine: SupervisedRoutine, outcome: EndKind, orphan: boolean, error: unknown): void {
  let stopping: Ancestry | undefined = manager
  while (stopping !== undefined && stopping.run === undefined) stopping = stopping.up
  const run = stopping?.run
  if (run === undefined) return
  const { path, current } = routine
  const endedAt = current.endedAt as number
  let entry = { path, outcome, phase: run.phase, duration: since(run, endedAt) }
  for (let each: Ancestry | undefined = manager; each !== undefined; each = each.up) {
    // That of a manager above may have begun at another time.
    if (each.run !== undefined && since(each.run, endedAt) !== entry.duration) entry = { ...entry, duration: since(each.run, endedAt) }
    each.run?.routineEnded(entry, orphan, error === undefined ? undefined : { path, error })
    each.run?.poke()
  }
}

/** Milliseconds from the beginning of a shutdown. What had ended before, and was not to end for good, ends with its beginning. */
function since({ startedAt }: ShutdownRun, endedAt: number): number {
  return Math.max(0, endedAt - startedAt)
}
