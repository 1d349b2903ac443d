/** Ended routines of one manager that are kept to be looked at: a chain, since each end may push out the oldest. */
import type { SupervisedRoutine } from './supervised-routine.ts'

export class RetainedRoutines {
  #size = 0
  #oldest: SupervisedRoutine | undefined
  #latest: SupervisedRoutine | undefined

  /** It has ended, and stands in the chain of the living no longer. Returns the one that it pushes out, if there are `most` already. */
  keep(routine: SupervisedRoutine, most: number): SupervisedRoutine | undefined {
    routine.previousLiving = this.#latest
    if (this.#latest === undefined) this.#oldest = routine
    else this.#latest.nextLiving = routine
    this.#latest = routine
    if (this.#size < most) {
      this.#size++
      return undefined
    }
    const oldest = this.#oldest as SupervisedRoutine
    this.#oldest = partWithNext(oldest)
    return oldest
  }

  /** True if this one, which has ended, is kept. */
  has(routine: SupervisedRoutine): boolean {
    return routine.previousLiving !== undefined || routine === this.#oldest
  }

  /** The latest last. */
  values(): SupervisedRoutine[] {
    const routines: SupervisedRoutine[] = []
    for (let routine = this.#oldest; routine !== undefined; routine = routine.nextLiving) routines.push(routine)
    return routines
  }
}

/** Neither refers to the other any more: its handle may be kept for long. */
function partWithNext(routine: SupervisedRoutine): SupervisedRoutine {
  const next = routine.nextLiving as SupervisedRoutine
  routine.nextLiving = undefined
  next.previousLiving = undefined
  return next
}
