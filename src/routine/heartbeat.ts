/**
 * Listens for the heartbeats of one incarnation: none has a timer, nor has a silence that is short. On the platform's clock all of one
 * `hungAfter` are looked at in rounds, and one that may fall silent before the next round has a timer for the very moment.
 */
import { PlatformClock, type Round, type Watched } from '../port/index.ts'
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

export class Heartbeat implements Watched {
  /** When it was last heard. */
  last: number
  previousWatched: Watched | undefined
  nextWatched: Watched | undefined
  /** True once its silence was reported. */
  reported = false
  #hung = false
  #stopped = false
  #round: Round | undefined
  #timer: unknown
  readonly #beating: Beating
  readonly #hungAfter: number
  readonly #clock: Tree['clock']

  constructor(beating: Beating, hungAfter: number, now: number) {
    this.#beating = beating
    this.#hungAfter = hungAfter
    this.last = now
    const { clock } = beating.tree
    this.#clock = clock
    this.#round = clock instanceof PlatformClock ? clock.rounds.of(hungAfter) : undefined
    if (this.#round === undefined) this.#arm(hungAfter, now)
    else this.#round.add(this, now)
  }

  /** True while it has been silent for too long. */
  get hung(): boolean {
    return this.#hung
  }

  /** It lives. What it takes is at hand here: each object further away is another miss of the cache, where a thousand beat in turn. */
  beat(): void {
    if (this.#stopped) return
    const before = this.last
    this.last = this.#clock.now()
    if (this.#hung) this.#hear(this.last - before)
  }

  #hear(silence: number): void {
    this.#beating.tree.turn.run(() => this.#revive(silence))
  }

  /** The turn of a beat that ends a silence. */
  #revive(silence: number): void {
    if (!this.#hung) return
    this.#hung = false
    this.#waitOn(this.#hungAfter, this.last)
    this.#beating.revived(silence)
  }

  /** It has ended. True if it was hung. */
  stop(): boolean {
    const { hung } = this
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#hung = false
    this.#stopped = true
    this.#round?.remove(this)
    this.#round = undefined
    return hung
  }

  #arm(delay: number, now?: number): void {
    this.#timer = this.#clock.arm(look, this, delay, now)
  }

  /** So many milliseconds are left, in whole ones: with a fraction each would be the only timer of its length. */
  #waitOn(left: number, now: number): void {
    if (this.#round?.comesBefore(now + left) !== true) this.#arm(left, now)
  }

  /** One round of many. */
  glance(now: number, until: number): number {
    // Earlier than it was: a fake clock has come or gone.
    if (now < this.last) this.last = now
    const due = this.last + this.#hungAfter
    if (due > until) return due
    if (this.#timer === undefined && !this.#hung) this.#arm(Math.max(1, Math.ceil(due - now)), now)
    return Infinity
  }

  /** Nearly always it was heard in time, and only the next look is armed: that takes neither a turn nor its context. */
  look(): void {
    const now = this.#clock.now()
    // Earlier than it was: a fake clock has come or gone.
    if (now < this.last) this.last = now
    const silence = now - this.last
    this.#timer = undefined
    if (silence < this.#hungAfter) {
      this.#waitOn(Math.ceil(this.#hungAfter - silence), now)
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
