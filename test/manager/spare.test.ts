/** The routine that each tree keeps for V8's sake: nobody hears of it, and nothing counts it. */
import { expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import type { Tree } from '../../src/turn/index.ts'

const spareOf = (global: object): unknown => (global as { tree: Tree }).tree.spare

test('a tree has a spare routine that never runs, and shows nowhere', async () => {
  const global = createGlobalManager()
  const heard: string[] = []
  global.on('*', ({ type }) => heard.push(type))
  expect(spareOf(global)).toMatchObject({ state: 'pending', incarnation: 1 })
  expect([global.routines(), global.count, global.metrics().spawned, global.metrics().byName, heard]).toEqual([[], 0, 0, {}, []])
  expect([global.whereis(''), global.routine('')]).toEqual([undefined, undefined])
  expect((await global.shutdown()).routines).toEqual([])
  expect(spareOf(global)).toMatchObject({ state: 'pending' })
})

test('one that is strict, or inspected, has none: its actor would show', () => {
  expect(spareOf(createGlobalManager({ strict: true }))).toBeUndefined()
  const seen: string[] = []
  expect(spareOf(createGlobalManager({ inspect: ({ type }) => void seen.push(type) }))).toBeUndefined()
})
