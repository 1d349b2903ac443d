/** Two recordings of what is meant to be the same: which event of the one is which of the other. */
import type { KeptEvent, Recording } from '../../src/inspector/protocol.ts'

/** What is the same of an event in two runs, in which ids, times and numbers differ. */
function keyOf({ type, path, ...rest }: KeptEvent): string {
  const place = path
    .split('/')
    .map((part) => part.replace(/#.*/, ''))
    .join('/')
  return [type, place, rest['incarnation'], rest['phase'], rest['state'], rest['how'], rest['text']].join(' ')
}

/** For the events of `other`, by their `seq`: the same event in `one`. The n-th of its kind is taken for the n-th. */
export function pairsOf(one: Recording, other: Recording): ReadonlyMap<number, KeptEvent> {
  const unpaired = new Map<string, KeptEvent[]>()
  for (const event of one.events.toReversed()) {
    const key = keyOf(event)
    const list = unpaired.get(key)
    if (list === undefined) unpaired.set(key, [event])
    else list.push(event)
  }
  const pairs = new Map<number, KeptEvent>()
  for (const event of other.events) {
    const found = unpaired.get(keyOf(event))?.pop()
    if (found !== undefined) pairs.set(event.seq, found)
  }
  return pairs
}

/** Broken laws, by the `seq` of the events that show them. */
export function witnessesOf({ violations }: Recording): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const { law, witnesses } of violations) {
    for (const seq of witnesses) found.set(seq, [...new Set([...(found.get(seq) ?? []), law])])
  }
  return found
}
