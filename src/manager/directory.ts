/** What is found in a whole tree without a look at each manager. There is one for each tree, and one for what has left it. */
import type { NameGroup } from '../count/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { TreeIndex } from '../turn/index.ts'

type Group = NameGroup<SupervisedRoutine>

export class Directory {
  /** Routines whose id is known: those that live, and those that are retained. */
  readonly ids = new TreeIndex<SupervisedRoutine>(
    ({ local }) => local.place,
    ({ ended }) => ended,
  )
  /** By name, what lives at one manager; made when somebody first looks over several managers. */
  groups: TreeIndex<Group> | undefined
  #ranks = 0

  /** The rank of a manager that is made now. */
  nextRank(): number {
    return this.#ranks++
  }

  /** These are found here from now on, as far as they were found there. */
  takeOver(retained: readonly SupervisedRoutine[], from: TreeIndex<SupervisedRoutine>): void {
    for (const routine of retained) {
      const { knownId } = routine
      if (knownId !== undefined && from.delete(knownId, routine)) this.ids.set(knownId, routine)
    }
  }

  /** Begins to index groups. They have to be entered. */
  indexGroups(): TreeIndex<Group> {
    return (this.groups = new TreeIndex<Group>(
      ({ home }) => home,
      () => false,
    ))
  }
}
