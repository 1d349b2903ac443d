/** Changes to many nodes, one turn for each (turn.ts, T8), cut into slices. */
import type { Clock } from '../port/index.ts'
import type { Turn } from './turn.ts'

/**
 * As many steps are done at once: the first slice. To stop a routine is one step; a manager counts as {@link MANAGER} of them each time that
 * it is come to. Code that has not run yet takes ten times as long, so each slice is twice the one before, up to the {@link LARGEST}.
 */
export const SLICE = 512

/** The event loop waits as long as a slice takes, some ten milliseconds; a timer of no length between two of them costs one millisecond. */
const LARGEST = 4_096

/** The size of the slice that comes behind one. */
export function sliceAfter(size: number): number {
  return Math.min(2 * size, LARGEST)
}

/** Steps that a manager counts as. */
export const MANAGER = 2

/** What a slice is done in, and what is between two of them. */
export interface Loop {
  readonly turn: Turn
  readonly clock: Clock
}

interface Series<T> {
  readonly slices: Slices
  readonly targets: Iterator<T>
  readonly steps: number
  readonly act: (target: T) => void
  /** True if nothing that one leads to is done before the next. */
  readonly together: boolean
  /** The target that waits for the next slice. */
  held: IteratorResult<T> | undefined
  /** The turn that follows the series. */
  readonly last: (() => void) | undefined
}

/**
 * The slices of one change.
 *
 * SL1 Between two slices there is a turn of the clock, and so of the event loop.
 * SL2 A slice ends by its number of steps, never by the time that it takes: the same script gives the same trace.
 * SL3 What is smaller than a slice is done at once, as if there were none.
 * SL4 What waits for a slice goes on in the order in which it came to wait.
 * SL5 Who belongs to a change is looked at as if it had come to him: nothing restarts, begins or is reported as if there were none.
 */
export class Slices {
  /** @internal */ readonly turn: Turn
  readonly #clock: Clock
  /** How many slices have begun. */
  number = 1
  #size = SLICE
  #left = SLICE
  #waiting: (() => void)[] | undefined
  #next = 0
  /** True while what has waited goes on. */
  #goesOn = false

  constructor({ turn, clock }: Loop) {
    this.turn = turn
    this.#clock = clock
  }

  /** A series: `act` in a turn for each, in order, with what it leads to in between; then one more turn. */
  each<T>(targets: Iterator<T>, act: (target: T) => void, last?: () => void): void {
    this.turn.next(advance, { slices: this, targets, steps: 1, act, together: false, held: undefined, last } as Series<unknown>)
  }

  /** A sweep: `act` for each, in order, as many in one turn as a slice has room for; then `last`. In a turn. */
  sweep<T>(targets: Iterator<T>, act: (target: T) => void, steps: number, last?: () => void): void {
    advance({ slices: this, targets, steps, act, together: true, held: undefined, last } as Series<unknown>)
  }

  /** Calls `act` now, or in the slice that it falls into. In a turn. */
  once<T>(act: (target: T) => void, target: T, steps: number): void {
    if (this.take(steps)) act(target)
    else this.wait(() => this.once(act, target, steps))
  }

  /** Work of another kind begins, whose code may not have run yet: slices are as small again as the first. */
  shrink(): void {
    this.#size = SLICE
    this.#left = Math.min(this.#left, SLICE)
  }

  /** The time is up: what waits goes on at once, also where the timer of a user's clock never comes. */
  press(): void {
    if (this.#waiting !== undefined && !this.#goesOn) this.#begin()
  }

  /** @internal True if the present slice has room. */
  take(steps: number): boolean {
    if (this.#left <= 0 || (this.#waiting !== undefined && !this.#goesOn)) return false
    this.#left -= steps
    return true
  }

  /** @internal A turn of the next slice. */
  wait(act: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(act)
      return
    }
    this.#waiting = [act]
    this.#arm()
  }

  #arm(): void {
    this.#clock.setTimeout(this.#begin, 0)
  }

  readonly #begin = (): void => {
    if (this.#waiting === undefined || this.#goesOn) return
    this.number++
    this.#size = sliceAfter(this.#size)
    this.#left = this.#size
    this.#goesOn = true
    this.turn.next(this.#goOn)
  }

  readonly #goOn = (): void => {
    const waiting = this.#waiting as (() => void)[]
    const act = waiting[this.#next++] as () => void
    try {
      act()
    } finally {
      this.#goFurther(waiting)
    }
  }

  #goFurther(waiting: readonly unknown[]): void {
    if (this.#next === waiting.length) {
      this.#waiting = undefined
      this.#next = 0
    } else if (this.#left > 0) {
      this.turn.next(this.#goOn)
      return
    } else this.#arm()
    this.#goesOn = false
  }
}

/** As many as lead to nothing that has to be done before the next. */
function advance(series: Series<unknown>): void {
  const { slices, targets, steps, act, together, last } = series
  const { turn } = slices
  for (;;) {
    const next = series.held ?? targets.next()
    series.held = undefined
    if (next.done === true) {
      last?.()
      return
    }
    if (!slices.take(steps)) {
      series.held = next
      slices.wait(() => advance(series))
      return
    }
    const { waiting } = turn
    act(next.value)
    if (together || turn.waiting === waiting) continue
    turn.next(advance, series)
    return
  }
}
