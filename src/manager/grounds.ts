/** The grounds outside of the core that the routines of a tree stand on. */
import type { Ground, Run } from '../port/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import type { PhaseHold, Tree } from '../turn/index.ts'

/** A tree ends: what they have kept ready for its routines goes, and the phase waits for that. In a turn. */
export function leaveGrounds(tree: Tree, hold: PhaseHold): void {
  for (const ground of tree.grounds ?? [])
    tree.turn.deed(() => {
      const gone = ground.leave?.(tree)
      if (gone !== undefined) hold.wait(gone)
    })
  tree.grounds = undefined
}

/** True if something is left of a tree on these grounds that could not be ended. */
export function isHeldBy(grounds: Iterable<Ground>, tree: Tree): boolean {
  for (const ground of grounds)
    for (const run of ground.standings?.() ?? []) if (ground.standing?.(run) === 'stuck' && routineOf(run).local.tree === tree) return true
  return false
}

/** Paths of routines of one manager that do not just run. */
export interface Standings {
  readonly waiting: string[]
  readonly stuck: string[]
}

/** The same of all managers of a tree, by manager. */
export function standingsIn(tree: Tree): Map<object, Standings> {
  const found = new Map<object, Standings>()
  for (const ground of tree.grounds ?? [])
    for (const run of ground.standings?.() ?? []) {
      const standing = ground.standing?.(run)
      const { local } = routineOf(run)
      if (standing === undefined || local.tree !== tree) continue
      const standings = found.get(local) ?? { waiting: [], stuck: [] }
      found.set(local, standings)
      standings[standing].push(run.subject.path)
    }
  return found
}

function routineOf({ subject }: Run): SupervisedRoutine {
  return subject as SupervisedRoutine
}
