/** Many cases, and what came of them. */
import { orders } from './orders.ts'
import { type Case, casesOf, type Factors } from './pairwise.ts'
import { hearStrayErrors, play, type Played } from './play.ts'
import { points } from './points.ts'

export const factors: Factors = { points: points.map(({ name }) => name), orders: orders.map(({ name, targets }) => ({ name, targets })) }

export interface Campaign {
  readonly cases: number
  readonly failed: readonly Played[]
  /** How often each act was given at each point, by `point|order`. */
  readonly given: ReadonlyMap<string, number>
  readonly planned: number
}

/** The case of this number. */
export function caseOf(seed: number, index: number): Case {
  for (const each of casesOf(factors, seed)) if (each.index === index) return each
  throw new Error('there is always one more')
}

/** Plays so many cases. */
export async function playAll(cases: number, seed: number, from = 0, onCase?: (played: Played) => void): Promise<Campaign> {
  const stop = hearStrayErrors()
  const failed: Played[] = []
  const given = new Map<string, number>()
  let planned = 0
  try {
    for (const each of casesOf(factors, seed)) {
      if (each.index < from) continue
      if (each.index >= from + cases) break
      const played = await play(each)
      planned += each.acts.length
      for (const { order } of played.given) given.set(`${each.point}|${order}`, (given.get(`${each.point}|${order}`) ?? 0) + 1)
      if (played.findings.length > 0) failed.push(played)
      onCase?.(played)
    }
  } finally {
    stop()
  }
  return { cases, failed, given, planned }
}

/** A failing case as a person reads it. */
export function describe({ case: { index, seed, point, strict, acts, skip, after, times }, findings, story }: Played, of: number): string {
  const told = acts.map(({ order, target }) => `${order} → ${target}`).join(', ')
  return [
    `case ${index} of seed ${of} (${seed}): at ${point}, after ${after} ms and ${skip} passes: ${told}${times > 1 ? ', twice' : ''}; strict ${strict}`,
    `  alone: npm run test:long -- --adversary --seed ${of} --case ${index}`,
    ...findings.map(({ rule, message }) => `  ✗ ${rule}: ${message}`),
    ...story.map((line) => `  ${line.replaceAll('\n', '\n  ')}`),
  ].join('\n')
}

/** Points by orders, a digit for how often each was given. */
export function matrix({ given }: Campaign): string {
  const width = Math.max(...factors.points.map(({ length }) => length))
  const head = factors.orders.map(({ name }, i) => `${columnOf(i)} ${name}`).join(', ')
  const lines = factors.points.map((point) => {
    const cells = factors.orders.map(({ name }) => {
      const times = given.get(`${point}|${name}`) ?? 0
      return times === 0 ? '·' : times > 9 ? '+' : String(times)
    })
    return `${point.padEnd(width)} ${cells.join('')}`
  })
  return [head, `${''.padEnd(width)} ${factors.orders.map((_, i) => columnOf(i)).join('')}`, ...lines].join('\n')
}

const columnOf = (i: number): string => (i < 26 ? String.fromCharCode(97 + i) : String.fromCharCode(65 + i - 26))
