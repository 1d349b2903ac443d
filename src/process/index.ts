/**
 * Processes as a ground of routines: for what a thread does not isolate, such as native crashes and memory. They are kept and spoken to as threads
 * are (see the picture in ../thread/index.ts), over the channel that a child process has to its parent; no memory is shared, so nothing is handed
 * over, and a body sees that it was told to stop when its event loop turns.
 *
 * @module
 */
export {
  type BodyNames,
  GroundLostError,
  type PoolCounts,
  type PoolOptions,
  type WorkContext,
  type WorkerPool,
  type WorkOf,
  type WorkOptions,
  type WorksOf,
} from '../ground/index.ts'
export { childProcess, childProcesses, type ProcessOptions, processPool, type ProcessPoolOptions } from './process.ts'
