/**
 * Messages of one routine, over all its incarnations.
 *
 * X1  Messages of one sender are received in the order in which they were sent.
 * X2  It never holds more than `capacity`; what is turned away is refused to the sender, or announced as dropped.
 * X3  What nobody will receive any more is announced as a dead letter, once.
 */
import { MailboxFullError, type WaitOptions } from '../contract/index.ts'
import { soon, type Subject } from '../port/index.ts'
import { abortSignal, check, positiveOrInfinity } from '../spec/index.ts'
import type { Addressee } from './addressee.ts'
import { type Letter, Question, sent } from './question.ts'

/** A body that waits for its next message. */
interface Waiter {
  /** Something may have come, or ended. True if it goes on waiting. */
  serve(): boolean
}

const ASK_RULES = { timeout: positiveOrInfinity, signal: abortSignal }

/** Milliseconds that an answer may take where nothing is said. */
const ASK_TIMEOUT = 5_000

/** As many places are kept for the next letters, once there were so many. */
const KEPT_PLACES = 1_024

export class Mailbox {
  readonly #addressee: Addressee
  /** The first is at `#head`, the last before `#tail`. */
  #letters: (Letter | undefined)[] = []
  #head = 0
  #tail = 0
  /** Bodies that wait for a letter, the longest waiting first. */
  #waiting: Waiter[] = []
  #waking = false
  /** Questions that an incarnation has received and not answered; see Q2. */
  #firstOpen: Question | undefined
  #lastOpen: Question | undefined

  constructor(addressee: Addressee) {
    this.#addressee = addressee
  }

  get size(): number {
    return this.#tail - this.#head
  }

  send(message: unknown): void {
    this.accept(sent(message))
  }

  ask(message: unknown, options: WaitOptions): Promise<unknown> {
    const addressee = this.#addressee
    const { tree } = addressee
    checkAsk(addressee, options)
    const { timeout = ASK_TIMEOUT, signal } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { turn } = tree
    const asker = askerOf(addressee, message)
    const outer = turn.begin()
    try {
      const question = new Question(this, addressee, message, timeout, signal, asker)
      try {
        this.accept(question)
      } catch (error) {
        question.fail(error)
      }
      return question.answered
    } finally {
      if (outer) turn.end()
    }
  }

  /** Takes a letter up, or turns it away. In a turn. */
  accept(letter: Letter): void {
    const { tree } = this.#addressee
    // What waits there already comes first.
    if (this.size === 0 && this.#addressee.takes) {
      if (tree.isStored) store(this.#addressee, letter)
      tree.turn.deed(deliver, this, letter)
    } else if (this.keep(letter) && tree.isStored) store(this.#addressee, letter)
  }

  /** Keeps a letter that cannot be delivered yet, or turns it away. True if it is kept. In a turn. */
  keep(letter: Letter): boolean {
    const addressee = this.#addressee
    const { capacity, overflow, betweenIncarnations } = addressee.limits
    if (addressee.ended) this.#dead(letter)
    else if (betweenIncarnations === 'drop' && addressee.isBetween) this.#drop(letter)
    else if (this.size < capacity) return this.#keep(letter)
    else if (overflow === 'drop-newest') this.#drop(letter, full(addressee))
    else if (overflow === 'drop-oldest') {
      this.#drop(this.take() as Letter, full(addressee))
      return this.#keep(letter)
    } else throw full(addressee)
    return false
  }

  #keep(letter: Letter): true {
    this.#letters[this.#tail++] = letter
    if (this.#waiting.length > 0) this.wake()
    return true
  }

  /** The first letter, which is here no longer. */
  take(): Letter | undefined {
    if (this.#head === this.#tail) return undefined
    const letter = this.#letters[this.#head]
    this.#letters[this.#head++] = undefined
    if (this.#head === this.#tail) {
      this.#head = 0
      this.#tail = 0
      if (this.#letters.length > KEPT_PLACES) this.#letters = []
    } else if (this.#head > 32 && this.#head * 2 > this.#tail) {
      // Dropping in halves keeps each receipt O(1) on average.
      this.#letters = this.#letters.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
    return letter
  }

  /** True if a body waits for the next letter. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0
  }

  /** Waits for the next letter. */
  await(waiter: Waiter): void {
    this.#waiting.push(waiter)
  }

  /** Waits no longer. */
  forsake(waiter: Waiter): void {
    this.#waiting = this.#waiting.filter((each) => each !== waiter)
  }

  /** Wakes the waiting bodies in a microtask, once for all letters that have come by then. */
  wake(): void {
    if (this.#waking || this.#waiting.length === 0) return
    this.#waking = true
    soon(this.#serve)
  }

  readonly #serve = (): void => {
    this.#waking = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) if (waiter.serve()) this.#waiting.push(waiter)
  }

  #drop(letter: Letter, why?: Error): void {
    if (letter instanceof Question) {
      if (why === undefined) letter.lost()
      else letter.fail(why)
    }
    this.#addressee.announceAside('message.dropped', { message: letter.message })
  }

  #dead(letter: Letter): void {
    if (letter instanceof Question) letter.lost()
    this.#addressee.announceAside('message.deadLetter', { message: letter.message })
  }

  /** An incarnation has received a question, and is to answer it. */
  opened(question: Question): void {
    const last = this.#lastOpen
    question.previousOpen = last
    if (last === undefined) this.#firstOpen = question
    else last.nextOpen = question
    this.#lastOpen = question
  }

  /** A question that was received is settled. */
  closed(question: Question): void {
    const { previousOpen, nextOpen } = question
    if (previousOpen === undefined) this.#firstOpen = nextOpen
    else previousOpen.nextOpen = nextOpen
    if (nextOpen === undefined) this.#lastOpen = previousOpen
    else nextOpen.previousOpen = previousOpen
    question.previousOpen = undefined
    question.nextOpen = undefined
  }

  /** The incarnation is over: the questions that it has received and not answered fail. */
  abandon(): void {
    while (this.#firstOpen !== undefined) this.#firstOpen.lost(this.#addressee.failure)
  }

  /** The incarnation is over; with another to come, what was not received waits for it or is dropped, as configured. */
  incarnationOver(last: boolean): void {
    this.wake()
    if (!last && this.#addressee.limits.betweenIncarnations === 'keep') return
    for (let letter = this.take(); letter !== undefined; letter = this.take()) {
      if (last) this.#dead(letter)
      else this.#drop(letter)
    }
  }

  /** A body that takes messages has begun: it receives what has waited. A deed. */
  flush(): void {
    // One that ends meanwhile has received no more: what is left waits for the next one, or is dead.
    while (this.size > 0 && this.#addressee.accepts) this.deliver(this.take() as Letter)
  }

  /** Hands a letter to a body that takes messages. A deed: by now the body may take no more. */
  deliver(letter: Letter): void {
    if (!this.#addressee.accepts) this.#addressee.tree.turn.arise(keep, this, letter)
    else if (letter instanceof Question) {
      letter.received()
      this.#addressee.deliver(letter.message, (value) => letter.answer(value))
    } else this.#addressee.deliver(letter.message, undefined)
  }
}

function full({ subject, limits }: Addressee): MailboxFullError {
  const { path } = subject
  return new MailboxFullError(`${path} has ${limits.capacity} messages waiting, which is the limit`, { path })
}

function checkAsk({ subject }: Addressee, options: WaitOptions): void {
  check('ask', options, ASK_RULES, subject.path)
}

/** The routine that asks, as far as an observer knows. XState's inspection reports what is sent to actors. */
function askerOf({ subject, tree }: Addressee, message: unknown): Subject | undefined {
  const { observer } = tree
  return subject.isActor ? observer?.sender() : observer?.message(subject, message, 'ask')
}

function store({ tree, subject }: Addressee, { message }: Letter): void {
  tree.append({ type: 'message', path: subject.path, message })
}

function deliver(mailbox: Mailbox, letter: Letter): void {
  mailbox.deliver(letter)
}

function keep(mailbox: Mailbox, letter: Letter): void {
  mailbox.keep(letter)
}
