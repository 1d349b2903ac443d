/**
 * The XState system of a tree, which all its actors share, and what is the library's own in it.
 *
 * It is known whether anybody inspects: as long as nobody does, nothing has to happen for the sake of what they would see.
 */
import type { AnyActorRef, InspectionEvent, Observer, Subscription } from 'xstate'
import { Delays } from './delays.ts'
import { inWords, subscribed } from './told.ts'
import type { Turn } from './turn.ts'

/** What XState has beside its types. */
interface Telling {
  _sendInspectionEvent: (event: object) => void
}

export class System {
  readonly xstate: AnyActorRef['system']
  readonly delays: Delays
  readonly #inspect: AnyActorRef['system']['inspect']
  readonly #observers = new Set<object>()

  /** Of this root, which may have been born with an observer. A2 of lifecycle-actor.ts: those who come now are told in words. */
  constructor({ system, options }: { readonly system: AnyActorRef['system']; readonly options: object }, turn: Turn) {
    this.xstate = system
    this.delays = new Delays(system)
    this.#inspect = system.inspect.bind(system)
    if ('inspect' in options) this.#observers.add(options)
    system.inspect = (observer) => {
      const told = inWords(observer, turn)
      return subscribed(told, this.inspect(told))
    }
  }

  /** True if somebody inspects. */
  get isInspected(): boolean {
    return this.#observers.size > 0
  }

  /** What is made there is to have been there before: nobody who inspects sees it made. */
  unseen(make: () => void): void {
    const system = this.xstate as unknown as Telling
    const tell = system._sendInspectionEvent
    system._sendInspectionEvent = tellNobody
    try {
      make()
    } finally {
      system._sendInspectionEvent = tell
    }
  }

  /** Adds an observer, which is called at once. */
  inspect(observer: ((event: InspectionEvent) => void) | Observer<InspectionEvent>): Subscription {
    const subscription = this.#inspect(observer)
    this.#observers.add(subscription)
    return {
      unsubscribe: () => {
        this.#observers.delete(subscription)
        subscription.unsubscribe()
      },
    }
  }
}

function tellNobody(): void {}
