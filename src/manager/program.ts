/** What a module gives `curtaincall run`, and what it gets. */
import type { GlobalManager } from './global-manager.ts'

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
 * the job is done. Lines that it returns are printed in the summary, also after an interrupted run. A text that the module exports
 * as `help` is printed by `curtaincall run FILE --help`.
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
