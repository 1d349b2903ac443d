/**
 * What XState itself and the tap tell, while somebody looks: messages, snapshots, transitions that were taken, and where
 * something was spawned.
 *
 * Q1  All of it is bounded, and nothing of it keeps an actor from being collected for long.
 * Q2  The text of a message is written down only for those whom somebody looks at: it may be large.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { AnyActorRef, AnyTransitionDefinition, InspectionEvent, Subscription } from 'xstate'
import type { GlobalManager } from '../global-manager.ts'
import type { RoutineRow } from '../routine.ts'
import type { MessageKind, Tap } from '../tap.ts'
import { keyOf } from './chart.ts'
import { differences } from './diff.ts'
import type { Difference, MessageLine, SnapshotLine } from './protocol.ts'
import { Ring } from './ring.ts'
import { textOf } from './story.ts'
import { inside, toWire, typeOf } from './to-wire.ts'

/** Messages and snapshots that are held. */
const MESSAGES = 10_000
const SNAPSHOTS = 2_000
/** Spawns of which it is looked up who called, in a second. */
const LOOKS = 100
/** Lines of the stack that it takes: the tap's, that of spawn itself, and who called it. */
const SITE = 3
/** Of one actor, as many are told of. */
const LISTED = 40
/** Milliseconds for which somebody who was asked about counts as looked at. */
const INTEREST = 15_000

interface Message {
  readonly n: number
  readonly at: number
  readonly from: AnyActorRef | RoutineRow | undefined
  readonly to: AnyActorRef | RoutineRow | undefined
  readonly type: string
  readonly kind: MessageLine['kind']
  readonly text: string
}

interface Kept {
  readonly n: number
  readonly at: number
  readonly ref: AnyActorRef
  readonly event: string
  readonly snapshot: unknown
}

export class Traffic implements Tap {
  readonly #global: GlobalManager
  readonly #running = new AsyncLocalStorage<RoutineRow>()
  readonly #messages = new Ring<Message>(MESSAGES)
  readonly #snapshots = new Ring<Kept>(SNAPSHOTS)
  readonly #taken = new WeakMap<AnyActorRef, Map<string, number>>()
  readonly #paths = new WeakMap<AnyActorRef, string>()
  readonly #sites = new WeakMap<RoutineRow, { readonly stack?: string }>()
  readonly #interest = new Map<string, number>()
  #subscription: Subscription | undefined
  #last = 0
  #second = 0
  #looks = 0

  constructor(global: GlobalManager) {
    this.#global = global
  }

  begin(): void {
    this.#global.stage.addTap(this)
    this.#subscription = this.#global.actor.system.inspect((event) => this.#hear(event))
  }

  end(): void {
    this.#global.stage.removeTap(this)
    this.#subscription?.unsubscribe()
    this.#interest.clear()
  }

  /** Nobody is coming back: what is held would only keep actors, and what they have in their contexts, from being collected. */
  forget(): void {
    this.#messages.clear()
    this.#snapshots.clear()
  }

  get #now(): number {
    return this.#global.stage.clock.now()
  }

  // --- what the tap tells ----------------------------------------------------------------------

  spawned(row: RoutineRow): void {
    // Looking at the stack is dear: of those that spawn by the thousands not everybody is asked.
    const second = Math.floor(this.#now / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#looks = 0
    }
    if (++this.#looks > LOOKS) return
    const { stackTraceLimit } = Error
    const site: { stack?: string } = {}
    // Where Error is frozen it stays as it is: the spawn goes on, and who called may be further down than is held.
    if (!Reflect.set(Error, 'stackTraceLimit', SITE)) return
    // Turning it into text waits until somebody asks.
    Error.captureStackTrace(site)
    Error.stackTraceLimit = stackTraceLimit
    this.#sites.set(row, site)
  }

  #runsIn(): RoutineRow | undefined {
    return this.#running.getStore()
  }

  run(row: RoutineRow, work: () => void): void {
    this.#running.run(row, work)
  }

  message(row: RoutineRow, message: unknown, kind: MessageKind, asker?: RoutineRow): RoutineRow | undefined {
    const sender = kind === 'reply' ? asker : this.#runsIn()
    const [from, to] = kind === 'reply' ? [row, asker] : [sender, row]
    const type = typeOf(message, kind)
    const text = this.#isWatched(row.path) || (sender !== undefined && this.#isWatched(sender.path)) ? textOf(message) : ''
    this.#messages.push({ n: ++this.#last, at: this.#now, from, to, type, kind, text })
    return sender
  }

  // --- what XState tells -----------------------------------------------------------------------

  #hear(event: InspectionEvent): void {
    if (event.type === '@xstate.event') this.#passed(event.sourceRef as AnyActorRef | undefined, event.actorRef as AnyActorRef, event.event)
    else if (event.type === '@xstate.microstep') this.#count(event.actorRef as AnyActorRef, event._transitions as AnyTransitionDefinition[])
    else if (event.type === '@xstate.snapshot') {
      const { actorRef, event: cause, snapshot } = event
      this.#snapshots.push({ n: ++this.#last, at: this.#now, ref: actorRef as AnyActorRef, event: typeOf(cause, ''), snapshot })
    }
  }

  #passed(source: AnyActorRef | undefined, target: AnyActorRef, event: { readonly type: string }): void {
    // What drives lifecycles is in the log already.
    const { stage } = this.#global
    if (stage.incarnations.has(target) || stage.managers.has(target)) return
    const type = typeOf(event, 'event')
    if (type.startsWith('xstate.init')) return
    const from = source ?? this.#runsIn()
    const text = this.#isWatched(this.#pathOf(target)) || (from !== undefined && this.#isWatched(this.#pathOf(from))) ? textOf(event) : ''
    this.#messages.push({ n: ++this.#last, at: this.#now, from, to: target, type, kind: 'event', text })
  }

  #count(ref: AnyActorRef, transitions: readonly AnyTransitionDefinition[]): void {
    let counts = this.#taken.get(ref)
    if (counts === undefined) this.#taken.set(ref, (counts = new Map()))
    for (const transition of transitions) {
      const key = keyOf(transition)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }

  /** The path of a routine or manager; of an actor that a user's own machine has made, its id below. */
  #pathOf(who: AnyActorRef | RoutineRow): string {
    // A routine keeps its own.
    if (!('sessionId' in who)) return who.path
    const known = this.#paths.get(who)
    if (known !== undefined) return known
    const { stage } = this.#global
    const own = stage.managers.get(who)?.path ?? stage.incarnations.get(who)?.row.path
    const parent = (who as { _parent?: AnyActorRef })._parent
    const above = parent === undefined ? undefined : this.#pathOf(parent)
    // The user's own actor stands for its routine.
    const isWork = parent !== undefined && stage.incarnations.has(parent)
    const path = own ?? (above === undefined ? who.id : isWork ? above : `${above}/${who.id}`)
    this.#paths.set(who, path)
    return path
  }

  // --- what is asked -------------------------------------------------------------------------

  #isWatched(path: string): boolean {
    return this.#interest.size > 0 && (this.#interest.get(path) ?? -Infinity) > this.#now - INTEREST
  }

  /** Somebody looks at these. */
  watch(paths: readonly string[]): void {
    if (this.#interest.size > 100) this.#interest.clear()
    for (const path of paths) this.#interest.set(path, this.#now)
  }

  messages(paths: readonly string[], limit = 200): MessageLine[] {
    const wanted = new Set(paths)
    const lines: MessageLine[] = []
    for (let k = this.#messages.size - 1; k >= 0 && lines.length < limit; k--) {
      const { n, at, from, to, type, kind, text } = this.#messages.at(k) as Message
      const line = {
        n,
        at,
        from: from === undefined ? '' : this.#pathOf(from),
        to: to === undefined ? '' : this.#pathOf(to),
        type,
        kind,
        text,
      }
      if (wanted.has(line.from) || wanted.has(line.to)) lines.push(line)
    }
    return lines.reverse()
  }

  /** How many came in and went out, of those that are held. */
  countsOf(path: string): { in: number; out: number } {
    const all = this.messages([path], MESSAGES)
    return { in: all.filter(({ to }) => to === path).length, out: all.filter(({ from }) => from === path).length }
  }

  taken(ref: AnyActorRef | undefined): Record<string, number> {
    return ref === undefined ? {} : Object.fromEntries(this.#taken.get(ref) ?? [])
  }

  /** The latest snapshots of an actor. */
  snapshots(ref: AnyActorRef): SnapshotLine[] {
    const lines: SnapshotLine[] = []
    for (let k = this.#snapshots.size - 1; k >= 0 && lines.length < LISTED; k--) {
      const kept = this.#snapshots.at(k) as Kept
      if (kept.ref !== ref) continue
      const value = (kept.snapshot as { value?: unknown }).value ?? (kept.snapshot as { status?: unknown }).status
      lines.push({ n: kept.n, at: kept.at, event: kept.event, value: toWire(value) })
    }
    return lines.reverse()
  }

  /** The context of a snapshot, or of the present one: only what is `at` a place inside it. */
  look(ref: AnyActorRef, n: number | undefined, at: readonly (string | number)[]): unknown {
    return toWire(inside(contextOf(n === undefined ? ref.getSnapshot() : this.#snapshot(ref, n)), at))
  }

  diff(ref: AnyActorRef, from: number, to: number): Difference[] {
    const [before, after] = [this.#snapshot(ref, from), this.#snapshot(ref, to)]
    return differences(wholeOf(before), wholeOf(after))
  }

  #snapshot(ref: AnyActorRef, n: number): unknown {
    for (const kept of this.#snapshots) if (kept.n === n && kept.ref === ref) return kept.snapshot
    throw new Error('this snapshot is not held any more')
  }

  /** The line that called `spawn`, if somebody was looking at the time. */
  siteOf(row: RoutineRow): string | undefined {
    const line = this.#sites.get(row)?.stack?.split('\n').at(-1)
    const found = line === undefined ? null : /\(?((?:file:\/\/)?\/?[^()\s]+:\d+:\d+)\)?$/.exec(line.trim())
    return found?.[1]?.replace(/^file:\/\//, '')
  }
}

function contextOf(snapshot: unknown): unknown {
  const { context, output, error } = snapshot as { context?: unknown; output?: unknown; error?: unknown }
  return context ?? output ?? error
}

function wholeOf(snapshot: unknown): unknown {
  const { value, status } = snapshot as { value?: unknown; status?: unknown }
  return { state: toWire(value ?? status), context: toWire(contextOf(snapshot)) }
}
