/**
 * Stands between a tree and its store, and writes down what each has told the other: what laws about a journal are held against.
 *
 * JW1 It changes nothing but this: what the store has read back is read once more, before the tree is given it.
 * JW2 What a process does after it was killed is not written down.
 */
import {
  DURABILITY,
  type DurableStore,
  type Journal,
  type StoredEntry,
  type StoredOutcome,
  type StoredRoutine,
  type StoreHost,
} from '../port/index.ts'
import { attachDurability } from '../recovery/index.ts'
import { JournalState } from './journal-state.ts'

/** What a store had when it was opened. */
export interface JournalFound {
  /** How many entries it has read back. */
  readonly position: number
  readonly unfinished: readonly StoredRoutine[]
  /** Of those ids that any life has appended something of. */
  readonly outcomes: ReadonlyMap<string, StoredOutcome>
  /** Milliseconds since the beginning of this life. */
  readonly t: number
}

/** An entry that a tree has appended. */
export interface JournalAppended {
  readonly entry: StoredEntry
  /** Undefined while nothing was said of it. */
  said: 'lasts' | 'refused' | undefined
  /** What it was refused with. */
  error?: unknown
  /** Milliseconds since the beginning of this life at which it was appended. */
  readonly t: number
}

/** What a tree and its store have told each other in one life. */
export interface JournalRecord {
  /** Undefined if the process was killed before it was open, or it was refused. */
  readonly found: JournalFound | undefined
  /** Why it was not opened. */
  readonly refusal: unknown
  readonly appended: readonly Readonly<JournalAppended>[]
  /** What it has said by `failed`. */
  readonly failures: readonly unknown[]
  /** What is against the rules of the port, as a person reads it. */
  readonly faults: readonly string[]
}

/** A store that is looked at, for one life. */
export class JournalWatch implements DurableStore {
  readonly [DURABILITY] = attachDurability
  found: JournalFound | undefined
  refusal: unknown
  readonly appended: JournalAppended[] = []
  readonly failures: unknown[] = []
  readonly faults: string[] = []
  readonly #store: DurableStore
  readonly #isDead: () => boolean
  readonly #begins: number
  /** Ids of earlier lives. */
  readonly #ids: Set<string>

  constructor(store: DurableStore, begins: number, ids: Set<string>, isDead: () => boolean) {
    this.#store = store
    this.#begins = begins
    this.#ids = ids
    this.#isDead = isDead
  }

  async open(host: StoreHost): Promise<Journal> {
    const heard: StoreHost = {
      name: host.name,
      now: () => host.now(),
      log: (level, message, details) => host.log(level, message, details),
      failed: (error) => {
        if (this.#isDead()) return
        if (this.failures.push(error) > 1) this.faults.push('J6: it has said that it fails more than once')
        host.failed(error)
      },
    }
    try {
      const journal = await this.#store.open(heard)
      const t = host.now() - this.#begins
      const unfinished: StoredRoutine[] = []
      for await (const page of journal.unfinished()) unfinished.push(...page)
      const outcomes = new Map<string, StoredOutcome>()
      for (const id of this.#ids) {
        const stored = await journal.outcomeOf(id)
        if (stored !== undefined) outcomes.set(id, stored)
      }
      const { position } = journal
      if (!this.#isDead()) this.found = { position, unfinished, outcomes, t }
      return this.#watched(journal, { unfinished, outcomes, now: () => host.now() - this.#begins })
    } catch (error) {
      if (!this.#isDead()) this.refusal = error
      throw error
    }
  }

  #watched(journal: Journal, found: Pick<JournalFound, 'unfinished' | 'outcomes'> & { now(): number }): Journal {
    const state = stateOf(found)
    let isAppending = false
    let next = 0
    return {
      append: (entry, acknowledge) => {
        if (this.#isDead()) return
        this.#ids.add(entry.id)
        // What comes of it later must not be seen here.
        const appended: JournalAppended = { entry: structuredClone(entry), said: undefined, t: found.now() }
        const number = this.appended.push(appended) - 1
        state.learn(appended.entry)
        isAppending = true
        try {
          journal.append(entry, (error) => {
            if (this.#isDead()) return
            if (isAppending) this.faults.push(`J1: entry ${number} was acknowledged before append had returned`)
            if (appended.said !== undefined) this.faults.push(`J1: entry ${number} was acknowledged twice`)
            else if (number !== next++) this.faults.push(`J1: entry ${number} was acknowledged where ${next - 1} was due`)
            appended.said = error === undefined ? 'lasts' : 'refused'
            appended.error = error
            if (error === undefined && this.failures.length > 0)
              this.faults.push(`J6: entry ${number} was said to last after the store had failed`)
            acknowledge(error)
          })
        } catch (error) {
          this.faults.push(`J1: append has thrown ${String(error)}`)
          throw error
        } finally {
          isAppending = false
        }
      },
      get isFull() {
        return journal.isFull
      },
      get position() {
        return journal.position
      },
      whenRoom: (callback) => {
        let times = 0
        journal.whenRoom(() => {
          if (this.#isDead()) return
          if (++times > 1) this.faults.push('J5: whenRoom has called back twice')
          callback()
        })
      },
      unfinished: () => journal.unfinished(),
      outcomeOf: async (id) => {
        const due = state.outcomeOf(id)
        const answer = await journal.outcomeOf(id)
        if (due !== undefined && !sameAs(due, answer)) this.faults.push(`J7: the outcome of ${id} is not the one that was appended first`)
        return answer
      },
      has: async (id) => {
        const due = state.has(id)
        const answer = await journal.has(id)
        if (due && !answer) this.faults.push(`J7: nothing is known of ${id}, which was appended`)
        return answer
      },
      close: () => journal.close(),
    }
  }
}

/** What is known of what was read back. */
function stateOf({ unfinished, outcomes }: Pick<JournalFound, 'unfinished' | 'outcomes'>): JournalState {
  const state = new JournalState()
  for (const { id, path, at, work, input, options } of unfinished) state.learn({ type: 'spawned', id, path, at, work, input, options })
  for (const [id, { at, outcome }] of outcomes) {
    state.learn({ type: 'spawned', id, path: '', at, work: '', input: undefined, options: {} })
    state.learn({ type: 'outcome', id, at, outcome })
  }
  return state
}

/** All that a journal holds is JSON. */
export function sameAs(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other)
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}
