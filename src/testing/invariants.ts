/** Laws about what must never happen, whatever the faults. */
import { above, shortName } from '../../machines/path.ts'
import type { Finding, Law, Run } from './law.ts'
import { law } from './law.ts'
import { hurriedFromInside, namedByHand, RecentEnds } from './run-index.ts'
import { does, stepOf } from './step-record.ts'
import type { TraceEvent } from './trace.ts'
import { isUndisarmable } from './virtual-clock.ts'

const ENDS = new Set(['routine.completed', 'routine.failed', 'routine.cancelled', 'routine.killed'])

/** True for the end of an incarnation. */
export function isEnd({ type }: Pick<TraceEvent, 'type'>): boolean {
  return ENDS.has(type)
}

/** True if one path is below the other. */
export function isBelow(path: string, manager: string): boolean {
  return path.startsWith(`${manager}/`)
}

/** Between its first phase and its stop, nothing is begun below a manager; nor after it, unless it lives again. */
export const noSpawnAfterStop: Law = law('noSpawnAfterStop', function* ({ events }) {
  const stopping = new Map<string, TraceEvent>()
  for (const event of events) {
    if (event.type === 'manager.phase' && event.phase === 'closing') stopping.set(event.actor, event)
    if (event.type === 'manager.stopped') stopping.delete(event.actor)
    if (event.type !== 'routine.spawned' && event.type !== 'routine.restarted') continue
    for (let path = above(event.actor); path !== ''; path = above(path)) {
      const since = stopping.get(path)
      if (since !== undefined) yield { message: `${event.actor} came to be while ${path} was stopping`, witnesses: [since.i, event.i] }
    }
  }
})

/** Each incarnation has one end, and what has ended for good stays so until it is spawned anew. */
export const exactlyOneTerminal: Law = law('exactlyOneTerminal', function* ({ events }) {
  const open = new Map<string, TraceEvent>()
  const last = new Map<string, TraceEvent>()
  for (const event of events) {
    const { type, actor, i } = event
    if (type === 'routine.spawned' || type === 'routine.restarted') {
      const before =
        open.get(actor) ?? (type === 'routine.restarted' && last.get(actor)?.willRestart !== true ? last.get(actor) : undefined)
      if (before !== undefined)
        yield { message: `${actor} began anew though it had ${open.has(actor) ? 'not ended' : 'ended for good'}`, witnesses: [before.i, i] }
      open.set(actor, event)
    } else if (isEnd(event)) {
      if (!open.delete(actor)) yield { message: `${actor} ended twice`, witnesses: [last.get(actor)?.i ?? i, i] }
      last.set(actor, event)
    } else if (type === 'routine.started' && !open.has(actor)) {
      yield { message: `${actor} started after its end`, witnesses: [last.get(actor)?.i ?? i, i] }
    }
  }
  for (const [actor, { i }] of open) yield { message: `${actor} never ended`, witnesses: [i] }
})

/** A manager stops after everything below it. */
export const childBeforeParent: Law = law('childBeforeParent', function* ({ events }) {
  const living = new Map<string, TraceEvent>()
  for (const event of events) {
    const { type, actor } = event
    if (type === 'routine.spawned' || type === 'routine.restarted' || type === 'manager.started' || type === 'manager.restarted') {
      living.set(actor, event)
    } else if (isEnd(event)) living.delete(actor)
    if (type !== 'manager.stopped') continue
    living.delete(actor)
    for (const [path, { i }] of living) {
      if (isBelow(path, actor)) yield { message: `${actor} stopped before ${path} had ended`, witnesses: [i, event.i] }
    }
  }
})

/** Nothing is left when all has ended: no timer, no actor, no listener. What was given up on may still hold what is its own. */
export const noLiveResources: Law = law('noLiveResources', function* ({ events, remains, report, routines }) {
  if (report === undefined) return
  const given = new Set(events.filter(({ type }) => type === 'routine.killed' || type === 'routine.orphaned').map(({ actor }) => actor))
  for (const { kind, in: ms, owner } of remains.timers) {
    if (kind === 'script' || kind === 'delivery' || isUndisarmable(kind)) continue
    if (kind === 'clock') yield { message: `the library still has a timer, due in ${ms} ms` }
    else if (owner !== undefined && !given.has(owner) && routines.get(owner)?.leaks !== true)
      yield { message: `${owner} left a ${kind} behind, due in ${ms} ms`, witnesses: eventsOf(events, owner) }
  }
  for (const path of remains.actors) yield { message: `${path} is still registered`, witnesses: eventsOf(events, path) }
  if (remains.listeners > 0) yield { message: `${remains.listeners} listeners are left on the process` }
})

function eventsOf(events: readonly TraceEvent[], path: string): number[] {
  return events.filter(({ actor }) => actor === path).map(({ i }) => i)
}

/**
 * A manager answers no more failures with a restart than its limit allows within its window; and one, for each routine that resumes from
 * snapshots, with a start from its input in place of giving up, which does not count.
 */
export const restartIntensity: Law = law('restartIntensity', function* ({ events, managers, routines }) {
  const times = new Map<string, RecentEnds>()
  const ended = new Map<string, TraceEvent>()
  const anew = new Map<string, TraceEvent>()
  for (const event of events) {
    if (event.type === 'manager.started' || event.type === 'manager.restarted') times.delete(event.actor)
    // What is begun by hand has not had such a start yet, nor has another life of its manager.
    if (event.type === 'manager.restarted' || stepOf(event)?.free === true || does(event, 'restartChild')) anew.clear()
    if (isEnd(event)) ended.set(event.actor, event)
    // A restart that was ordered by hand does not count, and what a group restart brings back comes as a new routine.
    const end = ended.get(event.actor)
    const ordered = end?.type === 'routine.cancelled' || end?.type === 'routine.killed'
    const ownBudget = routines.get(event.actor)?.attempts !== undefined
    if (event.type !== 'routine.restarted' || end === undefined || ordered || ownBudget) continue
    const path = above(event.actor)
    const { maxRestarts, restartWindow } = managers.get(path) ?? { maxRestarts: Infinity, restartWindow: 0 }
    // It was decided at an unknown moment between the end and the restart. Distances are taken as long as they may have been, in
    // favour of the supervisor.
    const recent = times.get(path) ?? new RecentEnds()
    times.set(path, recent)
    const before = anew.get(event.actor)
    const mayBeginAnew = routines.get(event.actor)?.resumes === true && (before === undefined || event.t - before.t > restartWindow)
    if (mayBeginAnew && recent.since(event.t - restartWindow) >= maxRestarts) {
      anew.set(event.actor, end)
      continue
    }
    const count = recent.add(end, event.t - restartWindow)
    if (count > maxRestarts)
      yield {
        message: `${path} answered ${count} failures within ${restartWindow} ms, its limit is ${maxRestarts}`,
        witnesses: recent.all().map(({ i }) => i),
      }
  }
})

/** A routine that was told to stop by name is not restarted: only a new one can take its place. */
export const toldOnce: Law = law('toldOnce', function* ({ events }) {
  const told = new Map<string, TraceEvent>()
  const living = new Map<string, string>()
  const ended = new Map<string, number>()
  for (const event of events) {
    const { type, actor, how, i } = event
    const name = shortName(actor)
    if (type === 'routine.spawned') {
      living.set(name, actor)
      told.delete(actor)
    }
    if (how === undefined && does(event, 'cancel', 'kill')) told.set(living.get(stepOf(event)?.target ?? '') ?? '', event)
    const since = told.get(actor)
    if (isEnd(event)) ended.set(actor, i)
    // One that is told between two runs has yet another run, which is cancelled before it starts.
    if (since !== undefined && type === 'routine.restarted' && (ended.get(actor) ?? 0) > since.i)
      yield { message: `${actor} was told to stop, and is restarted`, witnesses: [since.i, i] }
  }
})

/** Milliseconds that the shutdown has which a signal makes immediate. */
const OF_A_SIGNAL = 10_000

/**
 * A shutdown is over when its time is, whatever the routines do; an immediate one at once, or as soon as its store is closed. So is a manager
 * that its own supervisor stops.
 */
export const withinOverallTimeout: Law = law('withinOverallTimeout', function* ({ requests, events, managers, hasStore = false }) {
  const asked = new Map<string, TraceEvent>()
  for (const event of events) {
    const { type, phase, actor, trigger, t, i } = event
    if (type === 'manager.phase' && phase === 'cancelling') asked.set(actor, event)
    const since = asked.get(actor)
    if (type !== 'manager.stopped' || trigger !== 'supervisor' || since === undefined) continue
    const { shutdown } = managers.get(actor) ?? { shutdown: Infinity }
    if (t - since.t > shutdown)
      yield { message: `${actor} took ${t - since.t} ms to stop, its shutdown time is ${shutdown}`, witnesses: [since.i, i] }
  }
  for (const { path, at, deadline, mode, endedAt = Infinity } of requests) {
    const atOnce = hasStore ? (deadline > at ? deadline : at + OF_A_SIGNAL) : at
    const due = mode === 'immediate' ? atOnce : deadline
    if (endedAt > due)
      yield { message: `the shutdown of ${path} that was asked for at ${at} ms had to be over at ${due} ms, and was at ${endedAt}` }
  }
})

/** Children and managers are asked to stop in the reverse order of their start, unless a manager above is out of time, or by hand. */
export const reverseOrder: Law = law('reverseOrder', function* (run) {
  const { events, routines } = run
  const starts = new Map<string, Map<string, number>>()
  const asked = new Map<string, TraceEvent[]>()
  const closing = new Map<string, number>()
  for (const event of events) {
    const { type, actor } = event
    const path = above(actor)
    const ordered = type === 'routine.spawned' ? routines.get(actor)?.service === true : type === 'manager.started'
    // A child that is started again keeps its place.
    const before = starts.get(path) ?? new Map<string, number>()
    if (ordered && !before.has(actor)) starts.set(path, before.set(actor, before.size))
    if (type === 'manager.phase' && event.phase === 'closing') closing.set(actor, event.i)
    if (type === 'manager.phase' && event.phase === 'cancelling') {
      // One that was stopping already, or is asked by name, goes its own way.
      const before = (closing.get(actor) ?? 0) < (closing.get(path) ?? 0)
      const own = before || run.requests.some((each) => each.path === actor) || isHurriedFromInside(run, actor)
      if (!own) asked.get(path)?.push(event)
      asked.set(actor, [])
    }
    // A timeout may be why it is asked to stop, too: only those without one are compared.
    if (type === 'body.asked' && routines.get(actor)?.timeout === Infinity) asked.get(path)?.push(event)
    if (type === 'manager.stopped') {
      const inOrder = (asked.get(actor) ?? []).filter((each) => !isHurried(run, each.actor, each.t) && !byHand(events, each.actor))
      yield* disorder(actor, starts.get(actor) ?? new Map(), inOrder)
      asked.delete(actor)
      starts.delete(actor)
    }
  }
})

/** True if a manager above is out of time by then, was hurried, or has limits of its own. */
export function isHurried({ requests, managers, routines }: Run, actor: string, t: number): boolean {
  const hurried = hurriedFromInside(routines)
  for (let path = above(actor); path !== ''; path = above(path)) {
    if (hurried.has(path) || (managers.get(path)?.shutdown ?? Infinity) !== Infinity) return true
    if (requests.some((each) => each.path === path && (each.deadline <= t || each.phased || (each.mode === 'immediate' && each.at <= t))))
      return true
  }
  return false
}

/** True if one of its own routines shuts it down. */
function isHurriedFromInside({ routines }: Run, manager: string): boolean {
  return hurriedFromInside(routines).has(manager)
}

/** True if a step of the script named it. */
function byHand(events: readonly TraceEvent[], actor: string): boolean {
  return namedByHand(events).has(shortName(actor))
}

function* disorder(path: string, starts: ReadonlyMap<string, number>, asked: readonly TraceEvent[]): Iterable<Finding> {
  const services = asked.filter(({ actor }) => starts.has(actor))
  for (let k = 1; k < services.length; k++) {
    const [earlier, later] = [services[k - 1] as TraceEvent, services[k] as TraceEvent]
    if ((starts.get(later.actor) ?? 0) > (starts.get(earlier.actor) ?? 0))
      yield {
        message: `${path} told ${earlier.actor} to stop before ${later.actor}, which started after it`,
        witnesses: [earlier.i, later.i],
      }
  }
}

/** Nobody ever holds more permits than there are, and all are given back. */
export const permitsBalanced: Law = law('permitsBalanced', function* ({ excess, remains, report }: Run) {
  for (const { i, path, count } of excess) yield { message: `${path} holds ${count} permits, more than it has`, witnesses: [i] }
  if (report === undefined) return
  for (const [path, count] of Object.entries(remains.permits)) yield { message: `${path} still holds ${count} permits` }
})

/** All of them. */
export const invariants: readonly Law[] = [
  noSpawnAfterStop,
  exactlyOneTerminal,
  childBeforeParent,
  noLiveResources,
  restartIntensity,
  withinOverallTimeout,
  reverseOrder,
  permitsBalanced,
  toldOnce,
]
