/** What laws ask of a whole run they ask once: to judge it takes as much for each of its events however many there are. */
import { expect, test } from 'vitest'
import { manager, routine, type RoutineContext } from 'curtaincall'
import { laws, simulate, type TraceEvent } from 'curtaincall/testing'
import { RecentEnds } from '../../src/testing/run-index.ts'
import { stepsOf } from '../support/steps.ts'

const steady = ({ signal }: RoutineContext) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

test('no law looks at the whole run for each of its events', async () => {
  const runOf = async (n: number) => {
    const children = Array.from({ length: n }, (_, i) => routine(`child ${i}`, steady))
    const faults = Object.fromEntries(children.map(({ name }) => [name, 'throws(20, 1)']))
    const tree = { children: [manager('app', { children, maxRestarts: Infinity })] }
    return (await simulate(tree, { faults, laws: [], script: [{ do: 'wait', ms: 100 }] })).run
  }
  const [few, many] = [await runOf(20), await runOf(200)]
  const growth: Record<string, number> = {}
  for (const { name, check } of laws) {
    const steps: number[] = []
    for (const run of [few, many]) steps.push(await stepsOf(() => expect([...check(run)]).toEqual([])))
    if ((steps[1] as number) / (steps[0] as number) > 12) growth[name] = (steps[1] as number) / (steps[0] as number)
  }
  expect(growth).toEqual({})
}, 30_000)

test('ends within a window, whatever order they are reported in', () => {
  const at = (t: number) => ({ t, i: t }) as TraceEvent
  const recent = new RecentEnds()
  const counts = [
    [50, 0],
    [10, 0],
    [60, 20],
    [5, 20],
    [70, 55],
    [70, 65],
  ].map(([t, since]) => recent.add(at(t as number), since as number))
  expect(counts).toEqual([1, 2, 2, 3, 2, 2])
  expect(recent.all().map(({ t }) => t)).toEqual([70, 70])
})
