/** health() of a tree of which a part does not run: what is stopping, what waits for its restart, and what has failed for good. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type Health, manager, type Manager, routine } from 'curtaincall'
import { counter, slowToStop, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

function rootOf(...children: NonNullable<Parameters<typeof createGlobalManager>[0]>['children'] & object): {
  readonly global: GlobalManager
  readonly clock: VirtualClock
} {
  const clock = new VirtualClock()
  return {
    global: createGlobalManager({
      name: 'g',
      clock,
      generateId: counter(),
      random: () => 0.5,
      logger: false,
      restartWindow: 100,
      children,
    }),
    clock,
  }
}

const crash = (): never => {
  throw new Error('crash')
}
const signs = (health: Health): unknown => [health.status, health.down, health.children.map(signs)]

describe.each(['one_for_one', 'one_for_all', 'rest_for_one'] as const)('%s', (strategy) => {
  test('a child that waits for its delayed restart is named, however long that takes', async () => {
    let crashes = 1
    const body = (context: Parameters<typeof untilTold>[0]): unknown => (crashes-- > 0 ? crash() : untilTold(context))
    const slow = routine('slow', body, { backoff: { initial: 3_000 } })
    const { global, clock } = rootOf(manager('a', { strategy, restartWindow: 100, children: [slow, routine('other', untilTold)] }))
    await settle()
    await clock.advance(2_000)
    expect(signs(global.health())).toEqual(['degraded', [], [['degraded', ['g/a/slow#slow'], []]]])
    await clock.advance(1_000)
    expect(signs(global.health())).toEqual(['healthy', [], [['healthy', [], []]]])
    await global.shutdown()
  })
})

test('a child that is told to stop while it waits is missed no more', async () => {
  const { global, clock } = rootOf(
    manager('a', { restartWindow: 100, children: [routine('slow', crash, { backoff: { initial: 3_000 } })] }),
  )
  const app = global.getApp('a') as Manager
  await settle()
  await clock.advance(1_000)
  expect(app.health().down).toEqual(['g/a/slow#slow'])
  await app.terminateChild('slow')
  expect([app.health().status, app.health().down]).toEqual(['healthy', []])
  await global.shutdown()
})

describe('a child that has failed, and is not restarted, is named', () => {
  test.each(['permanent', 'transient'] as const)('%s, where restartIf says no, until it is started again or forgotten', async (restart) => {
    let crashes = 1
    const body = (context: Parameters<typeof untilTold>[0]): unknown => (crashes-- > 0 ? crash() : untilTold(context))
    const { global } = rootOf(routine('picky', body, { restart, restartIf: () => false }), routine('other', untilTold))
    await settle()
    expect(signs(global.health())).toEqual(['degraded', ['g/picky#picky'], []])
    await global.terminateChild('picky')
    expect(global.health().down).toEqual(['g/picky#picky'])
    await global.restartChild('picky')
    expect(signs(global.health())).toEqual(['healthy', [], []])
    ;(global.routine('picky') as NonNullable<ReturnType<typeof global.routine>>).exit(new Error('again') as never)
    await settle()
    expect(global.health().status).toBe('degraded')
    await global.deleteChild('picky')
    expect(signs(global.health())).toEqual(['healthy', [], []])
    await global.shutdown()
  })

  test('a transient manager that has given up', async () => {
    const { global } = rootOf(manager('a', { restart: 'transient', maxRestarts: 0, children: [routine('loop', crash)] }))
    await settle()
    expect(signs(global.health())).toEqual(['degraded', ['g/a'], []])
    await global.shutdown()
  })

  test('not one that is temporary, has returned, was stopped, or is an instance of a template', async () => {
    const { global } = rootOf(
      routine('temporary', crash, { restart: 'temporary' }),
      routine('returned', () => 1, { restart: 'transient' }),
      routine('stopped', untilTold),
      manager('empty', { restart: 'transient', autoShutdown: 'any_significant', children: [] }),
      manager('b', { children: [manager('many', { template: routine('each', crash, { restartIf: () => false }) })] }),
    )
    const many = global.getApp('b')?.getLocal('many')
    await settle()
    await many?.startChild({ id: 'x' })
    await global.terminateChild('stopped')
    await settle()
    expect(JSON.stringify(global.health())).not.toMatch(/degraded|#/)
    await global.shutdown()
  })

  test('a restart of its group starts it again', async () => {
    let crashes = 1
    const body = (context: Parameters<typeof untilTold>[0]): unknown => (crashes-- > 0 ? crash() : untilTold(context))
    const picky = routine('picky', body, { restartIf: () => false })
    const { global, clock } = rootOf(
      manager('a', { strategy: 'one_for_all', restartWindow: 100, children: [picky, routine('other', untilTold)] }),
    )
    const app = global.getApp('a') as Manager
    await settle()
    expect(app.health().down).toEqual(['g/a/picky#picky'])
    app.routine('other')?.exit('killed')
    await clock.advance(200)
    expect(signs(app.health())).toEqual(['healthy', [], []])
    await global.shutdown()
  })
})

test('the worst sign wins: a part that is stopping, all the way up', async () => {
  const { global, clock } = rootOf(manager('a', { children: [manager('b')] }), manager('c'))
  const b = global.getApp('a')?.getLocal('b')
  b?.spawn('slow', slowToStop(clock, 500))
  await settle()
  void b?.shutdown()
  await settle()
  expect(signs(global.health())).toEqual([
    'stopping',
    [],
    [
      ['stopping', [], [['stopping', [], []]]],
      ['healthy', [], []],
    ],
  ])
  await clock.advance(500)
  expect(global.health().status).toBe('healthy')
  await global.shutdown()
})
