/** Cases of the adversary by hand: many, sorted by the rule that they break, or one with its whole story. */
import { caseOf, describe, matrix, playAll } from '../adversary/campaign.ts'
import { hearStrayErrors, play } from '../adversary/play.ts'

/** Cases that are named for each rule. */
const NAMED = 8

/** Plays so many; the first that fails is told in full. */
export async function playCases(cases: number, seed: number): Promise<void> {
  let done = 0
  const campaign = await playAll(cases, seed, 0, () => {
    if (++done % 1_000 === 0) console.log(`${done} cases`)
  })
  const { failed, planned, given } = campaign
  const acts = [...given.values()].reduce((sum, each) => sum + each, 0)
  console.log(`${matrix(campaign)}\n\n${cases} cases, seed ${seed}: ${acts} of ${planned} acts were given, ${failed.length} cases fail`)
  const rules = new Map<string, number[]>()
  for (const { case: of, findings } of failed)
    for (const rule of new Set(findings.map((each) => each.rule))) rules.set(rule, [...(rules.get(rule) ?? []), of.index])
  for (const [rule, indices] of [...rules].sort(([, a], [, b]) => b.length - a.length))
    console.log(`${String(indices.length).padStart(8)} × ${rule}: cases ${indices.slice(0, NAMED).join(', ')}`)
  const [first] = failed
  if (first === undefined) return
  console.error(`\n${describe(first, seed)}`)
  process.exitCode = 1
}

/** Plays one and tells its story, whether it fails or not. */
export async function playCase(seed: number, index: number): Promise<void> {
  const stop = hearStrayErrors()
  const played = await play(caseOf(seed, index))
  stop()
  console.log(describe(played, seed))
  if (played.findings.length > 0) process.exitCode = 1
}
