/** Whether a manager has started all its children, and who waits for that. */
import { NotRunningError, RoutineTimeoutError } from '../contract/errors.ts'
import type { Manager } from './manager.ts'
import { type WaitOptions, waitUntil } from '../turn/waiting.ts'

export class Readiness {
  /** Of the present life. */
  reached = false
  readonly #manager: Manager
  readonly #waiters = new Set<() => void>()

  constructor(manager: Manager) {
    this.#manager = manager
  }

  /** A rejection that nobody awaits raises nothing. */
  wait(options: WaitOptions): Promise<void> {
    const known = this.#wait(options)
    known.catch(() => undefined)
    return known
  }

  async #wait(options: WaitOptions): Promise<void> {
    const manager = this.#manager
    const { path, stage } = manager
    const known = (): boolean => this.reached || manager.concluded
    if (!(await waitUntil(known, [this.#waiters], options, stage)))
      throw new RoutineTimeoutError(`${path} has not started within ${options.timeout} ms`, { path })
    if (this.reached) return
    throw manager.startError ?? new NotRunningError(`${path} has ended before it had started`, { path })
  }

  /** It is reached, or never will be. */
  wake(): void {
    for (const waiter of this.#waiters) waiter()
  }
}
