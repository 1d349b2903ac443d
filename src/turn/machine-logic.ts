/** Runs the machines of machines/ as genuine XState actors whose effects are carried out here. */
import {
  type ActorLogic,
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventObject,
  type Snapshot,
  type StateValue,
} from 'xstate'
import type { LifecycleActor } from './lifecycle-actor.ts'

/** What differs in one snapshot of a machine from another. */
export interface Decided {
  readonly value: StateValue
  readonly context: object
}

/**
 * The logic of a machine with its effects attached, for {@link LifecycleActor}.
 *
 * The machine stays what it is, for viewers too; what its named actions stand for is done once the
 * actor's snapshot is the new one. So code that reads the actor from within an effect, or from a listener
 * of an event that an effect announces, sees the state that the effect belongs to.
 *
 * What it decides is read from its table, if that knows the event. As long as somebody inspects, it decides itself: each step of
 * XState's shows.
 *
 * What an actor begins from is taken as it is: XState looks through what it restores for actors, and changes what it takes for
 * one. Here there are none, and what the context holds is a user's.
 */
export function withEffects<Machine extends AnyStateMachine>(machine: Machine): Machine {
  const logic = Object.create(machine) as Machine
  // A table has one object for each of its states.
  const known = new Map<StateValue, AnyMachineSnapshot>()
  const snapshotOf = ({ value, context }: Decided): AnyMachineSnapshot => {
    let one = known.get(value)
    // The context that it is asked with is nobody's.
    if (one === undefined) known.set(value, (one = machine.resolveState({ value, context: {} }) as AnyMachineSnapshot))
    return { ...one, context, children: {} } as AnyMachineSnapshot
  }
  logic.transition = ((snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
    const actor = scope.self as unknown as LifecycleActor
    const decided = actor.door.decide(snapshot, event)
    // What the table does not know is nothing to the machine.
    const asks = decided === undefined || actor.isInspected
    const next = asks ? (machine.transition(snapshot, event as never, scope as never) as AnyMachineSnapshot) : snapshotOf(decided)
    if (asks && !isSame(next.value as StateValue, (decided ?? snapshot).value as StateValue))
      throw new Error(`the derived table differs from the machine at ${event.type}`)
    // What it ignores leads to the same snapshot.
    if (next !== snapshot) scope.defer(() => actor.perform(event))
    return next
  }) as unknown as Machine['transition']
  const initial = machine.config.context as object
  logic.restoreSnapshot = (({ value, context }: Decided) => snapshotOf({ value, context: { ...initial, ...context } })) as never
  return logic
}

/** True if these are the same state. */
function isSame(a: StateValue, b: StateValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

type Logic = ActorLogic<Snapshot<unknown>, EventObject>

type Calls = Record<(typeof METHODS)[number], (a: never, b: never, c: never) => unknown>

const METHODS = ['transition', 'getInitialSnapshot', 'getPersistedSnapshot', 'restoreSnapshot', 'start'] as const

/**
 * A user's logic with some of its methods replaced. The other methods are called on the original, which may have private members or be
 * frozen.
 */
export function instead(logic: Logic, methods: Partial<Logic>): Logic {
  const calling = Object.create(logic) as Logic
  for (const name of METHODS) {
    if (logic[name] === undefined) continue
    const method = (a: never, b: never, c: never): unknown => (logic as unknown as Calls)[name](a, b, c)
    Object.defineProperty(calling, name, { value: method, writable: true })
  }
  return Object.assign(calling, methods)
}
