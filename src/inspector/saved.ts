/** Pages that are saved with a recording inside: what the page itself saves, and what is written by itself. Knows neither Node.js nor the DOM. */

/** The element that holds a recording: compressed, as text in a script that is never run. */
export const SAVED_ID = 'recording'
/** What it takes the place of in the template. */
const ROOM = '<!--recording-->'

/** What a recording was written for. */
export interface RecordedFault {
  readonly kind: string
  /** In a sentence. */
  readonly said: string
  readonly at: number
  /** What is shown first: a view, a path, and the `seq` of an event, if it is about one. */
  readonly view: 'why' | 'shutdown' | 'health' | 'actor'
  readonly path: string
  readonly seq?: number
  /** More about it, such as a stack. */
  readonly detail?: string
}

/** The text of a page that holds recordings, given as base64. */
export function savedPage(template: string, base64: string): string {
  if (!template.includes(ROOM)) throw new Error('the page that recordings are saved in has no room for one')
  return template.replace(ROOM, () => `<script type="application/octet-stream" id="${SAVED_ID}">${base64}</script>`)
}

const VIEWS: readonly unknown[] = ['why', 'shutdown', 'health', 'actor']

/** Throws RangeError for what is no fault; there may be none. */
export function checkFault(fault: unknown): void {
  if (fault === undefined) return
  const { kind, said, at, view, path, seq, detail } = (fault ?? {}) as { readonly [Key in keyof RecordedFault]?: unknown }
  const areTexts = [kind, said, path].every((text) => typeof text === 'string') && (detail === undefined || typeof detail === 'string')
  const areNumbers = Number.isFinite(at) && (seq === undefined || Number.isSafeInteger(seq))
  if (!areTexts || !areNumbers || !VIEWS.includes(view))
    throw new RangeError('fault has to be an object with a kind, a sentence, a moment and a view')
}
