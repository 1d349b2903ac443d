/** What the page shows: all of it stands in the address after `#`, so that it can be shared. */
import { STATES } from '../../src/inspector/protocol.ts'
import type { RecordedFault } from '../../src/inspector/saved.ts'

/** What the right side shows. */
export const VIEWS = ['problems', 'actor', 'timeline', 'messages', 'log', 'why', 'shutdown', 'health', 'compare'] as const
/** One of them. */
export type View = (typeof VIEWS)[number]

export interface Place {
  readonly view: View
  /** The path of the chosen actor; empty if there is none. */
  readonly path: string
  /** Text that paths in the tree have to hold. */
  readonly find: string
  /** States that are shown; all if empty. */
  readonly only: readonly string[]
  /** The moment that is looked at; undefined while that is now. */
  readonly at: number | undefined
  /** The event that is looked at; 0 if none is. */
  readonly seq: number
  /** Paths of actors whose messages are shown, beside those of the chosen one. */
  readonly with: readonly string[]
}

/** What the page shows first. */
export const START: Place = { view: 'problems', path: '', find: '', only: [], at: undefined, seq: 0, with: [] }

const FILTERS: readonly string[] = [...STATES, 'restarted']

/** Reads an address; what it does not understand is as at the start. */
export function readPlace(hash: string): Place {
  const [view = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const params = new URLSearchParams(query)
  const list = (name: string): string[] => (params.get(name) ?? '').split(' ').filter((each) => each !== '')
  // An empty text is no moment, though it would be the number 0.
  const at = Number(params.get('at')?.trim() || Number.NaN)
  const seq = Number(params.get('seq') ?? 0)
  return {
    view: (VIEWS as readonly string[]).includes(view) ? (view as View) : START.view,
    path: params.get('path') ?? '',
    find: params.get('find') ?? '',
    only: list('only').filter((each) => FILTERS.includes(each)),
    at: Number.isFinite(at) ? at : undefined,
    seq: Number.isSafeInteger(seq) && seq > 0 ? seq : 0,
    with: params.getAll('with'),
  }
}

/** A moment as addresses hold it: in whole milliseconds, and no earlier, so that nothing is lost of what is shown. */
export const asMoment = (at: number): number => Math.ceil(at)

/** The address of a place. */
export function writePlace({ view, path, find, only, at, seq, with: others }: Place): string {
  const params = new URLSearchParams()
  if (path !== '') params.set('path', path)
  if (find !== '') params.set('find', find)
  if (only.length > 0) params.set('only', only.join(' '))
  if (at !== undefined) params.set('at', String(at))
  if (seq > 0) params.set('seq', String(seq))
  for (const other of others) params.append('with', other)
  const query = params.toString()
  return `#/${view}${query === '' ? '' : `?${query}`}`
}

/** Where a recording opens that was written for a fault. */
export function placeOfFault({ view, path, seq = 0, at }: RecordedFault): Place {
  return { ...START, view, path, seq: view === 'why' ? seq : 0, at: asMoment(at) }
}
