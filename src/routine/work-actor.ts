/** The user's own actor. */
import { Actor, type ActorOptions, type AnyActorLogic, type EventObject } from 'xstate'
import { Fifo } from '../message/index.ts'
import { running } from '../port/index.ts'

/** What XState has beside its types. */
const XSTATE = Actor.prototype as unknown as { _send(this: WorkActor, event: EventObject): void }

/**
 * As any actor of XState's, except that it says when it comes to an event that it was handed while it was at another one: XState
 * forgets those that it has not come to when a step crashes.
 */
export class WorkActor extends Actor<AnyActorLogic> {
  /** How many events were put into its own mailbox, and to how many of these it has come. */
  #put = 0
  #come = 0
  /** True while an event is handed to it. */
  #isHanding = false
  /** The number of the event that is being handed to it, until it has come to that. */
  #handing = 0
  /** Numbers of those that it was handed, and has yet to come to. */
  readonly #ahead = new Fifo<number>()
  readonly #comes: () => void

  constructor(logic: AnyActorLogic, options: ActorOptions<AnyActorLogic>, comes: () => void) {
    super(logic, options)
    this.#comes = comes
  }

  /** Sends it an event. True if it has yet to come to that. */
  hand(event: EventObject): boolean {
    this.#isHanding = true
    try {
      this.send(event as never)
    } finally {
      this.#isHanding = false
    }
    const number = this.#handing
    this.#handing = 0
    if (number > 0) this.#ahead.push(number)
    return number > 0
  }

  /** @internal XState's way in for whatever is sent, by whomever. */
  _send(event: EventObject): void {
    this.#put++
    if (this.#isHanding) this.#handing = this.#put
    this.#isHanding = false
    const who = running.pause()
    try {
      XSTATE._send.call(this, event)
    } finally {
      running.resume(who)
    }
  }

  /** It comes to an event. */
  came(): void {
    const number = ++this.#come
    if (number === this.#handing) this.#handing = 0
    else if (number === this.#ahead.first) {
      this.#ahead.shift()
      this.#comes()
    }
  }
}
