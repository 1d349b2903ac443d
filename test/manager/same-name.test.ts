/** A manager that takes the name of one that has just ended. */
import { describe, expect, test } from 'vitest'
import type { LocalManager, Routine } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('C5: one that is made as its predecessor stops is not struck by the end of that', async () => {
    const { global, clock } = makeTree({}, mode)
    const app = global.createApp('b')
    const old = app.createLocal('y')
    old.spawn('old', untilTold)
    const made: { local?: LocalManager; routine?: Routine<unknown> } = {}
    global.on('manager.stopped', ({ path }) => {
      if (path !== 'g/b/y' || made.local !== undefined) return
      made.local = app.createLocal('y')
      made.routine = made.local.spawn('new', untilTold)
    })
    await settle()
    void old.shutdown()
    await clock.runOut()
    const next = made.local as LocalManager
    expect([next === old, next.state, app.getLocal('y') === next, app.locals().length]).toEqual([false, 'running', true, 1])
    expect([global.routines().map(({ name }) => name), global.count, app.health().children.length]).toEqual([['new'], 1, 1])
    expect(() => app.createLocal('y')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    const down = global.shutdown({ timeout: 500 })
    await clock.runOut()
    expect((await down).routines).toMatchObject([{ path: made.routine?.path, outcome: 'cancelled' }])
    expect([next.state, global.count, clock.pending]).toEqual(['completed', 0, 0])
    expect((await next.outcome).path).toBe('g/b/y')
  })

  test('C5: the end of one leaves the name to whoever is made once it is known', async () => {
    const { global, clock } = makeTree({}, mode)
    const app = global.createApp('b')
    for (let i = 0; i < 3; i++) {
      const local = app.createLocal('y')
      const done = local.shutdown()
      await clock.runOut()
      await done
      expect([app.getLocal('y'), app.locals()]).toEqual([undefined, []])
    }
  })
})
