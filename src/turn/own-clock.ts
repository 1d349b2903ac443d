/** A user's clock: it is called only between two turns, see T2, T5 and T6 in turn.ts. */
import type { Clock } from '../port/index.ts'
import type { Turn } from './turn.ts'

/** A timer that is to be armed at the end of the turn. */
class OwnTimer<Target = unknown> {
  handle: unknown
  armed = false
  cleared = false
  readonly act: (target: Target) => void
  readonly target: Target
  readonly delay: number

  constructor(act: (target: Target) => void, target: Target, delay: number) {
    this.act = act
    this.target = target
    this.delay = delay
  }
}

/**
 * V1  During a turn `now` returns the time at which the turn began, or the one before it if no code of users but the clock itself has
 *     run in between; otherwise it asks the user's clock. In a turn that began as one that reads no time, it must not be called.
 * V2  A timer that is cleared before the end of its turn is never armed; one that has fired, or is unknown, is ignored.
 * V3  What the user's clock throws is contained: `now` repeats the last known time, and the timer is not armed.
 */
export class OwnClock implements Clock {
  readonly #clock: Clock
  readonly #turn: Turn
  readonly #contain: (error: unknown) => void
  #known = 0
  #asking = false

  constructor(clock: Clock, turn: Turn, contain: (error: unknown) => void) {
    this.#clock = clock
    this.#turn = turn
    this.#contain = contain
    turn.askBefore(() => this.#ask())
  }

  now(): number {
    if (!this.#turn.busy) this.#ask()
    return this.#known
  }

  /** It may call back into the tree, which asks again. */
  #ask(): void {
    if (this.#asking) return
    this.#asking = true
    try {
      this.#known = this.#clock.now()
    } catch (error) {
      this.#contain(error)
    } finally {
      this.#asking = false
    }
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return this.arm(call, callback, delay)
  }

  /** Calls `act(target)` once, in a turn. The platform's clock saves a reading by knowing the time; this one does not need it. */
  arm<Target>(act: (target: Target) => void, target: Target, delay: number, _now?: number): unknown {
    const timer = new OwnTimer(act, target, delay) as OwnTimer
    this.#call(this.#arm, timer)
    return timer
  }

  /** As the platform's clock does, which shares timers. */
  disarm(timer: unknown): void {
    this.clearTimeout(timer)
  }

  clearTimeout(timer: unknown): void {
    if (!(timer instanceof OwnTimer) || timer.cleared) return
    timer.cleared = true
    if (timer.armed) this.#call(this.#disarm, timer)
  }

  /** At the end of the turn; outside of turns, at once. */
  #call(act: (timer: OwnTimer) => void, timer: OwnTimer): void {
    if (this.#turn.busy) {
      this.#turn.clockDeed(act, timer)
      return
    }
    try {
      act(timer)
    } catch (error) {
      this.#contain(error)
    }
  }

  readonly #arm = (timer: OwnTimer): void => {
    if (timer.cleared) return
    timer.handle = this.#clock.setTimeout(() => this.#turn.run(fire, timer), timer.delay)
    timer.armed = true
    // The clock may have called back into the tree, and that was the end of what waited.
    if (timer.cleared) this.#disarm(timer)
  }

  readonly #disarm = (timer: OwnTimer): void => this.#clock.clearTimeout(timer.handle)
}

function fire(timer: OwnTimer): void {
  if (timer.cleared) return
  timer.cleared = true
  timer.act(timer.target)
}

function call(callback: () => void): void {
  callback()
}
