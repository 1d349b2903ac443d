/**
 * Messages of one routine, over all its incarnations.
 *
 * X1  Messages of one sender are received in the order in which they were sent.
 * X2  It never holds more than `capacity`; what is turned away is refused to the sender, or announced as dropped.
 * X3  What nobody will receive any more is announced as a dead letter, once.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import { MailboxFullError } from '../contract/errors.ts'
import { type Letter, Question, sent } from './question.ts'
import type { Reception } from './reception.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { abortSignal, check, positiveOrInfinity } from '../spec/check.ts'
import type { WaitOptions } from '../turn/waiting.ts'

const ASK_RULES = { timeout: positiveOrInfinity, signal: abortSignal }

/** Milliseconds that an answer may take where nothing is said. */
const ASK_TIMEOUT = 5_000

/** As many places are kept for the next letters, once there were so many. */
const KEPT_PLACES = 1_024

export class Mailbox {
  readonly #row: RoutineRow
  /** The first is at `#head`, the last before `#tail`. */
  #letters: (Letter | undefined)[] = []
  #head = 0
  #tail = 0
  /** Those that wait for a letter, the longest first. */
  #waiting: Reception[] = []
  #waking = false
  /** Questions that an incarnation has received and not answered; see Q2. */
  firstOpen: Question | undefined = undefined
  lastOpen: Question | undefined = undefined

  constructor(row: RoutineRow) {
    this.#row = row
  }

  get size(): number {
    return this.#tail - this.#head
  }

  send(message: unknown): void {
    this.accept(sent(message))
  }

  ask(message: unknown, options: WaitOptions): Promise<unknown> {
    const row = this.#row
    check('ask', options, ASK_RULES, row.path)
    const { timeout = ASK_TIMEOUT, signal } = options
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { tap, turn } = row.local.stage
    // Of what goes to an actor XState tells.
    const asker = row.isActor ? tap?.sender() : tap?.message(row, message, 'ask')
    const outer = turn.begin()
    try {
      const question = new Question(this, row, message, timeout, options, asker)
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

  /** @internal In a turn. */
  accept(letter: Letter): void {
    const row = this.#row
    const { capacity, overflow, betweenIncarnations } = row.spec.mailbox
    const { work } = row.current
    if (row.ended) this.#dead(letter)
    else if (work !== undefined && !row.current.over && this.size === 0) row.local.stage.turn.deed(deliverTo, row, letter)
    else if (betweenIncarnations === 'drop' && row.incarnation > 1 && row.state === 'pending') this.#drop(letter)
    else if (this.size < capacity) this.#keep(letter)
    else if (overflow === 'drop-newest') this.#drop(letter, this.#full)
    else if (overflow === 'drop-oldest') {
      this.#drop(this.take() as Letter, this.#full)
      this.#keep(letter)
    } else throw this.#full
  }

  get #full(): MailboxFullError {
    const { path, spec } = this.#row
    return new MailboxFullError(`${path} has ${spec.mailbox.capacity} messages waiting, which is the limit`, { path })
  }

  #keep(letter: Letter): void {
    this.#letters[this.#tail++] = letter
    if (this.#waiting.length > 0) this.wake()
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

  /** True if somebody waits for the next letter. */
  get isAwaited(): boolean {
    return this.#waiting.length > 0
  }

  /** Waits for the next letter. */
  await(reception: Reception): void {
    this.#waiting.push(reception)
  }

  /** Waits no longer. */
  forsake(reception: Reception): void {
    this.#waiting = this.#waiting.filter((each) => each !== reception)
  }

  /** Those that wait look again: in a microtask, so that what follows in this one is taken into account. Once for all that has come till then. */
  wake(): void {
    if (this.#waking || this.#waiting.length === 0) return
    this.#waking = true
    queueMicrotask(this.#serve)
  }

  readonly #serve = (): void => {
    this.#waking = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const reception of waiting) if (reception.serve()) this.#waiting.push(reception)
  }

  #drop(letter: Letter, why?: Error): void {
    if (letter instanceof Question) {
      if (why === undefined) letter.lost()
      else letter.fail(why)
    }
    this.#row.announceAside('message.dropped', { message: letter.message })
  }

  #dead(letter: Letter): void {
    if (letter instanceof Question) letter.lost()
    this.#row.announceAside('message.deadLetter', { message: letter.message })
  }

  /** The incarnation is over: what it was asked and has not answered, nobody will answer. */
  abandon(): void {
    while (this.firstOpen !== undefined) this.firstOpen.lost(this.#row.current.error)
  }

  /** The incarnation is over; with another to come, what was not received waits for it or is dropped, as configured. */
  incarnationOver(last: boolean): void {
    this.wake()
    if (!last && this.#row.spec.mailbox.betweenIncarnations === 'keep') return
    for (let letter = this.take(); letter !== undefined; letter = this.take()) {
      if (last) this.#dead(letter)
      else this.#drop(letter)
    }
  }

  /** The user's actor has begun: what has waited goes to it. */
  flush(work: AnyActorRef): void {
    // One that ends meanwhile has received no more: what is left waits for the next one, or is dead.
    while (this.size > 0 && work.getSnapshot().status === 'active') deliver(work, this.take() as Letter)
  }
}

/** A deed: by now its actor may have been stopped. */
function deliverTo(row: RoutineRow, letter: Letter): void {
  const { work, over } = row.current
  if (work === undefined || over) row.local.stage.turn.arise(take, row, letter)
  else deliver(work, letter)
}

function take(row: RoutineRow, letter: Letter): void {
  row.mailbox.accept(letter)
}

/** To an actor a question comes as its event with a `reply` function beside. A deed. */
function deliver(work: AnyActorRef, letter: Letter): void {
  const { message } = letter
  if (!(letter instanceof Question)) {
    work.send(message as EventObject)
    return
  }
  letter.received()
  work.send({ ...(message as object), reply: (value: unknown) => letter.answer(value) } as unknown as EventObject)
}
