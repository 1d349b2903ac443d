/** Routines of one manager in an order: a doubly linked list, in which one stands at most. */
import type { SupervisedRoutine } from './supervised-routine.ts'

export class RoutineChain {
  size = 0
  first: SupervisedRoutine | undefined
  #last: SupervisedRoutine | undefined

  add(routine: SupervisedRoutine): void {
    routine.previousLiving = this.#last
    if (this.#last === undefined) this.first = routine
    else this.#last.nextLiving = routine
    this.#last = routine
    this.size++
  }

  remove(routine: SupervisedRoutine): void {
    const { previousLiving, nextLiving } = routine
    if (previousLiving === undefined) this.first = nextLiving
    else previousLiving.nextLiving = nextLiving
    if (nextLiving === undefined) this.#last = previousLiving
    else nextLiving.previousLiving = previousLiving
    // Its handle may be kept for long.
    routine.previousLiving = undefined
    routine.nextLiving = undefined
    this.size--
  }

  /** True if it stands in this one, given that it stands in no other. */
  holds(routine: SupervisedRoutine): boolean {
    return routine.previousLiving !== undefined || routine === this.first
  }

  /** The first first. */
  values(): SupervisedRoutine[] {
    const routines: SupervisedRoutine[] = []
    for (let routine = this.first; routine !== undefined; routine = routine.nextLiving) routines.push(routine)
    return routines
  }

  latestFirst(): SupervisedRoutine[] {
    const routines: SupervisedRoutine[] = []
    for (let routine = this.#last; routine !== undefined; routine = routine.previousLiving) routines.push(routine)
    return routines
  }
}
