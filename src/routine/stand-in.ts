/**
 * What stands above the user's actor while its routine has none of its own: as rows stand in for the actors of functions.
 *
 * Y1  Whoever looks up from the user's actor finds the routine's actor, which is made by that look. XState alone, which asks for a parent
 *     where an actor begins and where it ends, finds what stands in for it.
 * Y2  While somebody inspects, XState finds the actor too: what it tells of the beginning and the end names it.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import type { System } from '../turn/index.ts'
import type { ActorRun } from './actor-run.ts'
import { relay } from './relay.ts'

export class StandIn {
  readonly run: ActorRun
  readonly #system: System
  /** True while XState looks up, and nobody else. */
  isXState = false

  constructor(run: ActorRun, system: System) {
    this.run = run
    this.#system = system
  }

  /** What an actor takes over from who is above it. */
  get system(): AnyActorRef['system'] {
    return this.#system.xstate
  }

  get isInspected(): boolean {
    return this.#system.isInspected
  }

  /** What is above the user's actor. */
  get above(): AnyActorRef {
    const { run, isXState } = this
    const isStandIn = isXState && !run.observed && !this.isInspected
    return (isStandIn ? this : run.actor) as AnyActorRef
  }

  /** XState's way in for whatever is sent. */
  _send(event: EventObject): void {
    this.isXState = false
    relay(this.run, event)
  }
}
