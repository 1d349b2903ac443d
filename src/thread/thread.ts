/** Work that runs in threads, as users write it. */
import type { ResourceLimits } from 'node:worker_threads'
import {
  anObject,
  type Kind,
  makePool,
  makeWork,
  makeWorks,
  type PoolOptions,
  texts,
  usualMost,
  type WorkerPool,
  type WorkMaker,
  type WorkOptions,
  type WorksOf,
} from '../ground/index.ts'
import { limit } from '../spec/index.ts'
import { threadLodges } from './thread-lodge.ts'

/** Options of threads alone. */
interface OwnOptions {
  /** The most threads at a time; routines beyond that run, and wait for one. @default as many as there are cores, at least 2 */
  readonly maxThreads?: number | undefined
  /** Limits of the memory of each thread; past these its routine fails. Buffers don't count, and one call that takes too much ends the process. */
  readonly resourceLimits?: ResourceLimits | undefined
  /** The environment of each. @default a copy of that of the process */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Options of Node.js for each. @default those of the process */
  readonly execArgv?: readonly string[] | undefined
}

/** How threads are kept. */
export interface ThreadPoolOptions extends PoolOptions, OwnOptions {}

/** Options of work that runs in threads. */
export interface ThreadOptions<Input = never> extends WorkOptions<Input>, ThreadPoolOptions {}

const KIND: Kind<OwnOptions> = {
  kind: 'thread',
  rules: { maxThreads: limit, resourceLimits: anObject, env: anObject, execArgv: texts },
  most: ({ maxThreads }) => maxThreads ?? usualMost(),
  lodges: threadLodges,
}

/**
 * Work that runs in a thread: what the module at `url` exports as `name`, a function of the same context as inline, but for `local`.
 *
 * The module is given as a type, and the name says which of its functions is meant. Of one that exports more than eight say the name as a second
 * type, or use {@link threads}.
 *
 * @throws ConfigError naming the option, the allowed range and what came.
 * @example
 * const resize = thread<typeof import("./images.ts")>(new URL('./images.ts', import.meta.url), 'resize', { maxThreads: 4 })
 * const routine = local.spawn('resize', resize, { input: { file: 'cat.jpg' } })
 */
export const thread: WorkMaker<ThreadPoolOptions> = (url: URL | string, name: string, options: ThreadOptions = {}): never =>
  makeWork(KIND, url, name, options) as never

/**
 * Work of each function that a module exports; all of them share their threads.
 *
 * @throws ConfigError
 * @example
 * const { resize, crop } = threads<typeof import("./images.ts")>(new URL('./images.ts', import.meta.url))
 */
export function threads<Module extends object>(url: URL | string, options: ThreadOptions = {}): WorksOf<Module> {
  return makeWorks(KIND, url, options) as WorksOf<Module>
}

/**
 * Threads that several works share: hand it to each as its `pool`.
 *
 * @throws ConfigError
 * @example
 * const pool = threadPool({ maxThreads: 4 })
 * const { resize } = threads<typeof import("./images.ts")>(new URL('./images.ts', import.meta.url), { pool })
 */
export function threadPool(options: ThreadPoolOptions = {}): WorkerPool {
  return makePool(KIND, options)
}
