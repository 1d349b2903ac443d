/** What the end of a durable routine is to the journal: an outcome, or nothing, since it goes on at the next start. */
import { exitOf, hasRunLeft, shouldRestart } from '../../machines/restart-policy.ts'
import type { Outcome } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'

/** It has ended for good, as far as this process is concerned. In a turn. */
export function recordEnd(routine: SupervisedRoutine): void {
  const { chronicle, tree } = routine
  if (chronicle === undefined) return
  if (isCutShort(routine)) chronicle.suspend()
  tree.turn.deed(record, routine)
}

/** True if another run would have followed, were its manager not about to close: by its policy, or as was ordered. */
function isCutShort(routine: SupervisedRoutine): boolean {
  const { spec, memory, runs } = routine
  if (!routine.local.closed || routine.stopRequested) return false
  if (routine.restartIsFree) return true
  if (spec.attempts !== undefined && !hasRunLeft(spec.attempts, runs)) return false
  return routine.wantsRestart || (!memory.notStarted && shouldRestart(spec.restart, exitOf(routine.endKind)))
}

/** A deed: the outcome is looked at. */
function record({ chronicle, end }: SupervisedRoutine): void {
  chronicle?.end(end as Outcome)
}
