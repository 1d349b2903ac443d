/** S4, M2: whatever the tree, the routines, the schedule and the moment, a shutdown keeps its promises. */
import { expect, test } from 'vitest'
import { fuzzTree } from 'curtaincall/testing'
import { goals } from '../long/goals.ts'

test('S4, M2: every law holds of 1,000 trees with faults, schedules and shutdowns, and every goal is reached', async () => {
  const { runs, goals: reached } = await fuzzTree({ runs: 1_000, seed: 1, goals, traces: '.tmp/traces' })
  expect(runs).toBe(1_000)
  expect(Object.keys(reached)).toHaveLength(goals.length)
}, 120_000)
