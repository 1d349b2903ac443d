/** What the body of a routine gets: see contract/routine-context.ts. */
import { type ContextOf, type Envelope, type ExitReason, type Logger, SpawnRefusedError, type Work } from '../contract/index.ts'
import type { Run, Subject } from '../port/index.ts'
import { type Mailbox, Messages } from '../message/index.ts'
import { noteSpawned } from './behind.ts'
import { exit } from './exit.ts'
import type { Host } from './host.ts'

/** What starts something in a manager. */
const STARTING: ReadonlySet<string | symbol> = new Set(['spawn', 'startChild', 'restartChild', 'createLocal', 'createApp'])

/** One run of a function. */
export interface BodyRun extends Run {
  readonly subject: BodySubject
  /** Undefined where nobody listens for it. */
  readonly heartbeat: { beat(): void } | undefined
}

/** A routine whose work is a function. */
export interface BodySubject extends Subject {
  readonly logic: Work
  readonly mailbox: Mailbox
  /** Aborted when its manager begins to close. */
  readonly closing: AbortSignal
  /** The manager that it lives in. */
  readonly local: Host
}

/**
 * The context of one incarnation.
 *
 * C1  Once the incarnation has ended, or was abandoned, its context does nothing more: no heartbeat counts and starting anything throws.
 */
export class BodyContext implements ContextOf<object> {
  readonly #run: BodyRun
  readonly #subject: BodySubject

  constructor(run: BodyRun) {
    this.#run = run
    this.#subject = run.subject
  }

  /** @internal The run whose context this is, if it is one. */
  static runOf(value: unknown): Run | undefined {
    return typeof value === 'object' && value !== null && #run in value ? value.#run : undefined
  }

  get incarnation(): number {
    return this.#run.number
  }

  get input(): unknown {
    return this.#run.input
  }

  get id(): string {
    return this.#subject.id
  }

  get name(): string {
    return this.#subject.name
  }

  get path(): string {
    return this.#subject.path
  }

  get signal(): AbortSignal {
    return this.#run.signal
  }

  get closing(): AbortSignal {
    return this.#subject.closing
  }

  get messages(): AsyncIterable<Envelope<never, never>> {
    this.#subject.mailbox.isRead()
    return new Messages(this.#subject.mailbox, this.#run) as AsyncIterable<Envelope> as AsyncIterable<Envelope<never, never>>
  }

  get logger(): Logger {
    return this.#run.logger
  }

  get local(): object {
    const run = this.#run
    const subject = this.#subject
    return new Proxy(subject.local as object, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        if (!STARTING.has(key)) return value.bind(target)
        // Asked at the call: the method may have been taken out of here while the incarnation ran.
        return (...args: unknown[]): unknown => {
          if (!run.over) {
            const started: unknown = Reflect.apply(value, target, args)
            if (key === 'spawn') noteSpawned(subject.local, run, started as { readonly queued: boolean })
            return started
          }
          const { path } = subject
          throw new SpawnRefusedError('ERR_NOT_ACCEPTING', `${path} has ended and cannot start anything`, { path })
        }
      },
    })
  }

  get heartbeat(): () => void {
    const run = this.#run
    const { heartbeat } = run
    return heartbeat === undefined ? () => run.beat() : () => heartbeat.beat()
  }

  get exit(): (reason: ExitReason) => never {
    return exit
  }
}
