/**
 * The life of a durable store, decided: what it does about a fault, and what it may be asked meanwhile.
 *
 * ```
 * opening ─► open ⇄ stalled        a fault that can pass is waited out, at most for its patience
 *    │         │       │
 *    │         ├───────┴──► failed   for good, told once
 *    │         └─► closing ─► closed
 *    └──► closed | failed            nothing was opened
 * ```
 */

/** Where a store is in its life. */
export type StoreStage = 'opening' | 'open' | 'stalled' | 'closing' | 'closed' | 'failed'

/** What happens to it. `wrote`: a group of entries lasts. `fault`: the writer is stuck, or has given up. `late`: its patience is over. */
export type StoreHappening = 'opened' | 'wrote' | 'passing' | 'fault' | 'late' | 'close' | 'closed'

/** What is to be done about it. `tell`: to the tree (J6). `refuse`: all that waits. `reject`: whoever opens it. */
export type StoreDeed = 'warn' | 'calm' | 'tell' | 'refuse' | 'reject' | 'flush'

/** Where it goes, and what is to be done. */
export interface StoreStep {
  readonly stage: StoreStage
  readonly deeds: readonly StoreDeed[]
}

const step = (stage: StoreStage, ...deeds: StoreDeed[]): StoreStep => ({ stage, deeds })

/** The tree first: it decides what the refusals mean. */
const GAVE_UP = step('failed', 'tell', 'refuse')

const STEPS: Readonly<Record<StoreStage, Partial<Readonly<Record<StoreHappening, StoreStep>>>>> = {
  opening: { opened: step('open'), fault: step('failed', 'reject'), late: step('failed', 'reject'), close: step('closing') },
  open: { passing: step('stalled', 'warn'), fault: GAVE_UP, late: GAVE_UP, close: step('closing', 'flush') },
  stalled: { wrote: step('open', 'calm'), fault: GAVE_UP, late: GAVE_UP, close: step('closing', 'flush') },
  // Who closes it is told by the error of what it had not written; there is no tree to tell.
  closing: { closed: step('closed', 'refuse'), fault: step('failed', 'refuse'), late: step('failed', 'refuse') },
  closed: {},
  failed: {},
}

/** The next step of a store's life; undefined if what happens changes nothing. */
export function storeStep(stage: StoreStage, happening: StoreHappening): StoreStep | undefined {
  return STEPS[stage][happening]
}
