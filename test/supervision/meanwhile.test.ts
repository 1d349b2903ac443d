/** What becomes of a child that ends, or is told to, while its supervisor restarts its group, or is about to start it. */
import { describe, expect, test } from 'vitest'
import { type LifecycleEvent, type LocalManager, type Routine, routine, type RoutineContext, type RoutineEnd, watch } from 'curtaincall'
import { deaf, makeTree, slowToStop, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const boom = (): never => {
  throw new Error('boom')
}

/** Fails in its first run, and stays in all others. */
const once = (context: RoutineContext): unknown => (context.incarnation === 1 ? boom() : untilTold(context))

/** What was told of routine `a`: type, run, and whether another follows. */
function told({ events }: Tree): string[] {
  return events.flatMap((event: LifecycleEvent) =>
    event.type.startsWith('routine.') && 'incarnation' in event && 'name' in event && event.name === 'a'
      ? [`${event.type.slice(8)} ${event.incarnation}${'willRestart' in event ? ` ${event.willRestart}` : ''}`]
      : [],
  )
}

const get = (local: LocalManager, id: string): Routine => local.routine(id) as Routine

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  describe('whose delay is over, while the group that it waits for is being stopped', () => {
    /** `a` has crashed, and waits for `slow`, which takes 200 ms to stop. */
    async function waiting(options: object = {}) {
      const tree = makeTree(
        {
          strategy: 'one_for_all',
          maxRestarts: 10,
          children: [routine('a', once, { backoff: { initial: 50 }, ...options }), routine('slow', deaf, { shutdown: 200 })],
        },
        mode,
      )
      await tree.clock.advance(60)
      const a = get(tree.local, 'a')
      expect([a.state, a.incarnation, tree.local.routine('slow')?.state]).toEqual(['pending', 2, 'running'])
      return { ...tree, a }
    }
    const ended = ['spawned 1', 'started 1', 'failed 1 true', 'restarted 2']

    test.each([1, 2, 3])('V4: one that was told to stop %i times has one end, and is not started', async (times) => {
      const tree = await waiting()
      for (let i = 0; i < times; i++) void tree.a.kill('told')
      await tree.clock.advance(500)
      expect(await tree.a.outcome).toEqual({ status: 'cancelled', reason: 'told', killed: true })
      expect(told(tree)).toEqual([...ended, 'killed 2 false'])
      expect([tree.a.incarnation, tree.local.routine('a'), tree.local.count]).toEqual([2, undefined, 1])
      expect(tree.global.metrics()).toMatchObject({ restarts: 1, killed: 2 })
    })

    test('V4: one that all of its name were stopped with stays down', async () => {
      const tree = await waiting()
      const report = await tree.local.shutdownNamed('a')
      expect(report.routines).toMatchObject([{ outcome: 'cancelled' }])
      await tree.clock.advance(500)
      expect(told(tree)).toEqual([...ended, 'cancelled 2 false'])
      expect(tree.local.countOf('a')).toBe(0)
    })

    test('V4: one that leaves in good order is over, as its event says', async () => {
      const tree = await waiting({ restart: 'transient' })
      const ends: RoutineEnd[] = []
      watch(tree.a, (end) => ends.push(end))
      expect(tree.a.exit('shutdown')).toBe(true)
      await tree.clock.advance(500)
      expect(ends).toMatchObject([{ outcome: { status: 'cancelled' }, willRestart: false }])
      expect(told(tree)).toEqual([...ended, 'cancelled 2 false'])
      expect(tree.local.routine('slow')?.incarnation).toBe(2)
    })

    test('V3: one that fails then counts as a start that fails, and comes with the next attempt', async () => {
      const tree = await waiting()
      tree.a.exit(new Error('again'))
      await tree.clock.advance(1_000)
      expect(told(tree)).toEqual([...ended, 'failed 2 true', 'restarted 3', 'started 3'])
      expect([tree.a.restarts, tree.local.health().restartsLeft]).toEqual([2, 8])
    })

    test('V5: one that a listener ends as the last of them stops is no later run that has ended', async () => {
      const tree = await waiting()
      tree.local.on('routine.killed', ({ name }) => name === 'slow' && tree.a.exit(new Error('again')))
      await tree.clock.advance(1_000)
      expect(told(tree)).toEqual([...ended, 'failed 2 true', 'restarted 3', 'started 3'])
      expect([tree.a.restarts, tree.local.health().restartsLeft]).toEqual([2, 8])
    })
  })

  test('V8: a delayed restart whose run has ended begins nothing, and leaves no timer', async () => {
    const tree = makeTree({ maxRestarts: 10, children: [routine('a', once, { backoff: { initial: 50, factor: 1 } })] }, mode)
    await tree.clock.advance(30)
    const a = get(tree.local, 'a')
    a.exit(new Error('again'))
    await settle()
    // The delay of the run that has ended is over in 20 ms, that of the next in 50.
    await tree.clock.advance(30)
    expect([a.state, a.incarnation, tree.clock.pending]).toEqual(['pending', 3, 1])
    await tree.clock.advance(20)
    expect([a.state, a.incarnation, tree.clock.pending]).toEqual(['running', 3, 0])
    expect(told(tree).filter((line) => line.startsWith('restarted'))).toEqual(['restarted 2', 'restarted 3'])
  })

  test('V8: one that comes due while the group is restarted for another is nobody’s', async () => {
    const after = (ms: number): Promise<unknown> => new Promise<void>((resolve) => tree.clock.setTimeout(resolve, ms)).then(boom)
    const noDatabase = ({ incarnation }: { readonly incarnation: number }): void => (incarnation > 1 ? boom() : undefined)
    const tree: Tree = makeTree(
      {
        strategy: 'one_for_all',
        maxRestarts: 20,
        children: [
          routine('a', () => after(10), { backoff: { initial: 50, factor: 1 }, start: noDatabase }),
          routine('b', (context): Promise<unknown> => (context.incarnation === 1 ? after(40) : untilTold(context))),
          routine('slow', (context) => slowToStop(tree.clock, 100)(context)),
        ],
      },
      mode,
    )
    await tree.clock.advance(150)
    // At 40 ms b crashes, and slow stops until 140; at 60 the delay of a is over. Its start fails with its group, and waits as any other.
    const ended = ['spawned 1', 'started 1', 'failed 1 true', 'restarted 2', 'cancelled 2 false']
    expect(told(tree)).toEqual([...ended, 'spawned 3', 'failed 3 true', 'restarted 4'])
    await tree.clock.advance(39)
    expect(told(tree)).toHaveLength(8)
    await tree.clock.advance(1)
    expect(told(tree).slice(8)).toEqual(['failed 4 true', 'restarted 5'])
    void tree.global.shutdown({ timeout: 100 })
    await tree.clock.runOut()
    expect([tree.global.state, tree.clock.pending, tree.global.count]).toEqual(['completed', 0, 0])
  })
})
