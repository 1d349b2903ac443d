/**
 * The table of machines/worker.ts: what `curtaincall/thread` loads is loaded without the machine.
 *
 * N1  It says what XState's own `transition()` says, state by state and event by event: test/machines/worker.test.ts asks that.
 */
import type { WorkerEventType } from '../../machines/worker.ts'

export type WorkerState = 'starting' | 'running' | 'idle' | 'stopping' | 'terminating' | 'stuck' | 'gone'

export type WorkerEffect = 'release' | 'terminate' | 'strand' | 'bury'

export interface WorkerStep {
  readonly to: WorkerState
  readonly effect?: WorkerEffect
}

const done: WorkerStep = { to: 'idle', effect: 'release' }
const terminate: WorkerStep = { to: 'terminating', effect: 'terminate' }
const exit: WorkerStep = { to: 'gone', effect: 'bury' }
const atWork = { ask: { to: 'stopping' }, done, last: terminate, kill: terminate, exit } as const

/** What is not in it is ignored. */
export const WORKER_TABLE: Readonly<Record<WorkerState, Partial<Readonly<Record<WorkerEventType, WorkerStep>>>>> = {
  starting: { up: { to: 'running' }, ...atWork },
  idle: { assign: { to: 'running' }, retire: terminate, exit },
  running: atWork,
  stopping: { done, last: terminate, kill: terminate, exit },
  terminating: { lost: { to: 'stuck', effect: 'strand' }, exit },
  stuck: { exit },
  gone: {},
}
