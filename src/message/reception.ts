/** The messages of one incarnation, as its body comes to them. */
import type { Envelope } from '../contract/index.ts'
import type { Receiver } from './addressee.ts'
import type { Mailbox } from './mailbox.ts'
import { Question } from './question.ts'

type Result = IteratorResult<Envelope, undefined>

/** A turn that waits for its message. */
interface Turn {
  readonly take: (result: Result) => void
}

/** The messages of one incarnation: each loop over them is a reader of its own. */
export class Messages implements AsyncIterable<Envelope, undefined> {
  readonly #mailbox: Mailbox
  readonly #receiver: Receiver

  constructor(mailbox: Mailbox, receiver: Receiver) {
    this.#mailbox = mailbox
    this.#receiver = receiver
  }

  [Symbol.asyncIterator](): Reception {
    return new Reception(this.#mailbox, this.#receiver)
  }
}

/**
 * One reader of them.
 *
 * By hand and not an async generator, which costs two more promises and two more microtasks for each message: a message that
 * waits already is one promise.
 *
 * E1  Messages are given in the order in which they were asked for; none once the incarnation is over or was told to stop.
 * E2  Its listener on the signal is there from the first turn to the last.
 * E3  One that has ended, by a `break` too, ends no other: whoever begins another loop reads on.
 */
export class Reception implements AsyncIterableIterator<Envelope, undefined> {
  readonly #mailbox: Mailbox
  readonly #receiver: Receiver
  readonly #signal: AbortSignal
  #turns: Turn[] = []
  #begun = false
  #over = false

  constructor(mailbox: Mailbox, receiver: Receiver) {
    this.#receiver = receiver
    this.#mailbox = mailbox
    this.#signal = receiver.signal
  }

  /** True while its incarnation runs and was not told to stop. */
  get #open(): boolean {
    return !this.#receiver.over && !this.#signal.aborted
  }

  next(): Promise<Result> {
    if (!this.#begun) this.#begin()
    if (this.#over || !this.#open) return this.return()
    const letter = this.#mailbox.isAwaited ? undefined : this.#take()
    if (letter !== undefined) return Promise.resolve({ done: false, value: letter })
    return new Promise((take) => {
      this.#turns.push({ take })
      if (this.#turns.length === 1) this.#mailbox.await(this)
    })
  }

  return(): Promise<Result> {
    this.#end()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Something may have come, or ended. True if it goes on waiting. */
  serve(): boolean {
    if (!this.#open) {
      this.#end()
      return false
    }
    while (this.#turns.length > 0) {
      const letter = this.#take()
      if (letter === undefined) return true
      this.#turns.shift()?.take({ done: false, value: letter })
    }
    return false
  }

  #take(): Envelope | undefined {
    const letter = this.#mailbox.take()
    if (!(letter instanceof Question)) return letter
    letter.received()
    const { message } = letter
    return { message, reply: (value) => void (!this.#receiver.over && letter.answer(value)) }
  }

  readonly #wake = (): void => this.#mailbox.wake()

  #begin(): void {
    this.#begun = true
    this.#signal.addEventListener('abort', this.#wake)
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    this.#signal.removeEventListener('abort', this.#wake)
    const turns = this.#turns
    this.#turns = []
    if (turns.length > 0) this.#mailbox.forsake(this)
    for (const { take } of turns) take({ done: true, value: undefined })
  }
}
