/** The user's own actor. */
import type { AnyActorLogic, AnyActorRef, EventObject, Snapshot } from 'xstate'
import { Fifo } from '../message/index.ts'
import { running } from '../port/index.ts'
import { type Noted, XStateActor } from '../turn/index.ts'
import type { ActorRun } from './actor-run.ts'
import type { Resumption } from './resumption.ts'
import { StandIn } from './stand-in.ts'

/**
 * As any actor of XState's, except that
 *
 * - what it is sent, by whomever, and by its own delays, it handles in the asynchronous context of its routine;
 * - it says when it comes to an event that it was handed while it was at another one: XState forgets those that it has not come to when
 *   a step crashes;
 * - what it throws when its routine has done with it is heard of: it comes from tidying up;
 * - above it stands what stands in for the routine's actor, until somebody looks.
 */
export class WorkActor extends XStateActor implements Noted {
  /** Of its delays; with `resume: 'snapshot'`. */
  readonly notes: Resumption | undefined
  /** Set by XState as it is made, before any field here. */
  declare standIn: StandIn
  /** How many events were put into its own mailbox, and to how many of these it has come. */
  #put = 0
  #come = 0
  /** True while an event is handed to it. */
  #isHanding = false
  /** The number of the event that is being handed to it, until it has come to that. */
  #handing = 0
  /** Numbers of those that it was handed, and has yet to come to. */
  #ahead: Fifo<number> | undefined

  constructor(logic: AnyActorLogic, run: ActorRun) {
    const { subject, input } = run
    const { tree, resumption } = subject
    super(logic, {
      parent: new StandIn(run, tree.system) as never,
      id: 'work',
      input,
      snapshot: resumption?.snapshot as never,
      // XState's own is the console's; what a machine logs belongs with everything else.
      logger: (...args: unknown[]) => tree.bus.log('info', { path: subject.path, args }, 'log'),
    })
    this.notes = resumption
    // XState is done with it, and who stands in for another is nobody's business.
    ;(this.options as unknown as { parent: undefined }).parent = undefined
  }

  /** @internal Y1. */
  override get _parent(): AnyActorRef {
    return this.standIn.above
  }

  /** @internal At first it is set to none. */
  override set _parent(parent: unknown) {
    if (parent !== undefined) this.standIn = parent as StandIn
  }

  /** The run that it is the body of. */
  get run(): ActorRun {
    return this.standIn.run
  }

  get #isBody(): boolean {
    return this.run.footing === this
  }

  override start(): this {
    const { standIn } = this
    standIn.isXState = true
    super.start()
    standIn.isXState = false
    return this
  }

  /** @internal From here on it is the user's code that may look up, until all of that has been called. */
  override update(snapshot: Snapshot<unknown>, event: EventObject): void {
    this.standIn.isXState = false
    super.update(snapshot, event)
  }

  /** @internal */
  override _complete(): void {
    super._complete()
    // Then its end is relayed.
    this.standIn.isXState = this.getSnapshot().status === 'done'
  }

  /** @internal */
  override _reportError(error: unknown): void {
    if (!this.#isBody) this.run.strayed(error, 'its actor threw while it was being stopped')
    if (this.observers.size > 0) super._reportError(error)
    else this.eventListeners.clear()
    // Then its end is relayed.
    this.standIn.isXState = true
  }

  /** It is told to stop, which it does at once. */
  halt(): void {
    this._stop()
  }

  /** Sends it an event. True if it has yet to come to that. */
  hand(event: EventObject): boolean {
    this.#isHanding = true
    try {
      // With nobody who inspects, it is all that `send` does; and of what is no object XState says what is wrong.
      if (typeof event === 'object' && !this.standIn.isInspected) this._send(event)
      else this.send(event as never)
    } finally {
      this.#isHanding = false
    }
    const number = this.#handing
    this.#handing = 0
    if (number === 0) return false
    this.#ahead ??= new Fifo<number>()
    this.#ahead.push(number)
    return true
  }

  /** @internal XState's way in for whatever is sent, by whomever. */
  override _send(event: EventObject): void {
    sendIn(this.run.subject, this, event)
  }

  /** True from when it is handed an event until that is put into its own mailbox. */
  get isHanded(): boolean {
    return this.#isHanding
  }

  /** In the context of its routine. */
  put(event: EventObject): void {
    this.#put++
    if (this.#isHanding) this.#handing = this.#put
    this.#isHanding = false
    const who = running.pause()
    try {
      super._send(event)
    } finally {
      running.resume(who)
    }
  }

  /** It comes to an event. */
  came(): void {
    if (!this.#isBody) return
    const number = ++this.#come
    if (number === this.#handing) this.#handing = 0
    else if (number === this.#ahead?.first) {
      this.#ahead.shift()
      cameTo(this.run)
    }
  }
}

/** The run that an actor is the body of; undefined if it is none's. To look at what is above it would make an actor of that. */
export function runOf(actor: object): ActorRun | undefined {
  return actor instanceof WorkActor ? actor.run : undefined
}

/** True while a routine's mailbox hands an event to this actor: who has sent it is known to the mailbox alone. */
export function handedTo(actor: object): boolean {
  return actor instanceof WorkActor && actor.isHanded
}

/** In the context of its routine. */
function sendIn({ tree, bodyContext }: ActorRun['subject'], work: WorkActor, event: EventObject): void {
  tree.asyncContext.run(bodyContext, put, work, event)
}

function cameTo({ subject }: ActorRun): void {
  subject.mailbox.came()
}

function put(work: WorkActor, event: EventObject): void {
  work.put(event)
}
