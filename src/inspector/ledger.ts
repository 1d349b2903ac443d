/**
 * The last events, in a ring, and what can be asked of them.
 *
 * N1  It never holds more than its capacity; what was pushed out is counted, and told to whoever keeps what came before.
 * N2  The message of a `message.dropped` or `message.deadLetter` is not held: it may be large, and is the user's.
 */
import type { KeptEvent, LogLine, Questions } from './protocol.ts'
import { Ring } from './ring.ts'
import { lineOf } from './story.ts'
import { firstWhere } from './search.ts'

/** Lines that one answer holds. */
const PAGE = 500
/** Events that one answer looks through: what is older comes with the next page. */
const LOOKED = 100_000

export class Ledger {
  /** How many were pushed out. */
  lost = 0
  readonly #pushedOut: (event: KeptEvent) => void
  readonly #ring: Ring<KeptEvent>

  constructor(capacity: number, pushedOut: (event: KeptEvent) => void = () => undefined) {
    this.#ring = new Ring(capacity)
    this.#pushedOut = pushedOut
  }

  get size(): number {
    return this.#ring.size
  }

  record(event: KeptEvent): void {
    const oldest = this.#ring.push('message' in event ? { ...event, message: undefined } : event)
    if (oldest === undefined) return
    this.lost++
    this.#pushedOut(oldest)
  }

  /** By age, 0 the oldest. */
  at(index: number): KeptEvent | undefined {
    return this.#ring.at(index)
  }

  /** Where the first event with this number or a later one stands. They come in order of their numbers. */
  firstFrom(seq: number): number {
    return firstWhere(this.size, (k) => (this.at(k) as KeptEvent).seq >= seq)
  }

  /** Where an event stands; -1 if it is not held any more. */
  indexOf(seq: number): number {
    const index = this.firstFrom(seq)
    return this.at(index)?.seq === seq ? index : -1
  }

  /** @param isOfOne True for events of the path itself, without what is below it. */
  lines(
    { before = Infinity, limit = PAGE, text = '', only = [], path }: Questions['log']['ask'],
    isOfOne = false,
  ): Questions['log']['answer'] {
    const lines: LogLine[] = []
    const wanted = text.toLowerCase()
    const types = new Set(only)
    const start = before === Infinity ? this.size - 1 : this.firstFrom(before) - 1
    for (let k = start; k >= 0 && k > start - LOOKED && lines.length < Math.min(limit, PAGE); k--) {
      const event = this.at(k) as KeptEvent
      if (types.size > 0 && !types.has(event.type)) continue
      if (path !== undefined && event.path !== path && (isOfOne || !event.path.startsWith(`${path}/`))) continue
      if (wanted !== '' && !event.type.toLowerCase().includes(wanted) && !event.path.toLowerCase().includes(wanted)) {
        if (!lineOf(event).said.toLowerCase().includes(wanted)) continue
      }
      lines.push(lineOf(event))
    }
    return { lines: lines.reverse(), total: this.size, lost: this.lost }
  }
}
