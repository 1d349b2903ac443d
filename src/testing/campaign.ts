/** Campaigns: many simulated runs, and the smallest one that breaks a law. */
import type { Arbitrary, RunDetails } from 'fast-check'
import { ConfigError, CurtaincallError } from '../contract/index.ts'
import { isThenable } from '../turn/index.ts'
import { check, duration, finiteCount, flag } from '../spec/index.ts'
import { arbitraries, type FastCheck, HORIZON, placesOf, type Scenario } from './arbitraries.ts'
import { keepBoth } from './counterexample-files.ts'
import { explainTrace } from './explain.ts'
import { type Goal, goalList, type Law, lawList, type Run as SimulatedRun } from './law.ts'
import { laws as allLaws } from './laws.ts'
import type { TreePlan } from './plan.ts'
import { checkPlan } from './plan-shape.ts'
import type { Step } from './script.ts'
import {
  isPlan,
  perform,
  type Performed,
  type SimulatedTree,
  simulate,
  type Simulation,
  type SimulationOptions,
  STEPS,
} from './simulate.ts'
import { TimerLedger, type UnreachedTimer } from './timer-ledger.ts'
import type { Trace } from './trace.ts'
import { holdPlatform } from './virtual-time.ts'

/** Options of a campaign. */
export interface CampaignOptions {
  /** How many runs. @default 100 */
  readonly runs?: number | undefined
  /** Of everything that is generated: the same seed, the same campaign. @default 1 */
  readonly seed?: number | undefined
  /** What has to hold of each run. @default all of `laws` */
  readonly laws?: readonly Law[] | undefined
  /** What some run has to reach. @default nothing */
  readonly goals?: readonly Goal[] | undefined
  /** Where the traces of a counterexample are written: as it was found, and made smaller; `false` writes none. @default '.curtaincall' */
  readonly traces?: string | false | undefined
  /** fast-check. @default what `import('fast-check')` finds */
  readonly fc?: FastCheck | undefined
  /** Virtual milliseconds, behind which no wait of a script goes. @default 2_147_483_647, as long as a timer of the platform can be */
  readonly horizon?: number | undefined
  /** Steps of a script, at most. @default 8 */
  readonly steps?: number | undefined
  /** Lets real input and output pass. @default false */
  readonly allowEscapes?: boolean | undefined
  /** Called after each run, for those who count something of their own. */
  readonly onRun?: ((simulation: Simulation) => void) | undefined
}

/** A campaign in which every law held. */
export interface CampaignResult {
  /** Runs that were played: fewer than were asked for if fast-check was told to stop after a time. */
  readonly runs: number
  readonly seed: number
  /** In how many runs each goal was reached. */
  readonly goals: Readonly<Record<string, number>>
  /** How far the run came, before its shutdown, that came farthest. */
  readonly reach: CampaignReach
}

/** How far the runs of a campaign came. */
export interface CampaignReach {
  /** Virtual milliseconds, at most. */
  readonly ms: number
  /** Timers of the tree that fired in one run, at most. */
  readonly timers: number
  /** Timers of the tree that were armed at the end of some script and fired in no run. Not looked for in trees that are generated. */
  readonly unreached: readonly UnreachedTimer[]
}

/** What a campaign throws when it has found a counterexample. */
export class CounterexampleError extends CurtaincallError {
  override name = 'CounterexampleError'
  /** The law that does not hold. */
  readonly law: string
  /** The smallest run that shows it. */
  readonly trace: Trace | undefined
  /** The run that broke the law first, before it was made smaller; undefined if it could not be. */
  readonly original: Trace | undefined
  /** Runs until it was found, shrinking left out. */
  readonly runs: number
  /** How often it could be made smaller. */
  readonly shrinks: number

  constructor(
    message: string,
    found: { law: string; trace: Trace | undefined; original?: Trace | undefined; runs: number; shrinks: number },
  ) {
    super('ERR_TEST', message)
    this.law = found.law
    this.trace = found.trace
    this.original = found.original
    this.runs = found.runs
    this.shrinks = found.shrinks
  }
}

const anything = (): boolean => true
const RULES = {
  runs: finiteCount,
  seed: { range: 'a whole number', accepts: Number.isSafeInteger },
  laws: lawList,
  goals: goalList,
  traces: { range: 'the name of a folder, or false', accepts: (value: unknown) => typeof value === 'string' || value === false },
  fc: { range: 'fast-check', accepts: anything },
  horizon: duration,
  steps: finiteCount,
  allowEscapes: flag,
  onRun: { range: 'a function', accepts: (value: unknown) => typeof value === 'function' },
} satisfies Record<keyof CampaignOptions, unknown>

/** What simulates one generated run. */
type Play<Run> = (run: Run) => Promise<Pick<Performed, 'simulation' | 'fired'>>

/** A run as it is generated: waits of its script may let many timers fire, and that is no sign that it does not end. */
function sized<Run extends { readonly script: readonly Step[] }>(
  run: Run,
  { horizon = HORIZON }: CampaignOptions,
): Run & SimulationOptions {
  const waited = run.script.map((step) => ('timers' in step ? step.timers : 0))
  return { ...run, horizon, steps: STEPS + waited.reduce((sum, timers) => sum + timers, 0) }
}

/**
 * Holds any number of generated trees, with faults, schedules and scripts, against the laws.
 *
 * @returns How often each goal was reached, and how far the runs came.
 * @throws CounterexampleError with the shrunk script, its seed, and the line that replays it; CurtaincallError ERR_TEST if a goal was never reached.
 * @example
 * await fuzzTree({ runs: 1_000, goals: [sometimes('somebody was killed', ({ report }) => (report?.killed ?? 0) > 0)] })
 */
export async function fuzzTree(options: CampaignOptions = {}): Promise<CampaignResult> {
  check('fuzzTree', options, RULES)
  const fc = await loadFastCheck(options.fc)
  const play = ({ tree, ...rest }: Scenario): ReturnType<Play<Scenario>> => perform(tree, sized(rest, options))
  return campaign(fc, arbitraries(fc, options).scenario, play, options)
}

/**
 * Holds one tree against the laws, whatever is wrong with its routines, whoever shuts down what and when, and in whichever
 * order things happen.
 *
 * @param tree Plain data, options, or a function that hands the options it gets on to `createGlobalManager`.
 * @returns How often each goal was reached, and how far the runs came.
 * @throws CounterexampleError with the shrunk script, its seed, and the line that replays it; CurtaincallError ERR_TEST if a goal was never reached, or the
 * tree has timers and no run came to one; ERR_ESCAPED if something started real input or output.
 * @example
 * await propertyShutdown({ children: [routine('till', openTill), routine('oven', bake)] }, { runs: 500 })
 */
export async function propertyShutdown(tree: SimulatedTree, options: CampaignOptions = {}): Promise<CampaignResult> {
  check('propertyShutdown', options, RULES)
  const fc = await loadFastCheck(options.fc)
  if (isPlan(tree)) checkPlan(tree, 'tree')
  const { names, managers } = isPlan(tree) ? placesOf(tree) : await namesIn(tree, options)
  const { faultScript, schedule, script } = arbitraries(fc, options)
  const faults =
    names.length === 0 ? fc.constant({}) : fc.dictionary(fc.constantFrom(...names), faultScript, { maxKeys: 3, noNullPrototype: true })
  const run = fc.record({
    faults,
    script: script(names, managers),
    seed: fc.nat({ max: 1_000 }),
    tape: schedule,
    mode: fc.constantFrom('native' as const, 'actor-model' as const),
    strict: fc.boolean(),
  })
  const { allowEscapes } = options
  return campaign(fc, run, (each) => perform(tree, { ...sized(each, options), allowEscapes }), options, new TimerLedger())
}

/** Names of routines and paths of managers, as they are in a run without faults. */
async function namesIn(
  tree: Exclude<SimulatedTree, TreePlan>,
  { allowEscapes }: CampaignOptions,
): Promise<{ names: string[]; managers: string[] }> {
  const { run } = await simulate(tree, { laws: [], allowEscapes })
  // Most faults are put around a body, and actor logic has none.
  const spawned = run.events.filter(({ type }) => type === 'routine.spawned')
  const named = (logic: boolean): string[] =>
    spawned.filter(({ actor }) => (run.routines.get(actor)?.logic === true) === logic).map(({ name }) => String(name))
  // Faults are given by name: a name that actor logic has, too, would give it to that as well.
  const machines = new Set(named(true))
  return { names: [...new Set(named(false))].filter((name) => !machines.has(name)), managers: [...run.managers.keys()] }
}

export async function loadFastCheck(given: FastCheck | undefined): Promise<FastCheck> {
  if (given !== undefined) return given
  try {
    return (await import('fast-check')).default
  } catch (cause) {
    throw new CurtaincallError('ERR_TEST', 'campaigns need fast-check: npm install --save-dev fast-check', { cause })
  }
}

/** The name of the law that is broken by a run which the simulation could not bring to its end. */
export const ENDS = 'simulationEnds'

/** @param ledger Of timers, if it is one tree that is played. */
async function campaign<Run>(
  fc: FastCheck,
  runs: Arbitrary<Run>,
  play: Play<Run>,
  options: CampaignOptions,
  ledger?: TimerLedger,
): Promise<CampaignResult> {
  const { runs: numRuns = 100, seed = 1, laws = allLaws, goals = [] } = options
  const reached = Object.fromEntries(goals.map(({ name }) => [name, 0]))
  // A smaller run has to break the same law: another law may be broken by another fault.
  let law: string | undefined
  let original: Trace | undefined
  // What the caller's own code threw: it breaks no law, and there is nothing to make smaller.
  let stray: { readonly error: unknown } | undefined
  let tried = 0
  let farthest = { ms: 0, timers: 0 }
  const judge = async (run: Run): Promise<boolean> => {
    const { broken, simulation, fired } = await tryRun(play, run, laws)
    if (law === undefined && simulation !== undefined) {
      const { ms, timers } = simulation.run.reach
      farthest = { ms: Math.max(farthest.ms, ms), timers: Math.max(farthest.timers, timers) }
      ledger?.note(fired, simulation)
      for (const goal of goals) if (isReached(goal, simulation.run)) reached[goal.name] = (reached[goal.name] as number) + 1
      options.onRun?.(simulation)
    }
    if (law === undefined && broken.length > 0) {
      law = broken[0]
      original = simulation?.trace
    }
    return law === undefined || !broken.includes(law)
  }
  const holds = async (run: Run): Promise<boolean> => {
    if (stray !== undefined) return true
    if (law === undefined) tried++
    try {
      return await judge(run)
    } catch (error) {
      if (law !== undefined) return true
      stray = { error }
      return false
    }
  }
  const release = holdPlatform()
  try {
    const result = await fc.check(fc.asyncProperty(runs, holds), { seed, numRuns })
    if (stray !== undefined) throw inRun((stray as { error: unknown }).error, tried, seed)
    if (result.failed) throw await failure(play, result, law, original, options)
    tried = result.numRuns
  } finally {
    release()
  }
  for (const [goal, times] of Object.entries(reached)) {
    if (times === 0) throw new CurtaincallError('ERR_TEST', `no run of ${tried} reached the goal: ${goal} (seed ${seed})`)
  }
  ledger?.refuseUnreached(`no run of ${tried}`, farthest.ms, seed)
  return { runs: tried, seed, goals: reached, reach: { ...farthest, unreached: ledger?.unreached() ?? [] } }
}

/** Whether a goal is reached, at once: a promise would always count as true. */
function isReached({ name, reached }: Goal, run: SimulatedRun): boolean {
  const answer: unknown = reached(run)
  if (!isThenable(answer)) return Boolean(answer)
  answer.then(undefined, () => {})
  throw new ConfigError(`goal ${name} must be a function that says at once whether it is reached; it returned a promise`, {
    option: 'goals',
  })
}

/** The error that was thrown; its message says in which run that was. */
function inRun(error: unknown, run: number, seed: number): unknown {
  if (error instanceof Error && !Object.isFrozen(error)) error.message += `\nin run ${run} of the campaign, seed ${seed}`
  return error
}

/** The error that a failed campaign throws. */
async function failure<Run>(
  play: Play<Run>,
  result: RunDetails<[Run]>,
  law: string | undefined,
  original: Trace | undefined,
  options: CampaignOptions,
): Promise<unknown> {
  const { counterexample: smallest, counterexamplePath: path, numRuns: runs, numShrinks: shrinks, errorInstance } = result
  if (smallest !== null && law !== undefined) {
    const found = { law, runs, shrinks, path: path ?? '', original: shrinks === 0 ? undefined : original }
    return counterexample(play, smallest[0], found, options)
  }
  const { runs: wanted = 100, seed = 1 } = options
  return errorInstance ?? new CurtaincallError('ERR_TEST', `fast-check stopped after ${runs} of ${wanted} runs (seed ${seed})`)
}

const NOTHING: Performed['fired'] = { ever: new Set(), before: new Set() }

interface Tried {
  readonly broken: readonly string[]
  readonly simulation: Simulation | undefined
  readonly fired: Performed['fired']
  readonly error?: Error
}

async function tryRun<Run>(play: Play<Run>, run: Run, laws: readonly Law[]): Promise<Tried> {
  try {
    const { simulation, fired } = await play({ ...run, laws })
    return { broken: simulation.violations.map((each) => each.law), simulation, fired }
  } catch (error) {
    // A wrong option is the caller's, not a counterexample; nor is what would go otherwise the next time.
    if (!(error instanceof CurtaincallError) || error.code === 'ERR_CONFIG' || error.code === 'ERR_ESCAPED') throw error
    return { broken: [ENDS], simulation: undefined, fired: NOTHING, error }
  }
}

async function counterexample<Run>(
  play: Play<Run>,
  smallest: Run,
  found: { law: string; runs: number; shrinks: number; path: string; original: Trace | undefined },
  { seed = 1, laws = allLaws, traces = '.curtaincall' }: CampaignOptions,
): Promise<CounterexampleError> {
  const { simulation, error } = await tryRun(play, smallest, laws)
  const head = `${found.law} does not hold: found in run ${found.runs}, made smaller ${found.shrinks} times`
  const source = `seed ${seed}, path "${found.path}"`
  if (simulation === undefined) {
    const made = JSON.stringify(smallest, undefined, 2)
    return new CounterexampleError(`${head}\n${source}\n${error?.message}\nmade of ${made}`, { ...found, trace: undefined })
  }
  const ofLaw = ({ header, events, verdict }: Trace, path: string): Trace => {
    const violations = verdict.violations.filter((each) => each.law === found.law)
    return { header: { ...header, found: { seed, path } }, events, verdict: { ...verdict, violations } }
  }
  const trace = ofLaw(simulation.trace, found.path)
  // The path goes on with the steps by which it was made smaller.
  const original = found.original === undefined ? undefined : ofLaw(found.original, found.path.replace(/:.*/, ''))
  const files = traces === false ? '' : `\n${keepBoth(trace, original, traces, found.law)}`
  return new CounterexampleError(`${head}\n${source}${files}\n\n${explainTrace(trace)}`, { ...found, trace, original })
}
