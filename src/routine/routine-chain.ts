/** Routines of one manager in an order: a doubly linked list, in which one stands at most. */
import type { SupervisedRoutine } from './supervised-routine.ts'

/** Where a walk stands: what is taken off the list meanwhile takes no walk along. */
interface Place {
  at: SupervisedRoutine | undefined
}

/** G3  A walk from the latest to the first comes to each that is in the list at that moment, and was when it began. */
const NOBODY: IterableIterator<SupervisedRoutine> = [].values()

export class RoutineChain {
  size = 0
  first: SupervisedRoutine | undefined
  #last: SupervisedRoutine | undefined
  #walks: Set<Place> | undefined

  add(routine: SupervisedRoutine): void {
    routine.previousLiving = this.#last
    if (this.#last === undefined) this.first = routine
    else this.#last.nextLiving = routine
    this.#last = routine
    this.size++
  }

  remove(routine: SupervisedRoutine): void {
    const { previousLiving, nextLiving } = routine
    if (this.#walks !== undefined) for (const walk of this.#walks) if (walk.at === routine) walk.at = previousLiving
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

  /** One by one, and none before it is asked for: to go through 200,000 takes as long as a slice. It has to be gone through to the end. */
  latestFirst(): IterableIterator<SupervisedRoutine> {
    return this.#last === undefined ? NOBODY : this.#walk(this.#last)
  }

  *#walk(last: SupervisedRoutine): Generator<SupervisedRoutine, void> {
    const walk: Place = { at: last }
    const walks = (this.#walks ??= new Set())
    walks.add(walk)
    for (let routine: SupervisedRoutine | undefined = walk.at; routine !== undefined; routine = walk.at) {
      walk.at = routine.previousLiving
      yield routine
    }
    walks.delete(walk)
    if (walks.size === 0) this.#walks = undefined
  }
}
