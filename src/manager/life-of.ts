/** Finds the life of a manager by its actor. */
import type { AnyActorRef } from 'xstate'
import { LifecycleActor } from '../turn/index.ts'
import { Life } from './life.ts'
import { ManagerDoor } from './manager-door.ts'

/** The life whose actor this is; undefined if it is no manager's. */
export function lifeOf(actor: AnyActorRef): Life | undefined {
  const door = actor instanceof LifecycleActor ? actor.door : undefined
  return door instanceof ManagerDoor && door.life instanceof Life ? door.life : undefined
}
