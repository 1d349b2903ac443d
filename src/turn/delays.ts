/**
 * The delayed events of users' machines: of `after`, and of `raise` and `sendTo` with a delay.
 *
 * XState keeps them for a whole system, by a key for each, and looks through all of them wherever an actor ends. Here it is known
 * which of them an actor has begun, and noted which belong to one that may have to go on after a crash. Whether one is still
 * under way is asked of XState's own account.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import type { Clock } from '../port/index.ts'
import type { Tree } from './tree.ts'

/** XState's clock for a tree: its timers, each of which calls back in the asynchronous context in which it was armed. */
export function clockOf({ asyncContext }: Tree, clock: Clock): Omit<Clock, 'now'> {
  return {
    setTimeout: (callback, delay) => {
      const captured = asyncContext.capture()
      return clock.setTimeout(() => asyncContext.run(captured, callback, undefined, undefined), delay)
    },
    clearTimeout: (timer) => clock.clearTimeout(timer),
  }
}

/** What XState schedules with. */
interface Scheduler {
  schedule(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id?: string): void
  cancel(source: AnyActorRef, id: string): void
  cancelAll(source: AnyActorRef): void
}

/** What XState has beside its types. */
interface Scheduling {
  readonly scheduler: Scheduler
  readonly _snapshot: { readonly _scheduledEvents: Readonly<Record<string, object | undefined>> }
}

/** An event that is to be sent later. */
export interface Delay {
  readonly source: AnyActorRef
  readonly target: AnyActorRef
  readonly event: EventObject
  readonly id: string
  readonly delay: number
  readonly key: string
  /** XState's own account of it. */
  readonly account: object
}

/** Where the delays of an actor, and of all below it, are noted. */
export interface Notes {
  note(delay: Delay): void
  /** An actor ends, and with it what it has under way. */
  cut(source: AnyActorRef): void
}

/** An actor whose delays may be noted: nothing further up is asked. */
export interface Noted {
  readonly notes: Notes | undefined
}

/** So many ids may be known of an actor, and then each time twice as many, before those are looked for that are not under way any more. */
const SWEEP = 32

const keyOf = ({ sessionId }: AnyActorRef, id: string): string => `${sessionId}.${id}`

/** The delays of one system. */
export class Delays {
  /** XState puts another account in it, once. */
  readonly #accounts: Scheduling['_snapshot']
  readonly #schedule: Scheduler['schedule']
  readonly #cancel: Scheduler['cancel']
  /** By the actor that has begun them, until it ends: most have one at a time. */
  readonly #ids = new Map<AnyActorRef, string | Set<string>>()
  #given = 0

  constructor(system: AnyActorRef['system']) {
    const scheduling = system as unknown as Scheduling
    const { scheduler } = scheduling
    this.#accounts = scheduling._snapshot
    this.#schedule = scheduler.schedule.bind(scheduler)
    this.#cancel = scheduler.cancel.bind(scheduler)
    // What comes in through XState comes here.
    scheduler.schedule = (source, target, event, delay, id) => this.schedule(source, target, event, delay, id)
    scheduler.cancelAll = (source) => this.#cancelAll(source)
  }

  isUnderWay({ key, account }: Delay): boolean {
    return this.#accountOf(key) === account
  }

  /** @param id By it, it is known; XState's own, for one that was given none, is random. */
  schedule(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id = `curtaincall.${++this.#given}`): void {
    this.#schedule(source, target, event, delay, id)
    this.#know(source, id)
    const notes = notesFor(source)
    if (notes === undefined) return
    const key = keyOf(source, id)
    const account = this.#accountOf(key)
    if (account !== undefined) notes.note({ source, target, event, id, delay, key, account })
  }

  #accountOf(key: string): object | undefined {
    return this.#accounts._scheduledEvents[key]
  }

  #know(source: AnyActorRef, id: string): void {
    const known = this.#ids.get(source)
    if (known === undefined) this.#ids.set(source, id)
    else if (known instanceof Set) this.#add(known, source, id)
    else if (known !== id) this.#ids.set(source, new Set([known, id]))
  }

  #add(ids: Set<string>, source: AnyActorRef, id: string): void {
    const { size } = ids
    if (size >= SWEEP && (size & (size - 1)) === 0)
      for (const each of ids) if (this.#accountOf(keyOf(source, each)) === undefined) ids.delete(each)
    ids.add(id)
  }

  #cancelAll(source: AnyActorRef): void {
    const known = this.#ids.get(source)
    if (known === undefined) return
    notesFor(source)?.cut(source)
    this.#ids.delete(source)
    if (known instanceof Set) for (const id of known) this.#cancel(source, id)
    else this.#cancel(source, known)
  }
}

/** Those of the actor, or of the nearest above it whose delays may be noted. */
function notesFor(source: AnyActorRef): Notes | undefined {
  for (let actor: AnyActorRef | undefined = source; actor !== undefined; actor = actor._parent)
    if ('notes' in actor) return (actor as unknown as Noted).notes
  return undefined
}
