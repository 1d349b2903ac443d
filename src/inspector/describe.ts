/** Describes one actor, the health of all managers, and what blocks a shutdown: when the page asks, and nothing of it is held. */
import type { AnyActorRef } from 'xstate'
import type { HealthStatus } from '../../machines/health.ts'
import { type GlobalManager, type Health, Manager } from '../manager/index.ts'
import { routineLogic, type SupervisedRoutine } from '../routine/index.ts'
import { chartOf, isMachine, stateToWire } from './chart.ts'
import { kindOf } from './forest.ts'
import type { ActorView, Blocker, ChartState, HealthView, LogLine } from './protocol.ts'
import { textOf, type WorkKind } from './story.ts'
import { type Ongoing, UNKNOWN } from './timeline.ts'
import type { Traffic } from './traffic.ts'

/** Routines that a list of blockers names. */
const NAMED = 20
/** Managers that a table of health lists. */
const LISTED = 500

type Facts = [name: string, value: string][]

/** A manager or a routine; undefined if there is none. */
export type Found = Manager | SupervisedRoutine | undefined

/** What lives at a path. */
export function find(global: GlobalManager, path: string): Found {
  return path === global.path ? global : (global.whereis(path) as unknown as Found)
}

const milliseconds = (value: number): string => (value === Infinity ? 'none' : `${Math.round(value).toLocaleString('en')} ms`)

/** The actor whose snapshots are of interest: the user's own, or that of the lifecycle, which becomes a genuine actor by this. */
export function actorOf(found: Manager | SupervisedRoutine): AnyActorRef {
  return found instanceof Manager ? found.actor : (found.work ?? found.actor)
}

/** The statechart of what lives there. */
export function describeChart(found: Manager | SupervisedRoutine, which: 'work' | 'life'): ChartState | undefined {
  if (found instanceof Manager) return which === 'life' ? chartOf(found.logic) : undefined
  if (which === 'life') return chartOf(routineLogic())
  return isMachine(found.logic) ? chartOf(found.logic) : undefined
}

/** What a page shows of one actor. */
export function describeActor(found: Manager | SupervisedRoutine, traffic: Traffic, history: readonly LogLine[]): ActorView {
  const ref = actorOf(found)
  const shared = {
    context: traffic.look(ref, undefined, []),
    snapshots: traffic.snapshots(ref),
    messages: traffic.countsOf(found.path),
    history,
  }
  return { ...shared, ...(found instanceof Manager ? describeManager(found, traffic) : describeRoutine(found, traffic)) }
}

type Own = Omit<ActorView, 'context' | 'snapshots' | 'messages' | 'history'>

function describeManager(manager: Manager, traffic: Traffic): Own {
  const { path, spec, state, incarnation } = manager
  const facts: Facts = [
    ['life', String(incarnation)],
    ['permits held', String(manager.count)],
    ['at most', spec.maxRoutines === Infinity ? 'no limit' : String(spec.maxRoutines)],
    ['strategy', spec.strategy],
    ['restart', spec.restart],
    ['shutdown time', milliseconds(spec.shutdown)],
    ['auto shutdown', spec.autoShutdown],
  ]
  const { durability } = manager.tree
  if (durability !== undefined && manager.life.up === undefined)
    facts.push(['store', `${durability.state}, ${(durability.position ?? 0).toLocaleString('en')} entries`])
  const left = manager.supervisor.window.left(manager.tree.clock.now())
  const used = left === Infinity ? 0 : spec.maxRestarts - left
  return {
    path,
    kind: kindOf(path),
    state,
    incarnation,
    facts,
    life: { value: stateToWire(manager.actor.getSnapshot().value), taken: traffic.taken(manager.actor) },
    work: undefined,
    events: [],
    budget: { used, max: spec.maxRestarts, window: spec.restartWindow },
    heartbeat: undefined,
    source: undefined,
  }
}

function describeRoutine(routine: SupervisedRoutine, traffic: Traffic): Own {
  const { path, spec, state, incarnation, logic, work, current } = routine
  const { shutdown, backoff, resume, mailbox, hungAfter } = spec
  const facts: Facts = [
    ['run', String(incarnation)],
    ['restarts', String(routine.restarts)],
    ['up for', milliseconds(routine.uptime)],
    ['work', isMachine(logic) ? `the machine ${logic.id}` : routine.isActor ? 'actor logic' : 'a function'],
    ['runs', routine.ground.describe?.(current) ?? 'inline'],
    ['restart', spec.restart],
    ['backoff', backoff === undefined ? 'none' : `${backoff.initial} ms × ${backoff.factor}, at most ${backoff.max} ms`],
    ['timeout', milliseconds(spec.timeout)],
    ['shutdown time', typeof shutdown === 'number' ? milliseconds(shutdown) : shutdown],
    ['hung after', hungAfter === Infinity ? 'never' : milliseconds(hungAfter)],
    ['mailbox', `${mailbox.capacity}, ${mailbox.overflow}`],
    ['resume', resume],
    ['input', textOf(routine.input)],
  ]
  if (routine.chronicle !== undefined) facts.push(...durableFacts(routine.chronicle))
  if (routine.error !== undefined) facts.push(['last error', textOf(routine.error)])
  const beat = current.heartbeat?.last
  const value = isMachine(logic) ? (work?.getSnapshot() as { value?: unknown } | undefined)?.value : undefined
  return {
    path,
    kind: 'routine',
    state,
    incarnation,
    facts,
    life: { value: stateToWire(current.value), taken: traffic.taken(current.actor) },
    work: isMachine(logic) ? { value: stateToWire(value), taken: traffic.taken(work) } : undefined,
    events: isMachine(logic) ? logic.events.filter((event) => !event.startsWith('xstate.') && event !== '*') : [],
    budget: undefined,
    heartbeat: beat === undefined ? undefined : { silent: routine.local.tree.clock.now() - beat, hungAfter },
    source: traffic.siteOf(routine),
  }
}

function durableFacts({ isRestored, isSettled, error, progress }: NonNullable<SupervisedRoutine['chronicle']>): Facts {
  const { accepted, done, unwritten } = progress
  const how = isRestored ? 'yes, brought back from the store' : isSettled ? 'yes' : 'waits for the store'
  return [
    ['durable', error === undefined ? how : `no: ${textOf(error)}`],
    ['messages kept', `${accepted}, done up to ${done}`],
    ['entries not written', String(unwritten)],
  ]
}

/** What a routine runs; undefined of one that has gone. */
export function workOf(found: Manager | SupervisedRoutine | undefined): WorkKind | undefined {
  if (found === undefined || found instanceof Manager) return undefined
  return found.isActor ? 'actor' : 'function'
}

/**
 * How long a manager's shutdown may take, and which of the routines that it waits for in this phase have not ended.
 *
 * @param asked When the phase began in which it asks its routines to stop.
 */
export function describeOngoing(global: GlobalManager, path: string, phase: string | undefined, asked: number | undefined): Ongoing {
  const manager = find(global, path)
  if (!(manager instanceof Manager)) return UNKNOWN
  const { run, up, flock } = manager.life
  const deadline = run?.deadline ?? Infinity
  const held = phase === 'closing' && deadline === Infinity && up?.run !== undefined
  return {
    deadline: deadline === Infinity ? undefined : deadline,
    blocking: held || phase === 'cleaning' ? [] : blockersOf(manager, phase, asked),
    living: flock.livingRoutines,
    held,
    hooks: run?.hooks ?? 0,
  }
}

/** Its own routines. While they may end by themselves those below, too: the managers there are closed, and ask nobody to stop yet. */
function blockersOf(manager: Manager, phase: string | undefined, asked: number | undefined): Blocker[] {
  const found: Blocker[] = []
  for (const routine of phase === 'closing' ? routinesBelow(manager) : manager.registry.living.values()) {
    // Of a queued routine the state is not even read: for that its incarnation would have to be made.
    if (routine.ticket > 0 || routine.ended || routine.state === 'pending') continue
    if (found.push(describeBlocker(routine, asked)) === NAMED) break
  }
  return found
}

function* routinesBelow(manager: Manager): Generator<SupervisedRoutine> {
  yield* manager.registry.living.values()
  for (const below of manager.below()) yield* routinesBelow(below)
}

function describeBlocker({ path, state, stopRequested, spec, current }: SupervisedRoutine, asked: number | undefined): Blocker {
  // One that was asked to stop by name, or in its turn among the children, has a timer of its own.
  const isAsked = stopRequested && current.timedByShutdown && asked !== undefined
  const until = isAsked && typeof spec.shutdown === 'number' ? asked + spec.shutdown : undefined
  return { path, state, since: current.startedAt, asked: isAsked ? asked : undefined, until }
}

/** How bad a status is. */
const RANKS: readonly HealthStatus[] = ['healthy', 'stopping', 'degraded', 'hung']
const rank = ({ status }: HealthNode): number => RANKS.indexOf(status as HealthStatus)

type HealthNode = HealthView['nodes'][number]

/** The health of every manager, the worst of them if there are too many, and numbers. */
export function describeHealth(global: GlobalManager, samples: Iterable<readonly number[]>): HealthView {
  const nodes: HealthNode[] = []
  const statuses: Record<string, number> = {}
  const finite = (value: number): number => (Number.isFinite(value) ? value : -1)
  const visit = ({ path, status, hung, restartsLeft, oldestHeartbeat, waiting, stuck, children }: Health, depth: number): void => {
    const manager = find(global, path) as Manager | undefined
    statuses[status] = (statuses[status] ?? 0) + 1
    nodes.push({
      path,
      depth,
      status,
      hung,
      restartsLeft: finite(restartsLeft),
      maxRestarts: finite(manager?.spec.maxRestarts ?? Infinity),
      oldestBeat: oldestHeartbeat,
      waiting: waiting.length,
      stuck: stuck.length,
      count: manager?.count ?? 0,
      limit: finite(manager?.spec.maxRoutines ?? Infinity),
    })
    for (const child of children) visit(child, depth + 1)
  }
  visit(global.health(), 0)
  const listed = nodes.length <= LISTED ? nodes : nodes.toSorted((a, b) => rank(b) - rank(a)).slice(0, LISTED)
  const { byName: _, durations, ...metrics } = global.metrics()
  return { nodes: listed, statuses, metrics: { ...metrics, 'mean duration': Math.round(durations.mean) }, samples: [...samples] }
}
