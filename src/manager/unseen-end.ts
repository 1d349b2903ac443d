/** A tree that has failed, and nobody looks. */
import type { StartFailedError } from '../contract/index.ts'
import type { Tree } from '../turn/index.ts'
import type { Place } from './place.ts'

/** A manager that has ended for good. */
interface Ended {
  readonly up: object | undefined
  readonly tree: Tree
  readonly place: Place
  readonly failure: unknown
  readonly startError: StartFailedError | undefined
  readonly readiness: { readonly isAsked: boolean }
}

/** Notes it, if it is the whole tree. Whoever asks whether it has started is told of a start that fails. In a turn. */
export function noteUnseenEnd({ up, tree, place, failure, startError, readiness }: Ended): void {
  if (up !== undefined || failure === undefined) return
  const { listeners } = place
  const isLookedAt = (): boolean =>
    place.isOutcomeAsked ||
    (startError !== undefined && readiness.isAsked) ||
    listeners.areLookedAt('manager.gaveUp') ||
    listeners.areLookedAt('manager.stopped')
  tree.unseen?.note(place, isLookedAt, startError === undefined ? 'gave up' : 'could not start', failure)
}
