/** Runs the machines of machines/ as genuine XState actors whose effects are carried out here. */
import { type ActorLogic, type AnyActorScope, type AnyMachineSnapshot, type AnyStateMachine, type EventObject, type Snapshot } from 'xstate'
import { type Decisions, follow } from '../../machines/decisions.ts'
import type { LifecycleActor } from './lifecycle-actor.ts'

/**
 * The logic of a machine with its effects attached, for {@link LifecycleActor}.
 *
 * The machine stays what it is, for viewers too; its named actions are collected while it
 * decides, and performed once the actor's snapshot is the new one. So code that reads
 * the actor from within an effect, or from a listener of an event that an effect announces,
 * sees the state that the effect belongs to.
 *
 * What it decides is remembered for all its actors. As long as somebody inspects, it decides itself: each step of XState's shows.
 *
 * What an actor begins from is taken as it is: XState looks through what it restores for actors, and changes what it takes for
 * one. Here there are none, and what the context holds is a user's.
 */
export function withEffects<Machine extends AnyStateMachine>(machine: Machine, decisions: Decisions): Machine {
  const logic = Object.create(machine) as Machine
  logic.transition = ((snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
    const decision = (scope.self as unknown as LifecycleActor).isInspected ? undefined : decisions.of(snapshot, event)
    if (decision === undefined) return decide(machine, snapshot, event, scope)
    const next = follow(decision, snapshot, event)
    if (!decision.ignored) perform(scope, next, event, decision.actions)
    return next
  }) as unknown as Machine['transition']
  const initial = machine.config.context as object
  logic.restoreSnapshot = (({ value, context }: AnyMachineSnapshot) => decisions.snapshotOf(value, { ...initial, ...context })) as never
  return logic
}

/** The machine decides. */
function decide(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot {
  const actions: string[] = []
  const actionExecutor: typeof scope.actionExecutor = (action) => {
    actions.push(action.type)
    scope.actionExecutor(action)
  }
  const next = machine.transition(snapshot, event as never, { ...scope, actionExecutor } as never) as AnyMachineSnapshot
  if (next !== snapshot || actions.length > 0) perform(scope, next, event, actions)
  return next
}

function perform({ defer, self }: AnyActorScope, next: AnyMachineSnapshot, event: EventObject, actions: readonly string[]): void {
  defer(() => (self as unknown as LifecycleActor).perform(next, event, actions))
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
