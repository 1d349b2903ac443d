/**
 * Messages of one routine, over all its incarnations.
 *
 * X1  Messages of one sender are received in the order in which they were sent.
 * X2  It never holds more than `capacity`; what is turned away is refused to the sender, or announced as dropped.
 * X3  What nobody will receive any more is announced as a dead letter, once.
 */
import type { AnyActorRef, EventObject } from 'xstate'
import { AskTimeoutError, MailboxFullError, NotRunningError } from './errors.ts'
import type { RoutineRow } from './routine.ts'
import { abortSignal, check, positiveDuration } from './spec/check.ts'
import type { WaitOptions } from './waiting.ts'
import { isActorLogic } from './work.ts'

/** What a body receives: a message, and the way to answer it if its sender asked. */
export interface Envelope<Message = unknown, Reply = unknown> {
  readonly message: Message
  /** Answers an `ask`; does nothing for a `send`, the second time, or once the incarnation is over. */
  readonly reply: (value: Reply) => void
}

interface Letter {
  readonly message: unknown
  readonly answer: ((value: unknown) => void) | undefined
  /** Called if it is never going to be received. */
  readonly lost: ((cause?: unknown) => void) | undefined
  /** Who asked, while somebody looks. */
  readonly asker?: RoutineRow | undefined
}

const ASK_RULES = { timeout: positiveDuration, signal: abortSignal }

/** Milliseconds that an answer may take where nothing is said. */
const ASK_TIMEOUT = 5_000

const SEND = { answer: undefined, lost: undefined }

export class Mailbox {
  readonly #row: RoutineRow
  #letters: (Letter | undefined)[] = []
  #head = 0
  #wake: (() => void) | undefined
  /** Questions that an incarnation has received and not answered. */
  readonly #open = new Set<Letter>()

  constructor(row: RoutineRow) {
    this.#row = row
  }

  get size(): number {
    return this.#letters.length - this.#head
  }

  send(message: unknown): void {
    this.#accept({ message, ...SEND })
  }

  ask(message: unknown, options: WaitOptions): Promise<unknown> {
    check('ask', options, ASK_RULES, this.#row.path)
    const { timeout = ASK_TIMEOUT, signal } = options
    const { path, local } = this.#row
    const { clock, signals } = local.stage
    if (signal?.aborted) return Promise.reject(signal.reason)
    const asker = isActorLogic(this.#row.logic) ? undefined : local.stage.tap?.message(this.#row, message, 'ask')
    return new Promise((resolve, reject) => {
      const member = { aborted: (reason: unknown) => leave(() => reject(reason)) }
      const timer = clock.setTimeout(() => {
        leave(() => reject(new AskTimeoutError(`${path} has not answered within ${timeout} ms`, { path })))
      }, timeout)
      const leave = (settle: () => void): void => {
        this.#open.delete(letter)
        clock.clearTimeout(timer)
        if (signal !== undefined) signals.unbind(signal, member)
        settle()
      }
      if (signal !== undefined) signals.bind(signal, member)
      const lost = (cause?: unknown): void =>
        leave(() => reject(new NotRunningError(`${path} has ended without an answer`, cause === undefined ? { path } : { path, cause })))
      const letter: Letter = { message, answer: (value) => leave(() => resolve(value)), lost, asker }
      try {
        this.#accept(letter)
      } catch (error) {
        leave(() => reject(error))
      }
    })
  }

  #accept(letter: Letter): void {
    const row = this.#row
    const { capacity, overflow, betweenIncarnations } = row.spec.mailbox
    const { work } = row.current
    if (row.ended) this.#dead(letter)
    else if (work !== undefined && !row.current.over) this.#deliver(work, letter)
    else if (betweenIncarnations === 'drop' && row.incarnation > 1 && row.state === 'pending') this.#drop(letter)
    else if (this.size < capacity) this.#keep(letter)
    else if (overflow === 'drop-newest') this.#drop(letter)
    else if (overflow === 'drop-oldest') {
      this.#drop(this.#take() as Letter)
      this.#keep(letter)
    } else throw new MailboxFullError(`${row.path} has ${capacity} messages waiting, which is the limit`, { path: row.path })
  }

  #keep(letter: Letter): void {
    this.#letters.push(letter)
    this.#wake?.()
  }

  #take(): Letter | undefined {
    if (this.size === 0) return undefined
    const letter = this.#letters[this.#head]
    this.#letters[this.#head++] = undefined
    // Dropping in halves keeps each receipt O(1) on average.
    if (this.#head > 32 && this.#head * 2 > this.#letters.length) {
      this.#letters = this.#letters.slice(this.#head)
      this.#head = 0
    }
    return letter
  }

  #drop(letter: Letter): void {
    letter.lost?.()
    this.#row.announceAside('message.dropped', { message: letter.message })
  }

  #dead(letter: Letter): void {
    letter.lost?.()
    this.#row.announceAside('message.deadLetter', { message: letter.message })
  }

  /** The incarnation is over: what it was asked and has not answered, nobody will answer. */
  abandon(): void {
    for (const letter of this.#open) letter.lost?.(this.#row.current.error)
  }

  /** The incarnation is over; with another to come, what was not received waits for it or is dropped, as configured. */
  incarnationOver(last: boolean): void {
    this.#wake?.()
    if (!last && this.#row.spec.mailbox.betweenIncarnations === 'keep') return
    for (let letter = this.#take(); letter !== undefined; letter = this.#take()) {
      if (last) this.#dead(letter)
      else this.#drop(letter)
    }
  }

  /** The user's actor has begun: what has waited goes to it. */
  flush(work: AnyActorRef): void {
    for (let letter = this.#take(); letter !== undefined; letter = this.#take()) this.#deliver(work, letter)
  }

  /** To an actor a question comes as its event with a `reply` function beside. */
  #deliver(work: AnyActorRef, letter: Letter): void {
    const { message, answer } = letter
    if (answer !== undefined) this.#open.add(letter)
    work.send((answer === undefined ? message : { ...(message as object), reply: answer }) as EventObject)
  }

  #answer({ answer, asker }: Letter, value: unknown): void {
    if (answer === undefined) return
    this.#row.local.stage.tap?.message(this.#row, value, 'reply', asker)
    answer(value)
  }

  /** Letters as they come, until the incarnation is told to stop. */
  async *receive(open: () => boolean, signal: AbortSignal): AsyncGenerator<Envelope> {
    const wake = (): void => this.#wake?.()
    signal.addEventListener('abort', wake)
    try {
      while (open()) {
        const letter = this.#take()
        if (letter !== undefined) {
          if (letter.answer !== undefined) this.#open.add(letter)
          yield { message: letter.message, reply: (value) => void (open() && this.#answer(letter, value)) }
          continue
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }
}
