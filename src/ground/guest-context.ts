/** What a body gets where it is a guest: the same as where it would run inline, but for the manager that it lives in. */
import { encode, type Encoded, encodeMembers } from './encode.ts'
import type { GuestRun } from './guest.ts'
import { GuestReaders } from './guest-readers.ts'
import * as say from './protocol.ts'

/** Thrown by `exit`. */
export class Leaving {
  readonly #reason: Encoded

  constructor(reason: unknown) {
    this.#reason = encode(reason)
  }

  static reasonOf(thrown: unknown): Encoded | undefined {
    return typeof thrown === 'object' && thrown !== null && #reason in thrown ? thrown.#reason : undefined
  }
}

type LogMethod = (details: object, message?: string) => void

/** A logger whose lines are written by the host. */
class GuestLogger {
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
  readonly child: (bindings: Record<string, unknown>) => GuestLogger

  constructor(run: GuestRun, bindings: object) {
    const method =
      (level: say.LogLevel): LogMethod =>
      (details, message) => {
        // pino takes an error, or the message alone, in the place of the details.
        const given = details instanceof Error ? { err: details } : typeof details === 'string' ? {} : details
        const text = typeof details === 'string' ? details : message
        run.post([say.LOG, run.number, level, encodeMembers({ ...bindings, ...given }), text])
      }
    this.debug = method('debug')
    this.info = method('info')
    this.warn = method('warn')
    this.error = method('error')
    this.child = (more) => new GuestLogger(run, { ...bindings, ...more })
  }
}

/** The context of one run. */
export class GuestContext {
  #readers: GuestReaders | undefined
  readonly #run: GuestRun
  #controller: AbortController | undefined
  #closing: AbortController | undefined
  #logger: GuestLogger | undefined
  #lastBeat = -Infinity

  constructor(run: GuestRun) {
    this.#run = run
  }

  /** @internal */
  get readers(): GuestReaders {
    return (this.#readers ??= new GuestReaders(this.#run))
  }

  get input(): unknown {
    return this.#run.beginning[3]
  }

  get id(): string {
    const { path, beginning } = this.#run
    return path.slice(path.length - beginning[5])
  }

  get name(): string {
    const { path, beginning } = this.#run
    const end = path.length - beginning[5] - 1
    return path.slice(end - beginning[6], end)
  }

  get path(): string {
    return this.#run.path
  }

  get incarnation(): number {
    return this.#run.beginning[7]
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      const run = this.#run
      watchfully(this.#controller.signal, run)
      if (run.reason !== undefined) this.#controller.abort(run.reason)
    }
    return this.#controller.signal
  }

  get closing(): AbortSignal {
    if (this.#closing === undefined) {
      this.#closing = new AbortController()
      this.#run.post([say.ASKS_CLOSING, this.#run.number])
    }
    return this.#closing.signal
  }

  get messages(): AsyncIterable<unknown> {
    return this.readers
  }

  get logger(): GuestLogger {
    return (this.#logger ??= new GuestLogger(this.#run, {}))
  }

  get heartbeat(): () => void {
    return () => this.#beat()
  }

  get exit(): (reason: unknown) => never {
    return (reason) => {
      throw new Leaving(reason)
    }
  }

  /** In a busy loop it is called millions of times: only so many are passed on. */
  #beat(): void {
    const run = this.#run
    const { beatEvery } = run
    if (beatEvery === Infinity) return
    const now = performance.now()
    if (now - this.#lastBeat < beatEvery) return
    this.#lastBeat = now
    run.post([say.BEAT, run.number])
  }

  /** @internal It is told to stop. */
  aborts(reason: unknown): void {
    this.#readers?.endAll()
    this.#controller?.abort(reason)
  }

  /** @internal Its manager begins to close. */
  closes(reason: unknown): void {
    this.#closing?.abort(reason)
  }

  /** @internal It has ended. */
  end(): void {
    this.#readers?.endAll()
  }
}

/**
 * A genuine signal that also looks at the memory that the host shares: see U3. Listeners hear of it when the event loop turns, as they would
 * anyway.
 */
function watchfully(signal: AbortSignal, run: GuestRun): void {
  const prototype = AbortSignal.prototype
  const get = (key: 'aborted' | 'reason'): unknown => Reflect.get(prototype, key, signal)
  const isAborted = (): boolean => get('aborted') === true || run.guest.isTold(run)
  const reason = (): unknown => {
    if (get('aborted') === true) return get('reason')
    if (!isAborted()) return undefined
    run.guest.findReason(run)
    return run.reason
  }
  Object.defineProperties(signal, {
    aborted: { get: isAborted, configurable: true },
    reason: { get: reason, configurable: true },
    throwIfAborted: {
      value: () => {
        if (isAborted()) throw reason()
      },
      configurable: true,
    },
  })
}
