/** What the shutdowns above have to do with one: they note ends of routines, and errors, and may be its reason. */
import type { ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import type { EndKind, RoutineCancelledError } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import type { ShutdownRun } from './shutdown.ts'

/** A manager, and the managers above it. */
export interface Ancestry {
  readonly over: boolean
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
  const { askedAt } = current
  const endedAt = current.endedAt as number
  // One that was asked before the shutdown holds it up from its beginning on.
  const asked = askedAt === undefined ? undefined : Math.max(0, askedAt - run.startedAt)
  const duration = endedAt - run.startedAt
  const entry = { path, outcome, phase: run.phase, duration, asked, heldUp: asked === undefined ? 0 : duration - asked }
  for (let each: Ancestry | undefined = manager; each !== undefined; each = each.up) {
    each.run?.routineEnded(entry, orphan, error === undefined ? undefined : { path, error })
    each.run?.poke()
  }
}

/** Each shutdown from here upwards that has no report yet notes what a listener of a phase has thrown. In a turn. */
export function noteError(manager: Ancestry, path: string, error: unknown): void {
  for (let each: Ancestry | undefined = manager; each !== undefined; each = each.up) if (!each.over) each.run?.blame({ path, error })
}

/** The reason of the shutdown above that has led to the one of this manager; undefined if it began here. */
export function reasonFromAbove(manager: Ancestry & { readonly trigger: ShutdownTrigger }): RoutineCancelledError | undefined {
  return manager.trigger === 'supervisor' ? manager.up?.run?.reason : undefined
}
