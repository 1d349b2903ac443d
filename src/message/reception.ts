/** The messages of one incarnation, as its body comes to them. */
import type { Envelope } from '../contract/index.ts'
import type { Chronicle } from '../durable/index.ts'
import type { Receiver } from './addressee.ts'
import type { Mailbox } from './mailbox.ts'
import { Fifo } from './fifo.ts'
import { Question } from './question.ts'
import type { AbortWatch, Waiter } from './readers.ts'

type Result = IteratorResult<Envelope, undefined>
type Take = (result: Result) => void

/** The function of the promise that was made last: a closure for each is 64 B. */
let noted: Take
const note = (take: Take): void => {
  noted = take
}

/** The messages of one incarnation: each loop over them is a reader of its own. */
export class Messages implements AsyncIterable<Envelope, undefined> {
  readonly #mailbox: Mailbox
  readonly #receiver: Receiver

  constructor(mailbox: Mailbox, receiver: Receiver) {
    this.#mailbox = mailbox
    this.#receiver = receiver
  }

  /** @internal Whose messages they are. */
  get receiver(): Receiver {
    return this.#receiver
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
 * E2  From its first turn to its last it hears of its signal: there is one listener for all readers of an incarnation, as long as there is one.
 * E3  One that has ended, by a `break` too, ends no other: whoever begins another loop reads on.
 */
export class Reception implements AsyncIterableIterator<Envelope, undefined>, Waiter {
  readonly #mailbox: Mailbox
  readonly #receiver: Receiver
  readonly #watch: AbortWatch
  /** What the journal is told of what is read; of a durable routine. */
  readonly #chronicle: Chronicle | undefined
  /** The turn that waits for its message, and those behind it: a loop has one at a time. */
  #first: Take | undefined
  #others: Fifo<Take> | undefined
  previousWaiting: Waiter | undefined
  nextWaiting: Waiter | undefined
  #begun = false
  #over = false

  constructor(mailbox: Mailbox, receiver: Receiver) {
    this.#receiver = receiver
    this.#mailbox = mailbox
    this.#chronicle = mailbox.chronicle
    this.#watch = mailbox.watch(receiver.signal)
  }

  /** True while its incarnation runs and was not told to stop. */
  get #open(): boolean {
    return !this.#receiver.over && !this.#watch.isAborted
  }

  next(): Promise<Result> {
    if (!this.#begun) this.#begin()
    if (this.#chronicle !== undefined) this.#chronicle.asks(this)
    if (this.#over || !this.#open) return this.return()
    const letter = this.#mailbox.isAwaited ? undefined : this.#take()
    if (letter !== undefined) return Promise.resolve({ done: false, value: letter })
    const turn = new Promise<Result>(note)
    if (this.#first === undefined) {
      this.#first = noted
      this.#mailbox.await(this)
    } else (this.#others ??= new Fifo()).push(noted)
    return turn
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
    for (let give = this.#first; give !== undefined; give = this.#first) {
      const letter = this.#take()
      if (letter === undefined) return true
      this.#first = this.#others?.shift()
      give({ done: false, value: letter })
    }
    return false
  }

  #take(): Envelope | undefined {
    const letter = this.#mailbox.take()
    if (!(letter instanceof Question)) {
      if (this.#chronicle !== undefined && letter !== undefined) this.#chronicle.given(this, letter)
      return letter
    }
    letter.received()
    const { message } = letter
    return { message, reply: (value) => void (!this.#receiver.over && letter.answer(value)) }
  }

  #begin(): void {
    this.#begun = true
    this.#watch.join()
  }

  #end(): void {
    if (this.#over) return
    this.#over = true
    if (this.#chronicle !== undefined) this.#chronicle.leaves(this)
    // One that never had a turn has not joined.
    if (this.#begun) this.#watch.leave()
    if (this.#first !== undefined) this.#mailbox.forsake(this)
    for (let give = this.#first; give !== undefined; give = this.#others?.shift()) give({ done: true, value: undefined })
    this.#first = undefined
  }
}
