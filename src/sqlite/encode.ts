/** An entry as it lies in the journal: what is looked up is beside it, all else is JSON. */
import type { StoredEntry, StoredRoutine } from '../port/index.ts'
import { LONGEST_BODY, LONGEST_ID, NOTHING, WIDEST } from './frame.ts'
import type { ReadRoutine } from './messages.ts'

const json = (value: unknown): string => JSON.stringify(value) ?? NOTHING
const parsed = (text: string): unknown => (text === NOTHING ? undefined : JSON.parse(text))

/** The body of an entry. @throws if it can't be written down: what was acknowledged must not be in the way of what comes after it. */
export function bodyOf(entry: StoredEntry): string {
  const { id } = entry
  if (id.length > LONGEST_ID / WIDEST || !id.isWellFormed() || id.includes('\0')) throw new RangeError('its id is no text, or too long')
  if (!isCountable(entry)) throw new RangeError('its number is none')
  const body = jsonOf(entry)
  if (body.length > LONGEST_BODY) throw new RangeError('it is too long')
  return body
}

function isCountable(entry: StoredEntry): boolean {
  if (entry.type === 'spawned' || entry.type === 'outcome') return Number.isFinite(entry.at)
  return Number.isSafeInteger(entry.number) && entry.number >= 0
}

function jsonOf(entry: StoredEntry): string {
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
