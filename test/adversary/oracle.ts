/** What has to hold of a case once it is over, whatever was done and when. */
import type { LifecycleEvent } from 'curtaincall'
import { type Law, laws, type Simulation } from 'curtaincall/testing'
import type { Case } from './pairwise.ts'
import { inconsistencies } from './reading.ts'
import type { AnyRoutine, World } from './world.ts'

/** Laws of the kit that hold whoever orders what; the others go by the script, which the intruder is not in. */
const HOLD = [
  'noSpawnAfterStop',
  'exactlyOneTerminal',
  'childBeforeParent',
  'noLiveResources',
  'restartIntensity',
  'permitsBalanced',
  'phasesInOrder',
  'reportAddsUp',
  'refinesMachines',
]
const lawsThatHold: readonly Law[] = laws.filter(({ name }) => HOLD.includes(name))

/** Those of a case: a restart by hand is free, and of one that has just failed no event says that it was ordered. */
export function lawsOf({ acts }: Case): readonly Law[] {
  const isOrdered = acts.some(({ order }) => order === 'restart')
  return isOrdered ? lawsThatHold.filter(({ name }) => name !== 'restartIntensity') : lawsThatHold
}

type End = Extract<LifecycleEvent, { willRestart: boolean }>
const isEnd = (event: LifecycleEvent): event is End => 'willRestart' in event

/** T4: numbered as they arise, told in that order, each once. */
function inOrder(world: World): void {
  let last: number | undefined
  for (const { seq, type } of world.events) {
    if (last !== undefined && seq <= last) world.find('T4 order', `${type} ${seq} is told after ${last}`)
    else if (last !== undefined && seq !== last + 1) world.find('T4 missing', `${type} ${seq} is told after ${last}`)
    last = seq
  }
}

/** An end says whether another run follows, and so it comes. */
function ends(world: World): void {
  const runs = new Map<string, { number: number; end: End | undefined }>()
  const stopping = new Map<string, number>()
  for (const event of world.events) {
    const { type, path, seq } = event
    if (type === 'manager.phase' && event.phase === 'cancelling') stopping.set(path, seq)
    if (type === 'manager.stopped') stopping.delete(path)
    if (!type.startsWith('routine.') || !('incarnation' in event) || type === 'routine.settled' || type === 'routine.orphaned') continue
    const { incarnation } = event
    const run = runs.get(path)
    if (type === 'routine.spawned') runs.set(path, { number: incarnation, end: undefined })
    else if (run === undefined) continue
    else if (type === 'routine.restarted') {
      if (incarnation !== run.number + 1) world.find('incarnations', `${path} goes from run ${run.number} to ${incarnation}`)
      runs.set(path, { number: incarnation, end: undefined })
    } else if (incarnation !== run.number)
      world.find('incarnations', `${type} of ${path} is of run ${incarnation} where ${run.number} is the present one`)
    else if (isEnd(event)) run.end = event
    const since = stopping.get(above(path))
    // RS1 of src/routine/stopping.ts: a `start` that was called before is followed by its body.
    const isOwed = (world.acquired.get(`${path} ${incarnation}`) ?? Infinity) < (since ?? 0)
    if (type === 'routine.started' && since !== undefined && !isOwed)
      world.find('started while stopping', `${path} starts while ${above(path)} cancels`)
  }
  for (const [path, { end }] of runs) if (end?.willRestart === true) owed(world, path, end)
}

/** Nobody begins before the delay of its restart is over, unless somebody has hurried it on, or a sibling its group. */
function delays(world: World): void {
  const due = new Map<string, number>()
  for (const event of world.events) {
    const { type, path, at } = event
    if (type === 'routine.restarted') {
      for (const other of due.keys()) if (above(other) === above(path)) due.delete(other)
      due.set(path, at + event.delay)
    }
    if (type === 'routine.spawned') due.delete(path)
    if (type === 'routine.started' && at < (due.get(path) ?? 0) && !world.hurried.has(path))
      world.find('started early', `${path} starts ${(due.get(path) ?? 0) - at} ms before its delay is over`)
  }
}

const above = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/** Longer than any delay, and than any child takes to stop. */
const PATIENCE = 130

/** When a manager above begins to stop, after this event. */
function closedAfter(world: World, path: string, after: number): number {
  const stops = ({ type }: LifecycleEvent): boolean => type === 'manager.phase' || type === 'manager.gaveUp'
  return world.events.find((event) => event.seq > after && stops(event) && path.startsWith(`${event.path}/`))?.at ?? Infinity
}

/** Who has a permit, and whose delay is over, begins. */
function begins(world: World): void {
  const waits = new Map<string, { seq: number; due: number }>()
  for (const event of world.events) {
    const { type, path, seq, at } = event
    const since = waits.get(path)
    if (since !== undefined && at > since.due + PATIENCE && closedAfter(world, path, since.seq) > since.due + PATIENCE)
      world.find('never began', `${path} was to begin at ${since.due - world.began} ms, and then comes ${type} at ${at - world.began}`)
    if (type === 'routine.spawned') waits.set(path, { seq, due: at })
    // One that is restarted in the queue keeps its place there.
    else if (type === 'routine.restarted' && !world.waitedInQueue.has(path)) waits.set(path, { seq, due: at + event.delay })
    else waits.delete(path)
  }
}

/** A run that was announced has to come, unless somebody was told to stop, or everything was. */
function owed(world: World, path: string, end: End): void {
  const grouped = world.grouped.get(above(path))?.has(path.slice(path.lastIndexOf('#') + 1)) === true
  const touched = [...world.ordered].some(
    (each) => each === path || path.startsWith(`${each}/`) || (grouped && above(each) === above(path)),
  )
  if (touched) return
  if (closedAfter(world, path, end.seq) - end.at > PATIENCE)
    world.find('restart owed', `${path} was to be restarted after run ${end.incarnation}, and was not`)
}

/** The outcome is the end that was told last. */
function outcomes(world: World): void {
  for (const [routine, end] of world.lastEnd) {
    const outcome = world.outcomes.get(routine) as { status: string; killed?: boolean; error?: unknown; reason?: unknown } | undefined
    if (outcome === undefined || end === undefined || !isEnd(end)) continue
    const said = outcome.killed === true ? 'killed' : outcome.status
    if (`routine.${said}` !== end.type)
      world.find('outcome', `${routine.path}: the outcome is ${said}, the last end that was told ${end.type}`)
    if (end.type === 'routine.failed' && end.error !== outcome.error) world.find('outcome', `${routine.path}: another error was told`)
    if (state(routine) !== (said === 'killed' ? 'cancelled' : said))
      world.find('outcome', `${routine.path} is ${routine.state}, its outcome ${said}`)
  }
}

const state = (routine: AnyRoutine): string => routine.state

/** Nobody is left at work without having been told to stop. */
function told(world: World): void {
  for (const { path, incarnation, signal, over } of world.allRuns)
    if (!over && !signal.aborted) world.find('not told', `run ${incarnation} of ${path} was never told to stop`)
}

/** Nothing is left, nobody waits. */
function leftovers(world: World): void {
  const { global } = world
  if (global === undefined) return
  for (const manager of world.managers) {
    if (!['completed', 'failed', 'cancelled'].includes(manager.state)) world.find('not ended', `${manager.path} is ${manager.state}`)
    if (manager.count !== 0) world.find('left behind', `${manager.path} holds ${manager.count} permits`)
    const [routine] = manager.routines()
    if (routine !== undefined) world.find('left behind', `${routine.path} is still there, ${routine.state}`)
  }
  for (const { what, settled } of world.promised) if (!settled) world.find('not settled', what)
  if (world.left > 0) world.find('listener left', `${world.left} listeners on signals from outside`)
  for (const { path, due, endedAt = Infinity } of world.deadlines)
    if (endedAt > due)
      world.find('out of time', `a shutdown of ${path} was due at ${due - world.began}, and over at ${endedAt - world.began}`)
  for (const each of inconsistencies(world)) world.find('T3 at the end', each)
}

/** Looks at a case that has run out. */
export function judge(world: World, simulation: Simulation | undefined): void {
  inOrder(world)
  ends(world)
  delays(world)
  begins(world)
  told(world)
  outcomes(world)
  leftovers(world)
  for (const { law, message } of simulation?.violations ?? []) {
    // The timers of the case itself, and of those who were given up on, are nobody's business.
    if (law === 'noLiveResources' && / left a /.test(message)) continue
    world.find(`law ${law}`, message)
  }
}
