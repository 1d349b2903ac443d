/**
 * Simulations: a tree, what is wrong with its routines, what is done to it, and a schedule, played in virtual time.
 *
 * Y1  The same tree, seed, tape, faults and script give the same trace, byte for byte.
 * Y2  A simulation ends: by itself, or by its step limit, and then it says what was still running.
 */
import { createGlobalManager, type GlobalManager, type Manager } from '../manager/index.ts'
import { CurtaincallError, type ShutdownOptions, type ShutdownReport } from '../contract/index.ts'
import { type DurableStore, INTERCEPTOR } from '../port/index.ts'
import {
  anything,
  check,
  duration,
  finiteCount,
  flag,
  type GlobalManagerOptions,
  isObject,
  oneOf,
  refuse,
  type Rule,
  SHUTDOWN_RULES,
} from '../spec/index.ts'
import { explainTrace } from './explain.ts'
import { type Fault, readFault } from './faults.ts'
import { apartFromSteps } from './free-step.ts'
import { judge, lawList, type Law, type Reach, type Remains, type Run } from './law.ts'
import { laws as allLaws } from './laws.ts'
import { Onlooker } from './onlooker.ts'
import { plant, type TreePlan, worksOf } from './plan.ts'
import { placesOf } from './arbitraries.ts'
import { randomFrom, Schedule, type ScheduleMode } from './schedule.ts'
import { checkSteps, describeStep, type Step, StepPerformer } from './script.ts'
import { SignalListeners } from './signal-listeners.ts'
import { recordOf, refuseStrangers, type StepRecord, withSteps } from './step-record.ts'
import { Recorder, type Trace, TRACE_VERSION, type TraceHeader, type Violation } from './trace.ts'
import { versions } from './versions.ts'
import { VirtualClock } from './virtual-clock.ts'
import { onClock, START } from './virtual-time.ts'

/** What a tree that is made by a function has to hand on to `createGlobalManager`: options as any others, to a factory of trees. */
export type TreeOptions = GlobalManagerOptions

/** A tree to simulate: plain data, options, or a function that makes it and hands the given options on. */
export type SimulatedTree = TreePlan | GlobalManagerOptions | ((options: TreeOptions) => GlobalManager | PromiseLike<GlobalManager>)

/** Options of {@link simulate}. */
export interface SimulationOptions {
  /** Of all chance in the tree: backoff jitter. @default 1 */
  readonly seed?: number | undefined
  /** Which of several things that are due goes first, choice by choice; past its end the first. @default [] */
  readonly tape?: readonly number[] | undefined
  /** 'actor-model' also delays the ends of bodies, each routine's own order kept. @default 'native' */
  readonly mode?: ScheduleMode | undefined
  /** Every routine is a genuine XState actor from birth. @default false */
  readonly strict?: boolean | undefined
  /** An XState inspection observer; makes every routine a genuine actor. @default none */
  readonly inspect?: GlobalManagerOptions['inspect']
  /** Faults, by the name of the routine. @default none */
  readonly faults?: Readonly<Record<string, Fault | string | readonly (Fault | string)[]>> | undefined
  /** What is done to the tree. @default nothing */
  readonly script?: readonly Step[] | undefined
  /** The shutdown that ends it; `false` leaves it to the script. @default { timeout: 10_000 } */
  readonly end?: Pick<ShutdownOptions, 'mode' | 'timeout' | 'drain' | 'phases'> | false | undefined
  /** What has to hold. @default all of `laws` */
  readonly laws?: readonly Law[] | undefined
  /** Timers that may fire before it is called endless. @default 10_000 */
  readonly steps?: number | undefined
  /** Virtual milliseconds from the beginning, behind which no wait of the script goes on. @default no limit */
  readonly horizon?: number | undefined
  /** Lets real input and output pass. @default false */
  readonly allowEscapes?: boolean | undefined
}

/** A simulation that was played. */
export interface Simulation {
  readonly trace: Trace
  readonly run: Run
  readonly violations: readonly Violation[]
  /** The story, as a person reads it. */
  explain(): string
  /** Throws CurtaincallError ERR_TEST with the story, if a law is broken. */
  assert(): void
}

const RULES = {
  seed: { range: 'a whole number', accepts: Number.isSafeInteger },
  tape: anything,
  mode: oneOf('native', 'actor-model'),
  strict: flag,
  inspect: anything,
  faults: anything,
  script: anything,
  end: { range: 'an object of shutdown options, or false', accepts: (value) => value === false || isObject(value) },
  laws: lawList,
  steps: finiteCount,
  horizon: duration,
  allowEscapes: flag,
} satisfies Record<keyof SimulationOptions, Rule>

const { signal: _, ...END_RULES } = SHUTDOWN_RULES

/** Timers that may fire, unless told otherwise. */
export const STEPS = 10_000

/**
 * Plays a tree in virtual time.
 *
 * @throws ConfigError for a wrong option, and for a fault or a step of a name that nobody ever has; CurtaincallError ERR_TEST if it does not end, naming what was still running;
 * ERR_ESCAPED if something started real input or output.
 * @example
 * const shop = { children: [routine('till', openTill), routine('oven', bake)] }
 * const simulation = await simulate(shop, { faults: { oven: [faults.throws(20, 1)] }, script: [{ do: 'wait', ms: 100 }] })
 * simulation.assert()
 */
export async function simulate(tree: SimulatedTree, options: SimulationOptions = {}): Promise<Simulation> {
  const { simulation, names } = await perform(tree, options)
  const unknownName = Object.keys(options.faults ?? {}).find((name) => !names.has(name))
  if (unknownName !== undefined)
    throw refuse('simulate option faults', `names of routines that come to be (${[...names].join(', ')})`, unknownName)
  // Of what was planned, something may have been prevented.
  const planned = isPlan(tree) ? placesOf(tree) : { names: [], managers: [] }
  const { managers, events } = simulation.run
  refuseStrangers(options.script ?? [], {
    names: new Set([...names, ...planned.names]),
    managers: new Set([...managers.keys(), ...planned.managers]),
    paths: new Set([...events.map(({ actor }) => actor).filter((path) => path !== ''), ...planned.managers]),
  })
  return simulation
}

/** Of a run that is one life of several: when it begins, what outlasts it, and whether it was killed. */
export interface LifeOfMany {
  /** What its generated ids begin with: no life makes those of another. */
  readonly ids: string
  /** Epoch milliseconds. */
  readonly begins: number
  readonly store: DurableStore
  readonly isCut: () => boolean
}

/** What {@link perform} has played. */
export interface Performed {
  readonly simulation: Simulation
  /** Names of the routines that came to be. */
  readonly names: ReadonlySet<string>
  /** The sorts of timers of the tree that have fired: at all, and before the shutdown at the end. */
  readonly fired: { readonly ever: ReadonlySet<string>; readonly before: ReadonlySet<string> }
  /** Epoch milliseconds. */
  readonly ends: number
}

/** The same, except that faults may name routines that are never spawned: another fault may prevent it. */
export async function perform(tree: SimulatedTree, options: SimulationOptions, life?: LifeOfMany): Promise<Performed> {
  check('simulate', options, RULES)
  if (typeof tree !== 'function' && !isObject(tree))
    throw refuse('simulate tree', 'a plan, options of a global manager, or a function that makes one', tree)
  const { seed = 1, tape = [], mode = 'native', strict = false, script = [], end = {}, laws = allLaws } = options
  const schedule = new Schedule(tape)
  const steps = checkSteps(script)
  const faults = faultsFor(tree, options.faults ?? {})
  if (end !== false) check('simulate end', end, END_RULES)
  const begins = life?.begins ?? START
  const clock = new VirtualClock(begins, false, schedule, mode)
  const isCut = life?.isCut ?? (() => false)
  const recorder = new Recorder(begins, isCut)
  const onlooker = new Onlooker(recorder, clock, faults, mode === 'actor-model')
  // A plan holds nothing that could escape.
  const allowed = isPlan(tree) || (options.allowEscapes ?? false)
  const records = new Map<number, StepRecord>()
  const { before, ...played } = await onClock(clock, allowed, async () => {
    const global = await make(tree, {
      ...treeOptions(seed, strict, clock, life?.ids ?? 'r'),
      ...(life === undefined ? {} : { store: life.store }),
      ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
      [INTERCEPTOR]: onlooker,
    })
    onlooker.global = global
    return play({
      global,
      clock,
      recorder,
      onlooker,
      steps,
      records,
      end,
      limit: options.steps ?? STEPS,
      horizon: options.horizon ?? Infinity,
      begins,
      isCut,
    })
  })
  if (onlooker.problem !== undefined) throw onlooker.problem
  const run: Run = { ...played, hasStore: life !== undefined, events: withSteps(recorder.events, records) }
  const violations = judge(run, laws)
  const header = headerOf(tree, options, steps)
  const trace: Trace = { header, events: recorder.events, verdict: { violations, deviations: schedule.deviations } }
  const assert = (): void => {
    if (violations.length > 0) throw new CurtaincallError('ERR_TEST', explainTrace(trace))
  }
  const simulation = { trace, run, violations, explain: () => explainTrace(trace), assert }
  return { simulation, names: onlooker.names, fired: { ever: clock.firedSorts, before }, ends: clock.now() }
}

/** True for a plan: a tree of plain data. */
export function isPlan(tree: SimulatedTree): tree is TreePlan {
  return typeof tree === 'object' && 'kind' in tree && tree.kind === 'tree'
}

function treeOptions(seed: number, strict: boolean, clock: VirtualClock, prefix: string): Omit<TreeOptions, typeof INTERCEPTOR> {
  let ids = 0
  return {
    strict,
    random: randomFrom(seed),
    generateId: () => `${prefix}${++ids}`,
    clock: {
      now: () => clock.now(),
      // What a timer of the library does is not attributed to the step during which it was armed.
      setTimeout: (callback, delay) => apartFromSteps(() => clock.arm('clock', callback, delay)),
      clearTimeout: (timer) => {
        if (timer !== undefined) clock.disarm(timer as ReturnType<VirtualClock['arm']>)
      },
    },
  }
}

async function make(tree: SimulatedTree, options: TreeOptions): Promise<GlobalManager> {
  if (isPlan(tree)) return plant(tree, options)
  if (typeof tree !== 'function') return createGlobalManager({ ...tree, ...options })
  const global = await tree(options)
  if (global?.tree?.interceptor !== options[INTERCEPTOR])
    throw refuse(
      'simulate tree',
      'a function that hands the options it gets on to createGlobalManager and returns the global manager',
      global,
    )
  return global
}

function faultsFor(tree: SimulatedTree, given: NonNullable<SimulationOptions['faults']>): Map<string, readonly Fault[]> {
  const faults = new Map<string, Fault[]>()
  const add = (name: string, fault: Fault | string): void => {
    const read = typeof fault === 'string' ? readFault(fault) : fault
    if (typeof read?.wrap !== 'function') throw refuse(`simulate fault of ${name}`, "one of `faults`, such as 'slow(20)'", fault)
    faults.set(name, [...(faults.get(name) ?? []), read])
  }
  for (const [name, list] of Object.entries(given)) for (const fault of [list].flat() as (Fault | string)[]) add(name, fault)
  if (isPlan(tree)) for (const { name, faults: own = [] } of worksOf(tree)) for (const fault of own) add(name, fault)
  return faults
}

function headerOf(tree: SimulatedTree, options: SimulationOptions, steps: readonly Step[]): TraceHeader {
  const { seed = 1, tape = [], mode = 'native', strict = false, end = {}, steps: limit, horizon, allowEscapes } = options
  const texts = Object.entries(options.faults ?? {}).map(([name, list]) => [
    name,
    ([list].flat() as (Fault | string)[]).map((fault) => (typeof fault === 'string' ? fault : fault.text)),
  ])
  return {
    format: 'curtaincall.trace',
    version: TRACE_VERSION,
    on: versions(),
    seed,
    tape,
    mode,
    strict,
    ...(isPlan(tree) ? { tree } : {}),
    faults: Object.fromEntries(texts) as Record<string, string[]>,
    script: steps,
    ...(end === false ? {} : { end }),
    ...(limit === undefined ? {} : { steps: limit }),
    ...(horizon === undefined ? {} : { horizon }),
    ...(allowEscapes === undefined ? {} : { allowEscapes }),
    story: steps.length === 0 ? 'nothing' : steps.map(describeStep).join('; '),
  }
}

interface Scene {
  readonly global: GlobalManager
  readonly clock: VirtualClock
  readonly recorder: Recorder
  readonly onlooker: Onlooker
  readonly steps: readonly Step[]
  /** What laws know of each step, by the `i` of its event. */
  readonly records: Map<number, StepRecord>
  readonly end: NonNullable<SimulationOptions['end']>
  readonly limit: number
  readonly horizon: number
  readonly begins: number
  /** True once its process was killed: what has not happened by then never will. */
  readonly isCut: () => boolean
}

async function play(scene: Scene): Promise<Omit<Run, 'events'> & { readonly before: ReadonlySet<string> }> {
  const { global, clock, onlooker, steps, end, limit, begins, isCut } = scene
  const signals = new SignalListeners(clock)
  const performer = new StepPerformer(global, () => clock.now() - begins)
  let report: ShutdownReport | undefined
  void global.outcome.then((given) => {
    report = given
  })
  let done = false
  let [reach, before] = [reachOf(scene), new Set(clock.firedSorts)]
  playScript(scene, performer, () => ([reach, before] = [reachOf(scene), new Set(clock.firedSorts)])).then(
    () => {
      done = true
    },
    (error: unknown) => {
      performer.broken ??= { error }
    },
  )
  const answered = (): boolean =>
    done && (end === false || report !== undefined) && performer.requests.every(({ endedAt }) => endedAt !== undefined)
  try {
    await clock.runUntil(() => performer.broken !== undefined || isCut() || answered(), limit)
  } catch (error) {
    throw new CurtaincallError('ERR_TEST', `${(error as Error).message}\n${describeLiving(global, steps)}`, { cause: error })
  } finally {
    // Nobody is left whom it could be reported to.
    performer.over = !isCut()
    if (isCut()) signals.takeOff()
    signals.stop()
  }
  if (performer.broken !== undefined) throw performer.broken.error
  if (!isCut() && !answered())
    throw new CurtaincallError('ERR_TEST', `nothing is left to happen, and it has not ended\n${describeLiving(global, steps)}`)
  const { spawned, completed, failed, cancelled, killed, running, pending } = global.metrics()
  return {
    report: isCut() ? undefined : report,
    reach,
    before,
    requests: [...performer.requests, ...performer.freeSteps.requests],
    managers: onlooker.managers,
    routines: onlooker.routines,
    excess: onlooker.excess,
    remains: remainsOf(scene, signals.count),
    totals: { spawned, completed, failed, cancelled, killed, running, pending },
  }
}

/** Performs the steps of the script, and the shutdown at its end. */
async function playScript(scene: Scene, performer: StepPerformer, onEnd: () => void): Promise<void> {
  const { global, clock, recorder, steps, records, end, isCut } = scene
  for (const step of steps) {
    if (isCut()) return
    if (step.do === 'wait' && !('run' in step)) {
      await waitFor(step, scene)
      continue
    }
    recorder.note('step', '', clock.now(), { text: describeStep(step) })
    const at = recorder.events.length - 1
    const record = recordOf(step)
    records.set(at, record)
    performer.perform(step as Exclude<Step, { do: 'wait' }>, record, (how) => {
      recorder.events[at] = { ...(recorder.events[at] as (typeof recorder.events)[number]), how }
    })
  }
  onEnd()
  if (end !== false) performer.shutdown(global.path, end)
}

function waitFor(
  { ms = Infinity, timers = Infinity }: { readonly ms?: number | undefined; readonly timers?: number },
  { clock, horizon, begins }: Scene,
): Promise<void> {
  const left = Math.max(0, begins + horizon - clock.now())
  return clock.wait(Math.min(ms, left), timers, ms === Infinity)
}

/** How far the script has come. */
function reachOf({ clock, recorder, begins }: Scene): Reach {
  return { ms: clock.now() - begins, timers: clock.fired, events: recorder.events.length, ahead: clock.pendingOfTree() }
}

function remainsOf({ global, clock }: Scene, listeners: number): Remains {
  const permits: Record<string, number> = {}
  const actors: string[] = []
  const visit = (manager: Manager): void => {
    if (manager.count > 0) permits[manager.path] = manager.count
    actors.push(...manager.routines().map(({ path }) => path))
    for (const below of manager.below()) {
      actors.push(below.path)
      visit(below)
    }
  }
  visit(global)
  return { timers: clock.pending(), actors: [...new Set(actors)], permits, listeners }
}

function describeLiving(global: GlobalManager, steps: readonly Step[]): string {
  const lines = [`  ${global.path}: ${global.state}`]
  const visit = (manager: Manager): void => {
    for (const below of manager.below()) {
      lines.push(`  ${below.path}: ${below.state}`)
      visit(below)
    }
  }
  visit(global)
  const routines = global.routines().map(({ path, state, incarnation }) => `  ${path}: ${state}, incarnation ${incarnation}`)
  return ['still running:', ...lines, ...routines, `script: ${steps.map(describeStep).join('; ')}`].join('\n')
}
