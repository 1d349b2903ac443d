/** Child specs: what a supervisor is to keep running, as values that `routine` and `manager` of src/manager/children.ts make. */
import type { RestartType } from '../../machines/restart-policy.ts'
import { type AutoShutdown, isBadCombination } from '../../machines/supervisor.ts'
import type { Work } from '../contract/index.ts'
import { type Rule, refuse } from './check.ts'
import type { LocalManagerOptions } from './manager-spec.ts'
import type { RoutineSpec } from './routine-spec.ts'

interface ChildCommon {
  /** Identity among its siblings. */
  readonly id: string
  readonly name: string
  readonly restart: RestartType
  readonly significant: boolean
}

/** A routine among the children of a manager. */
export interface RoutineChild extends ChildCommon {
  readonly type: 'worker'
  /** @internal */ readonly work: Work
  /** @internal */ readonly spec: RoutineSpec
}

/** A manager among the children of a manager. */
export interface ManagerChild extends ChildCommon {
  readonly type: 'supervisor'
  /** @internal */ readonly options: LocalManagerOptions
}

/** What `routine` and `manager` make: a value that can be put into any number of trees. */
export type ChildSpec = RoutineChild | ManagerChild

/** With what each brings along. */
const sealed = new WeakMap<object, object>()

/** Freezes a value, and marks it as a child spec. `companion` is what it brings along; this room only keeps it. */
export function seal<Spec extends ChildSpec>(spec: Spec, companion: object): Spec {
  sealed.set(spec, companion)
  return Object.freeze(spec)
}

/** What a child spec brings along. */
export function companionOf(spec: ChildSpec): object {
  return sealed.get(spec) as object
}

/** True for what `routine` or `manager` has made. */
export function isChildSpec(value: unknown): value is ChildSpec {
  return typeof value === 'object' && value !== null && sealed.has(value)
}

export const childSpecRule: Rule = { range: 'what routine() or manager() returns', accepts: isChildSpec }
export const childrenRule: Rule = { range: 'an array of what routine() and manager() return', accepts: (value) => Array.isArray(value) }

/**
 * Checks that these can be children of one supervisor.
 *
 * @throws ConfigError that names the child.
 */
export function checkChildren(children: readonly ChildSpec[], autoShutdown: AutoShutdown, path?: string): void {
  const ids = new Set<string>()
  for (const [i, child] of children.entries()) {
    if (!isChildSpec(child)) throw refuse(`option children[${i}]`, childSpecRule.range, child, path)
    checkCombination(child, autoShutdown, path)
    if (ids.has(child.id)) throw refuse('children: each id', 'unique among its siblings', child.id, path)
    ids.add(child.id)
  }
}

/** A template makes many: none of them can be significant. */
export function checkTemplate(template: ChildSpec, autoShutdown: AutoShutdown, path?: string): void {
  if (autoShutdown !== 'never') throw refuse('local manager option autoShutdown', "'never' beside a template", autoShutdown, path)
  checkCombination(template, autoShutdown, path)
}

function checkCombination(child: ChildSpec, autoShutdown: AutoShutdown, path: string | undefined): void {
  if (!isBadCombination(child, autoShutdown)) return
  const range = `false for a permanent child, and under autoShutdown 'never' (${child.name} is ${child.restart}, autoShutdown is '${autoShutdown}')`
  throw refuse('option significant', range, true, path)
}
