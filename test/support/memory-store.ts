/**
 * A store in memory, whose process can be killed: what was written is there when it is opened again, the rest is gone.
 *
 * By itself it writes and acknowledges in a microtask; `manual` waits to be told. Entries are kept as JSON: nothing of the tree is shared.
 */
import {
  DURABILITY,
  type DurableStore,
  type Journal,
  type StoredEntry,
  type StoredOutcome,
  type StoredRoutine,
  type StoreHost,
} from '../../src/port/index.ts'
import { attachDurability } from '../../src/recovery/index.ts'
import { Told } from './store-host.ts'

interface Waiting {
  readonly text: string
  readonly acknowledge: (error?: unknown) => void
}

export class MemoryStore implements DurableStore {
  readonly [DURABILITY] = attachDurability
  /** What a later process finds. */
  readonly written: string[] = []
  manual = false
  pageSize = 2
  /** Set before it is opened: what it rejects with. */
  refusal: unknown
  /** What opening it waits for. */
  opening: Promise<void> | undefined
  journal: MemoryJournal | undefined

  async open(host: StoreHost): Promise<Journal> {
    await this.opening
    if (this.refusal !== undefined) throw this.refusal
    if (this.journal !== undefined) throw Object.assign(new Error('in use'), { code: 'ERR_STORE_IN_USE' })
    return (this.journal = new MemoryJournal(this, host))
  }

  /** The process is gone; of what waited, so many entries were written all the same. */
  kill(alsoWritten = 0): void {
    this.journal?.die(alsoWritten)
    this.journal = undefined
  }

  get entries(): StoredEntry[] {
    return this.written.map((text) => JSON.parse(text) as StoredEntry)
  }

  /** As `type id number`. */
  get lines(): string[] {
    return this.entries.map((entry) => `${entry.type} ${entry.id}${'number' in entry ? ` ${entry.number}` : ''}`)
  }

  get told(): Told {
    return Told.of(this.entries)
  }
}

export class MemoryJournal implements Journal {
  readonly #store: MemoryStore
  readonly #host: StoreHost
  readonly waiting: Waiting[] = []
  isFull = false
  closed = false
  #refusal: unknown
  #dead = false
  #plans = false
  #room: (() => void)[] = []

  constructor(store: MemoryStore, host: StoreHost) {
    this.#store = store
    this.#host = host
  }

  append(entry: StoredEntry, acknowledge: (error?: unknown) => void): void {
    if (this.#dead) return
    const refusal = this.#refusal
    if (refusal !== undefined) {
      queueMicrotask(() => acknowledge(refusal))
      return
    }
    this.waiting.push({ text: JSON.stringify(entry), acknowledge })
    if (this.#store.manual || this.#plans) return
    this.#plans = true
    queueMicrotask(() => {
      this.#plans = false
      this.write()
    })
  }

  /** Writes what waits, or the first of it, and acknowledges that. */
  write(many = this.waiting.length): void {
    if (this.#dead) return
    const done = this.waiting.splice(0, many)
    for (const { text } of done) this.#store.written.push(text)
    for (const { acknowledge } of done) acknowledge()
  }

  die(alsoWritten: number): void {
    this.#dead = true
    for (const { text } of this.waiting.slice(0, alsoWritten)) this.#store.written.push(text)
  }

  fail(error: unknown): void {
    this.#refusal = error
    this.#host.failed(error)
    for (const { acknowledge } of this.waiting.splice(0)) acknowledge(error)
    this.makeRoom()
  }

  get position(): number {
    return this.#store.written.length
  }

  whenRoom(callback: () => void): void {
    if (this.isFull) this.#room.push(callback)
    else queueMicrotask(callback)
  }

  makeRoom(): void {
    this.isFull = false
    for (const callback of this.#room.splice(0)) callback()
  }

  /** J7: all that was appended before. */
  #know(): Told {
    return Told.of([...this.#store.entries, ...this.waiting.map(({ text }) => JSON.parse(text) as StoredEntry)])
  }

  async *unfinished(): AsyncGenerator<readonly StoredRoutine[]> {
    const all = [...this.#know().unfinished.values()]
    const { pageSize } = this.#store
    for (let i = 0; i < all.length; i += pageSize) {
      await undefined
      if (this.#dead) return await new Promise<never>(() => undefined)
      yield all.slice(i, i + pageSize)
    }
  }

  async #ask<Value>(read: (told: Told) => Value): Promise<Value> {
    if (this.#refusal !== undefined) throw this.#refusal
    const answer = read(this.#know())
    await undefined
    return this.#dead ? await new Promise<never>(() => undefined) : answer
  }

  outcomeOf(id: string): Promise<StoredOutcome | undefined> {
    return this.#ask(({ outcomes }) => outcomes.get(id))
  }

  has(id: string): Promise<boolean> {
    return this.#ask(({ outcomes, unfinished }) => outcomes.has(id) || unfinished.has(id))
  }

  close(): Promise<void> {
    this.write()
    this.closed = true
    this.#refusal ??= Object.assign(new Error('closed'), { code: 'ERR_STORE_CLOSED' })
    if (this.#store.journal === this) this.#store.journal = undefined
    return Promise.resolve()
  }
}
