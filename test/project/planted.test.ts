/** Faults that are put back by hand, to see that tests find them, still fit the code: a line that has moved on would be found too late. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ADVERSARY_BUGS } from '../long/adversary-bugs.ts'
import { BUGS } from '../long/campaign-bugs.ts'

const root = join(import.meta.dirname, '..', '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')

test.each([...BUGS, ...ADVERSARY_BUGS])('there is one place to plant "$name" in', ({ file, from, to }) => {
  expect(read(file).split(from)).toHaveLength(2)
  expect(to).not.toBe(from)
})

/** Of each part of a patch that changes a file: which one, and the lines that it expects there. */
function expected(patch: string): { file: string; lines: string }[] {
  return patch.split(/^diff .*\n/m).flatMap((part) => {
    const file = /^--- a\/(.*)$/m.exec(part)?.[1]
    if (file === undefined) return []
    const [, ...hunks] = part.split(/^@@.*\n/m)
    return hunks.map((hunk) => ({ file, lines: hunk.replace(/^\+.*\n/gm, '').replace(/^[ -]/gm, '') }))
  })
}

const patches = readdirSync(join(root, 'test', 'faults')).filter((file) => file.endsWith('.patch'))

test.each(patches)('%s applies', (patch) => {
  for (const { file, lines } of expected(read(join('test', 'faults', patch)))) expect(read(file)).toContain(lines)
})
