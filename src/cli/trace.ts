/** `curtaincall explain` and `curtaincall replay`. */
import type { Writable } from 'node:stream'
import { CurtaincallError } from '../index.ts'
import type { SimulatedTree, Step } from '../testing/index.ts'
import { loadModule, UsageError } from './program.ts'

/** Exit codes of a replay. */
const BROKEN = 1
const DIVERGED = 3

/** Prints the story of a trace. */
export async function explain(file: string, out: Writable): Promise<number> {
  const { explainTrace, readTrace } = await import('../testing/index.ts')
  out.write(`${explainTrace(readOr(file, readTrace))}\n`)
  return 0
}

/** Plays a trace again, and says whether that goes the same way and which laws hold. */
export async function replay(file: string, tree: string | undefined, out: Writable): Promise<number> {
  const { readTrace, replayTrace } = await import('../testing/index.ts')
  const recorded = readOr(file, readTrace)
  if (recorded.header.tree === undefined && tree === undefined)
    throw new UsageError(`The tree of ${file} is not one of plain data: name a module whose default export is the tree that was simulated.`)
  const given = tree === undefined ? {} : await load(tree)
  const { summary, simulation, divergence } = await replayTrace(recorded, given)
  out.write(`${simulation.explain()}\n\n${summary}\n`)
  return simulation.violations.length > 0 ? BROKEN : divergence === undefined ? 0 : DIVERGED
}

/** What is wrong with the file is the caller's to know, without a stack. */
export function readOr<Result>(file: string, read: (file: string) => Result): Result {
  try {
    return read(file)
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT' || (error as { code?: string }).code === 'EISDIR'
    if (missing) throw new UsageError(`${file} can't be read: ${(error as Error).message}`)
    if (error instanceof CurtaincallError) throw new UsageError(error.message)
    throw error
  }
}

async function load(file: string): Promise<{ tree: SimulatedTree; script?: readonly Step[] }> {
  const module = (await loadModule(file)) as { default?: SimulatedTree; script?: readonly Step[] }
  if (module.default === undefined) throw new UsageError(`${file} has no default export: it is to be the tree that was simulated.`)
  return { tree: module.default, ...(module.script === undefined ? {} : { script: module.script }) }
}
