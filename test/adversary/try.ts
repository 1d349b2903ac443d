import { caseOf, describe, playAll } from './campaign.ts'
import { play, hearStrayErrors } from './play.ts'
const [n = '100', seed = '1', one] = process.argv.slice(2)
if (one !== undefined) { hearStrayErrors(); console.log(describe(await play(caseOf(Number(seed), Number(one))), Number(seed))) }
else {
  const began = performance.now()
  const c = await playAll(Number(n), Number(seed))
  console.log(`${c.failed.length} of ${c.cases} fail, ${Math.round(performance.now() - began)} ms, given ${[...c.given.values()].reduce((a, b) => a + b, 0)} of ${c.planned}`)
  const rules = new Map<string, number[]>()
  for (const f of c.failed) for (const r of new Set(f.findings.map(({ rule }) => rule))) rules.set(r, [...(rules.get(r) ?? []), f.case.index])
  if (process.env.BY) { const by = new Map(); for (const f of c.failed) for (const r of new Set(f.findings.map(({ rule, message }) => `${rule} @ ${f.case.point}`))) by.set(r, [...(by.get(r) ?? []), f.case.index]); for (const [r, l] of [...by].sort()) console.log(String(l.length).padStart(6), r, l.slice(0, 5).join(' ')) }
  for (const [r, l] of [...rules].sort((a, b) => b[1].length - a[1].length)) console.log(String(l.length).padStart(6), r, l.slice(0, 12).join(' '))
}
