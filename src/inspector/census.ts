/**
 * Which actors of a system live, by XState's inspection events: for viewers that were made elsewhere.
 *
 * I1  Each actor is announced once, after its parent and once it has a snapshot: XState's own announcement comes before there is one.
 * I2  Of each actor that was announced the end is reported, once, also if it threw: of that XState reports nothing.
 * I3  Only living actors are held.
 */

/** As much of an actor as is looked at. */
export interface ActorLike {
  readonly sessionId: string
  readonly id?: string
  readonly src?: unknown
  readonly logic?: unknown
  readonly _parent?: ActorLike | undefined
  getSnapshot(): unknown
  send(event: never): void
}

/** As much of one of XState's inspection events as is looked at. */
export interface InspectionEventLike {
  readonly type: string
  readonly rootId: string
  readonly actorRef: unknown
  readonly sourceRef?: unknown
  readonly event?: { readonly type: string }
  readonly snapshot?: unknown
}

/** A snapshot of any logic, each field read once. Only that of a machine has a value. */
export interface Seen {
  readonly status: string
  readonly value: unknown
  readonly context: unknown
  readonly input: unknown
  readonly output: unknown
  readonly error: unknown
  readonly tags: readonly string[]
}

/** An actor that lives. */
export interface Inspected {
  readonly ref: ActorLike
  readonly sessionId: string
  readonly id: string
  readonly parentId: string | undefined
  readonly rootId: string
}

/** What is told of the actors. */
export interface CensusTaker {
  appeared(actor: Inspected): void
  /** An event is delivered, and not handled yet. */
  received(actor: Inspected, event: { readonly type: string }, sourceId: string | undefined): void
  changed(actor: Inspected, seen: Seen, event: { readonly type: string }): void
  /** Its last snapshot: `done`, `error` or `stopped`. */
  ended(actor: Inspected, seen: Seen, event: { readonly type: string }): void
}

/** State values deeper than this are cut. */
const DEPTH = 64
const TAGS = 50

export class Census {
  readonly #taker: CensusTaker
  readonly #living = new Map<string, Inspected>()
  readonly #over = new WeakSet<ActorLike>()

  constructor(taker: CensusTaker) {
    this.#taker = taker
  }

  /** All actors that live, parents before children. */
  living(): Iterable<Inspected> {
    return this.#living.values()
  }

  find(sessionId: string): Inspected | undefined {
    return this.#living.get(sessionId)
  }

  /** Takes one inspection event. */
  next({ type, actorRef, sourceRef, event = { type: '' }, snapshot, rootId }: InspectionEventLike): void {
    const ref = actorRef as ActorLike
    if (type === '@xstate.event') this.#event(ref, sourceRef as ActorLike | undefined, event, rootId)
    else if (type === '@xstate.snapshot') {
      const actor = this.#know(ref, rootId, true)
      if (actor === undefined) return
      const seen = read(snapshot)
      if (seen.status !== 'active') this.#end(actor, seen, event)
      // Logic such as fromTransition's has no status for it, but is stopped all the same.
      else if (event.type === 'xstate.stop') this.#end(actor, { ...seen, status: 'stopped' }, event)
      else this.#taker.changed(actor, seen, event)
    }
  }

  #event(ref: ActorLike, source: ActorLike | undefined, event: { readonly type: string }, rootId: string): void {
    const from = source === undefined ? undefined : this.#know(source, rootId, false)
    const actor = this.#know(ref, rootId, event.type === 'xstate.init')
    if (from !== undefined && event.type.startsWith('xstate.error.actor.')) this.#endIfFailed(from, event)
    if (actor === undefined) return
    this.#taker.received(actor, event, source?.sessionId)
    // A root that throws has no parent to which XState would report it.
    if (ref._parent === undefined) queueMicrotask(() => this.#endIfFailed(actor, event))
  }

  /** What is known of an actor; announced if it is new, and lives. One that has ended is announced only by an event that it began with. */
  #know(ref: ActorLike, rootId: string, evenEnded: boolean): Inspected | undefined {
    const known = this.#living.get(ref.sessionId)
    if (known !== undefined || this.#over.has(ref)) return known
    if (!evenEnded && seenOf(ref).status !== 'active') return undefined
    const { sessionId, id = sessionId, _parent: parent } = ref
    if (parent !== undefined) this.#know(parent, rootId, false)
    const actor: Inspected = { ref, sessionId, id, parentId: parent?.sessionId, rootId }
    this.#living.set(sessionId, actor)
    this.#taker.appeared(actor)
    return actor
  }

  #endIfFailed(actor: Inspected, event: { readonly type: string }): void {
    const seen = seenOf(actor.ref)
    if (seen.status === 'error' && this.#living.has(actor.sessionId)) this.#end(actor, seen, event)
  }

  #end(actor: Inspected, seen: Seen, event: { readonly type: string }): void {
    this.#living.delete(actor.sessionId)
    this.#over.add(actor.ref)
    this.#taker.ended(actor, seen, event)
  }
}

/** The present snapshot of an actor. */
export function seenOf(ref: ActorLike): Seen {
  return read(attempt(() => ref.getSnapshot()))
}

function read(snapshot: unknown): Seen {
  const field = (name: string): unknown => attempt(() => (snapshot as Record<string, unknown> | undefined)?.[name])
  const status = field('status')
  const tags = attempt(() => [...(field('tags') as Iterable<unknown>)].slice(0, TAGS).map(String))
  return {
    status: typeof status === 'string' ? status : 'active',
    value: stateValue(field('value'), DEPTH),
    context: field('context'),
    input: field('input'),
    output: field('output'),
    error: field('error'),
    tags: tags ?? [],
  }
}

/** A state value: a string, or states by region. */
function stateValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null || depth === 0) return undefined
  return attempt(() => Object.fromEntries(Object.entries(value).map(([key, each]) => [key, stateValue(each, depth - 1) ?? {}])))
}

/** Undefined if it throws: snapshots are the user's, getters included. */
function attempt<Result>(look: () => Result): Result | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
