/** A byte of a small journal is changed, or the file ends there: what is opened then is right, or nothing is. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { harmAll, makeRemains } from './flips.ts'

test.each([
  ['killed', 'group', 709],
  // In the tables, rows are short.
  ['closed', 'group', 101],
  ['killed', 'system', 709],
] as const)('DS4: never wrong: %s, fsync %s, each %ith byte', async (end, fsync, stride) => {
  const folder = mkdtempSync(join(tmpdir(), 'curtaincall-flips-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const remains = await makeRemains(join(folder, 'made'), 3, end, fsync)
  const wrong: string[] = []
  const table = harmAll(join(folder, 'harmed'), remains, stride, fsync, (what) => wrong.push(what))
  expect(wrong).toEqual([])
  // Damage is known as that, not as something that has failed.
  expect([...table.values()].flatMap((counts) => [...counts.keys()])).not.toContain('refused: ERR_STORE_FAILED')
  const verdicts = new Set([...table.values()].flatMap((counts) => [...counts.keys()]))
  // It is looked at all that there is to see.
  expect(verdicts).toContain('as it was')
  expect([...verdicts].some((verdict) => verdict.startsWith(fsync === 'system' ? 'a prefix' : 'refused'))).toBe(true)
})
