/** Somebody who waits for a recorded outcome. Where to stand meanwhile is one of the rooms of turn/wait-until.ts. */
import type { Outcome } from '../contract/index.ts'

/** What it asks of the ledger. */
interface Book {
  readonly error: unknown
  isAtWork(id: string): boolean
  ask(id: string): Promise<{ readonly isKnown: boolean; readonly outcome: Outcome | undefined }> | undefined
  watch(id: string, lookup: Lookup): void
  unwatch(id: string, lookup: Lookup): void
}

type Answer = { readonly outcome: Outcome | undefined } | { readonly error: unknown }

export class Lookup {
  readonly #book: Book
  readonly #id: string
  #wake: (() => void) | undefined
  #answer: Answer | undefined
  /** The number of the latest question: the answer to an earlier one may be out of date. */
  #asked = 0

  constructor(book: Book, id: string) {
    this.#book = book
    this.#id = id
    if (book.error !== undefined) this.#answer = { error: book.error }
  }

  get isAnswered(): boolean {
    return this.#answer !== undefined
  }

  /** The outcome; undefined where nothing is known of the id. @throws why it can't be told. */
  read(): Outcome | undefined {
    if (this.#answer !== undefined && 'error' in this.#answer) throw this.#answer.error
    return this.#answer?.outcome
  }

  add(wake: () => void): void {
    this.#wake = wake
    this.#book.watch(this.#id, this)
    this.look()
  }

  delete(): void {
    this.#wake = undefined
    this.#book.unwatch(this.#id, this)
  }

  /** Something may have changed. */
  look(): void {
    if (this.#wake === undefined || this.isAnswered) return
    if (this.#book.error !== undefined) this.fail(this.#book.error)
    else if (!this.#book.isAtWork(this.#id)) this.#ask()
  }

  #ask(): void {
    const number = ++this.#asked
    this.#book.ask(this.#id)?.then(
      ({ isKnown, outcome }) => {
        if (number !== this.#asked || this.#wake === undefined) return
        // What is unfinished, here or until somebody brings it back, has yet to end.
        if (outcome !== undefined || (!isKnown && !this.#book.isAtWork(this.#id))) this.#settle({ outcome })
      },
      (error: unknown) => this.fail(error),
    )
  }

  fail(error: unknown): void {
    this.#settle({ error })
  }

  #settle(answer: Answer): void {
    this.#answer ??= answer
    this.#wake?.()
  }
}
