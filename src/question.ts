/** What is sent to a routine: a message, or a question, which is a message with somebody who waits for the answer. */
import { AskTimeoutError, NotRunningError } from './errors.ts'
import type { Mailbox } from './mailbox.ts'
import type { RoutineRow } from './routine.ts'
import type { WaitOptions } from './waiting.ts'

/** What a body receives: a message, and the way to answer it if its sender asked. */
export interface Envelope<Message = unknown, Reply = unknown> {
  readonly message: Message
  /** Answers an `ask`; does nothing for a `send`, the second time, or once the incarnation is over. */
  readonly reply: (value: Reply) => void
}

function unasked(): void {}

/** A message that waits. It is itself what the body receives, so that a message is one object from its sender to its receiver. */
export class Letter implements Envelope {
  readonly message: unknown
  reply: (value: unknown) => void = unasked

  constructor(message: unknown) {
    this.message = message
  }
}

/** The ways to keep, and to break, the promise that was made last. */
let keep: (value: unknown) => void
let refuse: (error: unknown) => void
const take = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  keep = resolve
  refuse = reject
}

/**
 * Q1  It is settled once, and from then on nothing of it remains: no timer, no listener, no place among the open ones.
 *
 * Q2  It is in the chain of its mailbox's open ones from its receipt until it is settled, in order of receipt: a chain, since to
 *     enter a set and leave it costs 80 ns.
 */
export class Question extends Letter {
  readonly answered: Promise<unknown> = new Promise(take)
  readonly #resolve = keep
  readonly #reject = refuse
  readonly #mailbox: Mailbox
  readonly #row: RoutineRow
  readonly #timeout: number
  readonly #signal: AbortSignal | undefined
  readonly #timer: unknown
  /** Who asked, while somebody looks. */
  readonly asker: RoutineRow | undefined
  #settled = false
  #isOpen = false
  #previousOpen: Question | undefined = undefined
  #nextOpen: Question | undefined = undefined

  constructor(
    mailbox: Mailbox,
    row: RoutineRow,
    message: unknown,
    timeout: number,
    { signal }: WaitOptions,
    asker: RoutineRow | undefined,
  ) {
    super(message)
    const { stage } = row.local
    this.#mailbox = mailbox
    this.#row = row
    this.#timeout = timeout
    this.#signal = signal
    this.asker = asker
    this.#timer = stage.arm(expire, this, timeout)
    if (signal !== undefined) stage.signals.bind(signal, this)
  }

  answer(value: unknown): void {
    if (this.#leave()) this.#resolve(value)
  }

  fail(error: unknown): void {
    if (this.#leave()) this.#reject(error)
  }

  /** It is never going to be answered. */
  lost(cause?: unknown): void {
    const { path } = this.#row
    this.fail(new NotRunningError(`${path} has ended without an answer`, cause === undefined ? { path } : { path, cause }))
  }

  /** Who asked does not want to know any more. */
  aborted(reason: unknown): void {
    this.fail(reason)
  }

  timeIsUp(): void {
    const { path } = this.#row
    this.fail(new AskTimeoutError(`${path} has not answered within ${this.#timeout} ms`, { path }))
  }

  /** The routine has it, and is to answer. */
  received(): void {
    if (this.#settled) return
    const mailbox = this.#mailbox
    this.#isOpen = true
    this.#previousOpen = mailbox.lastOpen
    if (mailbox.lastOpen === undefined) mailbox.firstOpen = this
    else mailbox.lastOpen.#nextOpen = this
    mailbox.lastOpen = this
  }

  #close(): void {
    const mailbox = this.#mailbox
    if (this.#previousOpen === undefined) mailbox.firstOpen = this.#nextOpen
    else this.#previousOpen.#nextOpen = this.#nextOpen
    if (this.#nextOpen === undefined) mailbox.lastOpen = this.#previousOpen
    else this.#nextOpen.#previousOpen = this.#previousOpen
    this.#previousOpen = undefined
    this.#nextOpen = undefined
  }

  /** False if it is settled already. */
  #leave(): boolean {
    if (this.#settled) return false
    this.#settled = true
    const { clock, signals } = this.#row.local.stage
    if (this.#isOpen) this.#close()
    clock.clearTimeout(this.#timer)
    if (this.#signal !== undefined) signals.unbind(this.#signal, this)
    return true
  }
}

function expire(question: Question): void {
  question.timeIsUp()
}
