/** Routines that wait for others which are queued behind their own permits: what health() can know of it. */
import { describe, expect, test } from 'vitest'
import { judgeHealth } from 'curtaincall/machines'
import type { LocalManager, RoutineContext } from 'curtaincall'
import { gate, makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const nested = ({ local }: RoutineContext): Promise<unknown> => (local as LocalManager).spawn('inner', () => 1).result()

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('M5: one that holds the only permit while one that it has spawned is queued is named, at each level, until it ends', async () => {
    const { local, global } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    expect([global.health().status, global.health().blocked]).toEqual(['healthy', []])
    const outer = local.spawn('outer', nested)
    await settle()
    for (const health of [local.health(), global.health(), global.health().children[0]])
      expect(health).toMatchObject({ status: 'degraded', blocked: [outer.path] })
    await outer.kill()
    await settle()
    expect(global.health()).toMatchObject({ status: 'healthy', blocked: [] })
  })

  test('M5: all of a pool, at whatever level the limit is; as long as others hold permits, these may end', async () => {
    const { global } = makeTree({}, mode)
    const app = global.createApp('pool', { maxRoutines: 3 })
    const [one, two] = ['one', 'two'].map((name) => app.createLocal(name, { overflow: 'queue' })) as [LocalManager, LocalManager]
    const other = one.spawn('other', untilTold)
    const outers = [one.spawn('outer', nested), two.spawn('outer', nested)]
    await settle()
    expect([app.count, one.queued, two.queued, app.health().blocked]).toEqual([3, 1, 1, []])
    const third = one.spawn('outer', nested)
    await other.cancel()
    await settle()
    // What was queued first has the permit.
    expect(app.health().blocked).toEqual([])
    expect(await outers[0]?.outcome).toMatchObject({ status: 'completed', output: 1 })
    await Promise.all([third.outcome, outers[1]?.outcome])
    expect(app.count).toBe(0)
    const again = [one.spawn('outer', nested), two.spawn('outer', nested), two.spawn('outer', nested)]
    await settle()
    expect(app.health().blocked.toSorted()).toEqual(again.map(({ path }) => path).toSorted())
    expect([one.health().blocked, global.health().status, global.getApp('a')?.health().status]).toEqual([[], 'degraded', 'healthy'])
    await global.shutdown()
  })

  test('M5: neither what a run before has spawned, nor what is queued no more, nor what others have spawned', async () => {
    const { local, global } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    const go = gate()
    const outer = local.spawn('outer', async (context: RoutineContext) => {
      if (context.incarnation > 1) return go.promise
      const inner = (context.local as LocalManager).spawn('inner', untilTold)
      await settle()
      return inner.cancel()
    })
    local.spawn('others', untilTold)
    await settle()
    expect(global.health().blocked).toEqual([outer.path])
    void outer.restart()
    await settle()
    expect([outer.incarnation, global.health().blocked, local.queued]).toEqual([2, [], 1])
    go.resolve()
    await outer.outcome
    expect(global.health().blocked).toEqual([])
    await global.shutdown()
  })

  test('M5: of those that come and go few are remembered', async () => {
    const { local, global } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    local.spawn('outer', async (context: RoutineContext) => {
      for (let i = 0; i < 1_000; i++) await (context.local as LocalManager).spawn('inner', untilTold).cancel()
      await (context.local as LocalManager).spawn('inner', untilTold).outcome
    })
    await settle()
    await settle()
    expect(global.health().blocked).toHaveLength(1)
    await global.shutdown()
  })
})

test('M5: a manager with such is degraded', () => {
  const signs = { accepting: true, hung: 0, recentRestarts: 0, children: [] }
  expect([judgeHealth({ ...signs, blocked: 1 }), judgeHealth({ ...signs, blocked: 0 }), judgeHealth(signs)]).toEqual([
    'degraded',
    'healthy',
    'healthy',
  ])
  expect(judgeHealth({ ...signs, blocked: 1, hung: 1 })).toBe('hung')
})
