/** `resume: 'snapshot'` over every restart that a supervisor decides on. */
import { describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { type LocalManager, manager, routine } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const crash = {
  actions: (): never => {
    throw new Error('crash')
  },
}

const counter = setup({ types: {} as { context: { n: number } } }).createMachine({
  context: { n: 0 },
  on: { inc: { actions: assign({ n: ({ context }) => context.n + 1 }) }, crash, end: '.ended' },
  initial: 'counting',
  states: { counting: { after: { 100: 'late' } }, late: {}, ended: { type: 'final' } },
  output: 'done',
})

interface Counting {
  readonly incarnation: number
  readonly work: { getSnapshot(): { value: string; context: { n: number } } }
  send(event: { type: string }): void
}

const counting = (local: LocalManager): Counting => local.routine('counter') as unknown as Counting
const read = (local: LocalManager): [number, number] => [counting(local).incarnation, counting(local).work.getSnapshot().context.n]

function count(local: LocalManager, n: number): void {
  for (let i = 0; i < n; i++) counting(local).send({ type: 'inc' })
}

const failed = (): Error => new Error('db crash')

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  const grown = async (strategy: 'one_for_one' | 'rest_for_one' | 'one_for_all', more: object = {}) => {
    const children = [routine('db', untilTold), routine('counter', counter, { resume: 'snapshot', ...more })]
    const tree = makeTree({ strategy, children, maxRestarts: 10 }, mode)
    await settle()
    count(tree.local, 5)
    return tree
  }

  test.each(['rest_for_one', 'one_for_all'] as const)(
    'Z4: %s: a group restart resumes, as a crash does, again and again',
    async (strategy) => {
      const { local, clock } = await grown(strategy)
      counting(local).send({ type: 'crash' })
      await settle()
      expect(read(local)).toEqual([2, 5])
      for (const incarnation of [3, 4, 5]) {
        count(local, 1)
        local.routine('db')?.exit(failed())
        await clock.advance(10)
        expect(read(local)).toEqual([incarnation, 5 + incarnation - 2])
      }
      // Its delay has run on all the while.
      await clock.advance(69)
      expect(counting(local).work.getSnapshot().value).toBe('counting')
      await clock.advance(1)
      expect(counting(local).work.getSnapshot().value).toBe('late')
    },
  )

  test.each(['one_for_one', 'one_for_all'] as const)('Z4: %s: terminateChild and restartChild begin anew', async (strategy) => {
    const { local } = await grown(strategy)
    await local.terminateChild('counter')
    await local.restartChild('counter')
    await settle()
    expect(read(local)).toEqual([2, 0])
    count(local, 2)
    counting(local).send({ type: 'crash' })
    await settle()
    expect(read(local)).toEqual([3, 2])
  })

  test('Z4: one that has done its work begins anew with its group', async () => {
    const { local } = await grown('one_for_all', { restart: 'transient' })
    counting(local).send({ type: 'end' })
    await settle()
    local.routine('db')?.exit(failed())
    await settle()
    expect(read(local)).toEqual([2, 0])
  })

  test('Z4: a group whose restart waits, or fails at first, resumes none the less', async () => {
    let refused = 1
    const start = (): void => {
      if (refused-- === 0) throw new Error('not yet')
    }
    const { local, clock } = makeTree(
      {
        strategy: 'rest_for_one',
        maxRestarts: 10,
        children: [
          routine('db', untilTold, { backoff: { initial: 20 } }),
          routine('counter', counter, { resume: 'snapshot' }),
          routine('fails once', untilTold, { start }),
        ],
      },
      mode,
    )
    await settle()
    count(local, 3)
    local.routine('db')?.exit(failed())
    await clock.advance(30)
    expect([refused, read(local)]).toEqual([-2, [2, 3]])
  })

  test('Z3, Z4: a fresh start in place of giving up is that of the one that crashed', async () => {
    const children = [routine('counter', counter, { resume: 'snapshot' }), routine('db', untilTold)]
    const { local, story } = makeTree({ strategy: 'one_for_all', children, maxRestarts: 1 }, mode)
    await settle()
    count(local, 4)
    counting(local).send({ type: 'crash' })
    await settle()
    expect(read(local)).toEqual([2, 4])
    counting(local).send({ type: 'crash' })
    await settle()
    expect([read(local), story(/gaveUp/)]).toEqual([[3, 0], []])
    counting(local).send({ type: 'crash' })
    await settle()
    expect(story(/gaveUp/)).toEqual(['manager.gaveUp g/a/l'])
  })

  test('Z4: in another life of its manager it begins anew', async () => {
    const { global, clock } = makeTree({}, mode)
    const app = global.createApp('b', {
      maxRestarts: 10,
      strategy: 'one_for_all',
      children: [routine('db', untilTold), manager('m', { children: [routine('counter', counter, { resume: 'snapshot' })] })],
    })
    await app.ready()
    const m = app.getLocal('m') as LocalManager
    await settle()
    count(m, 3)
    app.routine('db')?.exit(failed())
    await clock.advance(1)
    expect([m.incarnation, counting(m).work.getSnapshot().context.n]).toEqual([2, 0])
  })
})
