/** What can be read of a tree at any moment, held against itself (T3). */
import { AppManager, GlobalManager, LocalManager, type Manager, type Metrics, type MetricValues } from 'curtaincall'
import type { World } from './world.ts'

/** Managers right below. */
function below(manager: Manager): Manager[] {
  if (manager instanceof GlobalManager) return manager.apps()
  return manager instanceof AppManager || manager instanceof LocalManager ? manager.locals() : []
}

/** A manager and all below it. */
export function subtree(manager: Manager): Manager[] {
  return [manager, ...below(manager).flatMap(subtree)]
}

/** Everything in which the readings of one tree disagree. */
export function inconsistencies(world: World): string[] {
  const { global } = world
  if (global === undefined) return []
  world.reading = true
  try {
    return subtree(global).flatMap((manager) => [...disagreements(world, manager)])
  } finally {
    world.reading = false
  }
}

function* disagreements(world: World, manager: Manager): Iterable<string> {
  const { path } = manager
  const routines = manager.routines()
  const managers = subtree(manager)
  const metrics = manager.metrics()
  const queued = managers.reduce((sum, each) => sum + (each instanceof LocalManager ? each.queued : 0), 0)
  const held = routines.length - queued
  const kept = reserved(world, managers, new Set(routines.map((each) => each.path)))
  const { count } = manager
  if (count < held || count > held + kept)
    yield `count of ${path} is ${count}, and ${held} of its ${routines.length} routines are not queued${kept > 0 ? ` (${kept} may be kept)` : ''}`
  if (count > (world.limits.get(path) ?? Infinity)) yield `count of ${path} is ${count}, more than its limit`
  if (new Set(routines).size !== routines.length) yield `routines() of ${path} has one twice`
  yield* sums(path, metrics, routines.length)
  for (const name of new Set(routines.map((each) => each.name))) {
    const named = routines.filter((each) => each.name === name)
    const found = manager.routinesNamed(name)
    if (found.length !== named.length || manager.countOf(name) !== named.length)
      yield `${path} has ${named.length} routines ${name}, routinesNamed() ${found.length}, countOf() ${manager.countOf(name)}`
  }
  for (const each of routines)
    if (world.global?.whereis(each.path) !== each) yield `${each.path} is among the routines, and whereis() finds another`
  yield* healthOf(manager)
}

function* sums(path: string, metrics: Metrics, living: number): Iterable<string> {
  const ended = (of: MetricValues): number => of.completed + of.failed + of.cancelled + of.killed
  const { spawned, pending, running } = metrics
  if (ended(metrics) + pending + running !== spawned) yield `metrics of ${path} do not add up to ${spawned} spawned`
  if (pending < 0 || running < 0 || metrics.orphaned < 0) yield `metrics of ${path} are below zero: ${pending} pending, ${running} running`
  if (pending + running !== living) yield `${path} has ${living} routines, its metrics ${pending} pending and ${running} running`
  for (const key of ['spawned', 'running', 'completed', 'failed', 'cancelled', 'killed', 'restarts'] as const) {
    const sum = Object.values(metrics.byName).reduce((total, each) => total + each[key], 0)
    if (sum !== metrics[key]) yield `${key} of ${path} is ${metrics[key]}, and by name ${sum}`
  }
}

function* healthOf(manager: Manager): Iterable<string> {
  const health = manager.health()
  const [seen, there] = [
    health.children.map(({ path }) => path).join(),
    below(manager)
      .map(({ path }) => path)
      .join(),
  ]
  if (seen !== there) yield `health of ${manager.path} is of ${seen}, and below it are ${there}`
  if (manager.state === 'stopping' && health.status !== 'stopping') yield `${manager.path} is stopping, and its health ${health.status}`
}

/** Permits that may be kept: of children that do not run while their group is restarted. */
function reserved(world: World, managers: readonly Manager[], living: ReadonlySet<string>): number {
  let kept = 0
  for (const { path } of managers) for (const id of world.grouped.get(path) ?? []) if (!living.has(`${path}/${id}#${id}`)) kept++
  return kept
}

/** Holds what a supervisor answers against itself: both questions are asked, and answered, one after the other. */
export function childrenAgree(world: World, manager: Manager): void {
  const both = Promise.all([manager.whichChildren(), manager.countChildren()])
  world.promise(`whichChildren of ${manager.path}`, both)
  void both.then(([which, count]) => {
    if (!which.ok || !count.ok) return
    const ids = which.value.map(({ id }) => id)
    if (new Set(ids).size !== ids.length) world.find('T3 inconsistent', `${manager.path} has a child twice: ${ids.join()}`)
    if (manager.path !== 'g/a/t' && count.value.specs !== ids.length)
      world.find('T3 inconsistent', `${manager.path} has ${ids.length} children, countChildren() says ${count.value.specs}`)
  })
}
