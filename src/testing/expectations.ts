/** Laws about what must happen: without them, a system that does nothing would be without fault. */
import { above } from '../../machines/path.ts'
import { PHASES } from '../../machines/lifecycle-event.ts'
import { isBelow, isEnd, isHurried } from './invariants.ts'
import { type Law, law } from './law.ts'
import { firstCalls } from './run-index.ts'
import { does, stepOf } from './step-record.ts'
import type { TraceEvent } from './trace.ts'

/** If every routine stops in time when it is asked to, none is killed. */
export const gracefulIfCooperative: Law = law('gracefulIfCooperative', function* ({ events, report, requests, routines, managers }) {
  if (report === undefined) return
  const deaf = [...routines.values()].some(({ deafFor, shutdown, hurries }) => deafFor >= shutdown || hurries)
  const hurried = requests.some(({ mode, phased, deadline, endedAt = Infinity }) => mode === 'immediate' || phased || endedAt >= deadline)
  const limited = [...managers.values()].some(({ shutdown }) => shutdown !== Infinity)
  if (deaf || hurried || limited || killedByHand(events)) return
  for (const event of events) {
    if (event.type === 'routine.killed') yield { message: `${event.actor} was killed though everybody obeys in time`, witnesses: [event.i] }
  }
  if (report.timedOut) yield { message: 'the shutdown timed out though everybody obeys in time' }
})

/** Each manager that stops passes through all five phases, in order, each once, and ends after them. */
export const phasesInOrder: Law = law('phasesInOrder', function* ({ events }) {
  const passed = new Map<string, TraceEvent[]>()
  for (const event of events) {
    if (event.type !== 'manager.phase' && event.type !== 'manager.stopped') continue
    const phases = passed.get(event.actor) ?? []
    const due = PHASES[phases.length]
    if (event.type === 'manager.phase') {
      if (event.phase !== due)
        yield {
          message: `${event.actor} entered ${event.phase} where ${due ?? 'its end'} was due`,
          witnesses: [...phases, event].map(({ i }) => i),
        }
      passed.set(event.actor, [...phases, event])
    } else {
      if (due !== undefined) yield { message: `${event.actor} stopped before its phase ${due}`, witnesses: [event.i] }
      passed.delete(event.actor)
    }
  }
  for (const [path, phases] of passed) yield { message: `${path} began to stop and never did`, witnesses: phases.map(({ i }) => i) }
})

/** A failure that is to be answered with a restart leads to one, or is escalated; an announced restart comes, unless everything stops. */
export const restartOrEscalate: Law = law('restartOrEscalate', function* ({ events, routines, report }) {
  const stopping = stopsOf(events)
  const owed = new Owed()
  for (const event of events) {
    const { type, actor, i } = event
    if (type === 'routine.started') owed.delete(actor)
    if (type === 'manager.phase' && event.phase === 'closing') for (const [path] of owed) if (isBelow(path, actor)) owed.delete(path)
    if (!isEnd(event)) continue
    owed.delete(actor)
    // One that fails while its group is being restarted comes back with the group.
    const later = owed.hasBelow(above(actor)) || isBusy(events, event)
    if (event.willRestart === true) owed.add(event)
    else if (!isOwed(event, routines.get(actor)) || answered(events, event, stopping)) continue
    else if (later) owed.add(event)
    else yield { message: `${actor} failed, its policy is to restart it, and nothing came of it`, witnesses: [i] }
  }
  if (report === undefined) return
  for (const [actor, { i }] of owed) yield { message: `${actor} was to be restarted and was not`, witnesses: [i] }
})

/** The ends that have yet to be answered with a restart, by their actor. */
class Owed {
  readonly #ends = new Map<string, TraceEvent>()
  /** How many there are directly below each manager. */
  readonly #below = new Map<string, number>()

  hasBelow(manager: string): boolean {
    return (this.#below.get(manager) ?? 0) > 0
  }

  add(end: TraceEvent): void {
    this.delete(end.actor)
    this.#ends.set(end.actor, end)
    this.#count(end.actor, 1)
  }

  delete(actor: string): void {
    if (this.#ends.delete(actor)) this.#count(actor, -1)
  }

  #count(actor: string, by: 1 | -1): void {
    this.#below.set(above(actor), (this.#below.get(above(actor)) ?? 0) + by)
  }

  [Symbol.iterator](): Iterator<[string, TraceEvent]> {
    return this.#ends.entries()
  }
}

/** True if its supervisor may still be busy with a call of the script, and take the failure after that. */
function isBusy(events: readonly TraceEvent[], { actor, i }: TraceEvent): boolean {
  return (firstCalls(events).get(above(actor)) ?? Infinity) < i
}

function isOwed(event: TraceEvent, facts: { readonly restart: string } | undefined): boolean {
  if (event.type !== 'routine.failed' || facts === undefined || facts.restart === 'temporary') return false
  // A first start that fails is an end, as in OTP; so is an end that somebody asked for.
  return !String(event['error']).startsWith('StartFailedError')
}

interface Stop {
  readonly from: number
  to: number
}

/** For each manager, between which events it was stopping. */
function stopsOf(events: readonly TraceEvent[]): Map<string, Stop[]> {
  const stops = new Map<string, Stop[]>()
  for (const { type, actor, phase, i } of events) {
    if (type === 'manager.phase' && phase === 'closing') stops.set(actor, [...(stops.get(actor) ?? []), { from: i, to: Infinity }])
    const last = stops.get(actor)?.at(-1)
    if (type === 'manager.stopped' && last !== undefined) last.to = i
  }
  return stops
}

/** True if a manager above was stopping, or begins to because of it. */
function answered(events: readonly TraceEvent[], { actor, i }: TraceEvent, stops: ReadonlyMap<string, readonly Stop[]>): boolean {
  for (let path = above(actor); path !== ''; path = above(path))
    if (stops.get(path)?.some(({ from, to }) => from <= i && i <= to) === true) return true
  return events.some((event) => (event.type === 'manager.gaveUp' || event.type === 'manager.phase') && comesFrom(events, event, i))
}

function comesFrom(events: readonly TraceEvent[], event: TraceEvent, i: number): boolean {
  for (let at: TraceEvent | undefined = event; at !== undefined; at = at.cause === undefined ? undefined : events[at.cause])
    if (at.i === i) return true
  return false
}

/** A routine that runs when its manager stops is asked to stop, unless it ends by itself first. */
export const cancelReachesAll: Law = law('cancelReachesAll', function* ({ events, routines }) {
  const running = new Map<string, TraceEvent>()
  const asked = new Set<string>()
  for (const event of events) {
    const { type, actor } = event
    if (type === 'routine.started') {
      running.set(actor, event)
      asked.delete(actor)
    } else if ((type === 'body.asked' || type === 'body.ended') && event.late !== true) asked.add(actor)
    else if (isEnd(event)) {
      const since = running.get(actor)
      const stopped = type === 'routine.cancelled' || type === 'routine.killed'
      if (since !== undefined && stopped && !asked.has(actor) && routines.get(actor)?.logic !== true)
        yield { message: `${actor} was stopped without having been told`, witnesses: [since.i, event.i] }
      running.delete(actor)
    }
  }
})

/** No routine is killed after it has ended; nor before its shutdown time is over, unless a manager above is out of time, or by hand. */
export const killedOnlyIfDeaf: Law = law('killedOnlyIfDeaf', function* (run) {
  const asked = new Map<string, TraceEvent>()
  const ended = new Map<string, TraceEvent>()
  for (const event of run.events) {
    const { type, actor, t, i } = event
    if (type === 'routine.started') {
      asked.delete(actor)
      ended.delete(actor)
    } else if (event.late !== true) {
      if (type === 'body.asked') asked.set(actor, event)
      if (type === 'body.ended') ended.set(actor, event)
    }
    if (type !== 'routine.killed') continue
    const over = ended.get(actor)
    if (over !== undefined && over.incarnation === event.incarnation && over.t < t)
      yield { message: `${actor} was killed after it had ended`, witnesses: [over.i, i] }
    const since = asked.get(actor)
    if (since === undefined || since.incarnation !== event.incarnation) continue
    const { shutdown } = run.routines.get(actor) ?? { shutdown: 0 }
    if (t - since.t < shutdown && !isHurried(run, actor, t) && !killedByHand(run.events))
      yield { message: `${actor} was killed ${t - since.t} ms after it was told to stop, and it has ${shutdown}`, witnesses: [since.i, i] }
  }
})

/** True if somebody killed by hand. */
function killedByHand(events: readonly TraceEvent[]): boolean {
  return events.some((event) => does(event, 'kill') || stepOf(event)?.kills === true)
}

/** The report agrees with the events, and its totals with all routines that were spawned. */
export const reportAddsUp: Law = law('reportAddsUp', function* ({ events, report, totals }) {
  if (report === undefined) return
  const { spawned, completed, failed, cancelled, killed } = totals
  if (completed + failed + cancelled + killed !== spawned || totals.running + totals.pending > 0) {
    yield { message: `${spawned} routines were spawned, and ${completed + failed + cancelled + killed} have ended` }
  }
  const heard = events.filter(({ type }) => type === 'routine.spawned').length
  if (heard !== spawned) yield { message: `the totals say ${spawned} routines, the events ${heard}` }
  const counted = report.completed + report.failed + report.cancelled + report.killed
  if (counted !== report.routines.length) yield { message: `the report counts ${counted} ends and lists ${report.routines.length}` }
  const phases = report.phases.map(({ phase }) => phase).join()
  if (phases !== PHASES.join()) yield { message: `the report has the phases ${phases}` }
})

/** All of them. */
export const expectations: readonly Law[] = [
  gracefulIfCooperative,
  phasesInOrder,
  restartOrEscalate,
  cancelReachesAll,
  killedOnlyIfDeaf,
  reportAddsUp,
]
