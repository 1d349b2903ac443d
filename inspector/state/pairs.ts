/** Two recordings of what is meant to be the same: which event of the one is which of the other. */
import type { KeptEvent, Recording } from '../../src/inspector/protocol.ts'

/** What stays the same when ids, times and numbers do not. */
function keyOf({ type, path, ...rest }: KeptEvent): string {
  const place = path
    .split('/')
    .map((part) => part.replace(/#.*/, ''))
    .join('/')
  return [type, place, rest['incarnation'], rest['phase'], rest['state'], rest['how'], rest['text']].join(' ')
}

/** For the events of `other`, by their `seq`: the same event in `one`. The n-th of its kind is taken for the n-th. */
export function pairsOf(one: Recording, other: Recording): ReadonlyMap<number, KeptEvent> {
  const waiting = new Map<string, KeptEvent[]>()
  for (const event of one.events.toReversed()) {
    const key = keyOf(event)
    const list = waiting.get(key)
    if (list === undefined) waiting.set(key, [event])
    else list.push(event)
  }
  const pairs = new Map<number, KeptEvent>()
  for (const event of other.events) {
    const found = waiting.get(keyOf(event))?.pop()
    if (found !== undefined) pairs.set(event.seq, found)
  }
  return pairs
}

/** Who shows what: laws by the `seq` of their witnesses. */
export function witnessesOf({ violations }: Recording): ReadonlyMap<number, readonly string[]> {
  const found = new Map<number, string[]>()
  for (const { law, witnesses } of violations) {
    for (const seq of witnesses) found.set(seq, [...new Set([...(found.get(seq) ?? []), law])])
  }
  return found
}
