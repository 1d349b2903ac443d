/** What a program of the crash campaign appends in one life: by the seed, so that whoever knows that knows it. */
import type { StoredEntry } from '../../src/port/index.ts'
import { randomFrom } from '../../src/testing/schedule.ts'
import { handled, message, outcome, snapshot, spawned } from '../support/store-host.ts'

/** In which part of its life a program is to be killed, and so what it does then. */
export const MOMENTS = ['opening', 'running', 'digesting', 'backing-up', 'closing', 'full'] as const
export type Moment = (typeof MOMENTS)[number]

/** What a life is told. */
export interface Order {
  readonly file: string
  readonly seed: number
  readonly life: number
  readonly moment: Moment
  readonly fsync: 'group' | 'system' | number
  /** Outcomes that are kept. */
  readonly retain: number
  /** Routines of former lives that have not ended. */
  readonly living: readonly string[]
  /** Whose outcomes it is to tell. */
  readonly ended: readonly string[]
}

/** Entries without end. */
export function* entriesOf({ seed, life, living }: Pick<Order, 'seed' | 'life' | 'living'>): Generator<StoredEntry> {
  const random = randomFrom(seed * 1_000 + life)
  const below = (n: number): number => Math.floor(random() * n)
  const ids = living.slice(0, 50)
  const messages = new Map<string, number>()
  for (let i = 0; ; i++) {
    const id = ids[below(ids.length)]
    const kind = below(10)
    if (id === undefined || kind < 3) {
      const made = `l${life}-${i}`
      ids.push(made)
      // Now and then one that takes a page of its own, or several.
      yield spawned(made, below(50) === 0 ? 'x'.repeat(below(20_000)) : { i })
    } else if (kind < 6) {
      const number = (messages.get(id) ?? 0) + 1
      messages.set(id, number)
      yield message(id, number, { i })
    } else if (kind === 6) yield handled(id, below((messages.get(id) ?? 0) + 1))
    else if (kind === 7) yield snapshot(id, below((messages.get(id) ?? 0) + 1), `s${i}${'y'.repeat(below(1_000))}`)
    else {
      // At times the same routine ends again: what counts is the first.
      if (below(10) > 0) ids.splice(ids.indexOf(id), 1)
      yield outcome(id, i)
    }
  }
}
