/** What is known after a journal, as machines/journal.ts tells it. */
import { type Known, learn, numberOf, unheardOf } from '../../machines/journal.ts'
import type { StoredEntry, StoredOutcome, StoredRoutine } from '../port/index.ts'

export class JournalState {
  readonly #known = new Map<string, Known<StoredEntry>>()
  /** In order of their spawn. */
  readonly #living = new Set<string>()

  learn(entry: StoredEntry): void {
    const { id, type: kind } = entry
    let known = this.#known.get(id)
    if (known === undefined) this.#known.set(id, (known = unheardOf()))
    learn(known, { kind, id, number: numberOf(entry), body: entry })
    if (known.stage === 'living') this.#living.add(id)
    else this.#living.delete(id)
  }

  has(id: string): boolean {
    return (this.#known.get(id)?.stage ?? 'unknown') !== 'unknown'
  }

  outcomeOf(id: string): StoredOutcome | undefined {
    const entry = this.#known.get(id)?.outcome
    return entry?.type === 'outcome' ? { at: entry.at, outcome: entry.outcome } : undefined
  }

  get unfinished(): StoredRoutine[] {
    return [...this.#living].map((id) => routineOf(this.#known.get(id) as Known<StoredEntry>))
  }
}

function routineOf({ spawn, snapshot, handled, messages }: Known<StoredEntry>): StoredRoutine {
  const { id, path, at, work, input, options } = spawn as StoredEntry & { type: 'spawned' }
  const state = snapshot as (StoredEntry & { type: 'snapshot' }) | undefined
  const waiting = [...messages].toSorted(([one], [other]) => one - other)
  return {
    id,
    path,
    at,
    work,
    input,
    options,
    snapshot: state?.snapshot,
    delays: state?.delays ?? [],
    handled,
    messages: waiting.map(([number, entry]) => ({ number, message: (entry as StoredEntry & { type: 'message' }).message })),
  }
}
