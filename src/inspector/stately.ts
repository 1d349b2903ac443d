/**
 * Feeds `@statelyai/inspect`: XState's inspection events as the plain objects that its receivers take.
 *
 * J1  A viewer that is not connected, or too slow, misses steps but no end: it is told again which actors live, and which have ended since.
 * J2  What is said is JSON of bounded size, errors in words; what throws while it is looked at is contained.
 */
import type { Snapshot } from 'xstate'
import { callable, check, having, refuse, type Rule } from '../spec/index.ts'
import { type ActorLike, Census, type InspectionEventLike, type Inspected, type Seen, seenOf } from './census.ts'
import { toWire } from './to-wire.ts'

/** The version of @statelyai/inspect whose events these are. */
const VERSION = '0.7.2'
/** Characters of a definition, and what it is made of: a larger one is left out. */
const DEFINITION = 256 * 1024
const PARTS = 20_000
/** Bytes that a WebSocket may have before it, and milliseconds until it is looked at again. */
const BUFFERED = 4 * 1024 * 1024
const RETRY = 100
/** WebSocket.OPEN and WebSocket.CLOSING. */
const OPEN = 1
const CLOSING = 2

interface StatelyBase {
  readonly sessionId: string
  readonly rootId: string
  /** Milliseconds since 1970, as a string. */
  readonly createdAt: string
  readonly id: string
  readonly _version: string
}

/** A snapshot as plain JSON, an error in words. */
export type StatelySnapshot = Snapshot<unknown> & {
  readonly value?: unknown
  readonly context?: unknown
  readonly input?: unknown
  readonly tags?: readonly string[]
}

/** What a receiver of @statelyai/inspect takes. */
export type StatelyEvent =
  | (StatelyBase & {
      readonly type: '@xstate.actor'
      readonly name: string
      readonly parentId: string | undefined
      /** The machine's configuration as JSON, functions by their names. */
      readonly definition: string | undefined
      readonly snapshot: StatelySnapshot
    })
  | (StatelyBase & { readonly type: '@xstate.event'; readonly event: { readonly type: string }; readonly sourceId: string | undefined })
  | (StatelyBase & { readonly type: '@xstate.snapshot'; readonly event: { readonly type: string }; readonly snapshot: StatelySnapshot })

/** Where events go to: an observer takes them as objects, a WebSocket as JSON. */
export type StatelySender =
  | { next(event: StatelyEvent): void }
  | { send(text: string): void; readonly readyState?: number; readonly bufferedAmount?: number }

/** Options of {@link createStatelyAdapter}. */
export interface StatelyAdapterOptions {
  /** The time of an event, in milliseconds since 1970. @default Date.now */
  readonly now?: (() => number) | undefined
  /** Gets what the sender throws, so that the tree does not. What it throws itself goes nowhere. @default nothing is done about it */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** An inspection observer of XState. */
export interface StatelyAdapter {
  /** Takes an inspection event. Never throws. */
  next(event: InspectionEventLike): void
  /** Announces all who live once more, for a viewer that has come later. */
  replay(): void
}

/**
 * Makes an inspection observer for a tree, or any system of XState 5, that feeds viewers made with `@statelyai/inspect`. A
 * WebSocket that is still connecting is waited for; one that is closed is told nothing until it is open again.
 *
 * @throws ConfigError if the sender has neither `next` nor `send`, or for a wrong option.
 * @example
 * const global = createGlobalManager({ inspect: createStatelyAdapter(new WebSocket('ws://127.0.0.1:8080')) })
 * @example
 * const { adapter } = createBrowserInspector()
 * const global = createGlobalManager({ inspect: createStatelyAdapter({ next: (event) => adapter.send(event) }) })
 */
export function createStatelyAdapter(sender: StatelySender, options: StatelyAdapterOptions = {}): StatelyAdapter {
  if (!having('next').accepts(sender) && !having('send').accepts(sender))
    throw refuse('createStatelyAdapter sender', 'an object with the method next or send', sender)
  check('createStatelyAdapter', options, { now: callable, onError: callable } satisfies Record<keyof StatelyAdapterOptions, Rule>)
  const feed = new Feed(sender, options)
  return { next: (event) => feed.next(event), replay: () => feed.replay() }
}

class Feed {
  readonly #sender: StatelySender
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  readonly #census = new Census({
    appeared: (actor) => this.#say(() => this.#actor(actor, seenOf(actor.ref))),
    received: (actor, event, sourceId) =>
      this.#say(() => ({ type: '@xstate.event', event: eventOf(event), sourceId, ...this.#base(actor) })),
    changed: (actor, seen, event) => this.#say(() => this.#snapshot(actor, seen, event)),
    ended: (actor, seen, event) => this.#ended(actor, seen, event),
  })
  /** Session ids of the actors that the viewer takes for living. */
  readonly #shown = new Set<string>()
  /** Of those that have ended while it can't be told: what it is told of each as soon as it can. */
  readonly #missed = new Map<string, StatelyEvent>()
  #late = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = 0

  constructor(sender: StatelySender, { now = Date.now, onError = () => undefined }: StatelyAdapterOptions) {
    this.#sender = sender
    this.#now = now
    this.#onError = (error) => {
      try {
        onError(error)
      } catch {
        // What `onError` throws must not reach the tree either, and there is nobody else to tell.
      }
    }
  }

  next(event: InspectionEventLike): void {
    try {
      this.#census.next(event)
    } catch (error) {
      this.#onError(error)
    }
  }

  replay(): void {
    this.#late = true
    this.#catchUp()
  }

  // --- what is said --------------------------------------------------------------------------

  #base({ sessionId, rootId }: Inspected): StatelyBase {
    return { sessionId, rootId, createdAt: String(this.#now()), id: String(++this.#last), _version: VERSION }
  }

  #actor(actor: Inspected, seen: Seen): StatelyEvent {
    const { ref, id, parentId } = actor
    const config = configOf(ref)
    // As in @statelyai/inspect: an actor without an id of its own goes by that of its machine.
    const name = id === actor.sessionId && typeof config?.['id'] === 'string' ? config['id'] : id
    this.#shown.add(actor.sessionId)
    return { type: '@xstate.actor', name, parentId, definition: definitionOf(config, name), snapshot: shown(seen), ...this.#base(actor) }
  }

  #snapshot(actor: Inspected, seen: Seen, event: { readonly type: string }): StatelyEvent {
    return { type: '@xstate.snapshot', event: eventOf(event), snapshot: shown(seen), ...this.#base(actor) }
  }

  #ended(actor: Inspected, seen: Seen, event: { readonly type: string }): void {
    const { sessionId } = actor
    this.#say(() => this.#snapshot(actor, seen, event))
    if (this.#late && this.#shown.has(sessionId)) this.#missed.set(sessionId, this.#snapshot(actor, seen, event))
    this.#shown.delete(sessionId)
  }

  // --- how it gets there -----------------------------------------------------------------------

  /** True if it can be told something; undefined if it is closed. */
  #hears(): boolean | undefined {
    if ('next' in this.#sender) return true
    const { readyState = OPEN, bufferedAmount = 0 } = this.#sender
    return readyState >= CLOSING ? undefined : readyState === OPEN && bufferedAmount <= BUFFERED
  }

  /** Says something, unless the viewer is late: what is not said is not made either. */
  #say(make: () => StatelyEvent): void {
    if (this.#late) this.#catchUp()
    else if (this.#hears() !== true) this.#wait()
    if (!this.#late) this.#send(make())
  }

  #send(event: StatelyEvent): void {
    try {
      if ('next' in this.#sender) this.#sender.next(event)
      else this.#sender.send(JSON.stringify(event))
    } catch (error) {
      this.#onError(error)
    }
  }

  #wait(): void {
    this.#late = true
    if (this.#hears() === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#catchUp()
    }, RETRY)
    // A viewer that does not come keeps no process awake. Browsers' timers are numbers.
    ;(this.#timer as { unref?: () => void }).unref?.()
  }

  #catchUp(): void {
    if (this.#hears() !== true) {
      this.#wait()
      return
    }
    this.#late = false
    for (const last of this.#missed.values()) this.#send(last)
    this.#missed.clear()
    for (const actor of this.#census.living()) this.#send(this.#actor(actor, seenOf(actor.ref)))
  }
}

function eventOf(event: { readonly type: string }): { readonly type: string } {
  const wire = toWire(event)
  return { ...(typeof wire === 'object' && wire !== null ? wire : {}), type: event.type }
}

const STATUSES = new Set(['active', 'done', 'error', 'stopped'])

function shown({ status, value, context, input, output, error, tags }: Seen): StatelySnapshot {
  return {
    status: STATUSES.has(status) ? status : 'active',
    ...(value === undefined ? {} : { value }),
    ...(context === undefined ? {} : { context: toWire(context) }),
    ...(input === undefined ? {} : { input: toWire(input) }),
    ...(output === undefined ? {} : { output: toWire(output) }),
    ...(error === undefined ? {} : { error: toWire(error) }),
    ...(tags.length === 0 ? {} : { tags }),
  } as StatelySnapshot
}

// --- definitions -----------------------------------------------------------------------------

const definitions = new WeakMap<object, string>()

function configOf({ logic }: ActorLike): Record<string, unknown> | undefined {
  const { config } = (logic ?? {}) as { config?: unknown }
  return typeof config === 'object' && config !== null && 'root' in (logic as object) ? (config as Record<string, unknown>) : undefined
}

/** The configuration as JSON. What has none, or one that is too large or can't be written down, is a box with a name. */
function definitionOf(config: Record<string, unknown> | undefined, name: string): string {
  const box = JSON.stringify({ id: name })
  if (config === undefined) return box
  const known = definitions.get(config)
  if (known !== undefined) return known
  let text: string
  try {
    text = JSON.stringify(config, plain(config))
    if (text.length > DEFINITION) text = box
  } catch {
    text = box
  }
  definitions.set(config, text)
  return text
}

/** Functions and actor logic by their names, the context made small. */
function plain(config: object): (this: unknown, key: string, value: unknown) => unknown {
  let left = PARTS
  return function replace(this: unknown, key, value) {
    // The value before its toJSON was called.
    const original = (this as Record<string, unknown>)[key]
    if (--left < 0) throw new RangeError('too large')
    if (key === 'context' && this === config && typeof value !== 'function') return toWire(value)
    if (typeof value === 'function') return { type: value.name === '' ? 'a function' : value.name }
    if (typeof value === 'bigint') return `${value}n`
    const isLogic = typeof original === 'object' && original !== null && 'getInitialSnapshot' in original
    return isLogic ? { type: 'an actor' } : value
  }
}
