/** The laws of the kit: what they let pass, and what not. */
import { expect, test } from 'vitest'
import { createMachine } from 'xstate'
import { createGlobalManager } from 'curtaincall'
import { restartIntensity, simulate, type TreeOptions } from 'curtaincall/testing'

const crashing = createMachine({
  after: {
    10: {
      actions: () => {
        throw new Error('always')
      },
    },
  },
})

const tree =
  (resume: 'fresh' | 'snapshot', restartWindow = 5_000) =>
  (options: TreeOptions) => {
    const global = createGlobalManager({ ...options, name: 'g', logger: false })
    const local = global.createApp('a').createLocal('l', { maxRestarts: 2, restartWindow, restart: 'temporary' })
    local.spawn('m', crashing, { restart: 'transient', resume })
    return global
  }

test.each(['fresh', 'snapshot'] as const)('restartIntensity: the one start from the input is no restart too many: %s', async (resume) => {
  const { violations, run } = await simulate(tree(resume), { script: [{ do: 'wait', ms: 200 }] })
  expect(violations).toEqual([])
  expect(run.events.filter(({ type }) => type === 'routine.restarted')).toHaveLength(resume === 'fresh' ? 2 : 3)
  const limits = (maxRestarts: number, restartWindow = 5_000) =>
    new Map([...run.managers].map(([path, facts]) => [path, { ...facts, maxRestarts, restartWindow }]))
  // Of the same run under a limit of one, the second that is too many is found; and so it is without `resume`.
  const one = [...restartIntensity.check({ ...run, managers: limits(1) })]
  expect(one.map(({ message }) => message)).toEqual(['g/a/l answered 2 failures within 5000 ms, its limit is 1'])
  const facts = new Map([...run.routines].map(([path, each]) => [path, { ...each, resumes: false }]))
  expect([...restartIntensity.check({ ...run, routines: facts })]).toHaveLength(resume === 'fresh' ? 0 : 1)
})

test('restartIntensity: there is another one behind the window, and none within it', async () => {
  const { violations, run } = await simulate(tree('snapshot', 5), { script: [{ do: 'wait', ms: 500 }] })
  expect(violations).toEqual([])
  const { managers } = run
  const longer = new Map([...managers].map(([path, facts]) => [path, { ...facts, restartWindow: 5_000 }]))
  expect([...restartIntensity.check({ ...run, managers: longer })].length).toBeGreaterThan(0)
})
