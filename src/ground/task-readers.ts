/** The messages of a run whose body is a guest: each is taken out of the mailbox when the guest asks for it. */
import type { Envelope } from '../contract/index.ts'
import { isAsked } from '../message/index.ts'
import { takeMoved } from './move.ts'
import * as say from './protocol.ts'

type Reader = AsyncIterator<Envelope, undefined>

/** The task, to its readers. */
interface Reading {
  readonly serial: number
  readonly over: boolean
  readonly run: { readonly subject: { readonly path: string } }
  post(message: say.ToGuest, moved?: readonly unknown[]): void
  strayed(error: unknown): void
}

export class TaskReaders {
  readonly #task: Reading
  readonly #messages: AsyncIterable<Envelope>
  readonly #readers = new Map<number, Reader>()
  /** Ways to answer the questions that the guest has. */
  readonly #questions = new Map<number, (value: unknown) => void>()
  #asked = 0

  constructor(task: Reading, messages: AsyncIterable<Envelope>) {
    this.#task = task
    this.#messages = messages
  }

  heed(message: say.ToHost): void {
    if (message[0] === say.NEXT) this.#next(message[2])
    else if (message[0] === say.READ) this.#close(message[2])
    else if (message[0] === say.REPLY) this.#reply(message[2], message[3])
  }

  #next(number: number): void {
    let reader = this.#readers.get(number)
    if (reader === undefined) {
      reader = this.#messages[Symbol.asyncIterator]() as Reader
      this.#readers.set(number, reader)
    }
    const again = reader
    void again.next().then(({ done, value }) => {
      if (done === true) this.#task.post([say.NO_MORE, this.#task.serial, number])
      // What cannot be copied is not what the guest asked for.
      else if (!this.#give(number, value)) this.#next(number)
    })
  }

  /** False if it cannot be copied. */
  #give(number: number, envelope: Envelope): boolean {
    const { message } = envelope
    const asks = isAsked(envelope)
    const question = asks ? this.#asked++ : say.UNASKED
    if (asks) this.#questions.set(question, envelope.reply)
    try {
      this.#task.post([say.MESSAGE, this.#task.serial, number, message, question], takeMoved(message))
      return true
    } catch (cause) {
      const error = new TypeError(`a message to ${this.#task.run.subject.path} cannot be copied`, { cause })
      if (asks) this.#reply(question, Promise.reject(error))
      else this.#task.strayed(error)
      return false
    }
  }

  #reply(question: number, value: unknown): void {
    const reply = this.#questions.get(question)
    this.#questions.delete(question)
    reply?.(value)
  }

  #close(number: number): void {
    void this.#readers.get(number)?.return?.()
    this.#readers.delete(number)
  }

  /** The run is over. */
  end(): void {
    for (const reader of this.#readers.values()) void reader.return?.()
    this.#readers.clear()
    this.#questions.clear()
  }
}
