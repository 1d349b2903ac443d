/** Runs the machines of machines/ as genuine XState actors whose effects are carried out here. */
import type { ActorLogic, AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject, Snapshot } from 'xstate'

/**
 * Carries out what a machine has decided.
 *
 * @param self The actor that decided.
 * @param snapshot The state that it is in by now.
 * @param event What it was told.
 * @param actions Names of the machine's actions, in order.
 */
export type Perform = (self: AnyActorRef, snapshot: AnyMachineSnapshot, event: EventObject, actions: readonly string[]) => void

/**
 * The logic of a machine with its effects attached.
 *
 * The machine stays what it is, for viewers too; its named actions are collected while it
 * decides, and performed once the actor's snapshot is the new one. So whoever looks at the
 * actor from within an effect, or from an event that an effect announces, sees the state
 * that the effect belongs to.
 *
 * @param restored Hears of the scope of an actor that begins from a snapshot. XState looks through what it restores for actors, and
 * changes what it takes for one: here there are none, and what the context holds is a user's. So it is left alone.
 */
export function withEffects<Machine extends AnyStateMachine>(
  machine: Machine,
  perform: Perform,
  restored: (scope: AnyActorScope) => void = () => undefined,
): Machine {
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
    if (next !== snapshot || actions.length > 0) scope.defer(() => perform(scope.self, next, event, actions))
    return next
  }
  logic.restoreSnapshot = (snapshot, scope) => {
    restored(scope)
    return machine.resolveState(snapshot as unknown as Parameters<typeof machine.resolveState>[0]) as never
  }
  return logic
}

type Logic = ActorLogic<Snapshot<unknown>, EventObject>

const METHODS = ['transition', 'getInitialSnapshot', 'getPersistedSnapshot', 'restoreSnapshot', 'start'] as const

/** Somebody's logic with some of its methods replaced. The others are called on itself: it may have private members, or be frozen. */
export function instead(logic: Logic, methods: Partial<Logic>): Logic {
  const replaced = Object.create(logic) as Logic
  for (const name of METHODS) {
    const value = methods[name] ?? logic[name]?.bind(logic)
    if (value !== undefined) Object.defineProperty(replaced, name, { value })
  }
  return replaced
}
