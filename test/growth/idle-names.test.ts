/** N1: names whose last routine has ended are kept for the next, some of them, and nobody sees that. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createGlobalManager, type LocalManager, type Routine } from 'curtaincall'
import type { NameGroup } from '../../src/count/index.ts'

const NAMES = 40

interface Level {
  readonly place: { readonly groups: Map<string, NameGroup<never>>; countOf(name: string): number }
}

const levelOf = (manager: object): Level => (manager as { readonly life: Level }).life

function tree() {
  const global = createGlobalManager()
  const app = global.createApp('app')
  const locals = [app.createLocal('one'), app.createLocal('two'), global.createApp('other').createLocal('three')]
  return { global, app, locals }
}

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

const step = fc.record({ local: fc.nat(2), name: fc.nat(NAMES - 1), more: fc.nat(9).map((chance) => chance === 0) })

const few = fc.array(step, { minLength: 200, maxLength: 300 })

test('N1: whoever comes and goes, each level knows how many of a name live, and nothing of those that do not', async () => {
  await fc.assert(
    fc.asyncProperty(few, async (steps) => {
      const { global, app, locals } = tree()
      const living = new Map<string, Routine<void>[]>()
      const of = (local: number, name: number): Routine<void>[] => {
        const key = `${local} ${name}`
        const own = living.get(key) ?? []
        living.set(key, own)
        return own
      }
      for (const { local, name, more } of steps) {
        const own = of(local, name)
        // Mostly there is none or one, so that many names have nobody.
        if (own.length === 0 || more) own.push((locals[local] as LocalManager).spawn(`n${name}`, untilAborted))
        else await own.shift()?.cancel()
        for (let each = 0; each < NAMES; each++) {
          const counts = locals.map((_, at) => of(at, each).length)
          const [one, two, three] = counts as [number, number, number]
          const expected: [object, number][] = [
            ...locals.map((manager, at): [object, number] => [manager, counts[at] as number]),
            [app, one + two],
            [global, one + two + three],
          ]
          const found = expected.map(([manager]) => levelOf(manager).place.countOf(`n${each}`))
          const lives = expected.map(([manager]) => levelOf(manager).place.groups.get(`n${each}`)?.isIdle === false)
          const counted = expected.map(([, count]) => count)
          if (found.some((count, at) => count !== counted[at])) expect(found).toEqual(counted)
          if (lives.some((is, at) => is !== (counted[at] as number) > 0)) expect(lives).toEqual(counted.map((count) => count > 0))
        }
      }
      await global.shutdown()
    }),
    { numRuns: 4, endOnFailure: true },
  )
})

test('N1: names that are made up do not gather, at no level', async () => {
  const { global, app, locals } = tree()
  for (let i = 0; i < 1_000; i++) await (locals[i % 3] as LocalManager).spawn(`name ${i}`, () => undefined).outcome
  for (const manager of [global, app, ...locals]) expect(levelOf(manager).place.groups.size).toBeLessThanOrEqual(16)
  expect(global.metrics().completed).toBe(1_000)
  await global.shutdown()
})

test('N1: a name that was kept is waited for as any other', async () => {
  const { global, locals } = tree()
  const [local] = locals as [LocalManager]
  await local.spawn('a', () => undefined).outcome
  await global.waitFor('a')
  const { promise, resolve } = Promise.withResolvers<void>()
  const again = local.spawn('a', () => promise)
  let waited = false
  const waiting = global.waitFor('a').then(() => (waited = true))
  await again.started
  expect(waited).toBe(false)
  resolve()
  await waiting
  await global.shutdown()
})
