/** The asynchronous contexts of the platform, which are what AsyncLocalStorage of Node.js, Bun and Deno reads; a browser has none. */
import { ambient, type AsyncContext } from './async-context.ts'

/** Not imported: a bundle for a browser has no such module. */
export function hooksOfPlatform(): typeof import('node:async_hooks') | undefined {
  const { process } = globalThis as { process?: Partial<Pick<NodeJS.Process, 'getBuiltinModule'>> }
  return process?.getBuiltinModule?.('node:async_hooks')
}

type Hooks = NonNullable<ReturnType<typeof hooksOfPlatform>>

type AsyncResource = InstanceType<Hooks['AsyncResource']>

/** What hooks are told that a resource is; they are not told when it goes. */
const TYPE = 'CURTAINCALL'
const OPTIONS = { requireManualDestroy: true }

/** Those of the platform that this runs on. */
export function platformContext(): AsyncContext {
  const hooks = hooksOfPlatform()
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
    if (present !== captured) frames.set(captured)
    try {
      act(a, b)
    } finally {
      // It may have entered another one, for good.
      if (frames.current() !== present) frames.set(present)
    }
  }
}

/** Undefined if the platform has none, or none that can be had. */
function frameContext(hooks: Hooks): FrameContext | undefined {
  // To make a store there would slow down all promises of the process.
  if (hangsOnHooks(hooks)) return undefined
  const { AsyncLocalStorage, AsyncResource } = hooks
  const storage = new AsyncLocalStorage()
  // In a scope of its own, since a store that was in use leaves something behind.
  const scope = new AsyncResource(TYPE, OPTIONS)
  const frames = scope.runInAsyncScope(() => storage.run(TYPE, () => framesOf(storage, new AsyncResource(TYPE, OPTIONS))))
  return frames === undefined ? undefined : new FrameContext(frames)
}

/** True if stores are handed on from resource to resource, by hooks: in Node.js 22, and later by a flag. */
function hangsOnHooks({ AsyncLocalStorage }: Hooks): boolean {
  return '_propagate' in AsyncLocalStorage.prototype
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
  /** True if a resource shows whether a store is in use. */
  readonly #shows: boolean
  /** In no one's context, where that can be had; else in that of the making of its tree. */
  readonly #none: AsyncResource

  constructor(hooks: Hooks) {
    this.#Resource = hooks.AsyncResource
    this.#none = new hooks.AsyncResource(TYPE, OPTIONS)
    // Others have the methods of Node.js for the sake of their names.
    this.#shows = hangsOnHooks(hooks) && Object.getOwnPropertySymbols(this.#none).length > 0
    for (const symbol of storesOf(this.#none)) Reflect.deleteProperty(this.#none, symbol)
  }

  capture(): unknown {
    const resource = new this.#Resource(TYPE, OPTIONS)
    return this.#shows && storesOf(resource).length === 0 ? undefined : resource
  }

  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void {
    if (captured === undefined && this.#shows && this.capture() === undefined) act(a, b)
    else ((captured ?? this.#none) as AsyncResource).runInAsyncScope(act, undefined, a, b)
  }
}

/** Under which symbols a resource has the stores that are in use: each under its own, or all in one object without a prototype. */
function storesOf(resource: object): symbol[] {
  return Object.getOwnPropertySymbols(resource).filter((symbol) => {
    const value: unknown = Reflect.get(resource, symbol)
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== null)
      return symbol.description === 'kResourceStore' && value !== undefined
    return Object.getOwnPropertySymbols(value).some((store) => Reflect.get(value, store) !== undefined)
  })
}
