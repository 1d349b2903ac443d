/** A tree as a store knows it, and what it has been told. */
import { randomFrom } from '../../src/testing/schedule.ts'
import type { Journal, StoredEntry, StoredRoutine, StoreHost } from '../../src/port/index.ts'

export class FakeHost implements StoreHost {
  readonly name: string
  readonly failures: unknown[] = []
  readonly lines: string[] = []
  /** Resolves with the first failure. */
  readonly failure = Promise.withResolvers<unknown>()
  time = 1_000

  constructor(name = 'shop') {
    this.name = name
  }

  now(): number {
    return this.time
  }

  failed(error: unknown): void {
    this.failures.push(error)
    this.failure.resolve(error)
  }

  log(level: 'info' | 'warn' | 'error', message: string): void {
    this.lines.push(`${level} ${message}`)
  }
}

/** Appends, and resolves once it is acknowledged; rejects with the error of that. */
export function write(journal: Journal, ...entries: readonly StoredEntry[]): Promise<void> {
  return Promise.all(
    entries.map(
      (entry) =>
        new Promise<void>((resolve, reject) => journal.append(entry, (error) => (error === undefined ? resolve() : reject(error)))),
    ),
  ).then(() => undefined)
}

/** All that has no outcome. */
export async function restored(journal: Journal): Promise<StoredRoutine[]> {
  const all: StoredRoutine[] = []
  for await (const page of journal.unfinished()) all.push(...page)
  return all
}

export const spawned = (id: string, input: unknown = { of: id }): StoredEntry => ({
  type: 'spawned',
  id,
  path: `shop/api/images/charge#${id}`,
  at: 5,
  work: 'charge',
  input,
  options: { restart: 'transient' },
})
export const message = (id: string, number: number, text: unknown = `${id} ${number}`): StoredEntry => ({
  type: 'message',
  id,
  number,
  message: text,
})
export const handled = (id: string, number: number): StoredEntry => ({ type: 'handled', id, number })
export const snapshot = (id: string, number: number, value: unknown): StoredEntry => ({
  type: 'snapshot',
  id,
  number,
  snapshot: { status: 'active', value },
  delays: [{ source: 'a', target: 'a', id: 'x', event: { type: 'tick' }, due: 17 }],
})
export const outcome = (id: string, output: unknown = id, at = 9): StoredEntry => ({
  type: 'outcome',
  id,
  at,
  outcome: { status: 'completed', output },
})

/** Entries of few routines at random: many that count, and some that change nothing. */
export function randomEntries(seed: number, many: number, ids = 8, name = ''): StoredEntry[] {
  const random = randomFrom(seed)
  const below = (n: number): number => Math.floor(random() * n)
  return Array.from({ length: many }, (_, i) => {
    const id = `${name}r${below(ids)}`
    const number = 1 + below(6)
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return spawned(id, { i })
      case 3:
      case 4:
        return message(id, number, { i })
      case 5:
        return handled(id, number)
      case 6:
        return snapshot(id, number, `s${i}`)
      default:
        return outcome(id, i)
    }
  })
}

/** What there is after some entries: told anew, and as simply as it can be. */
export class Told {
  readonly unfinished = new Map<string, StoredRoutine>()
  readonly outcomes = new Map<string, { at: number; outcome: unknown }>()

  take(entry: StoredEntry): void {
    const { id } = entry
    const old = this.unfinished.get(id)
    if (entry.type === 'spawned') {
      if (old !== undefined || this.outcomes.has(id)) return
      const { type: _, ...rest } = entry
      this.unfinished.set(id, { ...rest, snapshot: undefined, delays: [], handled: 0, messages: [] })
      return
    }
    if (old === undefined) return
    if (entry.type === 'outcome') {
      this.outcomes.set(id, { at: entry.at, outcome: entry.outcome })
      this.unfinished.delete(id)
      return
    }
    const { number } = entry
    if (entry.type === 'message') {
      if (number <= old.handled || old.messages.some((each) => each.number === number)) return
      const messages = [...old.messages, { number, message: entry.message }].toSorted((a, b) => a.number - b.number)
      this.unfinished.set(id, { ...old, messages })
      return
    }
    const done = Math.max(old.handled, number)
    const kept = { ...old, handled: done, messages: old.messages.filter((each) => each.number > done) }
    this.unfinished.set(id, entry.type === 'snapshot' ? { ...kept, snapshot: entry.snapshot, delays: entry.delays } : kept)
  }

  static of(entries: Iterable<StoredEntry>): Told {
    const told = new Told()
    for (const entry of entries) told.take(entry)
    return told
  }
}
