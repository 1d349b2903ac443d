/** Held beside Erlang/OTP: 4,613 recorded scenarios, played with the managers and routines that any program has. */
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compare, show } from './compare.ts'
import { deviations } from './deviations.ts'
import { parse, type Scenario } from './scenario.ts'

function traces(name: string): Scenario[] {
  return parse(brotliDecompressSync(readFileSync(new URL(`traces/${name}.jsonl.br`, import.meta.url))).toString(), name)
}

describe('supervision is that of Erlang/OTP', () => {
  test.each([
    ['suite', 113, false],
    ['public', 3_000, false],
    ['nested', 1_500, false],
    ['suite', 113, true],
    ['public', 3_000, true],
    ['nested', 1_500, true],
  ])(
    'OTP: all of %s.jsonl, %i scenarios, strict: %o',
    async (name, count, strict) => {
      const scenarios = traces(name)
      expect(scenarios).toHaveLength(count)
      const mismatches: string[] = []
      for (const scenario of scenarios) {
        const mismatch = await compare(scenario, strict)
        if (mismatch !== undefined) mismatches.push(show(mismatch))
        if (mismatches.length === 3) break
      }
      expect(mismatches).toEqual([])
    },
    60_000,
  )

  test('every deviation is of a scenario that OTP itself calls a quirk', () => {
    const quirks = traces('suite').filter(({ quirk }) => quirk !== undefined)
    expect(quirks.map(({ name }) => name).toSorted()).toEqual(Object.keys(deviations).toSorted())
  })

  test('a trace that is wrong is seen, with the step and both sides', async () => {
    const [scenario] = traces('suite').filter(({ name }) => name === 'permanent_normal') as [Scenario]
    const forged = JSON.parse(JSON.stringify(scenario).replace('"exit"', '"stop"')) as Scenario
    expect(show((await compare(forged)) as NonNullable<Awaited<ReturnType<typeof compare>>>)).toMatch(
      /permanent_normal, at step 2.*\n.*\n.*"stop".*\n.*"exit"/,
    )
  })

  test('a file that is cut names the line', () => {
    expect(() => parse('{"name":"x","sup":{},"steps":[]}\n{"name"', 'cut.jsonl')).toThrow('cut.jsonl:2 is not a scenario')
  })
})
