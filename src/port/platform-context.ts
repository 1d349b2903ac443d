/** The asynchronous contexts of the platform, which are what AsyncLocalStorage of Node.js, Bun and Deno reads; a browser has none. */
import type { AsyncResource } from 'node:async_hooks'
import { ambient, type AsyncContext } from './async-context.ts'

type Hooks = Pick<typeof import('node:async_hooks'), 'AsyncLocalStorage' | 'AsyncResource'>

/** What hooks are told that a resource is; they are not told when it goes. */
const TYPE = 'CURTAINCALL'
const OPTIONS = { requireManualDestroy: true }

/** That of the platform that this runs on. Not imported: a bundle for a browser has no such module, and no contexts. */
export function platformContext(): AsyncContext {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  const hooks = process?.getBuiltinModule?.('node:async_hooks') as Hooks | undefined
  return hooks === undefined ? ambient : (frameContext(hooks) ?? new ResourceContext(hooks))
}

/** A class of the platform, whose instances are contexts. */
interface Frames {
  /** The frame of the code that is running now; undefined where no store is in use. */
  current(): unknown
  set(frame: unknown): void
}

/**
 * Since Node.js 24 a context is one object, its frame, which is replaced wherever a store changes: what is kept of a context is that
 * and nothing else, and to look at it takes 2 ns. A resource takes 25, and a snapshot of AsyncLocalStorage 3 µs.
 */
class FrameContext implements AsyncContext {
  readonly #frames: Frames

  constructor(frames: Frames) {
    this.#frames = frames
  }

  capture(): unknown {
    return this.#frames.current()
  }

  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void {
    const frames = this.#frames
    const present = frames.current()
    if (present === captured) {
      act(a, b)
      return
    }
    frames.set(captured)
    try {
      act(a, b)
    } finally {
      frames.set(present)
    }
  }
}

/** Undefined if the platform has none, or none that can be had. */
function frameContext({ AsyncLocalStorage, AsyncResource }: Hooks): FrameContext | undefined {
  const storage = new AsyncLocalStorage()
  // To use one here would slow down all promises of the process for good.
  if (hangsOnHooks(storage)) return undefined
  // In a scope of its own, since a store that was in use leaves something behind.
  const scope = new AsyncResource(TYPE, OPTIONS)
  const frames = scope.runInAsyncScope(() => storage.run(TYPE, () => framesOf(storage, new AsyncResource(TYPE, OPTIONS))))
  return frames === undefined ? undefined : new FrameContext(frames)
}

/** Before Node.js 24 a store is handed on by hooks, each under a symbol of its own. */
function hangsOnHooks(storage: object): boolean {
  return 'kResourceStore' in storage
}

/** The class of the frame that a resource is in, which has no public name. Only if it does what is expected of it. */
function framesOf(storage: { getStore(): unknown }, resource: object): Frames | undefined {
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    const frame: unknown = Reflect.get(resource, symbol)
    const frames = frame?.constructor as Partial<Frames> | undefined
    if (typeof frames?.current === 'function' && typeof frames.set === 'function' && works(frames as Frames, frame, storage))
      return frames as Frames
  }
  return undefined
}

function works(frames: Frames, frame: unknown, storage: { getStore(): unknown }): boolean {
  const shows = (expected: unknown, store: unknown): boolean => frames.current() === expected && storage.getStore() === store
  if (!shows(frame, TYPE)) return false
  frames.set(undefined)
  const empty = shows(undefined, undefined)
  frames.set(frame)
  return empty && shows(frame, TYPE)
}

/** Keeps a resource for each context. */
class ResourceContext implements AsyncContext {
  readonly #Resource: Hooks['AsyncResource']
  /** True if a resource shows whether a store is in use: before Node.js 24. */
  readonly #shows: boolean
  /** In no one's context, where that can be had; else in that of the making of its tree. */
  readonly #none: AsyncResource

  constructor({ AsyncLocalStorage, AsyncResource }: Hooks) {
    this.#Resource = AsyncResource
    this.#shows = hangsOnHooks(new AsyncLocalStorage())
    this.#none = new AsyncResource(TYPE, OPTIONS)
    for (const store of storesOf(this.#none)) Reflect.deleteProperty(this.#none, store)
  }

  capture(): unknown {
    const scope = new this.#Resource(TYPE, OPTIONS)
    return this.#shows && storesOf(scope).length === 0 ? undefined : scope
  }

  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void {
    if (captured === undefined && this.#shows && this.capture() === undefined) act(a, b)
    else ((captured ?? this.#none) as AsyncResource).runInAsyncScope(act, undefined, a, b)
  }
}

/** Under which symbols a resource has the stores of its context. */
function storesOf(scope: object): symbol[] {
  return Object.getOwnPropertySymbols(scope).filter(({ description }) => description === 'kResourceStore')
}
