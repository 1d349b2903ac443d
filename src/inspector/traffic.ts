/**
 * Messages, snapshots, transitions that were taken, and where routines were spawned: by XState's inspection and by the port for
 * observers of traffic, while a page looks.
 *
 * Q1  All of it is bounded, and nothing of it keeps an actor from being collected for long.
 * Q2  The text of a message is kept only for actors that a page looks at: it may be large.
 */
import type { AnyActorRef, AnyTransitionDefinition, InspectionEvent, Subscription } from 'xstate'
import { type GlobalManager, lifeOf, LocalManager } from '../manager/index.ts'
import { handedTo, incarnationOf, runOf } from '../routine/index.ts'
import { LifecycleActor } from '../turn/index.ts'
import type { MessageKind, Subject, TrafficObserver } from '../port/index.ts'
import { keyOf, stateToWire } from './chart.ts'
import { differences } from './diff.ts'
import { type Difference, type MessageLine, type SnapshotLine, UNKNOWN_SENDER } from './protocol.ts'
import { Ring } from './ring.ts'
import { Senders } from './senders.ts'
import { textOf } from './story.ts'
import type { Amount } from './traffic-record.ts'
import { inside, toWire, typeOf } from './to-wire.ts'
import { countsOf, messagesOf } from './message-lines.ts'

/** Messages and snapshots that are held. */
const MESSAGES = 10_000
const SNAPSHOTS = 2_000
/** Spawns in a second of which it is captured where they were called. */
const CAPTURES = 100
/** Snapshots of one actor that an answer lists. */
const LISTED = 40
/** Milliseconds for which an actor that was asked about counts as looked at. */
const INTEREST = 15_000

/** Stands for somebody of whom it is not known who it is. */
const UNKNOWN: Subject = { path: UNKNOWN_SENDER, id: '', name: '', incarnation: 0, isActor: false }

export interface Message {
  readonly n: number
  readonly at: number
  readonly from: AnyActorRef | Subject | undefined
  readonly to: AnyActorRef | Subject | undefined
  readonly type: string
  readonly kind: MessageLine['kind']
  readonly text: string
}

export interface Kept {
  readonly n: number
  readonly at: number
  readonly ref: AnyActorRef
  readonly event: string
  readonly snapshot: unknown
  /** How often each transition was taken since the one before; undefined if none was. */
  readonly taken: ReadonlyMap<string, number> | undefined
}

/** All that is held, and how much there ever was. */
export interface Held {
  /** The latest number. */
  readonly last: number
  readonly heard: Amount
  readonly messages: Pick<Ring<Message>, 'size' | 'at'>
  readonly snapshots: Pick<Ring<Kept>, 'size' | 'at'>
}

export class Traffic implements TrafficObserver {
  readonly #global: GlobalManager
  readonly senders: Senders
  /** Messages to actors that were heard of when they were sent, and come again when they are handed over. */
  #sent = new WeakSet<object>()
  readonly #messages = new Ring<Message>(MESSAGES)
  readonly #snapshots = new Ring<Kept>(SNAPSHOTS)
  /** How many there were of both, held or not. */
  readonly #heard = { messages: 0, snapshots: 0 }
  readonly #taken = new WeakMap<AnyActorRef, Map<string, number>>()
  /** The same since the latest snapshot of each. */
  readonly #fresh = new WeakMap<AnyActorRef, Map<string, number>>()
  /** For actors of which snapshots were pushed out, the latest of these: what is held reaches back to it. */
  readonly #cut = new WeakMap<AnyActorRef, { readonly n: number; readonly at: number }>()
  readonly #paths = new WeakMap<AnyActorRef, string>()
  readonly #sites = new WeakMap<Subject, { readonly stack?: string }>()
  readonly #interest = new Map<string, number>()
  #subscription: Subscription | undefined
  #last = 0
  #second = 0
  #captures = 0

  constructor(global: GlobalManager) {
    this.#global = global
    this.senders = new Senders(global)
  }

  begin(): void {
    this.senders.begin()
    this.#sent = new WeakSet()
    this.#global.tree.addObserver(this)
    this.#subscription = (this.#global.actor as unknown as LifecycleActor).listenIn((event) => this.#hear(event))
  }

  end(): void {
    this.senders.end()
    this.#global.tree.removeObserver(this)
    this.#subscription?.unsubscribe()
    this.#interest.clear()
  }

  /** No page comes back: what is held would only keep actors, and what they have in their contexts, from being collected. */
  forget(): void {
    this.#messages.clear()
    this.#snapshots.clear()
  }

  get #now(): number {
    return this.#global.tree.clock.now()
  }

  // --- as an observer of traffic ---------------------------------------------------------------

  spawned(subject: Subject): void {
    // To capture the stack is expensive: of thousands of spawns only some are looked at.
    const second = Math.floor(this.#now / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#captures = 0
    }
    if (++this.#captures > CAPTURES) return
    const { stackTraceLimit } = Error
    const site: { stack?: string } = {}
    // Where Error is frozen, the limit can't be set, and the caller may be further down than what is captured: it is left out.
    if (!Reflect.set(Error, 'stackTraceLimit', 1)) return
    // Only the caller of spawn; it is turned into text when a page asks.
    // oxlint-disable-next-line typescript/unbound-method -- it is not called
    Error.captureStackTrace(site, LocalManager.prototype.spawn)
    Error.stackTraceLimit = stackTraceLimit
    this.#sites.set(subject, site)
  }

  sender(): Subject | undefined {
    return this.senders.sender()
  }

  run(_subject: Subject, work: () => void): void {
    work()
  }

  message(subject: Subject, message: unknown, kind: MessageKind, asker?: Subject): Subject | undefined {
    const sender = kind === 'reply' ? asker : this.sender()
    const known = sender ?? (this.senders.isAnyUnknown ? UNKNOWN : undefined)
    const [from, to] = kind === 'reply' ? [subject, known] : [known, subject]
    // What is sent to an actor is an event, and is handed over later: then it is not known any more from whom it has come.
    const isEvent = subject.isActor && kind === 'send'
    if (subject.isActor && kind !== 'reply' && typeof message === 'object' && message !== null) this.#sent.add(message)
    const type = typeOf(message, isEvent ? 'event' : kind)
    const text = this.#isWatched(subject.path) || (sender !== undefined && this.#isWatched(sender.path)) ? textOf(message) : ''
    this.#keepMessage({ n: ++this.#last, at: this.#now, from, to, type, kind: isEvent ? 'event' : kind, text })
    return sender
  }

  // --- XState's inspection ---------------------------------------------------------------------

  #hear(event: InspectionEvent): void {
    if (event.type === '@xstate.event') this.#event(event.sourceRef as AnyActorRef | undefined, event.actorRef as AnyActorRef, event.event)
    else if (event.type === '@xstate.microstep') this.#count(event.actorRef as AnyActorRef, event._transitions as AnyTransitionDefinition[])
    else if (event.type === '@xstate.snapshot') {
      const { event: cause, snapshot } = event
      const ref = event.actorRef as AnyActorRef
      this.#keep({ n: ++this.#last, at: this.#now, ref, event: typeOf(cause, ''), snapshot, taken: this.#fresh.get(ref) })
    }
  }

  #event(source: AnyActorRef | undefined, target: AnyActorRef, event: { readonly type: string }): void {
    // Events of lifecycle actors are in the log already.
    if (target instanceof LifecycleActor) return
    const type = typeOf(event, 'event')
    if (type.startsWith('xstate.init')) return
    const isHanded = source === undefined && handedTo(target)
    // It was heard of when it was sent, or has waited since before that: then it is not known who sent it.
    if (isHanded && (this.#sent.has(event) || 'reply' in event)) return
    const from = isHanded ? UNKNOWN : (source ?? this.sender() ?? (this.senders.isAnyUnknown ? UNKNOWN : undefined))
    const text = this.#isWatched(this.#pathOf(target)) || (from !== undefined && this.#isWatched(this.#pathOf(from))) ? textOf(event) : ''
    this.#keepMessage({ n: ++this.#last, at: this.#now, from, to: target, type, kind: 'event', text })
  }

  #keepMessage(message: Message): void {
    this.#heard.messages++
    this.#messages.push(message)
  }

  #keep(kept: Kept): void {
    this.#heard.snapshots++
    this.#fresh.delete(kept.ref)
    const out = this.#snapshots.push(kept)
    if (out !== undefined) this.#cut.set(out.ref, { n: out.n, at: out.at })
  }

  #count(ref: AnyActorRef, transitions: readonly AnyTransitionDefinition[]): void {
    if (transitions.length === 0) return
    const [counts, fresh] = [takenIn(this.#taken, ref), takenIn(this.#fresh, ref)]
    for (const transition of transitions) {
      const key = keyOf(transition)
      counts.set(key, (counts.get(key) ?? 0) + 1)
      fresh.set(key, (fresh.get(key) ?? 0) + 1)
    }
  }

  /** The path of a routine or manager; of an actor that a user's own machine has made, its id below. */
  #pathOf(who: AnyActorRef | Subject): string {
    // A routine keeps its path itself.
    if (!('sessionId' in who)) return who.path
    const known = this.#paths.get(who)
    if (known !== undefined) return known
    // The user's own actor stands for its routine.
    const own = lifeOf(who) ?? (incarnationOf(who) ?? runOf(who))?.subject
    const path = own?.path ?? this.#pathBelow(who as AnyActorRef & { readonly _parent?: AnyActorRef })
    this.#paths.set(who, path)
    return path
  }

  #pathBelow({ id, _parent: parent }: AnyActorRef & { readonly _parent?: AnyActorRef }): string {
    return parent === undefined ? id : `${this.#pathOf(parent)}/${id}`
  }

  // --- what is asked -------------------------------------------------------------------------

  #isWatched(path: string): boolean {
    return this.#interest.size > 0 && (this.#interest.get(path) ?? -Infinity) > this.#now - INTEREST
  }

  /** A page looks at these. */
  watch(paths: readonly string[]): void {
    if (this.#interest.size > 100) this.#interest.clear()
    for (const path of paths) this.#interest.set(path, this.#now)
  }

  messages(paths: readonly string[], limit = 200): MessageLine[] {
    return messagesOf(paths, limit, this.#messages.size, this.#messageAt)
  }

  readonly #messageAt = (index: number): MessageLine => this.lineOf(this.#messages.at(index) as Message)

  lineOf({ n, at, from, to, type, kind, text }: Message): MessageLine {
    const [sender, target] = [from === undefined ? '' : this.#pathOf(from), to === undefined ? '' : this.#pathOf(to)]
    return { n, at, from: sender, to: target, type, kind, text }
  }

  /** What traffic-export.ts takes of it: by age, the numbers growing. */
  get held(): Held {
    return { last: this.#last, heard: { ...this.#heard }, messages: this.#messages, snapshots: this.#snapshots }
  }

  /** The latest snapshot of an actor that was pushed out. */
  cutAt(ref: AnyActorRef): { readonly n: number; readonly at: number } | undefined {
    return this.#cut.get(ref)
  }

  /** How many came in and went out, of those that are held. */
  countsOf(path: string): { in: number; out: number } {
    return countsOf(path, this.#messages.size, this.#messageAt)
  }

  taken(ref: AnyActorRef | undefined): Record<string, number> {
    return ref === undefined ? {} : Object.fromEntries(this.#taken.get(ref) ?? [])
  }

  /** The latest snapshots of an actor. */
  snapshots(ref: AnyActorRef): SnapshotLine[] {
    const found: SnapshotLine[] = []
    for (let k = this.#snapshots.size - 1; k >= 0 && found.length < LISTED; k--) {
      const kept = this.#snapshots.at(k) as Kept
      if (kept.ref !== ref) continue
      const value = (kept.snapshot as { value?: unknown }).value ?? (kept.snapshot as { status?: unknown }).status
      found.push({ n: kept.n, at: kept.at, event: kept.event, value: stateToWire(value) })
    }
    return found.reverse()
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

  /** Where `spawn` was called, if that was captured. */
  siteOf(subject: Subject): string | undefined {
    const line = this.#sites.get(subject)?.stack?.split('\n').at(-1)
    const found = line === undefined ? null : /\(?((?:file:\/\/)?\/?[^()\s]+:\d+:\d+)\)?$/.exec(line.trim())
    return found?.[1]?.replace(/^file:\/\//, '')
  }
}

function takenIn(all: WeakMap<AnyActorRef, Map<string, number>>, ref: AnyActorRef): Map<string, number> {
  let counts = all.get(ref)
  if (counts === undefined) all.set(ref, (counts = new Map()))
  return counts
}

function contextOf(snapshot: unknown): unknown {
  const { context, output, error } = snapshot as { context?: unknown; output?: unknown; error?: unknown }
  return context ?? output ?? error
}

function wholeOf(snapshot: unknown): unknown {
  const { value, status } = snapshot as { value?: unknown; status?: unknown }
  return { state: stateToWire(value ?? status), context: toWire(contextOf(snapshot)) }
}
