/** The genuine XState actor of an incarnation: how it is made, and what events from outside the library mean. */
import type { AnyActorRef, AnyMachineSnapshot, EventObject, StateValue } from 'xstate'
import { machineOfRoutine, ROUTINE_EVENTS, type RoutineMachine } from '../../machines/routine.ts'
import { type Decided, type Door, LifecycleActor, type Tree, withEffects } from '../turn/index.ts'
import type { Incarnation } from './incarnation.ts'
import { relay } from './relay.ts'
import { CANCEL, contextAfter, HANDLED, KILL, payloadOf, snapshotOf, START, STATES, TARGET } from './routine-steps.ts'

let logic: RoutineMachine | undefined

/** The logic of the actor of any incarnation; made when one is first looked at. */
export function routineLogic(): RoutineMachine {
  return (logic ??= withEffects(machineOfRoutine()))
}

/** The actor of an incarnation, in the state that this is in. It has yet to be started. */
export function actorOf(incarnation: Incarnation): LifecycleActor {
  const { over, output, error, reason, killed, stuck, subject, input, value } = incarnation
  const snapshot = snapshotOf(value, over, { input, output, error, reason, killed, stuck })
  // The end of an incarnation that is over was reported already: its actor has no parent.
  const parent = over ? {} : { parent: subject.local.actor }
  return new LifecycleActor(routineLogic(), { id: subject.id, snapshot, ...parent } as object, new ActorDoor(incarnation))
}

/** The incarnation whose actor this is; undefined if it is none's. */
export function incarnationOf(actor: AnyActorRef): Incarnation | undefined {
  const door = actor instanceof LifecycleActor ? actor.door : undefined
  return door instanceof ActorDoor ? door.incarnation : undefined
}

/** The door of the actor of an incarnation. */
class ActorDoor implements Door {
  readonly incarnation: Incarnation

  constructor(incarnation: Incarnation) {
    this.incarnation = incarnation
  }

  get tree(): Tree {
    return this.incarnation.tree
  }

  decide({ context }: AnyMachineSnapshot, event: EventObject): Decided | undefined {
    const column = columnOf(event)
    const cell = column < 0 ? 0 : this.incarnation.cellOf(column)
    if ((cell & HANDLED) === 0) return undefined
    return { value: STATES[cell & TARGET] as StateValue, context: contextAfter(cell, context as object, payloadOf(column, event)) }
  }

  perform(event: EventObject): void {
    const column = columnOf(event)
    if (column >= 0) this.incarnation.follow(column, payloadOf(column, event))
  }

  /** A user sends the actor an event: it means the same as the method. Only its supervisor may start it. */
  sent(event: EventObject): void {
    const column = columnOf(event)
    if (column > START) this.tree.turn.run(obey, this.incarnation, [column, payloadOf(column, event)])
  }

  relayed(event: EventObject): void {
    relay(this.incarnation, event)
  }

  failed(error: unknown): void {
    this.incarnation.lose(error)
  }

  /** Its actor is a root only once the incarnation is over: then there is nothing left to stop. */
  stopped(): void {}
}

function columnOf({ type }: EventObject): number {
  return ROUTINE_EVENTS.indexOf(type as (typeof ROUTINE_EVENTS)[number])
}

/** A user has sent the actor an event. A turn. */
function obey(incarnation: Incarnation, [event, payload]: readonly [event: number, payload: unknown]): void {
  if (event === KILL || event === CANCEL) incarnation.subject.stopBy(incarnation, event, payload)
  else incarnation.step(event, payload)
}
