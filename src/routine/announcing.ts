/** What a routine tells the listeners of its manager and of all above. */
import type { LifecycleEvent, MessageEvent, RoutineEvent } from '../../machines/lifecycle-event.ts'
import { Remembering } from './aside.ts'
import type { Manager } from '../manager/manager.ts'
import type { EndKind } from '../count/metrics.ts'

/** An event before it has what is special to its type. */
type Begun = Record<string, unknown>

/** Why an incarnation has ended, and what was thrown beside. */
interface Why {
  readonly error: unknown
  readonly reason: unknown
  readonly stray: { readonly error: unknown } | undefined
}

const ENDS = {
  completed: 'routine.completed',
  failed: 'routine.failed',
  cancelled: 'routine.cancelled',
  killed: 'routine.killed',
} as const

export abstract class Announcing extends Remembering {
  /** `seq` of the event that explains the next one. */
  seq = 0

  /** The manager that it lives in. */ abstract readonly local: Manager
  abstract get path(): string
  abstract get id(): string
  abstract get name(): string
  abstract get incarnation(): number
  abstract get uptime(): number

  /** Numbers an event of its life. `at` is for who has just asked the clock: that is a tenth of the price of an event. */
  announce(type: RoutineEvent['type'] | 'control.ordered', extra?: object, cause = this.seq, at?: number): void {
    const { bus } = this.local.stage
    const seq = bus.next()
    this.seq = seq
    if (bus.hears(type)) this.#publish(Object.assign(this.#event(type, seq, cause, at), extra))
  }

  /** The same of an end. What is special to it is written out: to copy it costs as much as to deliver the event. */
  announceEnd(kind: EndKind, willRestart: boolean, { error, reason, stray }: Why, at?: number): void {
    const { bus } = this.local.stage
    const type = ENDS[kind]
    const cause = this.seq
    const seq = bus.next()
    this.seq = seq
    if (!bus.hears(type)) return
    const { path, id, name, incarnation, uptime: duration, local } = this
    const when = at ?? local.stage.clock.now()
    const event: Begun = { type, path, id, name, incarnation, at: when, seq, cause: cause || null, duration, willRestart }
    if (kind === 'cancelled' || kind === 'killed') event['reason'] = reason
    const thrown = kind === 'cancelled' ? (error ?? stray?.error) : error
    if (kind === 'failed' || (kind === 'cancelled' && thrown !== undefined)) event['error'] = thrown
    this.#publish(event)
  }

  /** Numbers an event that explains nothing of what follows. */
  announceAside(type: MessageEvent['type'], extra: object): void {
    const { local } = this
    if (local.over) return
    const seq = local.stage.bus.next()
    if (local.stage.bus.hears(type)) this.#publish(Object.assign(this.#event(type, seq, 0), extra))
  }

  /** Somebody orders something by hand: what follows from it says so. */
  ordered(control: string): void {
    this.local.stage.turn.run(noteOrder, this, control)
  }

  #event(type: LifecycleEvent['type'], seq: number, cause: number, at?: number): Begun {
    const { path, id, name, incarnation, local } = this
    return { type, path, id, name, incarnation, at: at ?? local.stage.clock.now(), seq, cause: cause || null }
  }

  #publish(event: Begun): void {
    this.local.stage.bus.publish(this.local.listeners, event as unknown as LifecycleEvent)
  }
}

function noteOrder(row: Announcing, control: string): void {
  row.announce('control.ordered', { control }, 0)
}
