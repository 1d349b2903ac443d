/** Events as log lines and sentences, and why something happened. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { shortName } from '../../machines/path.ts'
import type { HeldEvents } from './held.ts'
import type { KeptEvent, LogLine, WhyStep, WhyView } from './protocol.ts'
import { toWire } from './to-wire.ts'
import { sentenceOfTrial, stepBefore } from './trial.ts'

/** Events after the one in question that are looked through for what followed from it. */
const AHEAD = 5_000
/** Steps of an explanation after the event in question, and before it: what fails again and again has a long chain of causes. */
const STEPS = 60
const BEFORE = 200
/** Types of events of which one may want to know the reason. */
const WRONG = new Set(['manager.gaveUp', 'routine.failed', 'routine.killed', 'routine.hung', 'routine.orphaned', 'link.broken'])
/** Types of events that a headline names as the cause: the latest of them, since who fails again and again has a long chain of causes. */
export const ROOTS: ReadonlySet<string> = new Set([
  'routine.failed',
  'routine.hung',
  'routine.completed',
  'control.ordered',
  'loop.blocked',
  'step',
])

/** After these something runs: what happens to it later has them as its cause where nothing else in the tree is one. */
export const BEGINNINGS: ReadonlySet<string> = new Set(['routine.started', 'manager.started', 'manager.restarted'])

/**
 * The chain of causes up to an event, and what came of it. Without `seq`, of the latest that went wrong at the path.
 *
 * @param before Without `seq`, events with this `seq` or a later one are left out.
 * @param workOf What a routine runs, as far as it is known.
 */
export function why(
  ledger: HeldEvents,
  seq: number | undefined,
  path: string | undefined,
  before = Infinity,
  workOf: (path: string) => WorkKind | undefined = () => undefined,
): WhyView | undefined {
  const end = seq === undefined ? ledger.firstFrom(before) : ledger.size
  const asked = seq === undefined ? latestWrong(ledger, path, end) : ledger.indexOf(seq)
  const event = ledger.at(asked)
  if (event === undefined) return undefined
  const chain: KeptEvent[] = []
  let cut = false
  for (let at = asked; at >= 0; ) {
    const { cause } = ledger.at(at) as KeptEvent
    chain.push(ledger.at(at) as KeptEvent)
    const step = stepBefore(ledger, at)
    if (step >= 0) chain.push(ledger.at(step) as KeptEvent)
    if (step >= 0 || cause === null) break
    // Causes come before what they cause; a file may say otherwise.
    at = chain.length === BEFORE || cause >= (chain.at(-1) as KeptEvent).seq ? -1 : ledger.indexOf(cause)
    cut = at < 0
  }
  chain.reverse()
  const depths = new Map(chain.map((each, depth) => [each.seq, depth]))
  const steps = [...chain, ...consequences(ledger, asked, end, depths)]
  const inWords: WhyStep[] = steps.map((each) => ({
    ...lineOf(each),
    depth: depths.get(each.seq) as number,
    sentence: sentenceOf(each),
    asked: each === event,
  }))
  return { headline: headlineOf(event, chain), steps: inWords, advice: adviceOn(steps, workOf), cut }
}

function latestWrong(ledger: HeldEvents, path: string | undefined, end: number): number {
  const here = (event: KeptEvent): boolean => path === undefined || event.path === path || event.path.startsWith(`${path}/`)
  for (let k = end - 1; k >= 0; k--) {
    const event = ledger.at(k) as KeptEvent
    if (WRONG.has(event.type) && here(event)) return k
  }
  if (path === undefined) return -1
  for (let k = end - 1; k >= 0; k--) if (ledger.at(k)?.path === path) return k
  return -1
}

function consequences(ledger: HeldEvents, asked: number, end: number, depths: Map<number, number>): KeptEvent[] {
  const found: KeptEvent[] = []
  const { seq } = ledger.at(asked) as KeptEvent
  for (let k = asked + 1; k < Math.min(end, asked + AHEAD) && found.length < STEPS; k++) {
    const event = ledger.at(k) as KeptEvent
    const above = event.cause === null ? undefined : depths.get(event.cause)
    if (above === undefined || event.cause === null || event.cause < seq) continue
    depths.set(event.seq, above + 1)
    found.push(event)
  }
  return found
}

/** An event as a line of the log. */
export function lineOf(event: KeptEvent): LogLine {
  const { seq, at, type, path, cause } = event
  return { seq, at, type, path, cause, said: saidOf(event) }
}

const HIDDEN = new Set(['seq', 'at', 'type', 'path', 'cause', 'id', 'name', 'message', 'deadline', 'failure'])

/** Milliseconds. */
const DURATIONS = new Set(['duration', 'delay', 'silence', 'window', 'heldUp'])

function saidOf(event: KeptEvent): string {
  const said = Object.entries(event).filter(([field, value]) => !HIDDEN.has(field) && value !== undefined && value !== false)
  return said
    .map(([field, value]) =>
      value === true ? field : `${field} ${DURATIONS.has(field) ? `${Math.round(value as number)} ms` : textOf(value)}`,
    )
    .join(', ')
}

/** A value in a line. */
export function textOf(value: unknown): string {
  const wire = toWire(value)
  return typeof wire === 'string' ? wire : (JSON.stringify(wire) ?? '')
}

/** An event as a sentence. */
export function sentenceOf(kept: KeptEvent): string {
  const who = shortName(kept.path)
  // Fields of a recording are as they were written down: texts where there were errors.
  const event = kept as unknown as LifecycleEvent
  switch (event.type) {
    case 'routine.failed':
      return `${who} failed in run ${event.incarnation}: ${textOf(event.error)}${event.willRestart ? '; its supervisor restarts it' : ', and is not restarted'}`
    case 'routine.completed':
      return `${who} was done${event.willRestart ? '; its supervisor restarts it, since it is permanent' : ''}`
    case 'routine.cancelled':
      return `${who} was told to stop, and obeyed: ${textOf(event.reason)}`
    case 'routine.killed':
      return `${who} was told to stop, did not end in time, and was given up on: ${textOf(event.reason)}`
    case 'routine.orphaned':
      return `the body of ${who} goes on, and nobody waits for it`
    case 'routine.settled':
      return `the body of ${who} has ended after all`
    case 'routine.restarted':
      return `${who} is restarted as run ${event.incarnation}${event.delay > 0 ? `, in ${Math.round(event.delay)} ms` : ', at once'}${event.resumed ? ', from its snapshot' : ''}`
    case 'routine.hung':
      return `${who} has been silent for ${Math.round(event.silence)} ms`
    case 'routine.revived':
      return `${who} gives signs of life again, after ${Math.round(event.silence)} ms`
    case 'link.broken':
      return `${who} was tied to ${shortName(event.from)}, which failed: ${textOf(event.error)}`
    case 'routine.refused':
      return `${who} refused to spawn ${event.name}: ${event.code}`
    case 'manager.gaveUp':
      return `${who} gave up: more than ${event.restarts} restarts within ${event.window} ms`
    case 'manager.restarted':
      return `${who} began life ${event.incarnation}, with its original children only`
    case 'manager.phase':
      return `${who} stops: phase ${event.phase}`
    case 'control.ordered':
      return `somebody ordered in the inspector: ${event.control} ${who}`
    case 'loop.blocked':
      return `${who} blocked the event loop for ${Math.round(event.duration)} ms${event.doing === 'native' ? ', in a call that runs no JavaScript' : ''}: nothing else could run`
    case 'routine.spawned':
      return event.restored === true ? `${who} was brought back from the store` : `${who} spawned`
    case 'store.failed':
      return `the store of ${who} has failed: ${textOf(event.error)}${event.continues ? '; nothing is durable from here on' : ''}`
    case 'store.unclaimed':
      return `${event.id} stays in the store of ${who}: no work is registered as ${event.work}`
    case 'manager.stopped':
      return `${who} has stopped, as ${event.state}, by ${TRIGGERS[event.trigger]}`
    default:
      return sentenceOfTrial(kept) ?? `${who} ${kept.type.replace(/^\w+\./, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`
  }
}

const TRIGGERS = {
  request: 'request',
  supervisor: 'order of its supervisor',
  limit: 'its restart limit',
  auto_shutdown: 'the end of a significant child',
  start_failed: 'a start that failed',
  ignored: 'its own start, which asked to be ignored',
  store_failed: 'the end of its store',
} as const

function headlineOf(event: KeptEvent, chain: readonly KeptEvent[]): string {
  const root = rootOf(event, chain)
  return root === undefined || root === event ? sentenceOf(event) : `${sentenceOf(event)} – because ${sentenceOf(root)}`
}

/** The latest cause of an event that says why it happened: that its run had begun does not. */
function rootOf(event: KeptEvent, chain: readonly KeptEvent[]): KeptEvent | undefined {
  let phase: KeptEvent | undefined
  for (let k = chain.length - 2; k >= 0; k--) {
    const cause = chain[k] as KeptEvent
    if (ROOTS.has(cause.type)) return cause
    if (cause.type === 'manager.phase') phase = cause
    if (BEGINNINGS.has(cause.type)) break
  }
  return phase ?? (event.type === 'manager.phase' ? event : undefined)
}

/** What a routine runs. */
export type WorkKind = 'function' | 'actor'

const BEATS = {
  function: 'Call context.heartbeat() while it works, or raise hungAfter',
  actor: 'Each event that it handles is a sign of life: let it handle some while it works, or raise hungAfter',
  unknown:
    'A function calls context.heartbeat() while it works, and of a machine each event that it handles is a sign of life; or raise hungAfter',
} as const

type Advice = string | ((event: KeptEvent, workOf: (path: string) => WorkKind | undefined) => string)

const ADVICE: readonly (readonly [is: (event: KeptEvent) => boolean, advice: Advice])[] = [
  [
    ({ type }) => type === 'manager.gaveUp',
    'Mend the failure that repeats, or widen maxRestarts and restartWindow of the manager that gave up; a backoff gives a passing fault time to pass.',
  ],
  [({ type }) => type === 'routine.hung', ({ path }, workOf) => `${BEATS[workOf(path) ?? 'unknown']}; onHung decides what becomes of it.`],
  [
    ({ type }) => type === 'routine.killed',
    'Let the work listen to context.signal and end when it is aborted, or give it more shutdown time.',
  ],
  [
    ({ type, error }) => type === 'routine.failed' && textOf(error).includes('RoutineTimeoutError'),
    'Its timeout is too short for what it does, or what it waits for never comes.',
  ],
  [
    ({ type }) => type === 'routine.failed',
    "The error is the work's own: look at the routine for its options and history. A backoff spares what it depends on.",
  ],
]

/** What can be done about the first of these about which something can. */
export function adviceOn(steps: readonly KeptEvent[], workOf: (path: string) => WorkKind | undefined): string | undefined {
  for (const [is, advice] of ADVICE) {
    const step = steps.find(is)
    if (step !== undefined) return typeof advice === 'string' ? advice : advice(step, workOf)
  }
  return undefined
}
