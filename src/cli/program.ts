/** The modules that the command runs, and what may be wrong with them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { codeOf, messageOf, shown } from './words.ts'

/** A mistake in how the command was called. */
export class UsageError extends Error {}

/** A mistake of the program that needs no stack to be found. */
export class ProgramError extends Error {}

/** The lines that a program has returned; throws what is said of anything else. */
export function linesOf(result: unknown, file: string): readonly string[] {
  if (result === undefined || result === null) return []
  if (Array.isArray(result) && result.every((line) => typeof line === 'string')) return result
  throw new ProgramError(
    `${file}: what the program returns must be an array of strings, a line each, or nothing; received ${shown(result)}.`,
  )
}

/** What the platform cannot make a module of. */
const NO_MODULE = new Set(['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_IMPORT_ATTRIBUTE_MISSING', 'ERR_UNSUPPORTED_DIR_IMPORT'])

/** Loads a module that the command line names. What it throws itself is its own; that it is none is wrong usage. */
export async function loadModule(file: string): Promise<{ default?: unknown }> {
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`There is no file ${file}.`)
  const stuck = Promise.withResolvers<never>()
  const say = (): void => stuck.reject(new ProgramError(`${file} never ends to load: what it awaits outside of any function never comes.`))
  process.once('beforeExit', say)
  try {
    return (await Promise.race([import(pathToFileURL(path).href), stuck.promise])) as { default?: unknown }
  } catch (error) {
    if (!NO_MODULE.has(codeOf(error))) throw error
    throw new UsageError(`${file} can't be loaded by Node ${process.versions.node}: ${messageOf(error)}`)
  } finally {
    process.off('beforeExit', say)
  }
}

/** What a program says of its arguments: a text that its module exports as `help`. */
export async function helpOf(file: string): Promise<string> {
  const { help } = (await loadModule(file)) as { help?: unknown }
  return typeof help === 'string' ? help.trimEnd() : `${file} exports no help.`
}

/** What the platform says of a port, as wrong usage where another port would do; anything else as it is. */
export function portError(error: unknown, port: number): unknown {
  const code = codeOf(error)
  if (code === 'EADDRINUSE') return new UsageError(`Port ${port} is taken; give another one with --port.`)
  return code === 'EACCES' ? new UsageError(`Port ${port} is not open to this user; give another one with --port.`) : error
}
