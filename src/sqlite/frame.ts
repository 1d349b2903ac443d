/** How entries lie in a group: written by the thread of the tree, read by the writer and by whoever reads back. */
import type { EntryFacts, EntryKind } from '../../machines/journal.ts'

/** Before each entry: its kind, a spare byte, the length of its id and of its body, its number. */
const HEADER = 16

const KINDS: readonly EntryKind[] = ['spawned', 'message', 'handled', 'snapshot', 'outcome']
const CODES = Object.fromEntries(KINDS.map((kind, code) => [kind, code])) as Readonly<Record<EntryKind, number>>

/** A character takes three bytes of UTF-8 at most. */
const WIDEST = 3

/** So long an id may be, in bytes. */
export const LONGEST_ID = 65_535

/** So long an entry may be, in characters: a group has to fit in a row. */
export const LONGEST_BODY = 128 * 1_024 * 1_024

/** Of a body that is no entry's: `undefined` can't be told as JSON. */
export const NOTHING = ''

/** A group as it is being written. */
export class Group {
  readonly #bytes: Buffer
  readonly #view: DataView
  length = 0
  count = 0

  constructor(size: number) {
    // Uninitialised, and its own: it is transferred.
    this.#bytes = Buffer.allocUnsafeSlow(size)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** How large a group has to be for this entry. */
  static sizeFor(id: string, body: string): number {
    return HEADER + WIDEST * (id.length + body.length)
  }

  /** Adds an entry; false if there is no room. */
  add(kind: EntryKind, id: string, number: number, body: string): boolean {
    const at = this.length
    if (at + HEADER + WIDEST * (id.length + body.length) > this.#bytes.length) return false
    const view = this.#view
    const idLength = this.#bytes.write(id, at + HEADER)
    const bodyLength = this.#bytes.write(body, at + HEADER + idLength)
    view.setUint8(at, CODES[kind])
    view.setUint8(at + 1, 0)
    view.setUint16(at + 2, idLength)
    view.setUint32(at + 4, bodyLength)
    view.setFloat64(at + 8, number)
    this.length = at + HEADER + idLength + bodyLength
    this.count++
    return true
  }

  get buffer(): ArrayBuffer {
    return this.#bytes.buffer as ArrayBuffer
  }
}

/** The entries of a group, in order; the bodies are views of it. Throws where it is no group. */
export function* entriesOf(bytes: Uint8Array): Generator<EntryFacts<Uint8Array>> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const kind = KINDS[view.getUint8(at)]
    if (kind === undefined) throw new RangeError('no entry begins here')
    const idEnd = at + HEADER + view.getUint16(at + 2)
    const end = idEnd + view.getUint32(at + 4)
    if (end > bytes.length) throw new RangeError('an entry goes on past the end of its group')
    yield {
      kind,
      id: buffer.toString('utf8', at + HEADER, idEnd),
      number: view.getFloat64(at + 8),
      body: bytes.subarray(idEnd, end),
    }
    at = end
  }
}
