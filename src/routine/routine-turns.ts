/** The turns of a routine, as functions of it. A closure for each would be made 100,000 times. */
import type { Pending } from '../port/index.ts'
import { forceRestart } from './forced-restart.ts'
import { stopBackOff } from './restart-delay.ts'
import type { SupervisedRoutine } from './supervised-routine.ts'
import { CANCEL, KILL } from './routine-steps.ts'

export function cancel(routine: SupervisedRoutine, reason: unknown): void {
  routine.stop(CANCEL, reason)
}

export function kill(routine: SupervisedRoutine, reason: unknown): void {
  routine.stop(KILL, reason)
}

/** Begins it anew: now, if it waits for that; else once its present incarnation has ended. */
export function restart(routine: SupervisedRoutine): void {
  if (routine.local.registry.hasten(routine)) return
  if (routine.state !== 'pending') forceRestart(routine, CANCEL, routine.cancelReason)
  else if (routine.memory.backoffTimer !== undefined && !routine.local.closed) {
    stopBackOff(routine)
    routine.tree.begin(routine.current)
  }
}

export function receive(routine: SupervisedRoutine, message: unknown): void {
  routine.mailbox.send(message)
}

/**
 * Hands a message to its body. A deed. An actor sees to its context itself: until it has the message, its sender's is that of an observer.
 * True if the body has yet to come to it.
 */
export function hand(
  routine: SupervisedRoutine,
  message: unknown,
  reply: ((value: unknown) => void) | undefined,
  question: Pending | undefined,
): boolean {
  const { tree, ground, current, isActor, bodyContext } = routine
  if (isActor) return ground.deliver(current, message, reply, question) === true
  let waits = false
  const deliver = (): void => {
    waits = ground.deliver(current, message, reply, question) === true
  }
  tree.asyncContext.run(bodyContext, deliver, undefined, undefined)
  return waits
}
