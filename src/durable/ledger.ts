/**
 * The store of one tree: it is opened, told what is appended, asked, and closed.
 *
 * ```
 * opening ─► open ─► closed        what is spawned while it opens, or while it is full, is held, and goes on in order
 *    └─────────┴──► failed         the tree's policy decides: `storeFailure`
 * ```
 *
 * LG1  Of each id one chronicle lives at a time. It comes in as *unsettled*, and is settled by the journal's answer: unless its id is as
 *     good as new, since it was made at random.
 * LG2  What is unfinished in the journal and lives nowhere in the tree is looked for by whoever restores (`host.lookFor`), in pages: that of
 *     one id is found there, too. Who was in the tree since the search began is none of those.
 * LG3  An outcome is read from the journal, once that has it for good: the same before a restart and after it.
 * LG4  It is closed once, after all that was held has been said; what comes later is refused.
 */
import { CurtaincallError, type Outcome, type Work } from '../contract/index.ts'
import {
  type DurableStore,
  type Journal,
  soon,
  type StoredEntry,
  type StoredOutcome,
  type StoredRoutine,
  type StorePolicy,
  type StoreState,
} from '../port/index.ts'
import type { Chronicle, Leaving, Scribe } from './chronicle.ts'
import { readOutcome } from './kept-outcome.ts'
import type { Lookup } from './lookup.ts'

/** What it asks of its tree. */
export interface LedgerHost {
  /** The name of the root. */
  readonly name: string
  now(): number
  /** A turn, now or behind the deed that is being done. */
  arise(act: () => void): void
  log(level: 'info' | 'warn' | 'error', details: object, message: string): void
  contain(error: unknown, message: string): void
  /** The store is gone. In a turn. */
  failed(error: unknown, continues: boolean): void
  /** Something in the journal may be restored now. In a turn. */
  lookFor(): void
}

/** A routine, to the journal's answer about its id. In a turn. */
export interface Settled {
  /** It goes on where it was left. False if that is another's place. */
  resume(stored: StoredRoutine): boolean
  /** It has ended, in an earlier process. */
  endAs(outcome: Outcome): void
}

export class Ledger implements Scribe {
  state: StoreState = 'opening'
  /** Durable work by its name. */
  readonly work: ReadonlyMap<string, Work>
  /** Why it has failed, or that it is closed. */
  error: unknown
  readonly #host: LedgerHost
  readonly #store: DurableStore
  readonly #continues: boolean
  #journal: Journal | undefined
  #opening: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly #living = new Map<string, Chronicle>()
  /** Those that have ended, and whose outcome has yet to last. */
  readonly #recording = new Map<string, Chronicle>()
  /** Of others that have left, what was said may not last yet. */
  readonly #fading = new Map<string, Chronicle>()
  /** Those that wait for the store, in order. */
  #held = new Map<Chronicle, Settled>()
  #awaitsRoom = false
  /** Those that the journal knows as unfinished, until they are found. */
  readonly #wanted = new Map<string, { readonly chronicle: Chronicle; readonly subject: Settled }>()
  readonly #asking = new Set<Promise<unknown>>()
  /** Managers of what was left by them. */
  readonly #left = new Set<string>()
  /** Who has left the tree since a search began. */
  #gone: Set<string> | undefined
  readonly #lookups = new Map<string, Set<Lookup>>()

  constructor(host: LedgerHost, store: DurableStore, { work, storeFailure }: StorePolicy) {
    this.#host = host
    this.#store = store
    this.work = work
    this.#continues = storeFailure === 'continue'
  }

  // --- its life ------------------------------------------------------------------------------

  /** Calls the store: not in a turn. */
  open(): void {
    const host = this.#host
    const { name } = host
    this.#opening = new Promise<Journal>((resolve) =>
      resolve(
        this.#store.open({
          name,
          now: () => host.now(),
          failed: (error) => host.arise(() => this.#fail(error)),
          log: (level, message, details = {}) => host.log(level, details, message),
        }),
      ),
    ).then(
      (journal) => host.arise(() => this.#opened(journal)),
      (error: unknown) => host.arise(() => this.#fail(error)),
    )
  }

  #opened(journal: Journal): void {
    this.#journal = journal
    if (this.state !== 'opening') return
    this.state = 'open'
    this.#release()
    this.#wake()
    this.#host.lookFor()
  }

  #fail(error: unknown): void {
    if (this.state === 'failed' || this.state === 'closed') return
    this.state = 'failed'
    this.error = error
    const unsettled = [...this.#living.values()].filter(({ isSettled }) => !isSettled)
    for (const chronicle of [...this.#held.keys(), ...unsettled]) chronicle.lose(error)
    this.#held.clear()
    this.#wanted.clear()
    this.#host.failed(error, this.#continues)
    if (this.#continues) for (const chronicle of unsettled) chronicle.settle()
    this.#wake()
  }

  /** LG4. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    await this.#opening
    // Whoever closes it has waited for all else.
    for (const [chronicle, subject] of this.#held) this.#introduce(chronicle, subject)
    this.#held.clear()
    await Promise.allSettled(this.#asking)
    const { name } = this.#host
    if (this.state !== 'failed') {
      this.state = 'closed'
      this.error = new CurtaincallError('ERR_STORE_CLOSED', `${name} has ended, and its store is closed`, { path: name })
    }
    // Whom nobody has found by now nobody will.
    for (const { chronicle } of this.#wanted.values()) chronicle.abandon(this.error)
    this.#wanted.clear()
    this.#wake()
    await this.#journal?.close()
  }

  // --- what is appended ----------------------------------------------------------------------

  now(): number {
    return this.#host.now()
  }

  append(entry: StoredEntry, acknowledge: (error?: unknown) => void): void {
    const journal = this.#journal
    if (journal === undefined || this.state === 'failed') {
      soon(() => acknowledge(this.error ?? new CurtaincallError('ERR_STORE_FAILED', 'the store is not open', { path: this.#host.name })))
      return
    }
    try {
      journal.append(entry, acknowledge)
    } catch (error) {
      // A store of another make, which does not keep J1.
      soon(() => acknowledge(error))
    }
  }

  refused(path: string, error: unknown): void {
    // That a store fails is said once for all.
    if (error !== this.error && this.state === 'open') this.#host.contain(error, `${path}: not kept in the store`)
  }

  leaves(chronicle: Chronicle, how: Leaving): void {
    const { id, path } = chronicle
    if (this.#living.get(id) === chronicle) this.#living.delete(id)
    if (how !== 'known') this.#gone?.add(id)
    if (how === 'suspended') this.#left.add(managerOf(path))
    if (how === 'recording') this.#recording.set(id, chronicle)
    else this.#fade(chronicle)
  }

  #fade(chronicle: Chronicle): void {
    const { id } = chronicle
    const forget = (): void => void (this.#fading.get(id) === chronicle && this.#fading.delete(id))
    this.#fading.set(id, chronicle)
    chronicle.durable.then(forget, forget)
  }

  #enter(chronicle: Chronicle): void {
    const { id } = chronicle
    const earlier = this.#recording.get(id) ?? this.#fading.get(id)
    if (earlier !== undefined) chronicle.follows(earlier)
    this.#living.set(id, chronicle)
  }

  recorded(chronicle: Chronicle): void {
    const { id } = chronicle
    if (this.#recording.get(id) === chronicle) this.#recording.delete(id)
    for (const lookup of this.#lookups.get(id) ?? []) {
      if (chronicle.error === undefined) lookup.look()
      else lookup.fail(chronicle.error)
    }
  }

  // --- who comes in --------------------------------------------------------------------------

  /** True if a durable routine of this id lives. */
  isTaken(id: string): boolean {
    return this.#living.has(id)
  }

  /** J5: true while it takes nothing more up. */
  get isFull(): boolean {
    return this.#journal?.isFull === true
  }

  /** How many entries it has acknowledged; undefined while it is being opened. */
  get position(): number | undefined {
    return this.#journal?.position
  }

  /** How many wait for it. */
  get held(): number {
    return this.#held.size
  }

  /** A routine that was read back lives again. */
  restored(chronicle: Chronicle): void {
    this.#enter(chronicle)
    for (const lookup of this.#lookups.get(chronicle.id) ?? []) lookup.look()
  }

  /** LG1. A spawned one comes in. In a turn. */
  take(chronicle: Chronicle, subject: Settled): void {
    this.#enter(chronicle)
    if (this.state === 'failed' || this.state === 'closed') {
      chronicle.lose(this.error)
      chronicle.settle()
    } else if (this.state === 'opening' || this.#held.size > 0 || this.isFull) {
      this.#held.set(chronicle, subject)
      this.#awaitRoom()
    } else this.#introduce(chronicle, subject)
  }

  #awaitRoom(): void {
    if (this.#journal === undefined || this.#awaitsRoom || this.#held.size === 0) return
    this.#awaitsRoom = true
    this.#journal.whenRoom(() =>
      this.#host.arise(() => {
        this.#awaitsRoom = false
        this.#release()
      }),
    )
  }

  /** Those that have waited come in, as long as there is room. */
  #release(): void {
    for (const [chronicle, subject] of this.#held) {
      if (this.isFull || this.state !== 'open') break
      this.#held.delete(chronicle)
      this.#introduce(chronicle, subject)
    }
    if (this.state === 'open') this.#awaitRoom()
  }

  #introduce(chronicle: Chronicle, subject: Settled): void {
    const journal = this.#journal
    if (journal === undefined || this.state === 'failed') return
    if (chronicle.isNew) {
      chronicle.begin()
      return
    }
    const { id } = chronicle
    const answered = asked(() => Promise.all([journal.has(id), journal.outcomeOf(id)])).then(
      ([isKnown, stored]) => this.#host.arise(() => this.#answer(chronicle, subject, isKnown, stored)),
      (error: unknown) => this.#host.arise(() => this.#unanswered(chronicle, error)),
    )
    this.#asking.add(answered)
    void answered.finally(() => this.#asking.delete(answered))
  }

  #answer(chronicle: Chronicle, subject: Settled, isKnown: boolean, stored: StoredOutcome | undefined): void {
    if (chronicle.isSettled) return
    if (stored !== undefined) subject.endAs(readOutcome(stored.outcome))
    else if (!isKnown) chronicle.begin()
    else {
      this.#wanted.set(chronicle.id, { chronicle, subject })
      this.#host.lookFor()
    }
  }

  #unanswered(chronicle: Chronicle, error: unknown): void {
    if (chronicle.isSettled) return
    chronicle.lose(error)
    chronicle.settle()
  }

  // --- what is restored ----------------------------------------------------------------------

  /** LG2. A search begins. */
  search(): AsyncIterable<readonly StoredRoutine[]> | undefined {
    this.#gone = new Set()
    return this.state === 'open' ? this.#journal?.unfinished() : undefined
  }

  /** It is over. In a turn. */
  searched(isLast: boolean): void {
    this.#gone = undefined
    if (!isLast || this.state !== 'open') return
    for (const { chronicle, subject } of this.#wanted.values()) {
      const { id, path } = chronicle
      subject.endAs({
        status: 'failed',
        error: new CurtaincallError('ERR_STORE_FAILED', `the store knows ${id}, and has it not`, { path }),
      })
    }
    this.#wanted.clear()
  }

  /** Hands over what was found, if somebody waits for that. */
  handOver(stored: StoredRoutine): boolean {
    const wanted = this.#wanted.get(stored.id)
    if (wanted === undefined) return false
    this.#wanted.delete(stored.id)
    const { chronicle, subject } = wanted
    if (!chronicle.isOver) return subject.resume(stored)
    // What its manager has stopped meanwhile is as if it had never come.
    const { path } = chronicle
    chronicle.abandon(new CurtaincallError('ERR_NOT_RUNNING', `${path} was stopped before the store had found it`, { path }))
    return false
  }

  /** True if it is, or was of late, in the tree. */
  isPresent(id: string): boolean {
    return this.#living.has(id) || this.#gone?.has(id) === true
  }

  /** True if something was left by a manager of this path. It is asked once. */
  tookLeave(path: string): boolean {
    return this.#left.delete(path)
  }

  // --- outcomes ------------------------------------------------------------------------------

  /** True as long as an outcome may come of what is in the tree. */
  isAtWork(id: string): boolean {
    return this.#living.has(id) || this.#recording.has(id)
  }

  /** What the journal knows of it; undefined while it is being opened. */
  ask(id: string): Promise<{ readonly isKnown: boolean; readonly outcome: Outcome | undefined }> | undefined {
    const journal = this.#journal
    if (journal === undefined) return undefined
    return asked(() => Promise.all([journal.outcomeOf(id), journal.has(id)])).then(([stored, isKnown]) => ({
      isKnown,
      outcome: stored === undefined ? undefined : readOutcome(stored.outcome),
    }))
  }

  watch(id: string, lookup: Lookup): void {
    const lookups = this.#lookups.get(id)
    if (lookups === undefined) this.#lookups.set(id, new Set([lookup]))
    else lookups.add(lookup)
  }

  unwatch(id: string, lookup: Lookup): void {
    const lookups = this.#lookups.get(id)
    if (lookups?.delete(lookup) === true && lookups.size === 0) this.#lookups.delete(id)
  }

  #wake(): void {
    for (const lookups of this.#lookups.values()) for (const lookup of lookups) lookup.look()
  }
}

/** Behind the turn. A store of another make may throw where it is to reject. */
function asked<Value>(question: () => Promise<Value>): Promise<Value> {
  return Promise.resolve().then(question)
}

/** The path of the manager that a routine lives in. */
export function managerOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}
