/** The promises of a routine, made when they are first asked for. */
import { RoutineCancelledError, RoutineFailedError, RoutineTimeoutError } from './errors.ts'
import type { RoutineEnd } from './links.ts'
import type { Outcome } from './outcome.ts'
import type { RoutineRow } from './routine.ts'
import { type WaitOptions, waitUntil } from './waiting.ts'

/** A promise and the way to keep it. */
interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

/** Those that somebody has asked for. */
export interface Settling {
  outcome?: Deferred<Outcome>
  /** Of the first start. */
  started?: Deferred<boolean>
  /** Of the next start. */
  next?: Deferred<boolean> | undefined
  /** Waits that look again at the end. */
  waiters?: Set<() => void>
  /** Those who are told of each end. */
  watchers?: Set<(end: RoutineEnd) => void>
}

/** The one promise of its outcome. */
export function outcomePromise(row: RoutineRow): Promise<Outcome> {
  const settling = (row.settling ??= {})
  if (settling.outcome === undefined) {
    settling.outcome = Promise.withResolvers<Outcome>()
    const { end } = row
    if (end !== undefined) settling.outcome.resolve(end)
  }
  return settling.outcome.promise
}

/** Whether it has started, or will. */
export function startedPromise(row: RoutineRow, already: boolean): Promise<boolean> {
  const settling = (row.settling ??= {})
  if (settling.started === undefined) {
    settling.started = Promise.withResolvers<boolean>()
    if (already) settling.started.resolve(true)
    else if (row.ended) settling.started.resolve(false)
  }
  return settling.started.promise
}

/** True when it has started the next time, false if it ends before. */
export function nextStart(row: RoutineRow): Promise<boolean> {
  const settling = (row.settling ??= {})
  settling.next ??= Promise.withResolvers<boolean>()
  return settling.next.promise
}

/** The routine has ended: keeps all promises. */
export function keepPromises(row: RoutineRow): void {
  const { settling } = row
  if (settling === undefined) return
  settling.outcome?.resolve(row.end as Outcome)
  settling.started?.resolve(false)
  settling.next?.resolve(false)
  if (settling.waiters !== undefined) for (const waiter of settling.waiters) waiter()
}

/** Its output, or an error that says why there is none. */
export async function readResult(row: RoutineRow, options: WaitOptions = {}): Promise<unknown> {
  const waiters = ((row.settling ??= {}).waiters ??= new Set())
  const { path } = row
  if (!(await waitUntil(() => row.ended, [waiters], options, row.local.stage))) {
    throw new RoutineTimeoutError(`${path} has not ended within ${options.timeout} ms; it goes on`, { path })
  }
  const end = row.end as Outcome
  if (end.status === 'completed') return end.output
  if (end.status === 'failed') throw new RoutineFailedError(`${path} failed: ${describe(end.error)}`, { path, cause: end.error })
  throw new RoutineCancelledError(`${path} was ${end.killed ? 'killed' : 'cancelled'}: ${describe(end.reason)}`, {
    path,
    cause: end.reason,
  })
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message
  try {
    return String(error)
  } catch {
    return 'a value that cannot be shown'
  }
}
