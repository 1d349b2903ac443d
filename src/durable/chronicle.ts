/**
 * What the journal is told of one durable routine, over all its incarnations in this process.
 *
 * DR1  Nothing is said of a routine before it is known what the journal knows of its id (*unsettled*): until then it does not run, and its
 *     messages wait without a number. Then it is new, goes on where it was left, or has ended already.
 * DR2  Messages are numbered in the order of their acceptance. One is *done* once its body has asked for the next or has ended, or, of an
 *     actor, once the step is over that came of it; `handled` goes up to the last before which all are done.
 * DR3  A snapshot is of the state after all that is done by then.
 * DR4  What its manager stops has no outcome (*suspended*), and what it was at is not done: it goes on at the next start.
 * DR5  After its end nothing more is said of it.
 * DR6  `durable` covers all that was said before it was asked for, by who had this id before as well. Whoever does not look at it hears of no rejection.
 */
import type { Outcome } from '../contract/index.ts'
import type { StoredDelay, StoredEntry, StoredRoutine } from '../port/index.ts'
import { plainCopy } from '../spec/index.ts'
import { Account } from './account.ts'
import { keepOutcome } from './kept-outcome.ts'
import { writable } from './kept-snapshot.ts'

/** How it leaves the tree: with an outcome that is to be recorded, with one that was before, or with none. */
export type Leaving = 'recording' | 'known' | 'suspended'

/** What it asks of the ledger of its tree. */
export interface Scribe {
  now(): number
  append(entry: StoredEntry, acknowledge: (error?: unknown) => void): void
  /** An entry of this routine alone was refused. */
  refused(path: string, error: unknown): void
  /** Nothing more is said of it. */
  leaves(chronicle: Chronicle, how: Leaving): void
  /** Its outcome lasts, or never will. */
  recorded(chronicle: Chronicle): void
}

/** What is written down at its spawn. */
export interface SpawnFacts {
  readonly work: string
  readonly input: unknown
  readonly options: unknown
}

/** A message, as long as it is not done. */
type Letter = object

export class Chronicle {
  readonly id: string
  readonly path: string
  readonly facts: SpawnFacts
  /** True if its id was made at random: no journal knows it. */
  readonly isNew: boolean
  /** True if it goes on where an earlier process has left it. */
  isRestored = false
  readonly #scribe: Scribe
  /** True once it is known what the journal knows of it. */
  isSettled = false
  /** True once it has ended, or was left. */
  isOver = false
  #isSuspended = false
  /** Called once, when it may run. */
  #onSettled: (() => void) | undefined
  readonly #account = new Account()
  /** Of the last message. */
  #number = 0
  /** Up to here all are done, and up to there the journal was told. */
  #done = 0
  #told = 0
  /** Done beyond that. */
  #ahead: Set<number> | undefined
  /** Of those that are not done. */
  readonly #numbers = new Map<Letter, number>()
  /** Accepted while unsettled. */
  #early: Map<Letter, unknown> | undefined
  /** What the body has, by the reader that has it. */
  #given: Map<object, Letter[]> | undefined
  /** What an actor has come to since its last step ended. */
  #come: Letter[] | undefined
  /** True once it was said that this run has no snapshot that lasts. */
  #isReported = false

  constructor(scribe: Scribe, id: string, path: string, facts: SpawnFacts, isNew: boolean) {
    this.#scribe = scribe
    this.id = id
    this.path = path
    this.facts = facts
    this.isNew = isNew
  }

  // --- its beginning -------------------------------------------------------------------------

  /** True if it has to wait; `then` is called when it may run. */
  holds(then: () => void): boolean {
    if (this.isSettled) return false
    this.#onSettled = then
    return true
  }

  /** Nobody knows of it: it begins. */
  begin(): void {
    const { id, path, facts } = this
    const { work, input, options } = facts
    this.#say({ type: 'spawned', id, path, at: this.#scribe.now(), work, input, options })
    this.#settle()
  }

  /** It goes on where it was left. `letters` are those that are not handled, in order. */
  resume(stored: StoredRoutine, letters: readonly Letter[]): void {
    this.isRestored = true
    this.#done = this.#told = stored.handled
    this.#number = Math.max(stored.handled, stored.messages.at(-1)?.number ?? 0)
    let next = stored.handled + 1
    letters.forEach((letter, i) => {
      const { number } = stored.messages[i] as { number: number }
      this.#numbers.set(letter, number)
      // Of those in between nothing is left to do.
      for (; next < number; next++) this.#finish(next)
      next = number + 1
    })
    this.#settle()
  }

  /** It has ended in an earlier process, or it runs though nothing is kept of it. */
  settle(): void {
    this.#settle()
  }

  /** It is not to run, since its end is known, or it has none of its own. */
  conclude(): void {
    this.#onSettled = undefined
    this.#early = undefined
    this.isOver = true
    this.#settle()
    this.#scribe.leaves(this, 'known')
  }

  /** The store is gone, or its manager was before the store had answered. */
  lose(error: unknown): void {
    this.#account.fail(error)
  }

  /** It was stopped before it was found in the journal: what it was sent by then has no place there. @param error What to say of that. */
  abandon(error: unknown): void {
    if (this.#early !== undefined && this.#early.size > 0) this.lose(error)
    this.#early = undefined
    this.#settle()
  }

  #settle(): void {
    if (this.isSettled) return
    this.isSettled = true
    const early = this.#early
    this.#early = undefined
    // Also of one that its manager has stopped by now: they were accepted before, and are there at the next start.
    for (const [letter, message] of early ?? []) this.#count(letter, message)
    if (this.isOver) this.#numbers.clear()
    this.#account.open()
    const then = this.#onSettled
    this.#onSettled = undefined
    then?.()
  }

  // --- its messages --------------------------------------------------------------------------

  /** A copy of a message that can be written down. Not in a turn. @throws ConfigError */
  copyOf(message: unknown): unknown {
    return plainCopy(message, 'message', this.path)
  }

  /** A message is in its mailbox, or on the way to its body. In a turn. */
  accepted(letter: Letter, message: unknown): void {
    if (this.isOver) return
    if (!this.isSettled) {
      ;(this.#early ??= new Map()).set(letter, message)
      return
    }
    this.#count(letter, message)
  }

  #count(letter: Letter, message: unknown): void {
    const number = ++this.#number
    this.#numbers.set(letter, number)
    this.#say({ type: 'message', id: this.id, number, message })
  }

  /** Nobody will come to it any more, or its body is done with it. */
  done(letter: Letter): void {
    this.#early?.delete(letter)
    if (this.#leave(letter)) this.#tellHandled()
  }

  /** A reader of the body has it. */
  given(reader: object, letter: Letter): void {
    const given = (this.#given ??= new Map<object, Letter[]>())
    const letters = given.get(reader)
    if (letters === undefined) given.set(reader, [letter])
    else letters.push(letter)
  }

  /** It asks for the next one: it is done with what it has, and so is one that has left before. */
  asks(reader: object): void {
    const given = this.#given
    if (given === undefined || given.size === 0) return
    for (const [each, letters] of given)
      if (each === reader || each === this) {
        given.delete(each)
        for (const letter of letters) this.#leave(letter)
      }
    this.#tellHandled()
  }

  /** It reads no more; what it has may still be at work. */
  leaves(reader: object): void {
    const letters = this.#given?.get(reader)
    if (letters === undefined) return
    this.#given?.delete(reader)
    for (const letter of letters) this.given(this, letter)
  }

  /** An actor comes to it. False of {@link waits} takes that back: it has yet to come to it. */
  comesTo(letter: Letter): void {
    ;(this.#come ??= []).push(letter)
  }

  waits(): void {
    this.#come?.pop()
  }

  /** A step of an actor is over that keeps no snapshot. */
  stepped(): void {
    if (this.#leaveCome()) this.#tellHandled()
  }

  /** DR3. The same of one that does. Not in a turn. */
  keepSnapshot(read: () => { readonly snapshot: unknown; readonly delays: readonly StoredDelay[] }): void {
    this.#leaveCome()
    if (this.isOver) return
    try {
      const { snapshot, delays } = read()
      const kept = plainCopy({ snapshot: writable(snapshot), delays }, 'state', this.path) as {
        snapshot: unknown
        delays: readonly StoredDelay[]
      }
      this.#told = this.#done
      this.#say({ type: 'snapshot', id: this.id, number: this.#done, snapshot: kept.snapshot, delays: kept.delays })
    } catch (error) {
      if (!this.#isReported) this.#scribe.refused(this.path, error)
      this.#isReported = true
    }
  }

  /** A run is over: its body is done with all that it had, unless it was suspended. An outcome says that as well. */
  runOver(): void {
    this.#isReported = false
    const given = this.#given
    this.#given = undefined
    if (this.#isSuspended) {
      this.#come = undefined
      return
    }
    for (const letters of given?.values() ?? []) for (const letter of letters) this.#leave(letter)
    this.#leaveCome()
  }

  /** Another run follows. */
  goesOn(): void {
    this.#tellHandled()
  }

  #leaveCome(): boolean {
    const come = this.#come
    if (come === undefined || come.length === 0) return false
    this.#come = undefined
    for (const letter of come) this.#leave(letter)
    return true
  }

  #leave(letter: Letter): boolean {
    const number = this.#numbers.get(letter)
    if (number === undefined) return false
    this.#numbers.delete(letter)
    this.#finish(number)
    return true
  }

  #finish(number: number): void {
    if (number > this.#done + 1) {
      ;(this.#ahead ??= new Set()).add(number)
      return
    }
    this.#done = number
    while (this.#ahead?.delete(this.#done + 1) === true) this.#done++
  }

  #tellHandled(): void {
    if (this.isOver || this.#done <= this.#told) return
    this.#told = this.#done
    this.#say({ type: 'handled', id: this.id, number: this.#done })
  }

  // --- its end -------------------------------------------------------------------------------

  /** Its manager stops it: what comes of that is no outcome. */
  suspend(): void {
    this.#isSuspended = true
  }

  /** True of a message that is there at the next start. */
  keeps(letter: Letter): boolean {
    return this.#isSuspended && (this.#numbers.has(letter) || this.#early?.has(letter) === true)
  }

  /** Why an output can't be kept; undefined if it can. Not in a turn. */
  refusalOf(output: unknown): unknown {
    if (output === undefined) return undefined
    try {
      plainCopy(output, 'output', this.path)
      return undefined
    } catch (error) {
      return error
    }
  }

  /** DR5. It has ended for good. Looks at the outcome: not in a turn. */
  end(outcome: Outcome): void {
    if (this.isOver) return
    if (!this.isSettled && !this.#isSuspended) {
      // What the journal knows of it comes first.
      this.#onSettled = () => this.end(outcome)
      return
    }
    if (!this.#isSuspended) {
      this.#account.said++
      this.#scribe.append({ type: 'outcome', id: this.id, at: this.#scribe.now(), outcome: keepOutcome(outcome) }, (error) => {
        this.#acknowledge(error)
        this.#scribe.recorded(this)
      })
    }
    this.isOver = true
    this.#numbers.clear()
    this.#scribe.leaves(this, this.#isSuspended ? 'suspended' : 'recording')
  }

  /** How many messages it has had, and of how many of the first the journal was told that they are done. */
  get progress(): { readonly accepted: number; readonly done: number; readonly unwritten: number } {
    return { accepted: this.#number, done: this.#told, unwritten: this.#account.pending }
  }

  // --- what was acknowledged -----------------------------------------------------------------

  /** DR6. What the journal knows of it was said by another one, of this process. */
  follows(earlier: Chronicle): void {
    this.#account.follows(earlier.durable)
  }

  get durable(): Promise<void> {
    return this.#account.lasting()
  }

  /** Why it is not durable; undefined while it is. */
  get error(): unknown {
    return this.#account.error
  }

  #say(entry: StoredEntry): void {
    this.#account.said++
    this.#scribe.append(entry, this.#acknowledge)
  }

  readonly #acknowledge = (error?: unknown): void => {
    if (error !== undefined && this.#account.error === undefined) this.#scribe.refused(this.path, error)
    this.#account.acknowledge(error)
  }
}
