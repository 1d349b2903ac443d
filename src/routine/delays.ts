/**
 * The delayed events that an actor, and those below it, have under way: of `after`, and of `raise` and `sendTo` with a delay.
 *
 * XState keeps them for a whole system, by a key for each; here it is noted which of them belong to an actor that may have to go on
 * after a crash. Whether one is still under way is asked of XState's own account.
 */
import type { AnyActorRef, AnyMachineSnapshot, EventObject } from 'xstate'

/** What XState schedules with. */
interface Scheduler {
  schedule(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id?: string): void
  cancelAll(source: AnyActorRef): void
}

/** What XState has beside its types. */
interface System {
  readonly scheduler: Scheduler
  readonly _snapshot: { readonly _scheduledEvents: Readonly<Record<string, object | undefined>> }
}

/** An event that is to be sent later. */
export interface Delay {
  /** The actor that was to go on, as it was when this began. */
  readonly top: AnyActorRef
  readonly source: AnyActorRef
  readonly target: AnyActorRef
  readonly event: EventObject
  readonly id: string
  /** When, by the clock of the tree. */
  readonly due: number
  /** XState's own account of it. */
  readonly account: object
  readonly key: string
  /** True if it was under way when its source ended. */
  cut: boolean
}

const NONE: readonly Delay[] = []

/** So many, and twice as many as are under way, may be known. */
const SWEEP = 32

/** Whose delays are noted: those of an actor, and of all below it. */
const NOTED = new WeakMap<AnyActorRef, Delays>()

/** Systems whose scheduler tells of what it schedules. */
const TELLING = new WeakSet<object>()

export class Delays {
  readonly #now: () => number
  #top: AnyActorRef | undefined
  #known: Delay[] = []
  /** At so many known, those that are not under way any more are looked for. */
  #sweepAt = SWEEP
  #ids = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes those of this actor from here on. It has not started. */
  of(top: AnyActorRef): void {
    this.#top = top
    this.#known = []
    NOTED.set(top, this)
    const system = systemOf(top)
    if (TELLING.has(system)) return
    TELLING.add(system)
    tell(system.scheduler)
  }

  /** An id for one that was given none: by it, it is known. */
  nextId(): string {
    return `curtaincall.${++this.#ids}`
  }

  note(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id: string): void {
    const key = `${source.sessionId}.${id}`
    const top = this.#top as AnyActorRef
    const account = systemOf(top)._snapshot._scheduledEvents[key]
    if (this.#known.length >= this.#sweepAt) this.#sweep()
    if (account !== undefined) this.#known.push({ top, source, target, event, id, due: this.#now() + delay, account, key, cut: false })
  }

  /** An actor ends, and with it what it has under way. */
  cut(source: AnyActorRef): void {
    for (const delay of this.#known) if (delay.source === source && isUnderWay(delay)) delay.cut = true
  }

  /** Those under way now, in order of their making. */
  underWay(): readonly Delay[] {
    if (this.#known.length === 0) return NONE
    this.#sweep()
    return [...this.#known]
  }

  /** Forgets those that are not under way any more. */
  #sweep(): void {
    this.#known = this.#known.filter(isUnderWay)
    this.#sweepAt = 2 * this.#known.length + SWEEP
  }

  /** Schedules what was under way then, for an actor that goes on in the place of the one that had it. */
  resume(top: AnyActorRef, delays: readonly Delay[]): void {
    const { scheduler } = systemOf(top)
    const now = this.#now()
    for (const delay of delays) {
      const source = successor(delay.source, delay.top, top)
      const target = successor(delay.target, delay.top, top)
      // It was cancelled with its actor, or sent to whom no crash has set back.
      if (source === undefined || target === undefined || (target === delay.target && !delay.cut)) continue
      scheduler.schedule(source, target, delay.event, Math.max(0, delay.due - now), delay.id)
    }
  }
}

function isUnderWay({ top, key, account }: Delay): boolean {
  return systemOf(top)._snapshot._scheduledEvents[key] === account
}

function systemOf({ system }: AnyActorRef): System {
  return system as unknown as System
}

/** From here on the scheduler tells of delays that are to be noted. */
function tell(scheduler: Scheduler): void {
  const schedule = scheduler.schedule.bind(scheduler)
  const cancelAll = scheduler.cancelAll.bind(scheduler)
  scheduler.schedule = (source, target, event, delay, given) => {
    const delays = notedFor(source)
    const id = given ?? delays?.nextId()
    schedule(source, target, event, delay, id)
    if (delays !== undefined) delays.note(source, target, event, delay, id as string)
  }
  scheduler.cancelAll = (source) => {
    notedFor(source)?.cut(source)
    cancelAll(source)
  }
}

function notedFor(source: AnyActorRef): Delays | undefined {
  for (let actor: AnyActorRef | undefined = source; actor !== undefined; actor = actor._parent) {
    const delays = NOTED.get(actor)
    if (delays !== undefined) return delays
  }
  return undefined
}

/**
 * The actor that stands where this one stood: itself, if that was not below the old top nor right above it; undefined if there is none.
 */
function successor(actor: AnyActorRef, old: AnyActorRef, top: AnyActorRef): AnyActorRef | undefined {
  if (actor === old) return top
  if (actor === old._parent) return top._parent
  const ids: string[] = []
  let above: AnyActorRef | undefined = actor
  for (; above !== undefined && above !== old; above = above._parent) ids.push(above.id)
  if (above === undefined) return actor
  let found: AnyActorRef | undefined = top
  for (const id of ids.reverse()) found = childOf(found, id)
  return found
}

function childOf(actor: AnyActorRef | undefined, id: string): AnyActorRef | undefined {
  const { children } = (actor?.getSnapshot() ?? {}) as Partial<AnyMachineSnapshot>
  return children?.[id]
}
