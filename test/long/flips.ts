/** `npm run flips -- [--stride N] [--seed S] [--fsync group|system]`: each byte of a small journal changed, or cut off there. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { harmAll, makeRemains, tableText } from '../sqlite/flips.ts'

const { values } = parseArgs({
  options: {
    stride: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    fsync: { type: 'string', default: 'group' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'curtaincall-flips-'))
const fsync = values.fsync as 'group' | 'system'
const say = (text: string): void => void process.stdout.write(text)
let wrong = 0
const tell = (what: string): void => {
  wrong++
  say(`${what}\n`)
}
for (const end of ['killed', 'closed'] as const) {
  const remains = await makeRemains(join(folder, end), Number(values.seed), end, fsync)
  const table = harmAll(join(folder, 'harmed'), remains, Number(values.stride), fsync, tell)
  say(`\n${end}, fsync: '${fsync}'\n\n${tableText(table)}`)
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = wrong > 0 ? 1 : 0
