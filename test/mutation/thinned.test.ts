/** A share of the recorded scenarios and of the generated trees: enough to hold a mutant against in seconds. */
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { fuzzTree } from 'curtaincall/testing'
import { compare } from '../otp/compare.ts'
import { parse } from '../otp/scenario.ts'

test.each([
  ['suite', 113, 1],
  ['public', 3_000, 10],
  ['nested', 1_500, 8],
])('OTP: %s', async (name, count, every) => {
  const text = brotliDecompressSync(readFileSync(new URL(`../otp/traces/${name}.jsonl.br`, import.meta.url))).toString()
  const scenarios = parse(text, name)
  expect(scenarios).toHaveLength(count)
  for (const scenario of scenarios.filter((_, i) => i % every === 0)) expect(await compare(scenario, false)).toBeUndefined()
})

test.each([1, 2])('every law holds of generated trees, seed %i', async (seed) => {
  await fuzzTree({ runs: 150, seed, traces: false })
})
