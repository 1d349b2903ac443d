/**
 * Messages of one routine, over all its incarnations.
 *
 * X1  Messages of one sender are received in the order in which they were sent.
 * X2  It never holds more than `capacity`; what is turned away is refused to the sender, or announced as dropped.
 * X3  What nobody will receive any more is announced as a dead letter, once; a question that is over has told who asked, and is none.
 * X4  A question that is over takes up no room, and is not received.
 * X6  A question that a body asks its own routine while nobody waits for a message there is refused at once: to wait for it would be to wait for
 *     ever. Whether the body waits for it can't be seen. One that is taken, and that its body has not come to when its time is up, says so.
 * X5  What a body was handed and has not come to by its end waits again, before what came later.
 * X7  Of a durable routine the journal is told of each message that is accepted, before the body has it, and of each that is done; see DR2
 *     of durable/chronicle.ts. A question is not kept: who waits for the answer is gone with the process.
 */
import { MailboxFullError, type WaitOptions } from '../contract/index.ts'
import type { Chronicle } from '../durable/index.ts'
import { running, soon, type Subject } from '../port/index.ts'
import { abortSignal, check, positiveOrInfinity } from '../spec/index.ts'
import type { Addressee } from './addressee.ts'
import { Fifo } from './fifo.ts'
import { type Letter, oneself, Question, sent } from './question.ts'
import { AbortWatch, type Waiter, Waiting } from './readers.ts'

const ASK_RULES = { timeout: positiveOrInfinity, signal: abortSignal }

/** Milliseconds that an answer may take where nothing is said. */
const ASK_TIMEOUT = 5_000

/** So many questions that are over may be among the letters, and as many as there are others. */
const KEPT_OVER = 32

export class Mailbox {
  readonly #addressee: Addressee
  readonly #letters = new Fifo<Letter>()
  /** How many of these are questions that are over. */
  #over = 0
  /** What a body that takes messages was handed, and has yet to come to. */
  #handed: Fifo<Letter> | undefined
  /** Bodies that wait for a letter. */
  #waiting: Waiting | undefined
  #waking = false
  /** True if something has ended: all who wait are to look, and not only those for whom there is a letter. */
  #hasEnded = false
  /** Of the present incarnation, once it has a reader. */
  #watch: AbortWatch | undefined
  /** Stands for the body that reads here, where it is asked who runs: the routine itself would live as long as what it has begun. */
  #reader: object | undefined
  /** Questions that it has asked, or what follows from its code; see X6. */
  #own: WeakSet<Question> | undefined
  /** What the journal is told of them; of a durable routine. */
  #chronicle: Chronicle | undefined
  /** Questions that an incarnation has received and not answered; see Q2. */
  #firstOpen: Question | undefined
  #lastOpen: Question | undefined

  constructor(addressee: Addressee) {
    this.#addressee = addressee
  }

  get size(): number {
    return this.#letters.size - this.#over
  }

  /** How many places are taken up, also by questions that are over. */
  get places(): number {
    return this.#letters.size
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
    const isOwn = this.#reader !== undefined && running.who === this.#reader
    if (isOwn && !this.isAwaited) return Promise.reject(oneself(addressee))
    const { turn } = tree
    const asker = askerOf(addressee, message)
    const outer = turn.begin()
    try {
      const question = new Question(this, addressee, message, timeout, signal, asker)
      if (isOwn) (this.#own ??= new WeakSet()).add(question)
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
    // What waits there already comes first.
    if (this.size === 0 && this.#addressee.takes) {
      if (this.#chronicle !== undefined) this.#accepted(letter, this.#chronicle)
      this.#addressee.tree.turn.deed(deliver, this, letter)
    } else if (this.keep(letter) && this.#chronicle !== undefined) this.#accepted(letter, this.#chronicle)
  }

  #accepted(letter: Letter, chronicle: Chronicle): void {
    if (!(letter instanceof Question)) chronicle.accepted(letter, letter.message)
  }

  /** X7. */
  keptBy(chronicle: Chronicle): void {
    this.#chronicle = chronicle
  }

  get chronicle(): Chronicle | undefined {
    return this.#chronicle
  }

  /** What was accepted in an earlier process comes before all that has come since. Returns it as it is here. */
  restore(messages: readonly unknown[]): readonly Letter[] {
    const letters = messages.map(sent)
    this.#letters.replace([...letters, ...this.#letters.drain()])
    return letters
  }

  /** Keeps a letter that cannot be delivered yet, or turns it away. True if it is kept. In a turn. */
  keep(letter: Letter): boolean {
    if (isOver(letter)) return false
    const addressee = this.#addressee
    const { capacity, overflow, betweenIncarnations } = addressee.limits
    if (addressee.ended) this.#dead(letter)
    else if (betweenIncarnations === 'drop' && addressee.isBetween) this.#drop(letter)
    else if (this.size < capacity) return this.#keep(letter)
    else if (overflow === 'drop-newest') this.#drop(letter, true)
    else if (overflow === 'drop-oldest') {
      this.#drop(this.take() as Letter, true)
      return this.#keep(letter)
    } else throw full(addressee)
    return false
  }

  #keep(letter: Letter): true {
    this.#letters.push(letter)
    if (letter instanceof Question) letter.waits()
    if (this.isAwaited) this.wake()
    return true
  }

  /** The same of a letter that was accepted before: its sender has gone on, and is refused nothing. In a turn. */
  keepAccepted(letter: Letter): void {
    const addressee = this.#addressee
    if (addressee.ended || this.size < addressee.limits.capacity || addressee.limits.overflow !== 'reject') this.keep(letter)
    else if (!isOver(letter)) this.#drop(letter, true)
  }

  /** The first letter, which is here no longer. */
  take(): Letter | undefined {
    for (let letter = this.#letters.shift(); letter !== undefined; letter = this.#letters.shift()) if (this.#isTaken(letter)) return letter
    return undefined
  }

  /** True if it is one that somebody waits for still. */
  #isTaken(letter: Letter): boolean {
    if (!(letter instanceof Question) || letter.taken()) return true
    this.#over--
    return false
  }

  /** A question that waited is over. */
  withdrawn(): void {
    this.#over++
    if (this.#over > KEPT_OVER && this.#over > this.size) {
      this.#letters.replace(this.#letters.drain().filter((letter) => !isOver(letter)))
      this.#over = 0
    }
  }

  /** True if a body waits for the next letter. */
  get isAwaited(): boolean {
    return this.#waiting?.first !== undefined
  }

  /** The body that runs, from here on, is the one that reads here. */
  isRead(): void {
    running.is((this.#reader ??= {}))
  }

  /** What a reader listens to. */
  watch(signal: AbortSignal): AbortWatch {
    return this.#watch?.signal === signal ? this.#watch : (this.#watch = new AbortWatch(signal, () => this.#wakeAll()))
  }

  /** Waits for the next letter. */
  await(waiter: Waiter): void {
    this.#waiting ??= new Waiting()
    this.#waiting.add(waiter)
  }

  /** Waits no longer. */
  forsake(waiter: Waiter): void {
    this.#waiting?.delete(waiter)
  }

  /** Wakes the waiting bodies in a microtask, once for all letters that have come by then. */
  wake(): void {
    if (this.#waking || !this.isAwaited) return
    this.#waking = true
    soon(() => this.#serve())
  }

  /** The same where something has ended. */
  #wakeAll(): void {
    this.#hasEnded = true
    this.wake()
  }

  #serve(): void {
    this.#waking = false
    const all = this.#hasEnded
    this.#hasEnded = false
    const waiting = this.#waiting as Waiting
    for (let waiter = waiting.first; waiter !== undefined; ) {
      // Of those further back none would get one.
      if (!all && this.size === 0) return
      const { nextWaiting } = waiter
      if (!waiter.serve()) waiting.delete(waiter)
      waiter = nextWaiting
    }
  }

  /** The error is made for who asked: of a message that was sent nobody would look at it. */
  #drop(letter: Letter, isFull = false): void {
    this.#chronicle?.done(letter)
    if (letter instanceof Question) {
      if (isFull) letter.fail(full(this.#addressee))
      else letter.lost()
    }
    this.#addressee.announceAside('message.dropped', { message: letter.message })
  }

  #dead(letter: Letter): void {
    if (letter instanceof Question) letter.lost()
    // It waits for the next start.
    else if (this.#chronicle?.keeps(letter) === true) return
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

  isOwn(question: Question): boolean {
    return this.#own?.has(question) === true
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

  /** The incarnation is over: what it has not come to waits again, and the questions that it has received and not answered fail. */
  abandon(): void {
    if (this.#handed !== undefined) this.#takeBack(this.#handed)
    while (this.#firstOpen !== undefined) this.#firstOpen.lost(this.#addressee.failure)
    this.#chronicle?.runOver()
  }

  /** X5. */
  #takeBack(handed: Fifo<Letter>): void {
    if (handed.size === 0) return
    const back = handed.drain().filter((letter) => !isOver(letter))
    for (const letter of back) if (letter instanceof Question) letter.waits()
    this.#letters.replace([...back, ...this.#letters.drain()])
    const { capacity, overflow } = this.#addressee.limits
    while (this.size > capacity) {
      const letter = overflow === 'drop-oldest' ? this.take() : this.#takeLast()
      this.#drop(letter as Letter, true)
    }
  }

  #takeLast(): Letter | undefined {
    for (let letter = this.#letters.pop(); letter !== undefined; letter = this.#letters.pop()) if (this.#isTaken(letter)) return letter
    return undefined
  }

  /** The incarnation is over; with another to come, what was not received waits for it or is dropped, as configured. */
  incarnationOver(last: boolean): void {
    this.#wakeAll()
    if (!last) this.#chronicle?.goesOn()
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

  /** Hands a letter to a body that takes messages. A deed: by now the body may take no more, or nobody may wait for the answer. */
  deliver(letter: Letter): void {
    const addressee = this.#addressee
    if (isOver(letter)) return
    if (!addressee.accepts) addressee.tree.turn.arise(keepAccepted, this, letter)
    else if (this.#chronicle === undefined ? this.#hand(letter) : this.#handKept(letter, this.#chronicle)) {
      this.#handed ??= new Fifo<Letter>()
      this.#handed.push(letter)
    }
  }

  /** X7. */
  #handKept(letter: Letter, chronicle: Chronicle): boolean {
    if (letter instanceof Question) return this.#hand(letter)
    chronicle.comesTo(letter)
    const hasYetToCome = this.#hand(letter)
    if (hasYetToCome) chronicle.waits()
    return hasYetToCome
  }

  /** True if the body has yet to come to it. */
  #hand(letter: Letter): boolean {
    if (!(letter instanceof Question)) return this.#addressee.deliver(letter.message, undefined, undefined)
    letter.received()
    return this.#addressee.deliver(letter.message, (value) => letter.answer(value), letter)
  }

  /** The body has come to the first of what it was handed and had yet to come to. */
  came(): void {
    const letter = this.#handed?.shift()
    if (letter !== undefined && !(letter instanceof Question)) this.#chronicle?.comesTo(letter)
  }
}

function isOver(letter: Letter): boolean {
  return letter instanceof Question && letter.settled
}

function full({ subject, limits }: Addressee): MailboxFullError {
  const { path } = subject
  return new MailboxFullError(`${path} has ${limits.capacity} messages waiting, which is the limit`, { path })
}

function checkAsk({ subject }: Addressee, options: WaitOptions): void {
  check('ask', options, ASK_RULES, subject.path)
}

/** The routine that asks, as far as an observer knows. */
function askerOf({ subject, tree }: Addressee, message: unknown): Subject | undefined {
  return tree.observer?.message(subject, message, 'ask')
}

function deliver(mailbox: Mailbox, letter: Letter): void {
  mailbox.deliver(letter)
}

function keepAccepted(mailbox: Mailbox, letter: Letter): void {
  mailbox.keepAccepted(letter)
}
