/** What is found by id, or by name, costs the same however many others there are: D1 to D3, G2. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type LocalManager } from 'curtaincall'
import { growthOf } from '../support/steps.ts'

const forever = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

function scattered(n: number) {
  const global = createGlobalManager()
  const app = global.createApp('app')
  for (let i = 0; i < n; i++) app.createLocal(`local ${i}`).spawn(`name ${i}`, forever, { id: `id ${i}` })
  return { global, app }
}

describe('as many steps among 2,000 as among 20', () => {
  test('routine(id), of those retained', async () => {
    const growth = await growthOf(20, 2_000, async (n) => {
      const global = createGlobalManager()
      const local = global.createApp('app').createLocal('local', { retain: n })
      for (let i = 0; i < n; i++) await local.spawn('task', () => i, { id: `id ${i}` }).outcome
      return () => expect(global.routine('id 1')?.state).toBe('completed')
    })
    expect(growth).toBeLessThan(1.5)
  })

  test('routine(id) and whereis(id), over local managers', async () => {
    const growth = await growthOf(20, 2_000, async (n) => {
      const { global, app } = scattered(n)
      return () => {
        expect(app.routine(`id ${n - 1}`)?.name).toBe(`name ${n - 1}`)
        expect(global.whereis(`id ${n - 2}`)?.name).toBe(`name ${n - 2}`)
      }
    })
    expect(growth).toBeLessThan(1.5)
  })

  test('routinesNamed, over local managers', async () => {
    const growth = await growthOf(20, 2_000, async (n) => {
      const { global, app } = scattered(n)
      return () => {
        expect(app.routinesNamed(`name ${n - 1}`).map(({ id }) => id)).toEqual([`id ${n - 1}`])
        expect(global.routinesNamed(`name ${n - 2}`).map(({ id }) => id)).toEqual([`id ${n - 2}`])
        expect(global.routinesNamed('nobody')).toEqual([])
      }
    })
    expect(growth).toBeLessThan(1.5)
  })
})

describe('of several that have one id', () => {
  const spawned = (local: LocalManager, of: string) => local.spawn(of, forever, { id: 'x' })
  /** A tree of two apps with two local managers each. */
  function four() {
    const global = createGlobalManager()
    const [one, two] = [global.createApp('one'), global.createApp('two')]
    // Made in another order than they stand in.
    const [c, a, b, d] = [two.createLocal('c'), one.createLocal('a', { retain: 1 }), one.createLocal('b'), two.createLocal('d')]
    return { global, one, two, a, b, c, d }
  }

  test('the first in order of the tree is found, at each level', () => {
    const { global, one, two, a, b, c, d } = four()
    for (const local of [d, b, a, c]) spawned(local, local.name)
    const found = () => [global, one, two, a, b, c, d].map((manager) => manager.routine('x')?.name)
    expect(found()).toEqual(['a', 'a', 'c', 'a', 'b', 'c', 'd'])
    expect(['one/b/b', 'two/d/d', 'one/c/c'].map((path) => global.whereis(`${global.name}/${path}#x`)?.name)).toEqual(['b', 'd', undefined])
  })

  test('one that lives comes before one that is retained, and the latest retained is that of its manager', async () => {
    const { global, one, a, b } = four()
    const first = spawned(a, 'a')
    spawned(b, 'b')
    await first.cancel()
    expect([global, one, a].map((manager) => manager.routine('x')?.name)).toEqual(['b', 'b', 'a'])
    await b.routine('x')?.cancel()
    expect([global, one, a, b].map((manager) => manager.routine('x'))).toEqual([first, first, first, undefined])
    const second = spawned(a, 'again')
    expect(global.routine('x')).toBe(second)
    await second.cancel()
    expect([global.routine('x'), a.retained()]).toEqual([second, [second]])
    await a.spawn('other', () => 1).outcome
    expect(global.routine('x')).toBe(undefined)
  })

  test('an id that is first read after the end finds what is retained, and what is pushed out no longer', async () => {
    const { global, a } = four()
    const early = a.spawn('early', () => 1)
    await early.outcome
    const { id } = early
    expect(global.routine(id)).toBe(early)
    const late = a.spawn('late', () => 2)
    await late.outcome
    expect([global.routine(id), global.routine(early.id), global.routine(late.id)]).toEqual([undefined, undefined, late])
    await a.spawn('last', () => 3).outcome
    expect(global.routine(late.id)).toBe(undefined)
  })

  test('what a manager retains is found from itself once it has ended, and not from above', async () => {
    const { global, one, a } = four()
    const kept = spawned(a, 'a')
    await a.shutdown()
    expect([global, one, a].map((manager) => manager.routine('x')?.name)).toEqual([undefined, undefined, 'a'])
    const again = spawned(one.createLocal('a'), 'another')
    expect([global.routine('x'), a.routine('x')]).toEqual([again, kept])
  })

  test('of one name all are found, in order of the tree and of their spawning', async () => {
    const { global, one, two, a, b, c, d } = four()
    expect(global.routinesNamed('n')).toEqual([])
    for (const local of [d, b, a, c, a]) local.spawn('n', forever)
    const found = () => [global, one, two, a, d].map((manager) => manager.routinesNamed('n').map(({ path }) => path.split(/[/#]/)[2]))
    expect(found()).toEqual([['a', 'a', 'b', 'c', 'd'], ['a', 'a', 'b'], ['c', 'd'], ['a', 'a'], ['d']])
    await b.shutdown()
    await two.shutdown()
    one.createLocal('b').spawn('n', forever)
    expect(found()).toEqual([['a', 'a', 'b'], ['a', 'a', 'b'], [], ['a', 'a'], []])
  })
})
