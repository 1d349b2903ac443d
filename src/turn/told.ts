/** A2 of lifecycle-actor.ts: an observer that hears in words, so that an actor may be driven in the middle of a turn. */
import type { InspectionEvent, Observer, Subscription } from 'xstate'
import { quiet } from './thenable.ts'
import type { Turn } from './turn.ts'

export type Observing<T> = ((value: T) => void) | Partial<Observer<T>>

/** A2, for an observer of inspection. */
export function inWords(observer: Observing<InspectionEvent>, turn: Turn): Told<InspectionEvent> {
  return new Told(typeof observer === 'function' ? { next: observer } : observer, turn)
}

/** One observer, as long as it wants to hear. The functions are looked up when they are called, as XState does. */
export class Told<T> implements Observer<T> {
  live = true
  readonly observer: Partial<Observer<T>>
  readonly turn: Turn

  constructor(observer: Partial<Observer<T>>, turn: Turn) {
    this.observer = observer
    this.turn = turn
  }

  readonly next = (value: T): void => this.turn.word(tellNext, this, value)
  readonly error = (error: unknown): void => this.turn.word(tellError, this, error)
  readonly complete = (): void => this.turn.word(tellComplete, this, undefined)
}

function tellNext<T>({ live, observer, turn }: Told<T>, value: T): void {
  if (live) contain(observer.next?.(value), turn)
}

function tellError<T>({ live, observer, turn }: Told<T>, error: unknown): void {
  if (live) contain(observer.error?.(error), turn)
}

function tellComplete<T>({ live, observer, turn }: Told<T>): void {
  if (live) contain(observer.complete?.(), turn)
}

/** An observer may be an async function. */
function contain(result: unknown, turn: Turn): void {
  if (result !== undefined) void quiet(result, (error) => turn.contain(error))
}

/** A subscription by whose end its observer hears no more, words that are on the way included. */
export function subscribed<T>(told: Told<T>, subscription: Subscription): Subscription {
  return {
    unsubscribe: () => {
      told.live = false
      subscription.unsubscribe()
    },
  }
}
