/** The events of a routine, for the listeners of its manager and of all managers above. In a turn. */
import type { LifecycleEvent, MessageEvent, RoutineEvent } from '../../machines/lifecycle-event.ts'
import type { EndKind } from '../contract/index.ts'
import type { Host } from './host.ts'

/** A routine whose events are announced. */
export interface Announcer {
  readonly local: Pick<Host, 'tree' | 'listeners' | 'over'>
  readonly path: string
  readonly id: string
  readonly name: string
  readonly incarnation: number
  readonly uptime: number
  readonly input: unknown
  /** `seq` of the event that explains the next one. */
  seq: number
}

/** An event without the fields of its type. */
type Unspecific = Record<string, unknown>

/** Why an incarnation has ended, and what was thrown besides. */
interface Why {
  readonly error: unknown
  readonly reason: unknown
  readonly stuck: boolean
  readonly stray: { readonly error: unknown } | undefined
  readonly askedAt: number | undefined
}

const ENDS = {
  completed: 'routine.completed',
  failed: 'routine.failed',
  cancelled: 'routine.cancelled',
  killed: 'routine.killed',
} as const

/** Numbers an event of its life. A caller that has just read the clock passes `at`: reading it is a tenth of the cost of an event. */
export function announce(
  routine: Announcer,
  type: RoutineEvent['type'] | 'control.ordered',
  extra?: object,
  cause = routine.seq,
  at?: number,
): void {
  const { bus } = routine.local.tree
  const seq = bus.next()
  routine.seq = seq
  if (bus.hears(type)) publish(routine, Object.assign(eventOf(routine, type, seq, cause, at), extra))
}

/** The same of an end. What is special to it is written out: to copy it costs as much as to deliver the event. */
export function announceEnd(routine: Announcer, kind: EndKind, willRestart: boolean, why: Why, at?: number): void {
  const { bus } = routine.local.tree
  const type = ENDS[kind]
  const cause = routine.seq
  const seq = bus.next()
  routine.seq = seq
  if (!bus.hears(type)) return
  const { error, reason, stuck, stray, askedAt } = why
  const { path, id, name, incarnation, uptime: duration, local } = routine
  const when = at ?? local.tree.clock.now()
  const event: Unspecific = { type, path, id, name, incarnation, at: when, seq, cause: cause || null, duration, willRestart }
  if (kind === 'cancelled' || kind === 'killed') event['reason'] = reason
  const thrown = kind === 'cancelled' ? (error ?? stray?.error) : error
  if (kind === 'failed' || (kind === 'cancelled' && thrown !== undefined)) event['error'] = thrown
  if (stuck) event['stuck'] = true
  if (askedAt !== undefined) event['heldUp'] = when - askedAt
  // By the time the event is told, a routine that has ended can't be found any more.
  if (kind === 'failed') bus.inputs?.set(event as unknown as LifecycleEvent, routine.input)
  publish(routine, event)
}

/** Numbers an event that is not the cause of what follows. */
export function announceAside(routine: Announcer, type: MessageEvent['type'], extra: object): void {
  const { local } = routine
  if (local.over) return
  const { bus } = local.tree
  const seq = bus.next()
  if (bus.hears(type)) publish(routine, Object.assign(eventOf(routine, type, seq, 0), extra))
}

function eventOf(routine: Announcer, type: LifecycleEvent['type'], seq: number, cause: number, at?: number): Unspecific {
  const { path, id, name, incarnation, local } = routine
  return { type, path, id, name, incarnation, at: at ?? local.tree.clock.now(), seq, cause: cause || null }
}

function publish({ local }: Announcer, event: Unspecific): void {
  local.tree.bus.publish(local.listeners, event as unknown as LifecycleEvent)
}
