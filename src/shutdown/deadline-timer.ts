/** The timer of a deadline, which may be further away than a platform timer takes. */
import { LONGEST_TIMER } from '../../machines/shutdown.ts'
import type { Tree } from '../turn/index.ts'

export class DeadlineTimer {
  readonly #tree: Tree
  readonly #expired: () => void
  #timer: unknown

  constructor(tree: Tree, expired: () => void) {
    this.#tree = tree
    this.#expired = expired
  }

  /** In place of the deadline before, if there was one; at Infinity there is none. */
  arm(deadline: number): void {
    this.disarm()
    if (deadline === Infinity) return
    const left = Math.max(0, deadline - this.#tree.clock.now())
    this.#timer = this.#tree.later(
      () => {
        this.#timer = undefined
        if (this.#tree.clock.now() < deadline) this.arm(deadline)
        else this.#expired()
      },
      Math.min(left, LONGEST_TIMER),
    )
  }

  disarm(): void {
    if (this.#timer !== undefined) this.#tree.clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
