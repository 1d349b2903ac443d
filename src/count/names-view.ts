/** What was counted under each name of one manager, at one moment. */
import type { Counters, MetricValues } from './metrics.ts'

export type ByName = Readonly<Record<string, MetricValues>>

/**
 * M1  Whenever it is looked at, it shows what was counted at its moment.
 * M2  To make one costs the same however many names there are: values are copied when they are about to change, or when somebody looks.
 * M3  One that nobody has looked at knows those made after it, up to one that is whole; between two of these no more is copied than there
 *     are names, so that whoever keeps an old one keeps no history.
 */
export class NamesView {
  readonly #names: ReadonlyMap<string, Counters>
  readonly #size: number
  /** What has changed before the next one was made, as it was; all there is, if this one is whole. */
  #kept = new Map<Counters, MetricValues>()
  #next: NamesView | undefined
  /** How many have been copied since the last that is whole. */
  readonly #copied: number
  /** Set once it is whole. */
  #byName: ByName | undefined

  constructor(names: ReadonlyMap<string, Counters>, copied: number) {
    this.#names = names
    this.#size = names.size
    this.#copied = copied
  }

  /** The view of this moment, given that this is the latest. */
  now(): NamesView {
    const copied = this.#copied + this.#kept.size
    if (this.#byName === undefined && this.#kept.size === 0 && this.#size === this.#names.size) return this
    if (copied > this.#names.size) this.read()
    if (this.#byName !== undefined) return new NamesView(this.#names, 0)
    return (this.#next = new NamesView(this.#names, copied))
  }

  /** These are about to change, given that this is the latest. */
  keep(counters: Counters): void {
    if (this.#byName === undefined && !this.#kept.has(counters)) this.#kept.set(counters, counters.values())
  }

  read(): ByName {
    return (this.#byName ??= this.#complete())
  }

  #complete(): ByName {
    const all = new Map<Counters, MetricValues>()
    for (let view: NamesView | undefined = this; view !== undefined; view = view.#next)
      // What was kept first is the oldest.
      for (const [counters, values] of view.#kept) if (!all.has(counters)) all.set(counters, values)
    const names = [...this.#names].slice(0, this.#size)
    const entries = names.map(([name, counters]) => [name, all.get(counters) ?? counters.values()] as const)
    this.#kept = new Map(names.map(([, counters], i) => [counters, entries[i]?.[1] as MetricValues]))
    this.#next = undefined
    return Object.fromEntries(entries)
  }
}
