/** An entry as it lies in the journal: what is looked up is beside it, all else is JSON. */
import type { StoredEntry, StoredRoutine } from '../port/index.ts'
import { NOTHING } from './frame.ts'
import type { ReadRoutine } from './messages.ts'

const json = (value: unknown): string => JSON.stringify(value) ?? NOTHING
const parsed = (text: string): unknown => (text === NOTHING ? undefined : JSON.parse(text))

/** The body of an entry. @throws what JSON.stringify throws. */
export function bodyOf(entry: StoredEntry): string {
  switch (entry.type) {
    case 'spawned': {
      const { path, work, input, options } = entry
      return json({ path, work, input, options })
    }
    case 'message':
      return json(entry.message)
    case 'handled':
      return NOTHING
    case 'snapshot': {
      const { snapshot, delays } = entry
      return json({ snapshot, delays })
    }
    default:
      return json(entry.outcome)
  }
}

/** The number of an entry: of which message it is about, or when it happened. */
export function numberOf(entry: StoredEntry): number {
  return entry.type === 'spawned' || entry.type === 'outcome' ? entry.at : entry.number
}

/** An outcome as it was recorded. */
export function outcomeFrom(text: string): unknown {
  return parsed(text)
}

/** A routine as it was recorded. */
export function routineFrom({ id, at, spawn, handled, snapshot, messages }: ReadRoutine): StoredRoutine {
  const { path, work, input, options } = parsed(spawn) as Pick<StoredRoutine, 'path' | 'work' | 'input' | 'options'>
  const state = (snapshot === undefined ? { delays: [] } : parsed(snapshot)) as Partial<Pick<StoredRoutine, 'snapshot' | 'delays'>>
  return {
    id,
    path,
    at,
    work,
    input,
    options,
    snapshot: state.snapshot,
    delays: state.delays ?? [],
    handled,
    messages: messages.map(({ number, message }) => ({ number, message: parsed(message) })),
  }
}
