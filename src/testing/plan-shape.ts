/** Checks the shape of a planned tree: a mistyped field, or a plan in a place where it can't be, would silently be left out. */
import { anything, check, duration, nodeName, refuse, type Rule } from '../spec/index.ts'
import type { ManagerPlan, TreePlan, WorkPlan } from './plan.ts'

/** Where a plan stands, on which depends what it may hold. */
export type PlanPlace = 'tree' | 'child' | 'app' | 'local' | 'work'

const list: Rule = { range: 'an array of plans', accepts: Array.isArray }
const texts: Rule = {
  range: "an array of texts such as 'slow(20)'",
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
}
const common = { kind: anything, name: nodeName, options: anything }

/** By kind and place, what a plan may say. */
const FIELDS = {
  tree: { ...common, children: list, below: list },
  routine: { ...common, works: duration, faults: texts },
  child: { ...common, children: list },
  app: { ...common, children: list, below: list },
  local: { ...common, children: list, work: list },
} satisfies Readonly<Record<string, Readonly<Record<string, Rule>>>>

/** The kinds that may stand in a place. */
const KINDS: Readonly<Record<PlanPlace, readonly string[]>> = {
  tree: ['tree'],
  child: ['routine', 'manager'],
  app: ['manager'],
  local: ['manager'],
  work: ['routine'],
}

interface Given {
  readonly kind?: string
  readonly name?: unknown
  readonly children?: TreePlan['children']
  readonly below?: TreePlan['below']
  readonly work?: ManagerPlan['work']
}

/** Throws ConfigError, naming the path to it, if a part of a plan would be left out. */
export function checkPlan(plan: TreePlan | ManagerPlan | WorkPlan, place: PlanPlace, above = ''): void {
  const given = (plan ?? {}) as Given
  const { kind, name } = given
  const owner = `plan ${above}${typeof name === 'string' && name !== '' ? name : '?'}`
  if (kind === undefined || !KINDS[place].includes(kind))
    throw refuse(`${owner} option kind`, KINDS[place].map((each) => `'${each}'`).join(' or '), kind)
  if (name === undefined) throw refuse(`${owner} option name`, nodeName.range, name)
  check(owner, given, kind === 'manager' ? FIELDS[place as 'child' | 'app' | 'local'] : FIELDS[kind as 'tree' | 'routine'])
  const inner = `${above}${name as string}/`
  for (const each of given.children ?? []) checkPlan(each, 'child', inner)
  for (const each of given.below ?? []) checkPlan(each, place === 'tree' ? 'app' : 'local', inner)
  for (const each of given.work ?? []) checkPlan(each, 'work', inner)
}
