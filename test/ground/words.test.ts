/** The example: an endless loop on a thread harms nobody else. */
import { expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { countAll } from '../../examples/03-words/words.ts'
import { BUG } from '../../examples/03-words/count.ts'

test('a page that sends the counter round in circles is found and ended, and all others are counted', { timeout: 30_000 }, async () => {
  const global = createGlobalManager({ logger: false })
  const pages = [
    { name: 'tea', text: 'tea first and tea last' },
    { name: 'snake', text: `an ${BUG} they say` },
    { name: 'stage', text: 'the curtain falls the curtain rises' },
  ]
  const story = await countAll(global, pages)
  expect(story.toSorted()).toEqual([
    'snake is silent: spin',
    'snake: cancelled',
    'stage: 6 words, most of them "the"',
    'tea: 5 words, most of them "tea"',
  ])
  const report = await global.shutdown()
  expect(report.totals).toMatchObject({ completed: 2, killed: 1 })
})
