/** The turns of a routine, as functions of it: what is begun 100,000 times is to be no closure. */
import { announce } from './announcing.ts'
import type { RoutineRow } from './routine.ts'
import { CANCEL, KILL } from './routine-steps.ts'

export function cancel(routine: RoutineRow, reason: unknown): void {
  routine.stop(CANCEL, reason)
}

export function kill(routine: RoutineRow, reason: unknown): void {
  routine.stop(KILL, reason)
}

export function restart(routine: RoutineRow): void {
  routine.orderRestart()
}

export function exit(routine: RoutineRow, [event, payload]: readonly [event: number, payload: unknown]): void {
  routine.current.step(event, payload)
}

export function receive(routine: RoutineRow, message: unknown): void {
  routine.mailbox.send(message)
}

export function noteOrder(routine: RoutineRow, control: string): void {
  announce(routine, 'control.ordered', { control }, 0)
}

/** Its incarnation has ended. */
export function answerEnd(routine: RoutineRow, orphaned: boolean): void {
  routine.local.registry.settle(routine, orphaned)
}
