/** `curtaincall explain` and `curtaincall replay`. */
import type { Law, SimulatedTree, Step, Trace } from '../testing/index.ts'
import type { Output } from './output.ts'
import { loadModule, UsageError } from './program.ts'
import { readOr } from './reading.ts'
import { codeOf, messageOf } from './words.ts'

/** Exit codes of a replay. */
const BROKEN = 1
const DIVERGED = 3

/** Prints the story of a trace. */
export async function explain(file: string, out: Output): Promise<number> {
  const { explainTrace, readTrace } = await import('../testing/index.ts')
  out.say(explainTrace(readOr(file, readTrace)))
  return 0
}

/** Plays a trace again, and says whether that goes the same way and which laws hold. */
export async function replay(file: string, module: string | undefined, out: Output): Promise<number> {
  const { laws: all, readTrace, replayTrace } = await import('../testing/index.ts')
  const recorded = readOr(file, readTrace)
  if (recorded.header.tree === undefined && module === undefined)
    throw new UsageError(`The tree of ${file} is not one of plain data: name a module whose default export is the tree that was simulated.`)
  const { laws = [], ...given } = module === undefined ? {} : await load(module, recorded)
  const { summary, simulation, divergence, unchecked } = await replayTrace(recorded, { ...given, laws: [...all, ...laws] }).catch(
    (error: unknown) => {
      // What its header says, of the tree, the faults or the script, is wrong: nobody else has said anything.
      if (module === undefined && codeOf(error) === 'ERR_CONFIG') throw new UsageError(`${file}:1: ${messageOf(error)}`)
      throw error
    },
  )
  out.say(`${simulation.explain()}\n\n${summary}`)
  return simulation.violations.length + unchecked.length > 0 ? BROKEN : divergence === undefined ? 0 : DIVERGED
}

/** What a module has to do with a replay. */
interface Given {
  readonly tree?: SimulatedTree
  readonly script?: readonly Step[]
  readonly laws?: readonly Law[]
}

async function load(file: string, { header }: Trace): Promise<Given> {
  const { default: tree, script, laws } = (await loadModule(file)) as { default?: SimulatedTree } & Given
  if (tree === undefined && header.tree === undefined)
    throw new UsageError(`${file} has no default export: it is to be the tree that was simulated.`)
  if (laws !== undefined && !Array.isArray(laws)) throw new UsageError(`${file}: what it exports as laws is to be an array of laws.`)
  return { ...(tree === undefined ? {} : { tree }), ...(script === undefined ? {} : { script }), ...(laws === undefined ? {} : { laws }) }
}
