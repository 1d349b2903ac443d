/** Whether a manager has started all its children, and the waiters for that. */
import { NotRunningError, RoutineTimeoutError, type WaitOptions } from '../contract/index.ts'
import { type Tree, waitUntil } from '../turn/index.ts'

/** Whose readiness it is. */
interface Starting {
  readonly path: string
  readonly tree: Tree
  readonly concluded: boolean
  readonly startError: Error | undefined
}

export class Readiness {
  /** Of the present life. */
  reached = false
  readonly #starting: Starting
  #waiters: Set<() => void> | undefined

  constructor(starting: Starting) {
    this.#starting = starting
  }

  /** A rejection that is not awaited is not reported as unhandled. */
  wait(options: WaitOptions): Promise<void> {
    const known = this.#wait(options)
    known.catch(() => undefined)
    return known
  }

  async #wait(options: WaitOptions): Promise<void> {
    const starting = this.#starting
    const { path, tree } = starting
    const known = (): boolean => this.reached || starting.concluded
    const waiters = (this.#waiters ??= new Set())
    if (!(await waitUntil(known, [waiters], options, tree)))
      throw new RoutineTimeoutError(`${path} has not started within ${options.timeout} ms`, { path })
    if (this.reached) return
    throw starting.startError ?? new NotRunningError(`${path} has ended before it had started`, { path })
  }

  /** It is reached, or never will be. */
  wake(): void {
    if (this.#waiters !== undefined) for (const waiter of this.#waiters) waiter()
  }
}
