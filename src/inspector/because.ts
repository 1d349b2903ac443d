/** What a line of the log follows from, in words: of those of which one asks for whose sake they happened. */
import type { HeldEvents } from './held.ts'
import type { KeptEvent } from './protocol.ts'
import { BEGINNINGS, ROOTS, sentenceOf } from './story.ts'

/** Causes that are gone through. */
const DEEPEST = 30

/** True for those that happen to somebody for the sake of another. */
const happensTo = ({ type, incarnation }: KeptEvent): boolean =>
  type === 'routine.cancelled' || type === 'routine.killed' || (type === 'routine.spawned' && Number(incarnation) > 1)

/** The failure, order or silence for which it happened; undefined if none is held, or it says so itself. */
export function becauseOf(ledger: HeldEvents, event: KeptEvent): string | undefined {
  if (!happensTo(event)) return undefined
  let { cause } = event
  for (let depth = 0; cause !== null && depth < DEEPEST; depth++) {
    const because = ledger.at(ledger.indexOf(cause))
    if (because === undefined || because.seq > cause) return undefined
    if (ROOTS.has(because.type)) return sentenceOf(because).replace(/(?:; its supervisor|, and is not restarted).*$/s, '')
    if (BEGINNINGS.has(because.type)) return undefined
    // Causes come before what they cause; a file may say otherwise.
    cause = because.cause !== null && because.cause < because.seq ? because.cause : null
  }
  return undefined
}
