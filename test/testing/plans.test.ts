/** What is said wrong is named: plans, laws, goals, and what a replay is given. */
import { describe, expect, test } from 'vitest'
import { law, propertyShutdown, replayTrace, simulate, sometimes, type TreePlan } from 'curtaincall/testing'

const plan: TreePlan = {
  kind: 'tree',
  name: 't',
  below: [{ kind: 'manager', name: 'a', below: [{ kind: 'manager', name: 'l', work: [{ kind: 'routine', name: 'w', works: 5 }] }] }],
}

describe('options', () => {
  test('of a replay are checked', async () => {
    const { trace } = await simulate(plan)
    await expect(replayTrace(trace, { law: [] } as never)).rejects.toThrow(
      'replayTrace: unknown option "law"; known are tree, script, laws',
    )
    await expect(replayTrace(trace, { laws: 'all' } as never)).rejects.toThrow(
      'replayTrace option laws must be an array of laws; received "all"',
    )
  })

  test('of a law and a goal are checked', () => {
    for (const name of [undefined, ''] as never[]) {
      expect(() => law(name, () => [])).toThrow('law name must be a text that is not empty; received')
      expect(() => sometimes(name, () => true)).toThrow('goal name must be a text that is not empty; received')
    }
  })
})

describe('plans', () => {
  const local = (of: object) => ({
    kind: 'tree',
    name: 't',
    below: [{ kind: 'manager', name: 'a', below: [{ kind: 'manager', name: 'l', ...of }] }],
  })
  const work = { kind: 'routine', name: 'w' }

  test.each<[why: string, tree: object]>([
    ['plan t: unknown option "childern"; known are kind, name, options, children, below', { kind: 'tree', name: 't', childern: [work] }],
    [
      'plan t/a: unknown option "work"; known are kind, name, options, children, below',
      { kind: 'tree', name: 't', below: [{ kind: 'manager', name: 'a', work: [work] }] },
    ],
    ['plan t/a/l: unknown option "below"; known are kind, name, options, children, work', local({ below: [] })],
    [
      'plan t/m: unknown option "work"; known are kind, name, options, children',
      { kind: 'tree', name: 't', children: [{ kind: 'manager', name: 'm', work: [work] }] },
    ],
    ["plan t/a/l/x option kind must be 'routine'; received undefined", local({ work: [{ name: 'x' }] })],
    ['plan t/w option kind must be \'manager\'; received "routine"', { kind: 'tree', name: 't', below: [work] }],
    ["plan t/? option kind must be 'routine' or 'manager'; received undefined", { kind: 'tree', name: 't', children: [null] }],
    ['plan t option children must be an array of plans; received an object', { kind: 'tree', name: 't', children: {} }],
    ['plan t/a/l/w option works must be a number of milliseconds from 0', local({ work: [{ ...work, works: '5' }] })],
    [
      'plan t/a/l/w option faults must be an array of texts such as \'slow(20)\'; received "hangs()"',
      local({ work: [{ ...work, faults: 'hangs()' }] }),
    ],
    [
      "plan t/? option name must be a string of 1 to 200 characters without '/' and '#'; received undefined",
      { kind: 'tree', name: 't', children: [{ kind: 'routine' }] },
    ],
  ])('what would be left out is refused: %s', async (why, tree) => {
    await expect(simulate(tree as never)).rejects.toMatchObject({ code: 'ERR_CONFIG', message: expect.stringContaining(why) as string })
  })

  test('also by a campaign', async () => {
    const tree = { kind: 'tree', name: 't', children: 5 } as never
    await expect(propertyShutdown(tree)).rejects.toThrow('plan t option children must be an array of plans; received 5')
  })

  test('also in a step', async () => {
    const spawn = { do: 'spawn', at: 't/a/l', work: { ...work, wroks: 5 } } as never
    await expect(simulate(plan, { script: [spawn] })).rejects.toThrow(
      'plan w: unknown option "wroks"; known are kind, name, options, works, faults',
    )
    const child = { do: 'startChild', at: 't/a/l', child: { kind: 'manager', name: 'm', work: [] } } as never
    await expect(simulate(plan, { script: [child] })).rejects.toThrow('plan m: unknown option "work"')
  })
})
