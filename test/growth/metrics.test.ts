/** Metrics: a copy of the counters at its moment, at the same cost however many names there are: M1 to M3 of src/count/names-view.ts. */
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { createGlobalManager, type LocalManager, type Metrics } from 'curtaincall'
import { Counters } from '../../src/count/metrics.ts'
import { NamesView } from '../../src/count/names-view.ts'
import { growthOf } from '../support/steps.ts'

async function named(n: number): Promise<LocalManager> {
  const local = createGlobalManager().createApp('app').createLocal('local')
  for (let i = 0; i < n; i++) await local.spawn(`name ${i}`, () => i).outcome
  return local
}

test('metrics() takes as many steps with 900 names as with 20', async () => {
  const growth = await growthOf(20, 900, async (n) => {
    const local = await named(n)
    let completed = n
    return async () => {
      for (let i = 0; i < 20; i++) {
        await local.spawn(`name ${i}`, () => i).outcome
        expect(local.metrics().completed).toBe(++completed)
      }
    }
  })
  expect(growth).toBeLessThan(1.5)
})

test('M1: what is counted later is not in it, be it looked at now or then', async () => {
  const local = createGlobalManager().createApp('app').createLocal('local', { maxRoutines: 1 })
  const early = local.metrics()
  await local.spawn('a', () => 1).outcome
  const between = local.metrics()
  await local.spawn('a', () => 1).outcome
  await local.spawn('b', () => 1).outcome
  const late = local.metrics()
  const held = local.spawn('b', ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())))
  expect(() => local.spawn('a', () => 1)).toThrow()
  const completed = ({ byName }: Metrics) =>
    Object.entries(byName).map(([name, of]) => [name, of.completed, of.pending + of.running, of.refused])
  expect(completed(between)).toEqual([['a', 1, 0, 0]])
  expect(completed(early)).toEqual([])
  expect(completed(late)).toEqual([
    ['a', 2, 0, 0],
    ['b', 1, 0, 0],
  ])
  expect(completed(local.metrics())).toEqual([
    ['a', 2, 0, 1],
    ['b', 1, 1, 0],
  ])
  expect({ ...late }.byName).toEqual(late.byName)
  expect(JSON.parse(JSON.stringify(late))).toEqual(structuredClone(late))
  await held.cancel()
})

test('M1, M3: any of many views shows its moment, in whatever order they are looked at', () => {
  const action = fc.oneof(
    { weight: 4, arbitrary: fc.record({ count: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.constant({ view: true }) },
    { weight: 1, arbitrary: fc.record({ look: fc.nat(20) }) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const names = new Map<string, Counters>()
      let view: NamesView | undefined
      const views: { view: NamesView; expected: object }[] = []
      const look = ({ view: of, expected }: (typeof views)[number]) =>
        expect(Object.fromEntries(Object.entries(of.read()).map(([name, { restarts }]) => [name, restarts]))).toEqual(expected)
      for (const act of actions) {
        if ('count' in act) {
          const name = `n${act.count}`
          const counters = names.get(name) ?? new Counters()
          names.set(name, counters)
          view?.keep(counters)
          counters.restarts++
        } else if ('view' in act) {
          view = view?.now() ?? new NamesView(names, 0)
          views.push({ view, expected: Object.fromEntries([...names].map(([name, { restarts }]) => [name, restarts])) })
        } else if (views.length > 0) look(views[act.look % views.length] as (typeof views)[number])
      }
      views.forEach(look)
    }),
  )
})
