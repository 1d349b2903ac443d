/** Stops the routines of one name and nothing else. */
import { type EndKind, RoutineCancelledError, type WaitOptions } from '../contract/index.ts'
import { cancel, kill, type SupervisedRoutine, Settling } from '../routine/index.ts'
import { DEFAULT_SHUTDOWN_TIMEOUT } from '../spec/index.ts'
import { Slices, type Tree, waitUntil } from '../turn/index.ts'

/** How `shutdownNamed` went. */
export interface NamedReport {
  readonly name: string
  /** Milliseconds. */
  readonly duration: number
  /** True if some had not ended in time. */
  readonly timedOut: boolean
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly killed: number
  /** In reverse order of spawning, as they were asked. */
  readonly routines: readonly { readonly path: string; readonly outcome: EndKind }[]
}

/** Cancels the routines, latest first, waits, and kills what is left; an aborted signal ends the wait. */
export async function shutdownRoutines(
  tree: Tree,
  name: string,
  routines: readonly SupervisedRoutine[],
  options: WaitOptions,
): Promise<NamedReport> {
  const startedAt = tree.clock.now()
  const { timeout = DEFAULT_SHUTDOWN_TIMEOUT, signal } = options
  const latestFirst = routines.toReversed()
  const reason = new RoutineCancelledError(`all routines named ${name} are shut down`)
  let living = 0
  const waiters = new Set<() => void>()
  const ended = (): void => {
    living--
    for (const check of waiters) check()
  }
  // None of them is restarted from now on, whenever its slice comes.
  tree.turn.run(() => latestFirst.forEach(mark))
  const slices = stopAll(tree, latestFirst, cancel, reason)
  if (slices !== undefined) await slices
  const left = slices === undefined ? timeout : Math.max(0, timeout - (tree.clock.now() - startedAt))
  for (const routine of latestFirst) {
    // Once it was cancelled, its next end is its last. That of a child may come long before its supervisor takes it.
    if (routine.current.over) continue
    living++
    ;((routine.settling ??= new Settling()).watchers ??= new Set()).add(ended)
  }
  let inTime = false
  try {
    inTime = await waitUntil(() => living === 0, [waiters], { timeout: left, signal }, tree)
  } catch {
    // An aborted signal means: no longer. Its reason is the caller's own.
  }
  // A routine that obeys at once has ended by now, even with a timeout of 0.
  const timedOut = !inTime && latestFirst.some((routine) => !routine.current.over)
  const killing = stopAll(tree, latestFirst, kill, reason)
  if (killing !== undefined) await killing
  const counts: Record<EndKind, number> = { completed: 0, failed: 0, cancelled: 0, killed: 0 }
  for (const routine of latestFirst) counts[routine.endKind]++
  const ends = latestFirst.map((routine) => ({ path: routine.path, outcome: routine.endKind }))
  return { name, duration: tree.clock.now() - startedAt, timedOut, ...counts, routines: ends }
}

function mark(routine: SupervisedRoutine): void {
  routine.stopRequested = true
}

/** One turn for each, in slices: undefined if they have all had theirs by now. */
function stopAll(
  tree: Tree,
  routines: readonly SupervisedRoutine[],
  stop: (routine: SupervisedRoutine, reason: unknown) => void,
  reason: unknown,
): Promise<void> | undefined {
  const { promise, resolve } = Promise.withResolvers<void>()
  let done = false
  const finish = (): void => {
    done = true
    resolve()
  }
  tree.turn.run(() => new Slices(tree).each(routines.values(), (routine) => stop(routine, reason), finish))
  return done ? undefined : promise
}
