/** Trees as plain data: what a trace file can hold, a generator can make, and a person can read. */
import { createGlobalManager, type GlobalManager, type LocalManager, manager, routine } from '../manager/index.ts'
import { type AnyBody, SpawnRefusedError } from '../contract/index.ts'
import type { ChildOptions, ChildSpec, GlobalManagerOptions, LocalManagerOptions, ManagerOptions, RoutineOptions } from '../spec/index.ts'
import { checkPlan } from './plan-shape.ts'

/** What a planned routine does when nothing is wrong with it. */
export interface WorkPlan {
  readonly kind: 'routine'
  readonly name: string
  /** Milliseconds after which it ends by itself; absent: only when it is asked to stop. */
  readonly works?: number
  /** What is wrong with it, such as `slow(20)`. */
  readonly faults?: readonly string[]
  readonly options?: Pick<
    RoutineOptions & ChildOptions,
    'restart' | 'shutdown' | 'backoff' | 'timeout' | 'significant' | 'hungAfter' | 'onHung'
  >
}

/** A planned manager below the global one. */
export interface ManagerPlan {
  readonly kind: 'manager'
  readonly name: string
  readonly options?: Omit<LocalManagerOptions, 'children' | 'template' | 'start'>
  /** Children under its strategy. */
  readonly children?: readonly (WorkPlan | ManagerPlan)[]
  /** Managers that are made by hand: locals of an app. */
  readonly below?: readonly ManagerPlan[]
  /** Dynamic work of a local manager. */
  readonly work?: readonly WorkPlan[]
}

/** A planned tree. */
export interface TreePlan {
  readonly kind: 'tree'
  readonly name: string
  readonly options?: Pick<GlobalManagerOptions, 'maxRestarts' | 'restartWindow' | 'maxRoutines' | 'strategy' | 'autoShutdown'>
  readonly children?: readonly (WorkPlan | ManagerPlan)[]
  readonly below?: readonly ManagerPlan[]
}

/** What a planned routine runs. */
function bodyOf({ works }: WorkPlan): AnyBody {
  return ({ signal }) =>
    new Promise<string>((resolve) => {
      const timer = works === undefined ? undefined : setTimeout(() => resolve('done'), works)
      const obey = (): void => {
        clearTimeout(timer)
        resolve('obeyed')
      }
      if (signal.aborted) obey()
      else signal.addEventListener('abort', obey, { once: true })
    })
}

/** A planned child as the value that the library takes. Throws ConfigError for what is no plan of one. */
export function childOf(plan: WorkPlan | ManagerPlan): ChildSpec {
  checkPlan(plan, 'child')
  return grownChild(plan)
}

function grownChild(plan: WorkPlan | ManagerPlan): ChildSpec {
  if (plan.kind === 'routine') return routine(plan.name, bodyOf(plan), { ...plan.options })
  return manager(plan.name, { ...plan.options, children: (plan.children ?? []).map(grownChild) })
}

/** Puts dynamic work into a local manager. Throws what `spawn` throws, and ConfigError for what is no plan of it. */
export function spawnPlanned(local: LocalManager, plan: WorkPlan): void {
  checkPlan(plan, 'work')
  spawnWork(local, plan)
}

function spawnWork(local: LocalManager, plan: WorkPlan): void {
  local.spawn(plan.name, bodyOf(plan), { ...plan.options })
}

/** Makes a tree of a plan that `worksOf` has checked. */
export function plant(plan: TreePlan, options: GlobalManagerOptions): GlobalManager {
  const { name, children = [], below = [] } = plan
  const global = createGlobalManager({ ...plan.options, ...options, name, children: children.map(grownChild) })
  for (const each of below) unlessRefused(() => grow(global, each))
  return global
}

function grow(global: GlobalManager, plan: ManagerPlan): void {
  const app = global.createApp(plan.name, managerOptions(plan))
  for (const inner of plan.below ?? []) {
    unlessRefused(() => {
      const local = app.createLocal(inner.name, managerOptions(inner))
      for (const work of inner.work ?? []) unlessRefused(() => spawnWork(local, work))
    })
  }
}

/** A spawn that is refused is no error: the refusal is an event of the run. */
function unlessRefused(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof SpawnRefusedError)) throw error
  }
}

function managerOptions({ options, children = [] }: ManagerPlan): ManagerOptions {
  return { ...options, children: children.map(grownChild) }
}

/** All routines of a tree, by whichever way they come to be. Throws ConfigError for what is no plan of one. */
export function worksOf(plan: TreePlan): WorkPlan[] {
  checkPlan(plan, 'tree')
  return worksBelow(plan)
}

function worksBelow(plan: TreePlan | ManagerPlan): WorkPlan[] {
  const { children = [], below = [] } = plan
  const inner = [...children, ...below].flatMap((each) => (each.kind === 'routine' ? [each] : worksBelow(each)))
  return plan.kind === 'manager' ? [...inner, ...(plan.work ?? [])] : inner
}

/** A plan as a person reads it: a line for each node, indented; children under a strategy have a bullet. */
export function describePlan(plan: TreePlan | ManagerPlan | WorkPlan, indent = '', bullet = ''): string[] {
  const options = Object.entries(plan.options ?? {}).map(
    ([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  )
  if (plan.kind === 'routine') {
    const does = plan.works === undefined ? 'until told' : `${plan.works} ms`
    return [`${indent}${bullet}${plan.name}: ${[does, ...(plan.faults ?? []), ...options].join(', ')}`]
  }
  const work = plan.kind === 'manager' ? (plan.work ?? []) : []
  const said = options.length === 0 ? '' : ` (${options.join(', ')})`
  return [
    `${indent}${bullet}${plan.name}/${said}`,
    ...(plan.children ?? []).flatMap((each) => describePlan(each, `${indent}  `, '• ')),
    ...[...(plan.below ?? []), ...work].flatMap((each) => describePlan(each, `${indent}  `)),
  ]
}
