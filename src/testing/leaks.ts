/**
 * Finds leaks, and whose they are: timers, listeners, actors and promises that are left when they should be over.
 *
 * E1  Only what was made inside a watch is looked at, so that tests that run beside it don't matter.
 * E2  A listener is a leak only on an object that is older than the watch; objects that were made inside go, and their listeners with them.
 * E3  When the last watch is over, the platform's own functions are back.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { Actor, type AnyActorRef } from 'xstate'
import { CurtaincallError } from '../contract/index.ts'
import { flag, type Rule } from '../spec/index.ts'
import { coverValue, shared } from './layers.ts'
import { type Listening, listening, noteRemoved, targetPrototypes } from './listening.ts'
import { presentOwner } from './owners.ts'
import { contextIsKept, LOSES_CONTEXT, nextTurn } from './platform.ts'
import { unseenTimers, watchTimers } from './timer-watch.ts'
import { isUndisarmable, lineOf } from './virtual-clock.ts'
import { presentClock } from './virtual-time.ts'

/** Something that is left. */
export interface Leak {
  readonly kind: 'timer' | 'listener' | 'actor' | 'promise'
  /** What exactly, such as `setTimeout in 500 ms`. */
  readonly what: string
  /** Path of the routine that made it; undefined if none did. */
  readonly owner: string | undefined
  /** Where it was made, as a line of a stack. */
  readonly where: string | undefined
}

interface Made {
  readonly leak: () => Leak | undefined
}

const storage = new AsyncLocalStorage<LeakWatch>()

/** Remembers what is made while the functions run that it is given. */
export class LeakWatch {
  readonly #made: Made[] = []
  readonly #madeInside = new WeakSet<object>()
  readonly #timers = new Map<number, Leak>()
  readonly #bodies = new Map<object, Leak>()
  /** Timers that the virtual clock has had before are not looked at. */
  readonly #mark = presentClock()?.mark ?? 0

  /** Runs something inside. */
  run<Result>(act: () => Result): Result {
    return storage.run(this, act)
  }

  noteMade(object: object): void {
    this.#madeInside.add(object)
  }

  isMadeInside(object: object): boolean {
    return this.#madeInside.has(object)
  }

  /** Notes something that is asked later whether it is still there. */
  note(kind: Leak['kind'], stillThere: () => string | undefined): void {
    const owner = presentOwner()
    const where = lineOf(new Error('made').stack)
    const leak = (): Leak | undefined => {
      const what = stillThere()
      return what === undefined ? undefined : { kind, what, owner, where }
    }
    this.#made.push({ leak })
  }

  timer(id: number, kind: string): void {
    this.#timers.set(id, { kind: 'timer', what: kind, owner: presentOwner(), where: lineOf(new Error('armed').stack) })
  }

  timerGone(id: number): void {
    this.#timers.delete(id)
  }

  /** A body has begun; returns what says that it is over. */
  body(owner: string): () => void {
    const key = {}
    this.#bodies.set(key, { kind: 'promise', what: 'a body that has not ended', owner, where: undefined })
    return () => void this.#bodies.delete(key)
  }

  /** All that is left. */
  left(): Leak[] {
    const clock = presentClock()
    const virtual = clock
      ?.pending(this.#mark)
      .filter(({ kind }) => !isUndisarmable(kind))
      .map(({ kind, in: ms, owner, where }) => ({ kind: 'timer' as const, what: `${kind} in ${ms} ms`, owner, where }))
    return [
      ...(virtual ?? []),
      ...this.#timers.values(),
      ...this.#made.map(({ leak }) => leak()).filter((leak) => leak !== undefined),
      ...this.#bodies.values(),
    ]
  }
}

/** The watch that the present code runs in. */
function presentWatch(): LeakWatch | undefined {
  return storage.getStore()
}

/** Makes the platform tell watches what is made, until what it returns is called. */
export const holdWatching = shared(install)

type Method = (this: object, ...args: unknown[]) => unknown

function install(undo: (() => void)[]): void {
  const wrap: Wrap = (target, name, around) => void undo.push(coverValue(target, name, around))
  watchEmitters(wrap)
  watchTargets(wrap)
  wrap(
    Actor.prototype,
    'start',
    (original) =>
      function start(this: object, ...args) {
        const actor = this as AnyActorRef
        presentWatch()?.note('actor', () => (actor.getSnapshot().status === 'active' && isAtWork(actor) ? `actor ${actor.id}` : undefined))
        return original.apply(this, args)
      },
  )
  watchTimers(undo, () => (disarmable ? presentWatch() : undefined))
}

/** By XState's own mark of an actor that was started and not stopped. */
function isAtWork(actor: AnyActorRef): boolean {
  return (actor as unknown as { _processingStatus: number })._processingStatus === 1
}

type Wrap = (target: object, name: string, around: (original: Method) => Method) => void

function watchEmitters(wrap: Wrap): void {
  wrap(
    EventEmitter,
    'init',
    (original) =>
      function init(this: object, ...args) {
        presentWatch()?.noteMade(this)
        return original.apply(this, args)
      },
  )
  for (const name of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener']) {
    wrap(
      EventEmitter.prototype,
      name,
      (original) =>
        function add(this: object, ...args) {
          const [event, listener] = args as [string, (...args: unknown[]) => void]
          const watch = presentWatch()
          if (watch?.isMadeInside(this) === false) {
            const emitter = this as EventEmitter
            watch.note('listener', () =>
              emitter.listeners(event).includes(listener) ? `a listener of ${event} on ${nameOf(emitter)}` : undefined,
            )
          }
          return original.apply(this, args)
        },
    )
  }
}

/** False while a timer is made that nobody can disarm. */
let disarmable = true

function watchTargets(wrap: Wrap): void {
  const noted = (made: unknown): unknown => {
    presentWatch()?.noteMade(made as object)
    return made
  }
  for (const name of ['AbortController', 'EventTarget'] as const) {
    wrap(globalThis, name, (original) => {
      const construct = (target: object, args: unknown[], newTarget: object): object => {
        const made = noted(Reflect.construct(target as never, args, newTarget as never)) as { signal?: AbortSignal }
        if (made.signal !== undefined) noted(made.signal)
        return made
      }
      return new Proxy(original, { construct }) as Method
    })
  }
  wrap(
    AbortSignal,
    'any',
    (original) =>
      function any(this: object, ...args) {
        return noted(original.apply(this, args))
      },
  )
  wrap(
    AbortSignal,
    'timeout',
    (original) =>
      function timeout(this: object, ...args) {
        disarmable = false
        try {
          return noted(original.apply(this, args))
        } finally {
          disarmable = true
        }
      },
  )
  for (const prototype of targetPrototypes()) {
    wrap(
      prototype,
      'addEventListener',
      (original) =>
        function add(this: object | undefined, ...args) {
          const target = (this ?? globalThis) as EventTarget
          const watch = presentWatch()
          if (watch?.isMadeInside(target) === false) {
            const [event] = args as [string]
            const listens = listening(
              target,
              args as unknown as Listening,
              (marker) => void original.call(target, event, marker, { once: true }),
            )
            watch.note('listener', () => (listens() ? `a listener of ${event} on ${nameOf(target)}` : undefined))
          }
          return original.apply(target, args)
        },
    )
    wrap(
      prototype,
      'removeEventListener',
      (original) =>
        function remove(this: object | undefined, ...args) {
          const target = (this ?? globalThis) as EventTarget
          noteRemoved(target, args as unknown as Listening)
          return original.apply(target, args)
        },
    )
  }
}

function nameOf(object: object): string {
  if (object === process) return 'process'
  return `a ${object.constructor.name}`
}

/** Options of {@link expectNoLeaks}. */
export interface LeakOptions {
  /** Looks only at what routines below this path have made. @default everything */
  readonly owner?: string | undefined
  /** Lets bodies that were given up on, and what they hold, pass. @default false */
  readonly allowOrphans?: boolean | undefined
  /** Passes, too, where the platform does not show all timers, as Bun: it looks at those that can be seen. @default false */
  readonly allowUnseen?: boolean | undefined
}

/** Their rules. */
export const LEAK_RULES = {
  owner: { range: 'a path', accepts: (value) => typeof value === 'string' },
  allowOrphans: flag,
  allowUnseen: flag,
} satisfies Record<keyof LeakOptions, Rule>

/** Throws if something is left, or if it can't be seen whether something is. */
export async function refuseLeaks(watch: LeakWatch, { owner, allowOrphans = false, allowUnseen = false }: LeakOptions): Promise<void> {
  const keepsContext = contextIsKept(storage)
  // Async hooks report a disarmed timer only in the next turn of the event loop.
  await storage.exit(() => nextTurn(() => undefined))
  const all = watch.left().filter((leak) => owner === undefined || leak.owner === owner || leak.owner?.startsWith(`${owner}/`) === true)
  const orphans = new Set(all.filter(({ kind }) => kind === 'promise').map((leak) => leak.owner))
  const left = allowOrphans ? all.filter((leak) => !orphans.has(leak.owner)) : all
  if (left.length > 0) throw new CurtaincallError('ERR_TEST', `left behind:\n${left.map(describeLeak).join('\n')}`)
  if (!(await keepsContext)) throw new CurtaincallError('ERR_TEST', LOSES_CONTEXT)
  const unseen = allowUnseen ? undefined : unseenTimers()
  if (unseen !== undefined) throw new CurtaincallError('ERR_TEST', unseen)
}

function describeLeak({ kind, what, owner, where }: Leak): string {
  return `  ${kind}: ${what}, of ${owner ?? 'no routine'}${where === undefined ? '' : `, made at ${where}`}`
}
