/**
 * Which cases are played: a covering array, made from a seed.
 *
 * One round has every pair of point and order, and, because targets and modes are taken by who was met least, every pair of the
 * others that fits. Further rounds meet them in other company.
 */
import { randomFrom } from '../../src/testing/schedule.ts'

/** One of a list. */
export function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T
}

function shuffled<T>(random: () => number, list: readonly T[]): T[] {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}

/** What is done to whom. */
export interface Act {
  readonly order: string
  readonly target: string
}

/** One case: what the intruder does at a point, in a tree that comes from the seed. */
export interface Case {
  readonly index: number
  readonly seed: number
  readonly point: string
  readonly strict: boolean
  readonly acts: readonly Act[]
  /** How often the point is passed before the first act, once so many milliseconds are over. */
  readonly skip: number
  readonly after: number
  /** How often each order is given in a row. */
  readonly times: number
}

/** What there is to combine. */
export interface Factors {
  readonly points: readonly string[]
  /** Each order with the kinds of target that it fits. */
  readonly orders: readonly { readonly name: string; readonly targets: readonly string[] }[]
}

/** Counts how often pairs were met. */
class Met {
  readonly #times = new Map<string, number>()

  of(...parts: readonly unknown[]): number {
    return this.#times.get(parts.join('|')) ?? 0
  }

  add(...parts: readonly unknown[]): void {
    this.#times.set(parts.join('|'), this.of(...parts) + 1)
  }
}

/** The one of which this is least; of several the first in a random order. */
function least<T>(random: () => number, list: readonly T[], cost: (each: T) => number): T {
  let [best, price] = [list[0] as T, Infinity]
  for (const each of shuffled(random, list)) {
    const own = cost(each)
    if (own < price) [best, price] = [each, own]
  }
  return best
}

/** Cases in order: a prefix of any length is the same for the same seed. */
export function* casesOf(factors: Factors, seed: number): Generator<Case, never> {
  const random = randomFrom(seed)
  const met = new Met()
  for (let index = 0; ; ) {
    const round: Omit<Case, 'index' | 'seed'>[] = []
    for (const point of factors.points) {
      const orders = shuffled(random, factors.orders)
      if (orders.length % 2 === 1) orders.push(pick(random, factors.orders))
      for (let i = 0; i < orders.length; i += 2) round.push(caseAt(random, met, point, orders.slice(i, i + 2)))
    }
    for (const each of shuffled(random, round)) yield { ...each, index, seed: seed * 1_000_003 + index++ }
  }
}

/** From the making of the tree on; when the first have crashed, and a group waits for one that is deaf; later. */
const AFTER = [0, 0, 1, 15, 32, 38, 45, 60, 100]
/** When there is somebody between two incarnations. */
const BETWEEN = [16, 26, 32, 36, 40, 48]

function caseAt(random: () => number, met: Met, point: string, orders: Factors['orders']): Omit<Case, 'index' | 'seed'> {
  const acts = orders.map(({ name, targets }) => {
    const target = least(random, targets, (each) => met.of('pt', point, each) + met.of('ot', name, each))
    met.add('pt', point, target)
    met.add('ot', name, target)
    return { order: name, target }
  })
  const strict = least(random, [false, true], (mode) => {
    const own = acts.map(
      ({ order, target }) => met.of('om', order, mode) + met.of('tm', target, mode) + 3 * met.of('pom', point, order, mode),
    )
    return met.of('pm', point, mode) + own.reduce((sum, each) => sum + each, 0)
  })
  met.add('pm', point, strict)
  for (const { order, target } of acts) {
    met.add('om', order, strict)
    met.add('tm', target, strict)
    met.add('pom', point, order, strict)
  }
  const after = pick(random, acts.some(({ target }) => target === 'between') ? BETWEEN : AFTER)
  return { point, strict, acts, skip: pick(random, [0, 0, 1, 3]), after, times: pick(random, [1, 2]) }
}
