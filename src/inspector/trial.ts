/** What only traces of the test kit hold: the steps of a script, which are done from outside, and what bodies do. */
import { shortName } from '../../machines/path.ts'
import type { HeldEvents } from './held.ts'
import type { KeptEvent } from './protocol.ts'

/** Ends that may be asked for by name: their cause is the beginning of the run, and who asked for it is not in the tree. */
const ASKED_FOR: ReadonlySet<string> = new Set([
  'routine.cancelled',
  'routine.killed',
  'routine.failed',
  'manager.phase',
  'routine.spawned',
])

/** A sentence about one of these; undefined for any other event. */
export function sentenceOfTrial({ type, path, ...event }: KeptEvent): string | undefined {
  const who = shortName(path)
  const [text, how] = [event['text'], event['how']] as (string | undefined)[]
  if (type === 'step') return `it was told from outside: ${text}${how === undefined ? '' : ` (${how})`}`
  if (type === 'body.asked') return `the body of ${who} is asked to stop`
  if (type === 'body.ended') return `the body of ${who} has ended${how === undefined ? '' : `: it ${how}`}`
  return undefined
}

/**
 * The step of the script that an event follows from, where the event names none of the tree's: at the same moment, and about whom it
 * names. -1 if there is none.
 */
export function stepBefore(ledger: HeldEvents, index: number): number {
  const event = ledger.at(index) as KeptEvent
  const { type, path, at, cause } = event
  if (!ASKED_FOR.has(type)) return -1
  const because = cause === null ? undefined : ledger.at(ledger.indexOf(cause))
  // What follows from something else in the tree does not follow from the script.
  if (because !== undefined && !(because.path === path && because.type === 'routine.started')) return -1
  for (let k = index - 1; k >= 0; k--) {
    const before = ledger.at(k) as KeptEvent
    if (before.at !== at || before.seq === cause) return -1
    if (before.type === 'step' && isAbout(before['text'], event)) return k
  }
  return -1
}

function isAbout(text: unknown, { path, type }: KeptEvent): boolean {
  if (typeof text !== 'string') return false
  const words = text.split(/[\s,:()]+/)
  const name = shortName(path)
  return (
    words.includes(name) ||
    words.includes(path) ||
    (type === 'manager.phase' && words.some((word) => word === 'shutdown' || word === 'SIGTERM' || word === 'signal'))
  )
}
