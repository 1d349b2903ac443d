/**
 * Plants bugs in a copy of the code, one at a time, and lets a campaign look for each:
 * how many runs it took, which law it broke, and how small the script became. Then the adversary looks for those of its own.
 * `npm run test:planted`
 */
import { searchAdversary } from './adversary-bugs.ts'
import { type Bug, searchWith, tidyUp } from './plant.ts'

const BUGS: readonly Bug[] = [
  {
    name: 'a local manager accepts while it closes',
    file: 'src/manager/local-manager.ts',
    from: 'if (this.closed) this.life.place.refuse',
    to: 'if (this.over) this.life.place.refuse',
  },
  {
    name: 'a tighter deadline from above is ignored',
    file: 'src/shutdown/shutdown.ts',
    from: "this.tighten('graceful', this.#closing.patience)",
    to: 'void 0',
  },
  {
    name: 'services stop in the order of their start',
    file: 'src/manager/subtree.ts',
    from: '[...this.startOrder])',
    to: '[...this.startOrder].reverse())',
  },
  {
    name: 'a killed routine keeps its permit',
    file: 'src/supervision/routine-registry.ts',
    from: 'if (!this.queue.remove(routine) && !keepPermit)',
    to: "if (!this.queue.remove(routine) && !keepPermit && routine.endKind !== 'killed')",
  },
  {
    name: 'one restart more than the limit',
    file: 'machines/restart-policy.ts',
    from: 'return this.count(now) <= this.max',
    to: 'return this.count(now) <= this.max + 1',
  },
  {
    name: 'who is given up on without having been asked is not told',
    file: 'src/routine/incarnation.ts',
    from: '    if (!this.asked) this.turn.deed(askBody, this)\n',
    to: '    if (!this.asked) this.#flags &= ~BODY_RUNS\n',
  },
  {
    name: 'a delayed restart is not disarmed when the routine ends',
    file: 'src/routine/supervised-routine.ts',
    from: '    stopBackOff(this)\n    this.#mailbox?.abandon()',
    to: '    this.#mailbox?.abandon()',
  },
  {
    name: 'a phase waits for nobody',
    file: 'machines/shutdown.ts',
    from: "if (phase === 'waiting') return living === 0",
    to: "if (phase === 'waiting') return true",
  },
  {
    name: 'what was told to stop is restarted',
    file: 'src/supervision/routine-registry.ts',
    from: 'return !routine.stopRequested && !this.#host.closed &&',
    to: 'return !this.#host.closed &&',
  },
  {
    name: 'the phase killing is skipped',
    file: 'machines/manager.ts',
    from: "waiting: { entry: 'wait', on: { phaseDone: 'killing' } }",
    to: "waiting: { entry: 'wait', on: { phaseDone: 'cleaning' } }",
  },
  {
    name: 'a second shutdown can slow the first one down',
    file: 'src/shutdown/shutdown.ts',
    from: 'const deadline = tighten(this.#deadline, this.#now() + timeout)\n    if (deadline < this.#deadline) {',
    to: 'const deadline = this.#now() + timeout\n    if (deadline !== this.#deadline) {',
  },
  {
    name: 'immediate during graceful is not heard',
    file: 'src/shutdown/shutdown.ts',
    from: "if (mode === 'immediate' && this.#mode !== 'immediate')",
    to: "if (mode === 'immediate' && this.#mode !== 'immediate' && this.#phase === 'closing')",
  },
]

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
  if (!found.found) missed++
  const { law, runs, routines, steps, events } = found
  console.log(
    found.found
      ? `| ${bug.name} | ${runs} | ${law} | ${routines ?? '–'}, ${steps ?? '–'}, ${events ?? '–'} |`
      : `| ${bug.name} | not in ${RUNS} | – | – |`,
  )
  if (wanted !== undefined) console.log(`\n${found.story}`)
}
missed += searchAdversary(wanted)
tidyUp()
process.exitCode = missed === 0 ? 0 : 1
