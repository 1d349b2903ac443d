/** Plays traces of Erlang/OTP's supervisor: `npm run otp -- FILE.jsonl…`. Ends with 1 on any mismatch. */
import { readFileSync } from 'node:fs'
import { compare, type Mismatch, show } from './compare.ts'
import { parse } from './scenario.ts'

/** How many differences are printed. */
const SHOWN = 5

const files = process.argv.slice(2)
if (files.length === 0) {
  console.error('usage: npm run otp -- FILE.jsonl…')
  process.exit(2)
}
const mismatches: Mismatch[] = []
let count = 0
let deviating = 0
const startedAt = performance.now()
for (const file of files) {
  for (const scenario of parse(readFileSync(file, 'utf8'), file)) {
    count++
    if (scenario.quirk !== undefined) deviating++
    const mismatch = await compare(scenario)
    if (mismatch !== undefined) mismatches.push(mismatch)
  }
}
for (const mismatch of mismatches.slice(0, SHOWN)) console.log(`${show(mismatch)}\n`)
if (deviating > 0) console.log(`${deviating} held to the documented deviation (test/otp/deviations.ts)`)
console.log(`${count} scenarios, ${mismatches.length} mismatches (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`)
process.exitCode = mismatches.length > 0 ? 1 : 0
