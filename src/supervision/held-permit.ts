/** The permit of a routine whose ground could not end it, and that keeps it until it is gone: `holdsPermits` of port/ground.ts. */
import { type Gate, grant, type PermitQueue } from '../admission/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'

/** True if it is to keep its permit. In a turn. */
export function keepsPermit(routine: SupervisedRoutine): boolean {
  const { current, ground } = routine
  if (!current.stuck || ground.holdsPermits !== true) return false
  routine.ownMemory.holdsPermit = true
  return true
}

/** It is gone: if it has kept its permit, that is free. In a turn. */
export function giveBack(routine: SupervisedRoutine, gate: Gate, queue: PermitQueue<SupervisedRoutine>): void {
  if (!routine.memory.holdsPermit) return
  routine.ownMemory.holdsPermit = false
  gate.give()
  grant(queue)
}
