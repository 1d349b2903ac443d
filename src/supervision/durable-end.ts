/** What the end of a durable routine is to the journal: an outcome, or nothing, since it goes on at the next start. */
import { shouldRestart } from '../../machines/restart-policy.ts'
import type { Outcome } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'

/** It has ended for good, as far as this process is concerned. In a turn. */
export function recordEnd(routine: SupervisedRoutine): void {
  const { chronicle, tree } = routine
  if (chronicle === undefined) return
  if (isCutShort(routine)) chronicle.suspend()
  tree.turn.deed(record, routine)
}

/** True if it would have been restarted, were its manager not about to close. */
function isCutShort({ local, stopRequested, endKind, spec, memory }: SupervisedRoutine): boolean {
  return local.closed && !stopRequested && endKind === 'failed' && !memory.notStarted && shouldRestart(spec.restart, 'abnormal')
}

/** A deed: the outcome is looked at. */
function record({ chronicle, end }: SupervisedRoutine): void {
  chronicle?.end(end as Outcome)
}
