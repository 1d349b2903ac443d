/** Campaigns over the lives of a tree that outlives its process: many of them, and the smallest that breaks a law. */
import type { Arbitrary } from 'fast-check'
import { CurtaincallError } from '../contract/index.ts'
import { check, duration, finiteCount, flag, isObject, refuse } from '../spec/index.ts'
import { arbitraries, type FastCheck } from './arbitraries.ts'
import { CounterexampleError, ENDS, loadFastCheck } from './campaign.ts'
import type { DurableLaw, Life } from './durable-law.ts'
import { type Law, lawList } from './law.ts'
import { type LifePlan, type Lives, type LivesOptions, simulateLives } from './lives.ts'
import type { FreeStep, Step } from './script.ts'
import type { SimulatedTree } from './simulate.ts'
import { holdPlatform } from './virtual-time.ts'

/** Options of {@link propertyLives}. */
export interface LivesCampaignOptions {
  /** What is done to the tree from outside, by a name: spawns, messages, orders. Each is called any number of times, at any time. */
  readonly moves: Readonly<Record<string, FreeStep['run']>>
  /** @default 100 */
  readonly runs?: number | undefined
  /** Of everything that is generated: the same seed, the same campaign. @default 1 */
  readonly seed?: number | undefined
  /** So many lives at most, before the last one, to which nothing happens any more. @default 4 */
  readonly lives?: number | undefined
  /** Steps of a life, at most. @default 8 */
  readonly steps?: number | undefined
  /** Virtual milliseconds for which the last life goes on. @default 60_000 */
  readonly rest?: number | undefined
  /** Called before each run: what is outside of the tree, such as a bank that remembers, begins anew. @default nothing */
  readonly reset?: (() => void) | undefined
  /** What has to hold of each life. @default all of `laws` */
  readonly laws?: readonly Law[] | undefined
  /** What has to hold of all lives together. @default all of `durableLaws` */
  readonly across?: readonly DurableLaw[] | undefined
  /** What some run has to reach, by a name. @default nothing */
  readonly goals?: Readonly<Record<string, (lives: readonly Life[]) => boolean>> | undefined
  /** Lets real input and output pass. @default false */
  readonly allowEscapes?: boolean | undefined
  /** fast-check. @default what `import('fast-check')` finds */
  readonly fc?: FastCheck | undefined
}

/** A campaign over lives in which every law held. */
export interface LivesCampaignResult {
  readonly runs: number
  readonly seed: number
  /** Lives that were played. */
  readonly lives: number
  /** In how many runs each goal was reached. */
  readonly goals: Readonly<Record<string, number>>
}

const RULES = {
  moves: { range: 'an object of functions', accepts: (value: unknown) => isObject(value) && Object.values(value).every(isFunction) },
  runs: finiteCount,
  seed: { range: 'a whole number', accepts: Number.isSafeInteger },
  lives: finiteCount,
  steps: finiteCount,
  rest: duration,
  reset: { range: 'a function', accepts: isFunction },
  laws: lawList,
  across: lawList,
  goals: { range: 'an object of functions', accepts: (value: unknown) => isObject(value) && Object.values(value).every(isFunction) },
  allowEscapes: flag,
  fc: { range: 'fast-check', accepts: () => true },
} satisfies Record<keyof LivesCampaignOptions, unknown>

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** A run as it is generated. */
type Draft = Pick<LivesOptions, 'lives' | 'disk' | 'store'>

/**
 * Holds one tree against the laws over several lives of its process: killed at any write of its store, on a disk that runs full, does short
 * writes, and loses at a power failure what was not forced through to it; with whatever is wrong with its routines.
 *
 * @param tree A function that hands the options it gets on to `createGlobalManager`: the store is among them.
 * @returns How many lives were played, and how often each goal was reached.
 * @throws CounterexampleError with the smallest lives that break a law, and the seed; CurtaincallError ERR_TEST if a goal was never reached;
 * ERR_ESCAPED if something started real input or output.
 * @example
 * await propertyLives(shop, { runs: 500, moves: { order: (global) => order(global), pay: (global) => pay(global) } })
 */
export async function propertyLives(
  tree: Exclude<SimulatedTree, { kind: 'tree' }>,
  options: LivesCampaignOptions,
): Promise<LivesCampaignResult> {
  check('propertyLives', options, RULES)
  if (options.moves === undefined) throw refuse('propertyLives option moves', RULES.moves.range, undefined)
  const { runs: numRuns = 100, seed = 1, laws, across, goals = {}, allowEscapes, reset } = options
  const fc = await loadFastCheck(options.fc)
  const play = async (draft: Draft): Promise<Lives> => {
    reset?.()
    return simulateLives(tree, { ...draft, laws, across, allowEscapes })
  }
  const moves = Object.entries(options.moves).map(([name, run]): FreeStep => ({ do: name, run }))
  const drafts = draftsOf(fc, await placesIn(play, moves), moves, options)
  const reached = Object.fromEntries(Object.keys(goals).map((name) => [name, 0]))
  let [law, stray, tried, played] = [undefined as string | undefined, undefined as { error: unknown } | undefined, 0, 0]
  const holds = async (draft: Draft): Promise<boolean> => {
    if (stray !== undefined) return true
    try {
      const { broken, lives = [] } = await tryLives(play, draft)
      if (law === undefined) {
        tried++
        played += lives.length
        for (const [name, isReached] of Object.entries(goals)) if (isReached(lives)) reached[name] = (reached[name] as number) + 1
        law = broken[0]
      }
      return law === undefined || !broken.includes(law)
    } catch (error) {
      if (law !== undefined) return true
      stray = { error }
      return false
    }
  }
  const release = holdPlatform()
  try {
    const result = await fc.check(fc.asyncProperty(drafts, holds), { seed, numRuns })
    if (stray !== undefined) throw (stray as { error: unknown }).error
    const [smallest] = result.counterexample ?? []
    if (smallest !== undefined && law !== undefined) {
      const { numShrinks: shrinks, counterexamplePath: path } = result
      throw await counterexample(play, smallest, { law, runs: tried, shrinks, seed, path: path ?? '' })
    }
    tried = result.numRuns
  } finally {
    release()
  }
  for (const [goal, times] of Object.entries(reached))
    if (times === 0) throw new CurtaincallError('ERR_TEST', `no run of ${tried} reached the goal: ${goal} (seed ${seed})`)
  return { runs: tried, seed, lives: played, goals: reached }
}

interface Places {
  readonly names: readonly string[]
  readonly bodies: readonly string[]
  readonly managers: readonly string[]
}

/** Who is there in a life to which nothing happens but its moves. */
async function placesIn(play: (draft: Draft) => Promise<Lives>, moves: readonly FreeStep[]): Promise<Places> {
  const { lives } = await play({ lives: [{ script: [...moves, { do: 'wait', ms: 0 }] }] })
  const [{ run }] = lives as [Life]
  const spawned = run.events.filter(({ type }) => type === 'routine.spawned')
  const named = (logic: boolean): string[] =>
    spawned.filter(({ actor }) => (run.routines.get(actor)?.logic === true) === logic).map(({ name }) => String(name))
  const machines = new Set(named(true))
  const bodies = [...new Set(named(false))].filter((name) => !machines.has(name))
  return { names: [...machines, ...bodies], bodies, managers: [...run.managers.keys()] }
}

function draftsOf(
  fc: FastCheck,
  { names, bodies, managers }: Places,
  moves: readonly FreeStep[],
  { lives = 4, steps = 8, rest = 60_000 }: LivesCampaignOptions,
): Arbitrary<Draft> {
  const { faultScript, schedule, script } = arbitraries(fc, { steps: 1, horizon: 3_600_000 })
  const plain = script(names, managers)
  const pause = fc.constantFrom(0, 0, 1, 10, 1_000).map((ms): Step[] => [{ do: 'wait', ms }])
  const move = fc.constantFrom(...moves).map((each): Step[] => [each])
  const step = fc.oneof({ weight: 6, arbitrary: moves.length === 0 ? plain : move }, { weight: 5, arbitrary: pause }, plain)
  const kill = fc.record({
    how: fc.constantFrom('process' as const, 'power' as const),
    after: fc.option(fc.nat({ max: 40 }), { nil: undefined, freq: 4 }),
  })
  const faults =
    bodies.length === 0 ? fc.constant({}) : fc.dictionary(fc.constantFrom(...bodies), faultScript, { maxKeys: 2, noNullPrototype: true })
  const life: Arbitrary<LifePlan> = fc.record({
    script: fc.array(step, { maxLength: steps, size: 'max' }).map((each) => each.flat()),
    kill: fc.option(kill, { nil: undefined, freq: 5 }),
    room: fc.oneof({ weight: 7, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.nat({ max: 1_500 }) }),
    faults: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: faults }),
    seed: fc.nat({ max: 1_000 }),
    tape: schedule,
    mode: fc.constantFrom('native' as const, 'actor-model' as const),
    strict: fc.boolean(),
  })
  const last: LifePlan = { script: [{ do: 'wait', ms: rest }] }
  return fc.record({
    lives: fc.array(life, { minLength: 1, maxLength: Math.max(1, lives) }).map((each) => [...each, last]),
    disk: fc.record({ seed: fc.nat({ max: 1_000 }), shortWrites: fc.constantFrom(0, 0.2), latency: fc.constantFrom(0, 3, 40) }),
    store: fc.record({ fsync: fc.constantFrom('group' as const, 'system' as const), maxWaiting: fc.constantFrom(Infinity, 300) }),
  })
}

interface Tried {
  readonly broken: readonly string[]
  readonly lives?: readonly Life[]
  readonly says: string
}

async function tryLives(play: (draft: Draft) => Promise<Lives>, draft: Draft): Promise<Tried> {
  try {
    const played = await play(draft)
    const broken = played.violations.map(({ law }) => law)
    return { broken, lives: played.lives, says: broken.length === 0 ? '' : played.explain() }
  } catch (error) {
    if (!(error instanceof CurtaincallError) || error.code === 'ERR_CONFIG' || error.code === 'ERR_ESCAPED') throw error
    return { broken: [ENDS], says: error.message }
  }
}

async function counterexample(
  play: (draft: Draft) => Promise<Lives>,
  smallest: Draft,
  { law, runs, shrinks, seed, path }: { law: string; runs: number; shrinks: number; seed: number; path: string },
): Promise<CounterexampleError> {
  const { says, lives } = await tryLives(play, smallest)
  const head = `${law} does not hold: found in run ${runs}, made smaller ${shrinks} times\nseed ${seed}, path "${path}"`
  const made = JSON.stringify(smallest, (_, value: unknown) => (value === Infinity ? 'Infinity' : value), 2)
  const trace = lives?.findLast((each) => each.trace.verdict.violations.length > 0)?.trace ?? lives?.at(-1)?.trace
  return new CounterexampleError(`${head}\nmade of ${made}\n\n${says}`, { law, trace, runs, shrinks })
}
