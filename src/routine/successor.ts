/** Who stands, after a crash, where another actor stood: what was on its way to that one reaches this one. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import { type Delay, LifecycleActor } from '../turn/index.ts'

/** A delay of an actor that may have to go on after a crash. */
export interface NotedDelay extends Delay {
  /** The actor that was to go on, as it was when this began. */
  readonly top: AnyActorRef
  /** When, by the clock of the tree. */
  readonly due: number
  /** True if it was under way when its source ended. */
  cut: boolean
}

/**
 * The actor that stands where this one stood: itself, if that was not below the old top nor right above it; undefined if there is none.
 */
export function successor(actor: AnyActorRef, old: AnyActorRef, top: AnyActorRef): AnyActorRef | undefined {
  if (actor === old) return top
  // To look further up would make an actor of who is there.
  if (actor instanceof LifecycleActor) return actor === (old._parent as unknown) ? top._parent : actor
  const ids: string[] = []
  let above: AnyActorRef | undefined = actor
  for (; above !== undefined && above !== old; above = isTop(above) ? undefined : above._parent) ids.push(above.id)
  if (above === undefined) return actor
  let found: AnyActorRef | undefined = top
  for (const id of ids.reverse()) found = childOf(found, id)
  return found
}

/** True for the actor of a routine's work. */
function isTop(actor: AnyActorRef): boolean {
  return 'notes' in actor
}

function childOf(actor: AnyActorRef | undefined, id: string): AnyActorRef | undefined {
  const { children } = (actor?.getSnapshot() ?? {}) as Partial<AnyMachineSnapshot>
  return children?.[id]
}
