/** The table of the hot path against XState's own `transition()`, on as many random scripts as one likes: `npm run test:equality -- --runs 1000000`. */
import { parseArgs } from 'node:util'
import { holdEqual, holdManagersEqual, holdRemembered } from '../support/equality.ts'
import { table } from '../support/routine-table.ts'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '200000' }, seed: { type: 'string', default: '1' } } })
const { runs, steps, met } = holdEqual(Number(values.runs), Number(values.seed))
console.log(
  `${runs} scripts, ${steps} steps, seed ${values.seed}: snapshots, contexts, actions and their order are the same in table, integers and XState`,
)
console.log(`${met.size} of ${table.cells.length} pairs of state and event were met, the rarest ${Math.min(...met.values())} times`)

const managers = holdManagersEqual(Math.ceil(Number(values.runs) / 4), Number(values.seed))
console.log(
  `${managers.runs} scripts of managers, ${managers.steps} steps, ${managers.met.size} pairs of row and event: contexts and effects are the same in table and XState`,
)

const remembered = holdRemembered(Math.ceil(Number(values.runs) / 10), Number(values.seed))
console.log(`${remembered} steps of routines and managers: what is remembered of a decision is what XState decides, snapshots included`)
