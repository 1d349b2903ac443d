/** Whether a manager has started all its children, and the waiters for that. */
import { NotRunningError, RoutineTimeoutError, type WaitOptions } from '../contract/index.ts'
import { type Tree, waitUntil } from '../turn/index.ts'

/** Whose readiness it is. */
interface Starting {
  readonly path: string
  readonly tree: Tree
  /** True from the moment on that nothing is accepted. */
  readonly closed: boolean
  /** True once it has ended for good. */
  readonly concluded: boolean
  readonly startError: Error | undefined
}

export class Readiness {
  /** Of the present life. */
  reached = false
  /** True if somebody has asked. */
  isAsked = false
  readonly #starting: Starting
  #waiters: Set<() => void> | undefined

  constructor(starting: Starting) {
    this.#starting = starting
  }

  /** A rejection that is not awaited is not reported as unhandled. */
  wait(options: WaitOptions): Promise<void> {
    this.isAsked = true
    const known = this.#wait(options)
    known.catch(() => undefined)
    return known
  }

  async #wait(options: WaitOptions): Promise<void> {
    const starting = this.#starting
    const { path, tree } = starting
    // One that stops has another life, or has ended for good: which of them is not known yet.
    let runs = false
    const known = (): boolean => {
      runs = this.reached && !starting.closed
      return runs || starting.concluded
    }
    const waiters = (this.#waiters ??= new Set())
    if (!(await waitUntil(known, [waiters], options, tree)))
      throw new RoutineTimeoutError(`${path} has not started within ${options.timeout} ms`, { path })
    if (runs) return
    throw starting.startError ?? new NotRunningError(`${path} has ended`, { path })
  }

  /** It is reached, or never will be. */
  wake(): void {
    if (this.#waiters !== undefined) for (const waiter of this.#waiters) waiter()
  }
}
