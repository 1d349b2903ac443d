/** What laws ask of a whole run again and again: found once for each run, since a law looks at each event. */
import { above } from '../../machines/path.ts'
import type { Run } from './law.ts'
import { does, stepOf } from './step-record.ts'
import type { TraceEvent } from './trace.ts'

/** Remembers what was found, as long as somebody has what it was found in. */
function once<Key extends object, Found>(find: (key: Key) => Found): (key: Key) => Found {
  const known = new WeakMap<Key, { readonly found: Found }>()
  return (key) => {
    let entry = known.get(key)
    if (entry === undefined) known.set(key, (entry = { found: find(key) }))
    return entry.found
  }
}

/** Paths of the managers that one of their own routines shuts down. */
export const hurriedFromInside = once(
  (routines: Run['routines']) => new Set([...routines].flatMap(([path, { hurries }]) => (hurries ? [above(path)] : []))),
)

/** Names that a step of the script gives. */
export const namedByHand = once((events: readonly TraceEvent[]) => new Set(events.map((event) => stepOf(event)?.target)))

/** By the path of a manager, the first step of the script that calls it, but for shutdowns. */
export const firstCalls = once((events: readonly TraceEvent[]) => {
  const calls = new Map<string, number>()
  for (const event of events) {
    const at = stepOf(event)?.at
    if (at !== undefined && !calls.has(at) && !does(event, 'shutdown')) calls.set(at, event.i)
  }
  return calls
})

/** Ends within a window that moves on, in order of time. */
export class RecentEnds {
  readonly #ends: TraceEvent[] = []
  #from = 0

  /** One more, which counts whenever it was; returns how many there are since `since`, with it. */
  add(end: TraceEvent, since: number): number {
    const ends = this.#ends
    this.since(since)
    let at = ends.length
    while (at > this.#from && (ends[at - 1] as TraceEvent).t > end.t) at--
    ends.splice(at, 0, end)
    return ends.length - this.#from
  }

  /** How many there are since then. What was before is forgotten. */
  since(since: number): number {
    while ((this.#ends[this.#from]?.t ?? since) < since) this.#from++
    return this.#ends.length - this.#from
  }

  all(): readonly TraceEvent[] {
    return this.#ends.slice(this.#from)
  }
}
