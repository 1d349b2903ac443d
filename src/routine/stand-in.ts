/**
 * What stands above the user's actor while its routine has none of its own: as rows stand in for the actors of functions.
 *
 * Y1  Whoever looks up from the user's actor finds the routine's actor, which is made by that look. XState alone, which asks for a parent
 *     where an actor begins and where it ends, finds what stands in for it.
 * Y2  While somebody inspects, XState finds the actor too: what it tells of the beginning and the end names it.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import { isInspected } from '../turn/index.ts'
import type { ActorRun } from './actor-run.ts'
import { relay } from './relay.ts'

export class StandIn {
  readonly run: ActorRun
  /** True while XState looks up, and nobody else. */
  isXState = false

  constructor(run: ActorRun) {
    this.run = run
  }

  get system(): AnyActorRef['system'] {
    return this.run.subject.local.actor.system
  }

  /** What is above the user's actor. */
  get above(): AnyActorRef {
    const { run, isXState } = this
    if (isXState && !run.observed && !isInspected(this.system)) return this as unknown as AnyActorRef
    return run.actor as unknown as AnyActorRef
  }

  /** XState's way in for whatever is sent. */
  _send(event: EventObject): void {
    relay(this.run, event)
  }
}
