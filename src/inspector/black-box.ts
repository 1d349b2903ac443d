/**
 * The latest events of a tree, with the tree as it stood before the first of them: enough to play it from there.
 *
 * B1  It never holds more events than its capacity; what is pushed out goes into the tree before.
 */
import type { GlobalManager } from '../manager/index.ts'
import { Forest } from './forest.ts'
import { Ledger } from './ledger.ts'
import type { KeptEvent, Recording } from './protocol.ts'
import { keep } from './recording.ts'
import { takeTree } from './take-tree.ts'

export class BlackBox {
  readonly ledger: Ledger
  readonly #before = new Forest()
  #from: number

  constructor(global: GlobalManager, capacity: number) {
    this.#from = global.tree.clock.now()
    takeTree(global, this.#before, [])
    this.#before.skip()
    this.ledger = new Ledger(capacity, (event) => {
      this.#before.note(event)
      this.#from = event.at
    })
  }

  record(event: KeptEvent): void {
    this.ledger.record(event)
  }

  /** All of it, as it can be written down. */
  recording(name: string): Recording {
    const { ledger } = this
    const events = Array.from({ length: ledger.size }, (_, k) => keep(ledger.at(k) as KeptEvent))
    // At least a millisecond before the first of them, so that one can go to a moment at which only the base was there.
    const from = Math.min(this.#from, (events[0]?.at ?? Infinity) - 1)
    return { name, from, base: this.#before.base(), events, violations: [], story: '' }
  }
}
