/** Delays of an actor as they are written down: who has begun them, and whom they are for, by their ids below the actor of the routine. */
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import type { StoredDelay } from '../port/index.ts'
import { LifecycleActor } from '../turn/index.ts'
import type { NotedDelay } from './successor.ts'

/** The routine's own actor, above that of its work. */
const ABOVE = '^'

/** Those that can be found again: of one that is sent to somebody elsewhere, nobody knows after a restart of the process who that was. */
export function storedDelays(delays: readonly NotedDelay[]): StoredDelay[] {
  const stored: StoredDelay[] = []
  for (const { source, target, top, id, event, due } of delays) {
    const from = placeOf(source, top)
    const to = placeOf(target, top)
    if (from !== undefined && to !== undefined) stored.push({ source: from, target: to, id, event, due })
  }
  return stored
}

/** Where an actor stands below the top one, as JSON; undefined if it does not. */
function placeOf(actor: AnyActorRef, top: AnyActorRef): string | undefined {
  if (actor instanceof LifecycleActor) return actor === (top._parent as unknown) ? ABOVE : undefined
  const ids: string[] = []
  for (let at: AnyActorRef | undefined = actor; at !== undefined; at = isTop(at) ? undefined : at._parent) {
    if (at === top) return JSON.stringify(ids.reverse())
    ids.push(at.id)
  }
  return undefined
}

/** Who stands there now. */
export function actorAt(place: string, top: AnyActorRef): AnyActorRef | undefined {
  if (place === ABOVE) return top._parent
  let found: AnyActorRef | undefined = top
  for (const id of JSON.parse(place) as string[]) found = (found?.getSnapshot() as Partial<AnyMachineSnapshot> | undefined)?.children?.[id]
  return found
}

function isTop(actor: AnyActorRef): boolean {
  return 'notes' in actor
}
