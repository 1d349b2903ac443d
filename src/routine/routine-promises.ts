/** The promises of a routine, made when they are first asked for. */
import {
  isError,
  type Outcome,
  RoutineCancelledError,
  type RoutineEnd,
  RoutineFailedError,
  RoutineTimeoutError,
  type WaitOptions,
} from '../contract/index.ts'
import { type Listeners, type Tree, waitUntil } from '../turn/index.ts'

/** The resolve function of the promise that was made last. */
let keep: (value: unknown) => void
const take = (resolve: (value: never) => void): void => {
  keep = resolve as typeof keep
}

/** A promise and its resolve function; the unused reject function is not kept: 64 B less than `withResolvers`. */
class Deferred<T> {
  readonly promise: Promise<T> = new Promise<T>(take)
  readonly resolve: (value: T) => void = keep
}

/** The promises that were asked for, except that of the outcome: most users read that one, so it has two fields of the routine. */
export class Settling {
  /** Of the first start. */
  started: Deferred<boolean> | undefined
  /** Of the next start. */
  next: Deferred<boolean> | undefined
  /** Waits that look again at the end. */
  waiters: Set<() => void> | undefined
  /** Functions that are called at each end. */
  watchers: Set<(end: RoutineEnd) => void> | undefined
}

/** A routine, to its promises. */
interface Promising {
  readonly path: string
  readonly tree: Tree
  readonly ended: boolean
  /** How it ended; undefined while it has not. */
  readonly end: Outcome | undefined
  readonly local: { readonly listeners: Listeners }
  promise: Promise<Outcome> | undefined
  keep: ((outcome: Outcome) => void) | undefined
  settling: Settling | undefined
}

/** The one promise of its outcome. */
export function outcomePromise(routine: Promising): Promise<Outcome> {
  if (routine.promise === undefined) {
    routine.promise = new Promise<Outcome>(take)
    const { end } = routine
    if (end === undefined) routine.keep = keep
    else keep(end)
  }
  return routine.promise
}

/** True if somebody has asked for its outcome, or listens to how it fails. */
export function isLookedAt({ promise, settling, local }: Promising): boolean {
  const isAsked = promise !== undefined || settling?.waiters !== undefined || settling?.watchers !== undefined
  return isAsked || local.listeners.areLookedAt('routine.failed')
}

/** Whether it has started, or will. */
export function startedPromise(routine: Promising, already: boolean): Promise<boolean> {
  const settling = (routine.settling ??= new Settling())
  if (settling.started === undefined) {
    settling.started = new Deferred<boolean>()
    if (already) settling.started.resolve(true)
    else if (routine.ended) settling.started.resolve(false)
  }
  return settling.started.promise
}

/** True when it has started the next time, false if it ends before. */
export function nextStart(routine: Promising): Promise<boolean> {
  const settling = (routine.settling ??= new Settling())
  settling.next ??= new Deferred<boolean>()
  return settling.next.promise
}

/** The routine has ended: keeps all promises. */
export function keepPromises(routine: Promising): void {
  const { settling } = routine
  routine.keep?.(routine.end as Outcome)
  if (settling === undefined) return
  settling.started?.resolve(false)
  settling.next?.resolve(false)
  if (settling.waiters !== undefined) for (const waiter of settling.waiters) waiter()
}

/** Its output, or an error that says why there is none. */
export async function readResult(routine: Promising, options: WaitOptions = {}): Promise<unknown> {
  const waiters = ((routine.settling ??= new Settling()).waiters ??= new Set())
  const { path } = routine
  if (!(await waitUntil(() => routine.ended, [waiters], options, routine.tree))) {
    throw new RoutineTimeoutError(`${path} has not ended within ${options.timeout} ms; it goes on`, { path })
  }
  const end = routine.end as Outcome
  if (end.status === 'completed') return end.output
  if (end.status === 'failed') throw new RoutineFailedError(`${path} failed: ${describe(end.error)}`, { path, cause: end.error })
  throw new RoutineCancelledError(`${path} was ${end.killed ? 'killed' : 'cancelled'}: ${describe(end.reason)}`, {
    path,
    cause: end.reason,
  })
}

function describe(error: unknown): string {
  try {
    return String(isError(error) ? error.message : error)
  } catch {
    return 'a value that cannot be shown'
  }
}
