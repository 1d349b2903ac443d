/** Runs the machines of machines/ as genuine XState actors whose effects are carried out here. */
import type { AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate'

/**
 * Carries out what a machine has decided.
 *
 * @param self The actor that decided.
 * @param snapshot The state that it is in by now.
 * @param event What it was told.
 * @param actions Names of the machine's actions, in order.
 */
export type Perform = (
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
  actions: readonly string[],
  scope: AnyActorScope,
) => void

/**
 * The logic of a machine with its effects attached.
 *
 * The machine stays what it is, for viewers too; its named actions are collected while it
 * decides, and performed once the actor's snapshot is the new one. So whoever looks at the
 * actor from within an effect, or from an event that an effect announces, sees the state
 * that the effect belongs to.
 */
export function withEffects<Machine extends AnyStateMachine>(machine: Machine, perform: Perform): Machine {
  const logic = Object.create(machine) as Machine
  logic.transition = (snapshot, event, scope) => {
    const actions: string[] = []
    const collecting: typeof scope = {
      ...scope,
      actionExecutor: (action) => {
        actions.push(action.type)
        scope.actionExecutor(action)
      },
    }
    const next = machine.transition(snapshot, event, collecting)
    if (next !== snapshot || actions.length > 0 || event.type.startsWith('xstate.'))
      scope.defer(() => perform(scope.self, next, event, actions, scope))
    return next
  }
  return logic
}
