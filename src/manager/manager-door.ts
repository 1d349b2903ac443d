/** The genuine XState actor of a life of a manager: how it is made, and what events from outside the library mean. */
import type { AnyActorRef, AnyMachineSnapshot, EventObject, StateValue } from 'xstate'
import type { ShutdownMode } from '../../machines/lifecycle-event.ts'
import { type Door, LifecycleActor, System, type Tree } from '../turn/index.ts'
import { fail } from './giving-up.ts'
import type { Life } from './life.ts'
import { snapshotOf, stateAfter } from './manager-steps.ts'

/** The life whose actor this is; undefined if it is no manager's. */
export function lifeOf(actor: AnyActorRef): Life | undefined {
  const door = actor instanceof LifecycleActor ? actor.door : undefined
  return door instanceof ManagerDoor ? door.life : undefined
}

/**
 * Makes the actor of a life, and those of the managers above it that have none yet: a tree may be deeper than a stack holds.
 *
 * @param born True if its life begins with it. Otherwise it is as if it had been there from the beginning: who inspects sees nothing of it.
 */
export function materialise(life: Life, born: boolean): LifecycleActor {
  const missing: Life[] = []
  for (let level: Life | undefined = life; level !== undefined && !level.isObserved; level = level.up) missing.push(level)
  const { tree } = life
  for (const each of missing.reverse()) {
    const make = (): void => each.driveBy(actorOf(each, born && each === life))
    if (tree.isInspected && !(born && each === life)) tree.system.unseen(make)
    else make()
  }
  return life.actor
}

function actorOf(life: Life, born: boolean): LifecycleActor {
  const { up, host, name, tree, turn, row, error } = life
  const parent = up === undefined ? host.actorOptions : { parent: up.actor }
  const { logic } = host
  // The initial state of an actor that nobody inspects is taken from the table, too: XState makes it anew for each, in five microseconds.
  const isSeen = born && (up === undefined ? 'inspect' in parent : tree.isInspected)
  const beginning = isSeen ? {} : { snapshot: snapshotOf(row, logic.config.context as object, error) }
  const actor = new LifecycleActor(logic, { id: name, ...parent, ...beginning } as object, new ManagerDoor(life))
  if (up === undefined) tree.system = new System(actor, turn)
  return actor
}

/** The door of the actor of a life. */
class ManagerDoor implements Door {
  readonly life: Life

  constructor(life: Life) {
    this.life = life
  }

  get tree(): Tree {
    return this.life.tree
  }

  /** Its machine has decided. */
  perform({ value }: AnyMachineSnapshot, event: EventObject): void {
    const { life } = this
    if (!isSame(stateAfter(life.row, event), value)) throw new Error(`the derived table differs from the machine at ${event.type}`)
    life.carryOut(event)
  }

  /** A user sends its actor an event: it means the same as the method with its defaults. Other events are for the library alone. */
  sent(event: EventObject, to: LifecycleActor): void {
    const { life } = this
    // The actor of an earlier life is over.
    if (!life.isObserved || to !== life.actor) return
    const { type, mode, timeout, error } = event as { type: string; mode?: ShutdownMode; timeout?: number; error?: unknown }
    if (type === 'shutdown') void life.shutdown({ mode, timeout })
    else if (type === 'hurry' && life.run !== undefined) void life.shutdown({ mode: 'immediate' })
    else if (type === 'giveUp') life.turn.run(() => fail(life, 'request', error, life.seq))
  }

  relayed(): void {}

  /** XState stops a root from outside at once; here that is an immediate shutdown, phases and report included. */
  stopped(): void {
    void this.life.shutdown({ mode: 'immediate' })
  }

  failed(error: unknown): void {
    const { tree, path } = this.life
    tree.bus.contain(error, `${path}: the manager's actor failed`)
  }
}

/** Each name of a phase is there once. */
function isSame(a: StateValue, b: StateValue): boolean {
  return typeof a === 'object' && typeof b === 'object' ? a['stopping'] === b['stopping'] : a === b
}
