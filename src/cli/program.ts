/** What a module gives `curtaincall run`, and what it gets. */
import type { GlobalManager } from '../index.ts'

/** What a program gets beside the global manager. */
export interface ProgramContext {
  /** What followed FILE on the command line. */
  readonly args: readonly string[]
  /** Aborted as soon as the shutdown begins. */
  readonly signal: AbortSignal
  /** Ends the program because of its arguments: one sentence on stderr and exit 2. */
  readonly refuse: (sentence: string) => never
}

/**
 * The default export of a module for `curtaincall run FILE`: builds a tree below `global` and resolves when
 * the job is done. Lines that it returns are printed in the summary, also after an interrupted run.
 *
 * @example
 * const program: Program = async (global, { args }) => {
 *   const local = global.createApp('app').createLocal('jobs')
 *   await Promise.all(args.map((name) => local.spawn(name, () => name.length).outcome))
 *   return [`${args.length} jobs`]
 * }
 * export default program
 */
export type Program = (global: GlobalManager, context: ProgramContext) => ProgramResult | Promise<ProgramResult>

/** Lines for the summary, or nothing. */
export type ProgramResult = readonly string[] | undefined | void

/** A mistake in how the command was called. */
export class UsageError extends Error {}

/** What the platform says of a port, as wrong usage where another port would do; anything else as it is. */
export function portError(error: unknown, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE') return new UsageError(`Port ${port} is taken; give another one with --port.`)
  return code === 'EACCES' ? new UsageError(`Port ${port} is not open to this user; give another one with --port.`) : error
}
