/**
 * The XState system of a tree, which all its actors share, and what is the library's own in it.
 *
 * It is known whether anybody inspects: as long as nobody does, nothing has to happen for the sake of what they would see.
 */
import type { AnyActorRef, InspectionEvent, Observer, Subscription } from 'xstate'
import { Delays } from './delays.ts'
import { inWords, subscribed } from './told.ts'
import type { Turn } from './turn.ts'

type System = AnyActorRef['system']

/** Where a system keeps what is the library's own. */
const OWN: unique symbol = Symbol('curtaincall.system')

class OwnSystem {
  /** How many observers of inspection there are. */
  observers: number
  readonly delays: Delays
  readonly #inspect: System['inspect']

  constructor(system: System, observers: number) {
    this.observers = observers
    this.#inspect = system.inspect.bind(system)
    this.delays = new Delays(system)
  }

  /** Adds an observer, which is called at once. */
  inspect(observer: ((event: InspectionEvent) => void) | Observer<InspectionEvent>): Subscription {
    const subscription = this.#inspect(observer)
    this.observers++
    let live = true
    return {
      unsubscribe: () => {
        if (live) this.observers--
        live = false
        subscription.unsubscribe()
      },
    }
  }
}

type Owned = System & { [OWN]?: OwnSystem }

/** Makes the system of a root the library's own. A2 of lifecycle-actor.ts: those who inspect it are told in words. */
export function ownSystem({ system, options }: AnyActorRef & { readonly options: object }, turn: Turn): void {
  // One that was given at birth is there already.
  const own = new OwnSystem(system, 'inspect' in options ? 1 : 0)
  ;(system as Owned)[OWN] = own
  system.inspect = (observer) => {
    const told = inWords(observer, turn)
    return subscribed(told, own.inspect(told))
  }
}

/** True if somebody inspects a system, or may. */
export function isInspected(system: System): boolean {
  const own = (system as Owned)[OWN]
  return own === undefined || own.observers > 0
}

/** Adds an observer of inspection that is called at once. */
export function inspectAtOnce(system: System, observer: (event: InspectionEvent) => void): Subscription {
  return (system as Owned)[OWN]?.inspect(observer) ?? system.inspect(observer)
}

/** The delayed events of a system. */
export function delaysIn(system: System): Delays {
  return ((system as Owned)[OWN] as OwnSystem).delays
}
