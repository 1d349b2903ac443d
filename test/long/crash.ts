/** `npm run crash -- [--kills N] [--seed S] [--folder F]`: kills a program that uses a store, again and again, and tells what was lost. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { crash } from '../crash/campaign.ts'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '100' }, seed: { type: 'string', default: '1' }, folder: { type: 'string' } },
})
const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'curtaincall-crash-'))
const begun = performance.now()
const tally = await crash(folder, Number(values.kills), Number(values.seed), (line) => process.stdout.write(`${line}\n`))
const { faults, moments, ...counts } = tally
const rows = {
  ...counts,
  longestOpening: `${Math.round(tally.longestOpening)} ms`,
  seconds: Math.round((performance.now() - begun) / 1_000),
}
process.stdout.write(
  `\n| | |\n| --- | --- |\n${Object.entries({ ...rows, ...moments })
    .map(([name, value]) => `| ${name} | ${value} |\n`)
    .join('')}\n`,
)
for (const fault of faults) process.stdout.write(`${fault}\n`)
if (faults.length > 0) process.stdout.write(`kept: ${folder}\n`)
else if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
process.exitCode = faults.length > 0 ? 1 : 0
