/** What is asked of users before the end of a routine is answered: `restartIf`, and `random` for the jitter of a delay. */
import { askChance, type SupervisedRoutine } from '../routine/index.ts'

/** A deed: asks `restartIf`, and settles in a turn after that. */
export function askRestartIf(routine: SupervisedRoutine, orphan: boolean): void {
  routine.ownMemory.helps = false
  routine.tree.asyncContext.run(routine.asyncContext, callRestartIf, routine, undefined)
  routine.tree.turn.arise(settle, routine, orphan)
}

function callRestartIf(routine: SupervisedRoutine): void {
  const { spec, current, restarts, path, tree } = routine
  try {
    routine.ownMemory.helps = Boolean(spec.restartIf?.(current.error, restarts))
  } catch (error) {
    tree.bus.contain(error, `${path}: restartIf threw`)
  }
}

/** A deed: asks `random`, and settles in a turn after that. */
export function askChanceFirst(routine: SupervisedRoutine, orphan: boolean): void {
  askChance(routine)
  routine.tree.turn.arise(settle, routine, orphan)
}

function settle(routine: SupervisedRoutine, orphan: boolean): void {
  routine.local.registry.settle(routine, orphan)
}
