/** The modules that the command runs, and what may be wrong with them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { inspect } from 'node:util'

/** A mistake in how the command was called. */
export class UsageError extends Error {}

/** A mistake of the program that needs no stack to be found. */
export class ProgramError extends Error {}

/** The lines that a program has returned; throws what is said of anything else. */
export function linesOf(result: unknown, file: string): readonly string[] {
  if (result === undefined || result === null) return []
  if (Array.isArray(result) && result.every((line) => typeof line === 'string')) return result
  const received = inspect(result, { depth: 0, breakLength: Infinity, maxArrayLength: 10, maxStringLength: 80 })
  throw new ProgramError(`${file}: what the program returns must be an array of strings, a line each, or nothing; received ${received}.`)
}

/** What the platform cannot make a module of. */
const NO_MODULE = new Set(['ERR_UNKNOWN_FILE_EXTENSION', 'ERR_IMPORT_ATTRIBUTE_MISSING', 'ERR_UNSUPPORTED_DIR_IMPORT'])

/** Loads a module that the command line names. What it throws itself is its own; that it is none is wrong usage. */
export async function loadModule(file: string): Promise<{ default?: unknown }> {
  const path = resolve(file)
  if (!existsSync(path)) throw new UsageError(`There is no file ${file}.`)
  try {
    return (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    if (!NO_MODULE.has((error as { code?: string }).code ?? '')) throw error
    throw new UsageError(`${file} can't be loaded by Node ${process.versions.node}: ${(error as Error).message}`)
  }
}

/** What the platform says of a port, as wrong usage where another port would do; anything else as it is. */
export function portError(error: unknown, port: number): unknown {
  const { code } = error as { code?: string }
  if (code === 'EADDRINUSE') return new UsageError(`Port ${port} is taken; give another one with --port.`)
  return code === 'EACCES' ? new UsageError(`Port ${port} is not open to this user; give another one with --port.`) : error
}
