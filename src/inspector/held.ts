/** Events that are held, in order of their numbers, as explanations look at them. */
import type { KeptEvent } from './protocol.ts'

export interface HeldEvents {
  readonly size: number
  /** By age, 0 the oldest. */
  at(index: number): KeptEvent | undefined
  /** Where the first event with this number or a later one stands. */
  firstFrom(seq: number): number
  /** Where an event stands; -1 if it is not held. */
  indexOf(seq: number): number
}
