/** What is sent to a routine: a message, or a question, which is a message whose sender waits for the answer. */
import { AskTimeoutError, type Envelope, NotRunningError, SelfAskError } from '../contract/index.ts'
import type { Subject } from '../port/index.ts'
import { isThenable } from '../turn/index.ts'
import type { Addressee } from './addressee.ts'

/** The mailbox of a question: keeps those that are open in order of receipt, see Q2. */
export interface OpenQuestions {
  opened(question: Question): void
  closed(question: Question): void
  /** One that waited to be received is over. */
  withdrawn(): void
  /** True if the body that is to answer it has asked it. */
  isOwn(question: Question): boolean
}

/** Where a question is: on its way, in its mailbox, or with the body that is to answer it. */
type Whereabouts = 'under way' | 'waits' | 'open'

/** A message that waits. Of one that was only sent it is what the body receives: one object from its sender to its receiver. */
export type Letter = Envelope | Question

function unasked(): void {}

/** True of what a body receives, if its sender waits for an answer. */
export function isAsked({ reply }: Envelope): boolean {
  return reply !== unasked
}

/** A message whose sender waits for no answer. */
export function sent(message: unknown): Letter {
  return { message, reply: unasked }
}

/** The two functions of the promise that was made last. */
let keep: (value: unknown) => void
let refuse: (error: unknown) => void
const take = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
  keep = resolve
  refuse = reject
}

/**
 * Q1  It is settled once, and from then on nothing of it remains: no timer, no listener, no place among the open ones, nor in the mailbox.
 * Q2  It is in the chain of its mailbox's open ones from its receipt until it is settled, in order of receipt: a chain, since to
 *     enter a set and leave it costs 80 ns.
 * Q3  An answer that is a promise is an answer once that has settled. Until then the question is bounded as any other: by its timeout, by
 *     the signal of who asked, and by the end of the incarnation. The first answer counts, be it a promise.
 */
export class Question {
  declare readonly message: unknown
  declare readonly answered: Promise<unknown>
  /** The routine that asked, as far as an observer knows. */
  declare readonly asker: Subject | undefined
  declare previousOpen: Question | undefined
  declare nextOpen: Question | undefined
  declare private readonly resolve: (value: unknown) => void
  declare private readonly reject: (error: unknown) => void
  declare private readonly mailbox: OpenQuestions
  declare readonly addressee: Addressee
  declare private readonly timeout: number
  declare private readonly signal: AbortSignal | undefined
  declare private readonly timer: unknown
  declare settled: boolean
  declare private at: Whereabouts
  declare private isAnswered: boolean

  constructor(
    mailbox: OpenQuestions,
    addressee: Addressee,
    message: unknown,
    timeout: number,
    signal: AbortSignal | undefined,
    asker: Subject | undefined,
  ) {
    const { tree } = addressee
    this.message = message
    this.answered = new Promise(take)
    this.asker = asker
    this.previousOpen = undefined
    this.nextOpen = undefined
    this.resolve = keep
    this.reject = refuse
    this.mailbox = mailbox
    this.addressee = addressee
    this.timeout = timeout
    this.signal = signal
    this.timer = timeout === Infinity ? undefined : tree.clock.arm(expire, this, timeout)
    this.settled = false
    this.at = 'under way'
    this.isAnswered = false
    if (signal !== undefined) tree.signals.bind(signal, this)
  }

  /** Q3. Not in a turn: a value with a `then` of its own is looked at. */
  answer(value: unknown): void {
    if (this.settled || this.isAnswered) return
    this.isAnswered = true
    if (!isLater(value)) this.give(value)
    // A foreign `then` may throw, or call back twice. Adopted by a promise it can do neither.
    else new Promise((resolve) => resolve(value)).then(give.bind(this), refuseWith.bind(this))
  }

  /** It has its answer. */
  give(value: unknown): void {
    if (this.settled) return
    this.observed(value)
    this.addressee.tree.turn.run(leave, this)
    this.resolve(value)
  }

  /** What was to be its answer has rejected. */
  refuse(error: unknown): void {
    if (this.settled) return
    this.observed(error)
    this.addressee.tree.turn.run(leave, this)
    this.reject(error)
  }

  private observed(reply: unknown): void {
    const { tree, subject } = this.addressee
    tree.observer?.message(subject, reply, 'reply', this.asker)
  }

  fail(error: unknown): void {
    if (this.leave()) this.reject(error)
  }

  /** It is never going to be answered. */
  lost(cause?: unknown): void {
    this.fail(unanswered(this.addressee, cause))
  }

  /** The signal of the asker was aborted. */
  aborted(reason: unknown): void {
    this.fail(reason)
  }

  timeIsUp(): void {
    const inVain = this.at !== 'open' && this.mailbox.isOwn(this)
    this.fail((inVain ? oneself : late)(this.addressee, this.timeout))
  }

  /** The routine has it, and is to answer. */
  received(): void {
    if (this.settled) return
    this.at = 'open'
    this.mailbox.opened(this)
  }

  /** It is in its mailbox, for the first time or again. */
  waits(): void {
    if (this.at === 'open') this.mailbox.closed(this)
    this.at = 'waits'
  }

  /** It is taken out of its mailbox. False if it is over. */
  taken(): boolean {
    if (!this.settled) this.at = 'under way'
    return !this.settled
  }

  /** False if it is settled already. */
  leave(): boolean {
    if (this.settled) return false
    this.settled = true
    const { clock, signals } = this.addressee.tree
    if (this.at === 'open') this.mailbox.closed(this)
    else if (this.at === 'waits') this.mailbox.withdrawn()
    clock.disarm(this.timer)
    if (this.signal !== undefined) signals.unbind(this.signal, this)
    return true
  }
}

function unanswered({ subject }: Addressee, cause: unknown): NotRunningError {
  const { path } = subject
  return new NotRunningError(`${path} has ended without an answer`, cause === undefined ? { path } : { path, cause })
}

function late({ subject }: Addressee, timeout: number): AskTimeoutError {
  const { path } = subject
  return new AskTimeoutError(`${path} has not answered within ${timeout} ms`, { path })
}

/** It has asked itself: in vain from the start, or for as long as it was to take. */
export function oneself({ subject }: Addressee, timeout?: number): SelfAskError {
  const { path } = subject
  const how = timeout === undefined ? 'while it waits for no message' : `and has not come to that within ${timeout} ms`
  return new SelfAskError(`${path} has asked itself, ${how}: a body that waits for its own answer gives none`, { path })
}

/** True for a promise, and for what can't be looked at: a promise that adopts it rejects. */
function isLater(value: unknown): boolean {
  try {
    return isThenable(value)
  } catch {
    return true
  }
}

function give(this: Question, value: unknown): void {
  this.give(value)
}

function refuseWith(this: Question, error: unknown): void {
  this.refuse(error)
}

function leave(question: Question): void {
  question.leave()
}

function expire(question: Question): void {
  question.addressee.tree.turn.run(timeIsUp, question)
}

function timeIsUp(question: Question): void {
  question.timeIsUp()
}
