/** Whose lifecycle an actor is. */
import type { AnyActorRef } from 'xstate'
import { Life } from '../manager/index.ts'
import { ActorDoor, type Incarnation } from '../routine/index.ts'
import { LifecycleActor } from '../turn/index.ts'

/** The incarnation of a routine whose lifecycle it is. */
export function incarnationOf(ref: AnyActorRef): Incarnation | undefined {
  const door = doorOf(ref)
  return door instanceof ActorDoor ? door.incarnation : undefined
}

/** The manager whose lifecycle it is. */
export function managerLifeOf(ref: AnyActorRef): Life | undefined {
  const door = doorOf(ref)
  return door instanceof Life ? door : undefined
}

function doorOf(ref: AnyActorRef): unknown {
  return ref instanceof LifecycleActor ? ref.door : undefined
}
