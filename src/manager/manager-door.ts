/** The genuine XState actor of a life of a manager: how it is made, and what events from outside the library mean. */
import type { AnyMachineSnapshot, EventObject } from 'xstate'
import type { ShutdownMode } from '../../machines/lifecycle-event.ts'
import type { ManagerMachine } from '../../machines/manager.ts'
import type { ShutdownOptions } from '../contract/index.ts'
import { type Decided, type Door, LifecycleActor, System, type Tree, type Turn } from '../turn/index.ts'
import { type Failing, fail } from './giving-up.ts'
import { contextOf, errorAfter, stageAfter, stepOf, valueOf } from './manager-steps.ts'

/** A life, as its actor has it. */
interface Lived {
  readonly name: string
  readonly host: { readonly logic: ManagerMachine }
  readonly stage: number
  readonly error: unknown
  readonly actor: LifecycleActor
  /** True if there is one. */
  readonly isObserved: boolean
  /** From now on it is driven by this actor, which is in its state. */
  driveBy(actor: LifecycleActor): void
  /** What follows from an event by the table is carried out. */
  carryOut(event: EventObject): void
}

/** A life, and what it can be told to do. */
interface Driven extends Lived, Failing {
  readonly up: Driven | undefined
  readonly turn: Turn
  shutdown(options: ShutdownOptions): unknown
}

/**
 * Makes the actor of a life, and those of the managers above it that have none yet: a tree may be deeper than a stack holds.
 *
 * @param born True if its life begins with it. Otherwise it is as if it had been there from the beginning: who inspects sees nothing of it.
 */
export function materialise(life: Driven, born: boolean): LifecycleActor {
  const missing: Driven[] = []
  for (let level: Driven | undefined = life; level?.isObserved === false; level = level.up) missing.push(level)
  const { tree } = life
  for (const each of missing.reverse()) {
    const isBorn = born && each === life
    const make = (): void => each.driveBy(actorOf(each, isBorn))
    if (tree.isInspected && !isBorn) tree.system.unseen(make)
    else make()
  }
  return life.actor
}

function actorOf(life: Driven, born: boolean): LifecycleActor {
  const { up, host, name, tree, turn, stage, error } = life
  const { logic } = host
  const options = up === undefined ? tree.actorOptions() : { parent: up.actor }
  // Where nobody inspects, the initial state is a snapshot, too: XState makes it anew for each, in five microseconds.
  const isSeen = born && (tree.isInspected || 'inspect' in options)
  const beginning = isSeen ? {} : { snapshot: { value: valueOf(stage), context: contextOf(stage, error) } }
  const actor = new LifecycleActor(logic, { id: name, ...options, ...beginning } as object, new ManagerDoor(life))
  if (up === undefined) tree.system = new System(actor, turn)
  return actor
}

/** The door of the actor of a life. */
export class ManagerDoor implements Door {
  readonly life: Driven

  constructor(life: Driven) {
    this.life = life
  }

  get tree(): Tree {
    return this.life.tree
  }

  decide({ context }: AnyMachineSnapshot, event: EventObject): Decided | undefined {
    const { stage, error } = this.life
    const step = stepOf(stage, event)
    if (step === 0) return undefined
    const next = stageAfter(stage, step)
    return { value: valueOf(next), context: { ...context, ...contextOf(next, errorAfter(step, event, error)) } }
  }

  perform(event: EventObject): void {
    this.life.carryOut(event)
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
