/** Killed with -9, again and again: nothing acknowledged is lost, nothing reordered, no outcome is another. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { crash } from '../crash/campaign.ts'

test('DS1: 30 kills: while it opens, runs, digests, is backed up, closes, is full', { timeout: 240_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'curtaincall-crash-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const tally = await crash(folder, 30, 4)
  expect(tally.faults).toEqual([])
  expect(tally.kills).toBe(30)
  expect(Object.values(tally.moments).every((many) => many > 0)).toBe(true)
  expect([tally.acknowledged > 1_000, tally.backups > 0]).toEqual([true, true])
})
