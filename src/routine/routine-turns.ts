/** The turns of a routine, as functions of it. A closure for each would be made 100,000 times. */
import type { Ground, Pending, Run } from '../port/index.ts'
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

/** Sends it a message: a durable one a copy that can be written down. */
export function post(routine: SupervisedRoutine, message: unknown): void {
  const { chronicle, tree } = routine
  tree.turn.run(receive, routine, chronicle === undefined ? message : chronicle.copyOf(message))
}

function receive(routine: SupervisedRoutine, message: unknown): void {
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
  const handed: Handed = { ground, run: current, message, reply, question, waits: false }
  tree.asyncContext.run(bodyContext, handOver, handed, undefined)
  return handed.waits
}

interface Handed {
  readonly ground: Ground
  readonly run: Run
  readonly message: unknown
  readonly reply: ((value: unknown) => void) | undefined
  readonly question: Pending | undefined
  waits: boolean
}

function handOver(handed: Handed): void {
  const { ground, run, message, reply, question } = handed
  handed.waits = ground.deliver(run, message, reply, question) === true
}
