/** How long a shutdown says that the ends of routines have taken. */
import { describe, expect, test } from 'vitest'
import { manager, routine } from 'curtaincall'
import { makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test.each(['the global manager', 'its own'] as const)(
    'D4: what had failed before, and is not restarted by %s, ends with its beginning',
    async (whose) => {
      const failing = (): Promise<never> => new Promise<never>((_, reject) => clock.setTimeout(() => reject(new Error('x')), 5))
      const { global, local, clock } = makeTree({ children: [routine('r', failing), routine('other', untilTold)] }, mode)
      global.on('routine.failed', () => {
        clock.block(30)
        void (whose === 'its own' ? local : global).shutdown()
      })
      await clock.advance(50)
      const { routines, failed, duration } = await local.outcome
      expect([failed, duration]).toEqual([1, 0])
      expect(routines.map((each) => [each.outcome, each.duration])).toEqual([
        ['failed', 0],
        ['cancelled', 0],
      ])
      await global.shutdown()
    },
  )

  test('D4: what ended while its supervisor was busy, too', async () => {
    const { global, local, clock } = makeTree({}, mode)
    let fail: (error: Error) => void = () => undefined
    await local.startChild(routine('slow', slowToStop(clock, 40)))
    await local.startChild(routine('fails', () => new Promise((_, reject) => (fail = reject))))
    await settle()
    void local.terminateChild('slow')
    await clock.advance(10)
    fail(new Error('x'))
    await clock.advance(10)
    const done = global.shutdown()
    await clock.runOut()
    expect((await done).routines.map((each) => [each.path.split('#')[1], each.duration])).toEqual([
      ['fails', 0],
      ['slow', 20],
    ])
  })

  test('D4: each report counts from its own beginning', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('x', slowToStop(clock, 100))
    await settle()
    const own = local.shutdown()
    await clock.advance(60)
    const all = global.shutdown()
    await clock.runOut()
    expect([(await own).routines, (await all).routines].map(([each]) => each?.duration)).toEqual([100, 40])
    expect((await all).duration).toBe(40)
  })

  test('D4: none is negative, nor longer than its report, at any level', async () => {
    const { global, clock } = makeTree({}, mode)
    const failing = (): Promise<never> => new Promise<never>((_, reject) => clock.setTimeout(() => reject(new Error('x')), 3))
    const app = global.createApp('deep', {
      maxRestarts: 100,
      children: [
        manager('m', { strategy: 'one_for_all', maxRestarts: 2, children: [routine('a', failing), routine('b', slowToStop(clock, 2))] }),
      ],
    })
    await clock.advance(7)
    void app.shutdown()
    await clock.advance(1)
    const done = global.shutdown()
    await clock.runOut()
    for (const reports = [await done]; reports.length > 0; ) {
      const { routines, duration, children, phases } = reports.pop() as Awaited<typeof done>
      for (const each of [...routines, ...phases]) expect(each.duration).toBeGreaterThanOrEqual(0)
      for (const each of routines) expect(each.duration).toBeLessThanOrEqual(duration)
      reports.push(...children)
    }
  })
})
