/**
 * Plants bugs in a copy of the code, one at a time, and lets a campaign look for each:
 * how many runs it took, which law it broke, and how small the script became. Then the adversary looks for those of its own.
 * `npm run test:planted`
 */
import { searchAdversary } from './adversary-bugs.ts'
import { BUGS } from './campaign-bugs.ts'
import { searchWith, tidyUp } from './plant.ts'

const RUNS = 20_000

const SEARCH = `
import { CounterexampleError, explainTrace, fuzzTree } from './src/testing/index.ts'
try {
  await fuzzTree({ runs: ${RUNS}, seed: 1, traces: false })
  console.log(JSON.stringify({ found: false }))
} catch (error) {
  if (!(error instanceof CounterexampleError)) throw error
  const { law, runs, shrinks, trace } = error
  const story = trace === undefined ? error.message : explainTrace(trace)
  const routines = trace?.events.filter(({ type, incarnation }) => type === 'routine.spawned' && incarnation === 1).length
  console.log(JSON.stringify({ found: true, law, runs, shrinks, steps: trace?.header.script.length, routines, events: trace?.events.length, story }))
}
`

interface Found {
  readonly found: boolean
  readonly law: string
  readonly runs: number
  readonly routines: number
  readonly steps: number
  readonly events: number
  readonly story: string
}

const wanted = process.argv[2]
let missed = 0
console.log('| planted | found in run | law broken | routines, steps, events of the shrunk run |\n| --- | ---: | --- | --- |')
for (const bug of BUGS.filter(({ name }) => wanted === undefined || name.includes(wanted))) {
  const found = searchWith(bug, SEARCH) as Found
  const { within = RUNS } = bug
  const inTime = found.found && found.runs <= within
  if (!inTime) missed++
  const { law, runs, routines, steps, events } = found
  console.log(
    found.found
      ? `| ${bug.name} | ${runs}${inTime ? '' : `, not within ${within}`} | ${law} | ${routines ?? '–'}, ${steps ?? '–'}, ${events ?? '–'} |`
      : `| ${bug.name} | not in ${RUNS} | – | – |`,
  )
  if (wanted !== undefined) console.log(`\n${found.story}`)
}
missed += searchAdversary(wanted)
tidyUp()
process.exitCode = missed === 0 ? 0 : 1
