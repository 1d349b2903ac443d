/**
 * Whoever is called acts: at every point where foreign code runs, every order on every kind of target, in random trees and in both
 * modes. What has to hold then is in oracle.ts and reading.ts; it cites T3, T4, T5, T7, T10, T11 and T12, that a tree runs one turn at a time.
 */
import { expect, test } from 'vitest'
import { caseOf, describe as told, factors, matrix, playAll } from './campaign.ts'
import { type Case, casesOf } from './pairwise.ts'
import { hearStrayErrors, play } from './play.ts'

const CASES = 2_000
const SEED = 1
/** Cases that are told in full; of the others only the rules that they broke. */
const TOLD = 1

/** The cases in which every pair is met once. */
function firstRound(): Case[] {
  const size = factors.points.length * Math.ceil(factors.orders.length / 2)
  const round: Case[] = []
  for (const each of casesOf(factors, SEED)) if (round.push(each) === size) return round
  return round
}

test('each pair of point, order, kind of target and mode is in the first round of cases', () => {
  const met = new Set<string>()
  for (const { point, strict, acts } of firstRound()) {
    met.add(`${point} ${strict}`)
    for (const { order, target } of acts)
      for (const pair of [`${point} ${order}`, `${point} ${target}`, `${order} ${target}`, `${order} ${strict}`, `${target} ${strict}`])
        met.add(pair)
  }
  const kinds = [...new Set(factors.orders.flatMap(({ targets }) => targets))]
  const due = [
    ...factors.points.flatMap((point) =>
      [...factors.orders.map(({ name }) => name), ...kinds, true, false].map((each) => `${point} ${each}`),
    ),
    ...factors.orders.flatMap(({ name, targets }) => [...targets, true, false].map((each) => `${name} ${each}`)),
    ...kinds.flatMap((kind) => [true, false].map((mode) => `${kind} ${mode}`)),
  ]
  expect(due.filter((pair) => !met.has(pair))).toEqual([])
})

test('the same case has the same story each time', async () => {
  const stop = hearStrayErrors()
  try {
    const stories = [await play(caseOf(SEED, 3)), await play(caseOf(SEED, 3))].map((played) => JSON.stringify(played))
    expect(stories[0]).toBe(stories[1])
  } finally {
    stop()
  }
})

test(`T1 to T12: ${CASES} cases, and no rule is broken`, { timeout: 240_000 }, async () => {
  const passed = new Set<string>()
  const given = new Set<string>()
  const campaign = await playAll(CASES, SEED, 0, (played) => {
    if (played.passes > 0) passed.add(played.case.point)
    for (const { order } of played.given) given.add(order)
  })
  const acts = [...campaign.given.values()].reduce((sum, each) => sum + each, 0)
  console.log(
    `${CASES} cases, ${acts} of ${campaign.planned} acts given, ${campaign.given.size} pairs of point and order\n${matrix(campaign)}`,
  )
  expect(factors.points.filter((point) => !passed.has(point))).toEqual([])
  expect(factors.orders.filter(({ name }) => !given.has(name)).map(({ name }) => name)).toEqual([])
  const stories = campaign.failed.slice(0, TOLD).map((played) => told(played, SEED))
  const others = campaign.failed
    .slice(TOLD)
    .map((played) => `case ${played.case.index}: ${[...new Set(played.findings.map(({ rule }) => rule))].join(', ')}`)
  expect([...stories, ...others].join('\n')).toBe('')
})
