/**
 * Threads as a ground of routines: a kill ends what runs there.
 *
 * ```
 *   local.spawn(name, thread(url, 'resize'))          options: thread.ts, ../ground/workshop.ts; types: ../ground/typed-work.ts
 *        │  Ground.begin, ask, kill                   ../ground/pooled-ground.ts
 *        ▼
 *   Task: one run, the host's side of it              ../ground/task.ts, task-readers.ts
 *        │  waits for, or has                ▲
 *        ▼                                   │ said, died
 *   Pool ── PoolWorker: machines/worker.ts ──┤        ../ground/pool.ts, pool-worker.ts
 *        │  Lodge.post, terminate            │
 *        ▼                                   │
 *   ThreadLodge: a Worker of the platform ───┘        thread-lodge.ts, diagnosis.ts
 *   ═══════════════ postMessage, and an Int32Array that both sides see ═══════════════
 *   Guest: the body, and what is its context there    main.ts, lookout.ts, ../ground/guest.ts, guest-context.ts, guest-readers.ts
 * ```
 *
 * A run belongs to its routine, a worker to its pool; a task holds on to both until its body is gone. States: of the routine
 * machines/routine.ts, where `ending` is the time that a kill takes; of the worker machines/worker.ts. Data goes down as the input, the reason of
 * an abort, and messages that the guest has asked for; it comes up as one end, and log lines, answers and heartbeats before it.
 *
 * @module
 */
export {
  type BodyNames,
  GroundLostError,
  type Movable,
  move,
  type PoolCounts,
  type PoolOptions,
  type WorkContext,
  type WorkerPool,
  type WorkOf,
  type WorkOptions,
  type WorksOf,
} from '../ground/index.ts'
export { thread, type ThreadOptions, threadPool, type ThreadPoolOptions, threads } from './thread.ts'
