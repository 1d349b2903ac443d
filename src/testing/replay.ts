/** Traces played again. */
import { anything, check, refuse, type Rule } from '../spec/index.ts'
import { lawList } from './law.ts'
import { laws as allLaws } from './laws.ts'
import { isPlan, perform, type SimulatedTree, type Simulation, type SimulationOptions } from './simulate.ts'
import type { Step } from './script.ts'
import { checkTrace, type Trace, type TraceEvent } from './trace.ts'
import { readTrace } from './trace-file.ts'

/** Where two runs part. */
export interface Divergence {
  /** The place in both. */
  readonly at: number
  readonly recorded: TraceEvent | undefined
  readonly replayed: TraceEvent | undefined
}

/** The result of a replay. */
export interface Replay {
  readonly recorded: Trace
  readonly simulation: Simulation
  /** Where it went otherwise; undefined if it is the same, event for event. */
  readonly divergence: Divergence | undefined
  /** Laws that were broken when it was recorded and are not among those that it was held against now. */
  readonly unchecked: readonly string[]
  /** All of it in words. */
  readonly summary: string
}

type Given = { readonly tree?: SimulatedTree; readonly script?: readonly Step[] } & Pick<SimulationOptions, 'laws'>

const RULES = { tree: anything, script: anything, laws: lawList } satisfies Record<keyof Given, Rule>

/**
 * Plays a trace again, and says where that goes otherwise than it was written down.
 *
 * @param source The name of a file, or a trace.
 * @param given The tree, if it is not one of plain data; steps that are functions; laws, if it is to be held against others than all of `laws`.
 * @throws CurtaincallError ERR_TRACE for a file that can't be read; ConfigError for a wrong option, if it is no trace, or the tree or a step is missing.
 * @example
 * const { divergence, simulation } = await replayTrace('found.cct.jsonl')
 */
export async function replayTrace(source: string | Trace, given: Given = {}): Promise<Replay> {
  check('replayTrace', given, RULES)
  const recorded = typeof source === 'string' ? readTrace(source) : source
  checkTrace('replayTrace', recorded)
  const { header } = recorded
  const tree = given.tree ?? header.tree
  if (tree === undefined) throw refuse('replayTrace tree', 'the tree that was simulated: it is not part of the trace', tree)
  const { seed, tape, mode, strict, faults, end, steps, horizon, allowEscapes } = header
  const script = given.script ?? (header.script as readonly Step[])
  const { simulation } = await perform(tree, {
    seed,
    tape,
    mode,
    strict,
    script,
    end: end ?? false,
    steps,
    horizon,
    allowEscapes,
    // A tree of plain data says itself what is wrong with it.
    faults: Object.keys(faults).length === 0 && isPlan(tree) ? undefined : faults,
    ...(given.laws === undefined ? {} : { laws: given.laws }),
  })
  const divergence = firstDivergence(recorded.events, simulation.trace.events)
  const known = new Set((given.laws ?? allLaws).map(({ name }) => name))
  const unchecked = [...new Set(recorded.verdict.violations.map(({ law }) => law))].filter((law) => !known.has(law))
  const replay = { recorded, simulation, divergence, unchecked }
  return { ...replay, summary: summarise(replay) }
}

function firstDivergence(recorded: readonly TraceEvent[], replayed: readonly TraceEvent[]): Divergence | undefined {
  for (let at = 0; at < Math.max(recorded.length, replayed.length); at++) {
    if (JSON.stringify(recorded[at]) !== JSON.stringify(replayed[at])) return { at, recorded: recorded[at], replayed: replayed[at] }
  }
  return undefined
}

function summarise({ recorded, simulation: { trace, violations }, divergence, unchecked }: Omit<Replay, 'summary'>): string {
  const on = recorded.header.on
  const same = `replayed: ${trace.events.length} events, the same as recorded`
  const other = (): string =>
    [
      `DIVERGED at event ${divergence?.at}; recorded on curtaincall ${on?.curtaincall}, xstate ${on?.xstate}, Node.js ${on?.node}`,
      `  recorded: ${describeEvent(divergence?.recorded)}`,
      `  replayed: ${describeEvent(divergence?.replayed)}`,
    ].join('\n')
  const was = recorded.verdict.violations
    .map(({ law }) => law)
    .filter((law) => !unchecked.includes(law) && !violations.some((each) => each.law === law))
  return [
    divergence === undefined ? same : other(),
    ...violations.map(({ law, message }) => `✗ ${law}: ${message}`),
    ...[...new Set(was)].map((law) => `✓ ${law} was broken when this was recorded, and holds now`),
    ...unchecked.map((law) => `? ${law} was broken when this was recorded, and is not known here: it was not checked`),
    ...(violations.length + was.length + unchecked.length === 0 ? ['✓ every law holds'] : []),
  ].join('\n')
}

function describeEvent(event: TraceEvent | undefined): string {
  if (event === undefined) return 'nothing more'
  const { t, type, actor, text } = event
  return `${t} ms ${type} ${text ?? actor}`
}
