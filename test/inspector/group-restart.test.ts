/** A child that is stopped with its group has the failure that stopped it as its cause, wherever one asks; and so has its next start. */
import { describe, expect, test } from 'vitest'
import { manager, routine, type RoutineContext } from 'curtaincall'
import { Watch } from '../../src/inspector/watch.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

interface Group extends Tree {
  readonly watch: Watch
  /** Fails the one in the middle. */
  fail(message: string): Promise<void>
  readonly pathOf: (name: string) => string
}

async function group(strategy: 'one_for_all' | 'rest_for_one', isOpen: boolean): Promise<Group> {
  let fails: ((error: Error) => void) | undefined
  const middle = ({ signal }: RoutineContext): Promise<unknown> =>
    new Promise((resolve, reject) => {
      fails = reject
      signal.addEventListener('abort', resolve, { once: true })
    })
  const tree = makeTree({
    strategy,
    maxRestarts: 10,
    children: [
      routine('first', untilTold),
      routine('middle', middle),
      routine('last', untilTold),
      manager('below', { children: [routine('inner', untilTold)] }),
    ],
  })
  await tree.local.ready()
  const watch = new Watch(tree.global)
  if (isOpen) watch.begin()
  return {
    ...tree,
    watch,
    fail: async (message) => {
      fails?.(new Error(message))
      await settle()
      await settle()
    },
    pathOf: (name) => (name === 'inner' ? `g/a/l/below/inner#inner` : `g/a/l/${name}#${name}`),
  }
}

describe.each(['one_for_all', 'rest_for_one'] as const)('%s', (strategy) => {
  test('the end of a sibling, and its next start: in Why, and in the log', async () => {
    const { watch, fail, pathOf, events } = await group(strategy, true)
    await fail('connection lost')
    const stopped = events.findLast(({ type, path }) => type === 'routine.cancelled' && path === pathOf('last'))
    const begun = events.findLast(({ type, path }) => type === 'routine.started' && path === pathOf('last'))
    for (const event of [stopped, begun]) {
      const told = watch.answer('why', { seq: event?.seq })
      expect(told?.headline).toContain('because middle failed in run 1: Error: connection lost')
      expect(told?.steps.map(({ type }) => type)).toContain('routine.failed')
    }
    const { lines } = watch.answer('log', { path: pathOf('last') })
    expect(lines.map(({ type, because }) => [type, because])).toEqual([
      ['routine.cancelled', 'middle failed in run 1: Error: connection lost'],
      ['routine.spawned', 'middle failed in run 1: Error: connection lost'],
      ['routine.started', undefined],
    ])
    watch.close()
  })

  test('the same below a manager that is stopped with the group', async () => {
    const { watch, fail, pathOf, events } = await group(strategy, true)
    await fail('connection lost')
    const own = events.filter(({ path, cause }) => path === pathOf('inner') && cause !== null).slice(-3)
    expect(own.map(({ type }) => type)).toEqual(['routine.cancelled', 'routine.spawned', 'routine.started'])
    for (const { seq } of own) {
      const told = watch.answer('why', { seq })
      expect([told?.steps.some(({ sentence }) => sentence.startsWith('middle failed in run 1')), told?.cut]).toEqual([true, true])
      expect(told?.headline).toContain('because middle failed in run 1')
    }
    watch.close()
  })

  test('who opens a page only afterwards is told it, too', async () => {
    const { watch, fail, pathOf } = await group(strategy, false)
    await fail('connection lost')
    watch.begin()
    expect(watch.answer('why', { path: pathOf('last') })?.headline).toMatch(
      /^last was told to stop.* – because middle failed in run 1: Error/,
    )
    watch.close()
  })

  test('of several failures it is the one that stopped it', async () => {
    const { watch, fail, pathOf } = await group(strategy, true)
    for (const message of ['one', 'two', 'three']) await fail(message)
    const { lines } = watch.answer('log', { path: pathOf('last'), only: ['routine.cancelled'] })
    expect(lines.map(({ because }) => because)).toEqual(
      ['one', 'two', 'three'].map((each, k) => `middle failed in run ${k + 1}: Error: ${each}`),
    )
    expect(watch.answer('why', { seq: lines.at(-1)?.seq })?.headline).toContain('because middle failed in run 3: Error: three')
    watch.close()
  })

  test('who is stopped by name after all that is not stopped for it', async () => {
    const { watch, fail, local, events } = await group(strategy, true)
    await fail('long ago')
    await local.routine('middle')?.cancel()
    const end = events.findLast(({ type }) => type === 'routine.cancelled')
    expect(watch.answer('why', { seq: end?.seq })?.headline).not.toContain('because')
    expect(watch.answer('log', { only: ['routine.cancelled'] }).lines.at(-1)?.because).toBeUndefined()
    watch.close()
  })
})

test('a child that is started by hand in a later life of its manager is started for its own sake', async () => {
  const { fail, global, events } = await group('one_for_all', true)
  await fail('connection lost')
  const below = global.whereis('g/a/l/below') as unknown as ReturnType<typeof makeTree>['local']
  await below.startChild(routine('late', untilTold))
  expect(events.findLast(({ type }) => type === 'routine.spawned')).toMatchObject({ path: 'g/a/l/below/late#late', cause: null })
})
