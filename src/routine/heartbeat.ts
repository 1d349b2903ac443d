/** Listens for the heartbeats of one incarnation: one timer per silence, none per heartbeat. */
import type { Tree } from '../turn/index.ts'

/** An incarnation whose heartbeats are watched. */
export interface Beating {
  readonly tree: Tree
  /** The asynchronous context that it runs in; see port/async-context.ts. */
  readonly asyncContext: unknown
  /** It has been silent for so many milliseconds, which is too long. False if it has an excuse. In a turn. */
  fellSilent(silence: number): boolean
  /** It was taken for hung, and is not. In a turn. */
  revived(silence: number): void
}

export class Heartbeat {
  /** When it was last heard. */
  last: number
  /** True once its silence was reported. */
  reported = false
  #hung = false
  #timer: unknown
  readonly #beating: Beating
  readonly #hungAfter: number

  constructor(beating: Beating, hungAfter: number, now: number) {
    this.#beating = beating
    this.#hungAfter = hungAfter
    this.last = now
    this.#arm(hungAfter)
  }

  /** True while it has been silent for too long. */
  get hung(): boolean {
    return this.#hung
  }

  /** It lives. */
  beat(): void {
    const { clock, turn } = this.#beating.tree
    const before = this.last
    this.last = clock.now()
    const silence = this.last - before
    if (this.#hung) turn.run(() => this.#revive(silence))
  }

  /** The turn of a beat that ends a silence. */
  #revive(silence: number): void {
    if (!this.#hung) return
    this.#hung = false
    this.#arm(this.#hungAfter)
    this.#beating.revived(silence)
  }

  /** It has ended. True if it was hung. */
  stop(): boolean {
    const { hung } = this
    this.#beating.tree.clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#hung = false
    return hung
  }

  #arm(delay: number): void {
    const { clock } = this.#beating.tree
    this.#timer = clock.arm(look, this, delay)
  }

  /** Nearly always it was heard in time, and only the next look is armed: that takes neither a turn nor its context. */
  look(): void {
    const { clock } = this.#beating.tree
    const now = clock.now()
    // Earlier than it was: a fake clock has come or gone.
    if (now < this.last) this.last = now
    const silence = now - this.last
    this.#timer = undefined
    if (silence < this.#hungAfter) {
      // In whole milliseconds: with a fraction each would be the only timer of its length.
      this.#arm(Math.ceil(this.#hungAfter - silence))
      return
    }
    const { tree, asyncContext } = this.#beating
    tree.runIn(asyncContext, () => this.#fall(silence))
  }

  #fall(silence: number): void {
    this.#hung = true
    if (this.#beating.fellSilent(silence)) return
    this.#hung = false
    this.last += silence
    this.#arm(this.#hungAfter)
  }
}

function look(heartbeat: Heartbeat): void {
  heartbeat.look()
}
