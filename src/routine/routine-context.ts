/** What the body of a routine gets. */
import { SpawnRefusedError } from '../contract/errors.ts'
import type { Incarnation } from './incarnation.ts'
import type { LocalManager } from '../manager/local-manager.ts'
import { exit } from '../contract/exit-request.ts'
import type { Logger } from '../port/logger.ts'
import type { Envelope } from '../message/question.ts'
import { Reception } from '../message/reception.ts'
import type { ExitReason } from '../spec/routine-spec.ts'

/** What starts something in a manager. */
const STARTING: ReadonlySet<string | symbol> = new Set(['spawn', 'startChild', 'restartChild', 'createLocal', 'createApp'])

/**
 * The context of one incarnation.
 *
 * C1  Once the incarnation has ended, or was abandoned, its context does nothing more: no heartbeat counts and starting anything throws.
 */
export class RoutineContext<Input = unknown, Message = never, Reply = never> {
  readonly #incarnation: Incarnation

  /** @internal */
  constructor(incarnation: Incarnation) {
    this.#incarnation = incarnation
  }

  /** Which run of the routine this is, from 1. */
  get incarnation(): number {
    return this.#incarnation.number
  }

  /** The `input` option of the spawn. */
  get input(): Input {
    return this.#incarnation.row.input as Input
  }

  get id(): string {
    return this.#incarnation.row.id
  }

  get name(): string {
    return this.#incarnation.row.name
  }

  get path(): string {
    return this.#incarnation.row.path
  }

  /** Aborted when this incarnation is to stop, whatever the cause. A listener on it that throws is this routine's error. */
  get signal(): AbortSignal {
    return this.#incarnation.signal
  }

  /**
   * Messages as they come; ends when this incarnation is told to stop.
   *
   * @example
   * for await (const { message, reply } of messages) reply(message.length)
   */
  get messages(): AsyncIterable<Envelope<Message, Reply>> {
    return new Reception(this.#incarnation) as AsyncIterable<Envelope> as AsyncIterable<Envelope<Message, Reply>>
  }

  /** The global manager's logger with `path` and `incarnation` bound. */
  get logger(): Logger {
    const { logger } = this.#incarnation.row.local.stage
    return logger.child?.({ path: this.path, incarnation: this.incarnation }) ?? logger
  }

  /** The manager that this routine lives in, a local one unless it is a child of an app or of the global manager; once this incarnation is over, whatever starts something in it throws. */
  get local(): LocalManager {
    const current = this.#incarnation
    const { row } = current
    return new Proxy(row.local as LocalManager, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        if (!STARTING.has(key)) return value.bind(target)
        // Asked at the call: the method may have been taken out of here while the incarnation ran.
        return (...args: unknown[]): unknown => {
          if (!current.over) return Reflect.apply(value, target, args)
          throw new SpawnRefusedError('ERR_NOT_ACCEPTING', `${row.path} has ended and cannot start anything`, { path: row.path })
        }
      },
    })
  }

  /** Says that the work goes on; see `hungAfter`. May be taken out of the context. */
  get heartbeat(): () => void {
    const incarnation = this.#incarnation
    return () => {
      if (!incarnation.over) incarnation.heartbeat?.beat()
    }
  }

  /** Ends this incarnation with an OTP reason. Never returns. May be taken out of the context. */
  get exit(): (reason: ExitReason) => never {
    return exit
  }
}
