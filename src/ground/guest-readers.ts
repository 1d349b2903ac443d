/**
 * The messages of a body that is a guest: each is asked for at the host when the body comes for it, so that what it has not come to is still
 * in the mailbox, in its order, and counts there.
 */
import { takeMoved } from './move.ts'
import type { GuestRun } from './guest.ts'
import * as say from './protocol.ts'

interface Envelope {
  readonly message: unknown
  readonly reply: (value: unknown) => void
}

type Result = IteratorResult<Envelope, undefined>
type Take = (result: Result) => void

const DONE: Result = { done: true, value: undefined }

/** All readers of one run. */
export class GuestReaders implements AsyncIterable<Envelope, undefined> {
  readonly #run: GuestRun
  readonly #readers = new Map<number, Reader>()
  #made = 0

  constructor(run: GuestRun) {
    this.#run = run
  }

  [Symbol.asyncIterator](): Reader {
    const number = this.#made++
    const reader = new Reader(this.#run, number, () => this.#readers.delete(number))
    this.#readers.set(number, reader)
    return reader
  }

  /** One has come. */
  give(reader: number, message: unknown, question: number): void {
    this.#readers.get(reader)?.give({ message, reply: question === say.UNASKED ? unasked : this.#replyTo(question) })
  }

  #replyTo(question: number): (value: unknown) => void {
    let answered = false
    return (value) => {
      if (answered || this.#run.over) return
      // An answer that cannot be copied is an error of whoever gives it.
      const post = (given: unknown): void => this.#run.post([say.REPLY, this.#run.number, question, given], takeMoved(given))
      if (typeof (value as PromiseLike<unknown> | undefined)?.then !== 'function') post(value)
      else void Promise.resolve(value).then(post)
      answered = true
    }
  }

  /** No more comes for one of them. */
  end(reader: number): void {
    this.#readers.get(reader)?.end()
  }

  endAll(): void {
    for (const reader of this.#readers.values()) reader.end()
  }
}

function unasked(): void {}

class Reader implements AsyncIterableIterator<Envelope, undefined> {
  readonly #run: GuestRun
  readonly #number: number
  readonly #forget: () => void
  readonly #waiting: Take[] = []
  #over = false

  constructor(run: GuestRun, number: number, forget: () => void) {
    this.#run = run
    this.#number = number
    this.#forget = forget
    if (run.over || run.reason !== undefined) this.end()
  }

  next(): Promise<Result> {
    if (this.#over) return Promise.resolve(DONE)
    this.#run.post([say.NEXT, this.#run.number, this.#number])
    return new Promise((take) => this.#waiting.push(take))
  }

  return(): Promise<Result> {
    if (!this.#over) this.#run.post([say.READ, this.#run.number, this.#number])
    this.end()
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  give(envelope: Envelope): void {
    this.#waiting.shift()?.({ done: false, value: envelope })
  }

  end(): void {
    this.#over = true
    this.#forget()
    for (const take of this.#waiting.splice(0)) take(DONE)
  }
}
