/** Trees, faults, scripts and schedules for fast-check, which is an optional peer and is handed in. */
import type fastCheck from 'fast-check'
import type { Arbitrary } from 'fast-check'
import type { ManagerPlan, TreePlan, WorkPlan } from './plan.ts'
import type { ScheduleMode } from './schedule.ts'
import type { PlainStep } from './script.ts'

/** fast-check, as its default export is. */
export type FastCheck = typeof fastCheck

/** Everything that a simulated run is made of, as plain data. */
export interface Scenario {
  readonly tree: TreePlan
  readonly script: readonly PlainStep[]
  readonly seed: number
  readonly tape: readonly number[]
  readonly mode: ScheduleMode
  readonly strict: boolean
}

/** How far generated scripts go. */
export interface ScriptReach {
  /** Virtual milliseconds, behind which no wait goes. @default 2_147_483_647, as long as a timer of the platform can be */
  readonly horizon?: number | undefined
  /** Steps of a script, at most. @default 8 */
  readonly steps?: number | undefined
}

/** What {@link arbitraries} makes. */
export interface Arbitraries {
  /** Restart type, backoff, timeout and shutdown time of a routine. */
  readonly policy: Arbitrary<NonNullable<WorkPlan['options']>>
  /** One fault, or none, as text. */
  readonly fault: Arbitrary<string>
  /** The faults of one routine. */
  readonly faultScript: Arbitrary<readonly string[]>
  readonly routine: Arbitrary<WorkPlan>
  /** Whole trees, names unique. */
  readonly tree: Arbitrary<TreePlan>
  /** A choice tape. */
  readonly schedule: Arbitrary<readonly number[]>
  /** What is done to a tree that has these routines and managers. */
  readonly script: (names: readonly string[], managers: readonly string[]) => Arbitrary<readonly PlainStep[]>
  /** All of it together. */
  readonly scenario: Arbitrary<Scenario>
}

/** Steps of a script, at most. */
const STEPS = 8

/**
 * Makes the arbitraries.
 *
 * @param reach How far scripts go.
 * @example
 * import fc from 'fast-check'
 * const { scenario } = arbitraries(fc)
 */
export function arbitraries(fc: FastCheck, reach: ScriptReach = {}): Arbitraries {
  const policy = policies(fc, { timeout: fc.constantFrom(15, 60) })
  const fault = faultTexts(fc)
  const faultScript = fc.array(fault, { maxLength: 1 })
  const routine: Arbitrary<WorkPlan> = fc.record(
    {
      kind: fc.constant('routine' as const),
      name: fc.constant('r'),
      works: fc.constantFrom(0, 1, 10, 40, 300, HOUR),
      faults: faultScript,
      options: policy,
    },
    { requiredKeys: ['kind', 'name'] },
  )
  // Most trees do not live for long. In these nothing happens by itself for an hour, so that what is done late finds somebody.
  const calm: Arbitrary<WorkPlan> = fc.record(
    { kind: fc.constant('routine' as const), name: fc.constant('r'), works: fc.constant(HOUR), options: policies(fc, {}) },
    { requiredKeys: ['kind', 'name'] },
  )
  const tree = fc.oneof({ weight: 3, arbitrary: trees(fc, routine) }, { weight: 1, arbitrary: trees(fc, calm) })
  const schedule = fc.array(fc.nat({ max: 5 }), { maxLength: 12 })
  const draft = drafts(fc, reach, MANY)
  const script = (names: readonly string[], managers: readonly string[]): Arbitrary<readonly PlainStep[]> =>
    draft.map((steps) => resolve(steps, names, managers))
  const scenario = fc
    .record({
      tree,
      script: drafts(fc, reach, MANY_GENERATED),
      seed: fc.nat({ max: 1_000 }),
      tape: schedule,
      mode: fc.constantFrom('native' as const, 'actor-model' as const),
      strict: fc.boolean(),
    })
    .map(({ tree: plan, script: steps, ...rest }) => {
      const { names, managers } = placesOf(plan)
      return { tree: plan, script: resolve(steps, names, managers), ...rest }
    })
  return { policy, fault, faultScript, routine, tree, schedule, script, scenario }
}

function policies(fc: FastCheck, limits: { readonly timeout?: Arbitrary<number> }): Arbitraries['policy'] {
  return fc.record(
    {
      restart: fc.constantFrom('permanent' as const, 'transient' as const, 'temporary' as const),
      shutdown: fc.constantFrom(50, 0, 10, 'brutal_kill' as const, 'infinity' as const),
      backoff: fc.constantFrom({ initial: 20 }, { initial: 5, jitter: 0.5 }),
      ...limits,
    },
    { requiredKeys: [] },
  )
}

function faultTexts(fc: FastCheck): Arbitrary<string> {
  return fc.oneof(
    fc.tuple(fc.constantFrom(0, 5, 30), fc.constantFrom(1, 2, 9)).map(([after, times]) => `throws(${after}, ${times})`),
    fc.constantFrom(5, 30, 200).map((ms) => `slow(${ms})`),
    fc.constantFrom('hangs()', 'ignoresCancel()', 'crashesOnCancel()', 'crashesInCleanup(5)', 'crashesInCleanup(80)'),
    fc.constantFrom('duplicateDone()', 'spawnsWhileClosing()', 'leaksTimer(1000000)', 'shutsDown(10)', 'exits(20)'),
    fc.constantFrom('startFails(1)', 'startFails(2)', 'startFails(2, 3)'),
  )
}

function trees(fc: FastCheck, routine: Arbitrary<WorkPlan>): Arbitrary<TreePlan> {
  const strategy = fc.constantFrom('one_for_one' as const, 'one_for_all' as const, 'rest_for_one' as const)
  const supervision = { strategy, maxRestarts: fc.constantFrom(0, 1, 5), restartWindow: fc.constantFrom(20, 5_000) }
  const options = {
    ...supervision,
    shutdown: fc.constantFrom(25, 60),
    restart: fc.constantFrom('transient' as const, 'temporary' as const),
  }
  const limits = { maxRoutines: fc.constantFrom(1, 2, 4), overflow: fc.constant('queue' as const) }
  const service = routine.map((plan) => withoutFailedFirstStart(plan))
  const inner = fc.record(
    {
      kind: fc.constant('manager' as const),
      name: fc.constant('m'),
      options: fc.record(options, { requiredKeys: [] }),
      children: fc.array(service, { maxLength: 3 }),
    },
    { requiredKeys: ['kind', 'name'] },
  )
  const children = fc.array(fc.oneof({ weight: 3, arbitrary: service }, { weight: 1, arbitrary: inner }), { maxLength: 3 })
  const local = fc.record(
    {
      kind: fc.constant('manager' as const),
      name: fc.constant('l'),
      options: fc.record({ ...options, ...limits }, { requiredKeys: [] }),
      work: fc.array(routine, { maxLength: 4 }),
    },
    { requiredKeys: ['kind', 'name'] },
  )
  const app = fc.record(
    {
      kind: fc.constant('manager' as const),
      name: fc.constant('a'),
      options: fc.record(options, { requiredKeys: [] }),
      children,
      below: fc.array(local, { maxLength: 2 }),
    },
    { requiredKeys: ['kind', 'name'] },
  )
  return fc
    .record(
      {
        kind: fc.constant('tree' as const),
        name: fc.constant('g'),
        options: fc.record(supervision, { requiredKeys: [] }),
        children,
        below: fc.array(app, { maxLength: 2 }),
      },
      { requiredKeys: ['kind', 'name'] },
    )
    .map(named)
}

/** A child whose first start fails ends its tree before it has begun, which is rare in real trees: its second start fails instead. */
function withoutFailedFirstStart(plan: WorkPlan): WorkPlan {
  return plan.faults?.includes('startFails(1)') === true ? { ...plan, faults: ['startFails(2)'] } : plan
}

/** Gives each routine and manager a name of its own. */
function named(plan: TreePlan): TreePlan {
  const counts = new Map<string, number>()
  const name = (letter: string): string => {
    const count = (counts.get(letter) ?? 0) + 1
    counts.set(letter, count)
    return `${letter}${count}`
  }
  const visit = <Plan extends ManagerPlan | TreePlan>(each: Plan): Plan => {
    const rename = <Child extends WorkPlan | ManagerPlan>(child: Child): Child => {
      const own = { ...child, name: name(child.name) }
      return own.kind === 'routine' ? own : (visit(own as ManagerPlan) as Child)
    }
    return {
      ...each,
      ...(each.children === undefined ? {} : { children: each.children.map(rename) }),
      ...(each.below === undefined ? {} : { below: each.below.map(rename) }),
      ...('work' in each && each.work !== undefined ? { work: each.work.map(rename) } : {}),
    }
  }
  return visit(plan)
}

/** Names of routines and paths of managers. */
export function placesOf(plan: TreePlan): { names: string[]; managers: string[] } {
  const names: string[] = []
  const managers: string[] = []
  const visit = (each: TreePlan | ManagerPlan, path: string): void => {
    managers.push(path)
    const work = each.kind === 'manager' ? (each.work ?? []) : []
    for (const child of [...(each.children ?? []), ...(each.below ?? []), ...work]) {
      if (child.kind === 'routine') names.push(child.name)
      else visit(child, `${path}/${child.name}`)
    }
  }
  visit(plan, plan.name)
  return { names, managers }
}

/** A step that names its target by a number, so that tree and script shrink independently of each other. */
type Draft = { readonly do: PlainStep['do']; readonly pick?: number; readonly [option: string]: unknown }

/** Milliseconds: as long as a timer of the platform can be, nearly 25 days. */
export const HORIZON = 2_147_483_647

const HOUR = 3_600_000

/** Lengths of waits that are long. */
const LONG = [1_000, 60_000, HOUR, 24 * HOUR]

/**
 * How many timers may fire in one of them: a tree whose timers follow each other closely would be played for minutes. In a tree of somebody's
 * own what comes each second is to come for an hour; a generated one that is busy shows nothing more after some dozens.
 */
const MANY = 10_000
const MANY_GENERATED = 60

/** One of these, made smaller step by step: `fc.constantFrom` knows only the first. */
function oneOfThese(fc: FastCheck, numbers: readonly number[]): Arbitrary<number> {
  return fc.nat({ max: numbers.length - 1 }).map((index) => numbers[index] as number)
}

/** Waits: short ones, ones until timers have fired, and now and then long ones. */
function waits(fc: FastCheck, horizon: number, many: number): { any: Arbitrary<Draft>; long: Arbitrary<Draft> } {
  const wait = { do: fc.constant('wait' as const) }
  const short = fc.record({ ...wait, ms: fc.constantFrom(...[0, 1, 5, 10, 20, 50].filter((ms) => ms <= horizon)) })
  const next = fc.record({ ...wait, timers: oneOfThese(fc, [1, 1, 1, 2, 3, 10]) })
  const long = fc.record({
    ...wait,
    ms: oneOfThese(fc, [...new Set([...LONG, horizon].filter((ms) => ms <= horizon))]),
    timers: fc.constant(many),
  })
  return { any: fc.oneof({ weight: 5, arbitrary: short }, { weight: 4, arbitrary: next }, { weight: 1, arbitrary: long }), long }
}

function drafts(fc: FastCheck, { horizon = HORIZON, steps = STEPS }: ScriptReach, many: number): Arbitrary<readonly Draft[]> {
  const pick = fc.nat({ max: 20 })
  const doing = (...names: readonly PlainStep['do'][]): { do: Arbitrary<PlainStep['do']>; pick: Arbitrary<number> } => ({
    do: fc.constantFrom(...names),
    pick,
  })
  const { any, long } = waits(fc, horizon, many)
  const shutdown = fc.record(
    {
      ...doing('shutdown'),
      mode: fc.constantFrom('graceful' as const, 'immediate' as const),
      timeout: fc.constantFrom(1_000, 0, 30, 100),
      drain: fc.constantFrom(20, 200),
      phases: fc.constantFrom({ waiting: 12 }, { closing: 5, killing: 3 }, { cancelling: 1 }),
    },
    { requiredKeys: ['do', 'pick'] },
  )
  const signals = fc.record({ do: fc.constantFrom('signal' as const, 'abort' as const) })
  const others = [doing('spawn'), doing('cancel', 'kill', 'restart'), doing('terminateChild', 'restartChild', 'deleteChild')]
  const step = fc.oneof(any, any, shutdown, shutdown, signals, ...others.map((each) => fc.record(each)))
  const script = (maxLength: number): Arbitrary<Draft[]> => fc.array(step, { maxLength, size: 'max' })
  if (steps === 0) return script(0)
  // Few trees live long among shutdowns and kills: some are left alone at first.
  const first = fc.option(long, { nil: undefined, freq: 20 })
  const late = fc.tuple(first, script(steps - 1)).map(([wait, rest]) => (wait === undefined ? rest : [wait, ...rest]))
  return fc.oneof({ weight: 3, arbitrary: script(steps) }, { weight: 1, arbitrary: late })
}

/** What a late spawn is made of. */
const LATE: WorkPlan = { kind: 'routine', name: 'late', works: 10 }

function resolveStep({ pick = 0, ...step }: Draft, names: readonly string[], managers: readonly string[]): PlainStep | undefined {
  const at = managers[pick % managers.length]
  const name = names[pick % Math.max(1, names.length)]
  if (step.do === 'shutdown') return { ...step, at } as PlainStep
  if (step.do === 'spawn') return { ...step, at, work: LATE } as PlainStep
  if (step.do === 'cancel' || step.do === 'kill' || step.do === 'restart')
    return name === undefined ? undefined : { do: step.do, routine: name }
  if (step.do === 'terminateChild' || step.do === 'restartChild' || step.do === 'deleteChild')
    return name === undefined ? undefined : ({ do: step.do, at, id: name } as PlainStep)
  return step as PlainStep
}

function resolve(script: readonly Draft[], names: readonly string[], managers: readonly string[]): PlainStep[] {
  return script.map((step) => resolveStep(step, names, managers)).filter((step) => step !== undefined)
}
