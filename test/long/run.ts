/**
 * A campaign by hand: `npm run test:long -- --runs 200000 --seed 1`; cases of the adversary: `npm run test:long -- --adversary --runs
 * 20000 --seed 2`, and one of them alone: `npm run test:long -- --adversary --seed 2 --case 17`; lives of a durable tree
 * over a simulated disk: `npm run test:long -- --lives --runs 20000 --seed 3`.
 */
import { parseArgs } from 'node:util'
import { CounterexampleError, fuzzTree, propertyLives } from 'curtaincall/testing'
import { goals } from './goals.ts'
import { campaign as ofLives, shop } from '../support/durable-shop.ts'
import { playCase, playCases } from './adversary.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    adversary: { type: 'boolean', default: false },
    lives: { type: 'boolean', default: false },
    case: { type: 'string' },
  },
})
const [runs, seed] = [Number(values.runs), Number(values.seed)]

/** Generated trees against the laws. */
async function campaign(): Promise<void> {
  const began = process.cpuUsage()
  let events = 0
  let done = 0

  try {
    const result = await fuzzTree({
      runs,
      seed,
      goals,
      onRun: ({ trace }) => {
        events += trace.events.length
        if (++done % 10_000 === 0) console.log(`${done} runs`)
      },
    })
    const { user, system } = process.cpuUsage(began)
    const seconds = (user + system) / 1e6
    console.log(
      `${runs} runs, seed ${seed}: every law holds; ${Math.round(runs / seconds)} runs per CPU second, ${Math.round(events / runs)} events a run`,
    )
    console.log(`the farthest came to ${result.reach.ms} ms of virtual time, the busiest to ${result.reach.timers} timers`)
    for (const [goal, times] of Object.entries(result.goals)) console.log(`  ${String(times).padStart(8)} × ${goal}`)
  } catch (error) {
    console.error(error instanceof CounterexampleError ? error.message : error)
    process.exitCode = 1
  }
}

/** Lives of a tree that outlives its process. */
async function lives(): Promise<void> {
  try {
    const result = await propertyLives(shop, { ...ofLives, runs, seed })
    console.log(`${result.runs} runs of ${result.lives} lives, seed ${seed}: every law holds`)
    for (const [goal, times] of Object.entries(result.goals)) console.log(`  ${String(times).padStart(8)} × ${goal}`)
  } catch (error) {
    console.error(error instanceof CounterexampleError ? error.message : error)
    process.exitCode = 1
  }
}

if (values.lives) await lives()
else if (!values.adversary) await campaign()
else if (values.case === undefined) await playCases(runs, seed)
else await playCase(seed, Number(values.case))
