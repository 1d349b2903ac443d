/**
 * What is rare, and what one asks about afterwards: failures, restarts, what hangs, phases, orders. It has a room of its own, so that
 * nothing ordinary pushes it out, however much of that there is.
 *
 * N3  Of each type the latest so many are held: a storm of failures pushes out neither a phase nor whoever hangs.
 */
import type { LifecycleEventType } from '../../machines/lifecycle-event.ts'
import type { KeptEvent } from './protocol.ts'
import { Ring } from './ring.ts'

/** What is listened to while no page is open, and outlives what is ordinary. */
export const RARE = [
  'routine.failed',
  'routine.killed',
  'routine.orphaned',
  'routine.restarted',
  'routine.hung',
  'routine.revived',
  'link.broken',
  'manager.started',
  'manager.restarted',
  'manager.gaveUp',
  'manager.phase',
  'manager.stopped',
  'control.ordered',
  'loop.blocked',
] as const satisfies readonly LifecycleEventType[]

const TYPES: ReadonlySet<string> = new Set(RARE)

/** Events of one type that are held. */
const HELD = 500

/** What a sibling is told when its group is restarted. */
const OF_GROUP = 'ERR_GROUP_RESTART'

/** True for the end of a child that is stopped since another one of its group has ended. */
export function isOfGroup(event: KeptEvent): boolean {
  return event.type === 'routine.cancelled' && (event['reason'] as { readonly code?: unknown } | undefined)?.code === OF_GROUP
}

/** True for what is not pushed out by what is ordinary. A child that comes again, with its group too, has a reason that one asks for. */
export function isRare(event: KeptEvent): boolean {
  return TYPES.has(event.type) || isOfGroup(event) || (event.type === 'routine.spawned' && Number(event['incarnation']) > 1)
}

/** The latest of each type, all in one order. */
export class RareEvents {
  readonly #rings = new Map<string, Ring<KeptEvent>>()
  /** All of them in order; made when it is asked for. */
  #all: KeptEvent[] | undefined = []
  readonly #held: number

  constructor(held = HELD) {
    this.#held = held
  }

  push(event: KeptEvent): void {
    let ring = this.#rings.get(event.type)
    if (ring === undefined) this.#rings.set(event.type, (ring = new Ring(this.#held)))
    const out = ring.push(event)
    if (out === undefined) this.#all?.push(event)
    else this.#all = undefined
  }

  get #ordered(): readonly KeptEvent[] {
    return (this.#all ??= [...this.#rings.values()].flatMap((ring) => [...ring]).toSorted((a, b) => a.seq - b.seq))
  }

  get size(): number {
    return this.#ordered.length
  }

  /** By age, 0 the oldest. */
  at(index: number): KeptEvent | undefined {
    return this.#ordered[index]
  }
}
