/** health() of trees that are wider, and deeper, than a stack holds. Real ones of that size take seconds to make. */
import { expect, test } from 'vitest'
import { healthOf } from '../../src/manager/health.ts'

type Life = Parameters<typeof healthOf>[0]

function life(path: string, below: readonly Life[], beat?: number): Life {
  return {
    path,
    tree: { clock: { now: () => 0 } },
    place: { hung: 0 },
    flock: { hasManagers: below.length > 0, below: () => below.values(), registry: { oldestBeat: () => beat } },
    supervisor: { window: { count: () => 0, left: () => 3 }, down: { paths: () => [] } },
    closed: false,
  } as unknown as Life
}

const MANY = 200_000

test('H2: of a manager with 200,000 others below it', () => {
  const below = Array.from({ length: MANY }, (_, i) => life(`${i}`, [], i % 10 === 0 ? undefined : i))
  const { children, oldestHeartbeat, status } = healthOf(life('a', below))
  expect([children.length, oldestHeartbeat, status]).toEqual([MANY, MANY - 1, 'healthy'])
  expect([children[0]?.path, children[7]?.oldestHeartbeat, children.at(-1)?.path]).toEqual(['0', 7, `${MANY - 1}`])
})

test('H2: of a tree of 200,000 levels', () => {
  let top = life('deepest', [], 5)
  for (let i = 0; i < MANY; i++) top = life(`${i}`, [top])
  let health = healthOf(top)
  expect([health.path, health.oldestHeartbeat]).toEqual([`${MANY - 1}`, 5])
  while (health.children[0] !== undefined) health = health.children[0]
  expect(health.path).toBe('deepest')
})
