/** Work that runs in processes, as users write it. */
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
import { duration, limit, type Rule } from '../spec/index.ts'
import { processLodges } from './process-lodge.ts'

/** Options of processes alone. */
interface OwnOptions {
  /** The most processes at a time; routines beyond that run, and wait for one. @default as many as there are cores, at least 2 */
  readonly maxProcesses?: number | undefined
  /** The environment of each. @default that of this one */
  readonly env?: NodeJS.ProcessEnv | undefined
  /** Options of Node.js for each, such as `--max-old-space-size=256`. @default those of this process */
  readonly execArgv?: readonly string[] | undefined
  /** Where each works. @default where this one does */
  readonly cwd?: string | URL | undefined
  /** Milliseconds from SIGTERM to SIGKILL; less than `killDeadline`. @default 200 */
  readonly killAfter?: number | undefined
}

/** How processes are kept. */
export interface ProcessPoolOptions extends PoolOptions, OwnOptions {}

/** Options of work that runs in processes. */
export interface ProcessOptions<Input = never> extends Omit<WorkOptions<Input>, 'transfer'>, ProcessPoolOptions {}

const place: Rule = { range: 'a path, or a URL of a file', accepts: (value) => typeof value === 'string' || value instanceof URL }

const KIND: Kind<OwnOptions> = {
  kind: 'process',
  rules: { maxProcesses: limit, env: anObject, execArgv: texts, cwd: place, killAfter: duration },
  most: ({ maxProcesses }) => maxProcesses ?? usualMost(),
  lodges: processLodges,
}

/**
 * Work that runs in a process of its own: what the module at `url` exports as `name`, a function of the same context as inline, but for `local`.
 *
 * The module is given as a type, and the name says which of its functions is meant. Of one that exports more than eight say the name as a second
 * type, or use {@link childProcesses}.
 *
 * @throws ConfigError naming the option, the allowed range and what came.
 * @example
 * const convert = childProcess<typeof import("./convert.ts")>(new URL('./convert.ts', import.meta.url), 'convert')
 * const routine = local.spawn('convert', convert, { input: { file: 'cat.raw' } })
 */
export const childProcess: WorkMaker<ProcessPoolOptions, 'transfer'> = (
  url: URL | string,
  name: string,
  options: ProcessOptions = {},
): never => makeWork(KIND, url, name, options) as never

/**
 * Work of each function that a module exports; all of them share their processes.
 *
 * @throws ConfigError
 */
export function childProcesses<Module extends object>(url: URL | string, options: ProcessOptions = {}): WorksOf<Module> {
  return makeWorks(KIND, url, options) as WorksOf<Module>
}

/**
 * Processes that several works share: hand it to each as its `pool`.
 *
 * @throws ConfigError
 */
export function processPool(options: ProcessPoolOptions = {}): WorkerPool {
  return makePool(KIND, options)
}
