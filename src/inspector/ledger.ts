/**
 * The last events, in a ring, before them those that are rare, and what can be asked of all of them.
 *
 * N1  It never holds more than its capacity, and what rare.ts holds; what was pushed out is told to whoever keeps what came before, and
 *     what is held no more is counted.
 * N2  The message of a `message.dropped` or `message.deadLetter` is not held: it may be large, and is the user's.
 */
import { becauseOf } from './because.ts'
import type { HeldEvents } from './held.ts'
import type { KeptEvent, LogLine, Questions } from './protocol.ts'
import { isRare, RareEvents } from './rare.ts'
import { Ring } from './ring.ts'
import { lineOf } from './story.ts'
import { firstWhere } from './search.ts'

/** Lines that one answer holds. */
const PAGE = 500
/** Events that one answer looks through: what is older comes with the next page. */
const LOOKED = 100_000

export class Ledger implements HeldEvents {
  /** How many were pushed out, rare or not. */
  #out = 0
  /** Of those that were pushed out. */
  readonly #rare = new RareEvents()
  readonly #pushedOut: (event: KeptEvent) => void
  readonly #ring: Ring<KeptEvent>

  constructor(capacity: number, pushedOut: (event: KeptEvent) => void = () => undefined) {
    this.#ring = new Ring(capacity)
    this.#pushedOut = pushedOut
  }

  get size(): number {
    return this.#rare.size + this.#ring.size
  }

  /** How many are held no more. */
  get lost(): number {
    return this.#out - this.#rare.size
  }

  /** Where the first event stands from which on none is missing; before it there are only rare ones. */
  get whole(): number {
    return this.#rare.size
  }

  record(event: KeptEvent): void {
    const oldest = this.#ring.push('message' in event ? { ...event, message: undefined } : event)
    if (oldest === undefined) return
    this.#out++
    if (isRare(oldest)) this.#rare.push(oldest)
    this.#pushedOut(oldest)
  }

  /** By age, 0 the oldest. */
  at(index: number): KeptEvent | undefined {
    const rare = this.#rare.size
    return index < rare ? this.#rare.at(index) : this.#ring.at(index - rare)
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
      const because = becauseOf(this, event)
      lines.push(because === undefined ? lineOf(event) : { ...lineOf(event), because })
    }
    // Where all of it is held, and nothing is missing, there is nothing to say.
    const whole = this.#out === 0 ? undefined : this.at(this.whole)?.seq
    return { lines: lines.reverse(), total: this.size, lost: this.lost, whole }
  }
}
