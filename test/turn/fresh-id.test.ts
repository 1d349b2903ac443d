/** The ids that the library makes where it is given none. */
import { expect, test, vi } from 'vitest'
import { freshId } from '../../src/turn/fresh-id.ts'

test('ids have eight of sixty-four characters, each of them as often as any other, and none comes twice', () => {
  const ids = Array.from({ length: 20_000 }, freshId)
  expect(ids.filter((id) => !/^[\w-]{8}$/.test(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
  const counts = new Map<string, number>()
  for (const character of ids.join('')) counts.set(character, (counts.get(character) ?? 0) + 1)
  expect(counts.size).toBe(64)
  // 2,500 of each are expected, with a deviation of 50.
  expect(Math.min(...counts.values())).toBeGreaterThan(2_100)
  expect(Math.max(...counts.values())).toBeLessThan(2_900)
})

test('the platform is asked for the chance of many at once', () => {
  const asked = vi.spyOn(crypto, 'getRandomValues')
  try {
    for (let i = 0; i < 10_000; i++) freshId()
    expect(asked.mock.calls.length).toBeLessThan(5)
  } finally {
    asked.mockRestore()
  }
})
