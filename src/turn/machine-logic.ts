/** Runs the machines of machines/ as genuine XState actors whose effects are carried out here. */
import type { ActorLogic, AnyStateMachine, EventObject, Snapshot } from 'xstate'
import type { LifecycleActor } from './lifecycle-actor.ts'

/**
 * The logic of a machine with its effects attached, for {@link LifecycleActor}.
 *
 * The machine stays what it is, for viewers too; its named actions are collected while it
 * decides, and performed once the actor's snapshot is the new one. So code that reads
 * the actor from within an effect, or from a listener of an event that an effect announces,
 * sees the state that the effect belongs to.
 *
 * What an actor begins from is taken as it is: XState looks through what it restores for actors, and changes what it takes for
 * one. Here there are none, and what the context holds is a user's.
 */
export function withEffects<Machine extends AnyStateMachine>(machine: Machine): Machine {
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
    if (next !== snapshot || actions.length > 0) scope.defer(() => (scope.self as unknown as LifecycleActor).perform(next, event, actions))
    return next
  }
  logic.restoreSnapshot = (snapshot, scope) => {
    ;(scope.self as unknown as LifecycleActor).stopChild = scope.stopChild
    return machine.resolveState(snapshot as unknown as Parameters<typeof machine.resolveState>[0]) as never
  }
  return logic
}

type Logic = ActorLogic<Snapshot<unknown>, EventObject>

type Calls = Record<(typeof METHODS)[number], (a: never, b: never, c: never) => unknown>

const METHODS = ['transition', 'getInitialSnapshot', 'getPersistedSnapshot', 'restoreSnapshot', 'start'] as const

/** A user's logic with some of its methods replaced. The other methods are called on the original, which may have private members or be frozen. */
export function instead(logic: Logic, methods: Partial<Logic>): Logic {
  return Object.assign(Object.create(callingOn(logic)) as Logic, methods)
}

/** Of each logic, what calls its methods on it: made once, since many actors run the same logic. */
const CALLING = new WeakMap<Logic, Logic>()

function callingOn(logic: Logic): Logic {
  const known = CALLING.get(logic)
  if (known !== undefined) return known
  const calling = Object.create(logic) as Logic
  for (const name of METHODS) {
    if (logic[name] === undefined) continue
    const method = (a: never, b: never, c: never): unknown => (logic as unknown as Calls)[name](a, b, c)
    Object.defineProperty(calling, name, { value: method, writable: true })
  }
  CALLING.set(logic, calling)
  return calling
}
