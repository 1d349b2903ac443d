/**
 * An order that outlives its process: kill it with -9 wherever it stands, start it again, and it goes on from there.
 *
 *     npm run build && node examples/04-durable-order/order.ts /tmp/shop
 *
 * The order is a machine, and its state lies in a store after each step. A step that had begun when the process was killed is
 * done again; so whoever is called for it is given the id of the order, by which he knows that he was called before.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGlobalManager } from 'curtaincall'
import { sqliteStore } from 'curtaincall/sqlite'
import { assign, fromPromise, setup } from 'xstate'

interface Order {
  readonly id: string
  readonly amount: number
}

const folder = process.argv[2] ?? '/tmp/curtaincall-shop'
mkdirSync(folder, { recursive: true })
const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** The bank, far away: it remembers what it has charged, and does so once for each order. */
const ledger = join(folder, 'bank.txt')
async function charge({ id, amount }: Order): Promise<string> {
  const known = existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n') : []
  const receipt = `${id} paid ${amount}`
  if (!known.includes(receipt)) appendFileSync(ledger, `${receipt}\n`)
  // The answer takes its time, and the process may be gone before it comes.
  await new Promise((resolve) => setTimeout(resolve, 200))
  return receipt
}

const order = setup({
  types: {
    context: {} as Order & { receipt: string },
    input: {} as Order,
    events: {} as { type: 'packed' },
    output: {} as { receipt: string },
  },
  actors: { charge: fromPromise<string, Order>(({ input }) => charge(input)) },
  actions: { say: (_, { line }: { line: string }) => say(line) },
  delays: { cooling: 300 },
}).createMachine({
  context: ({ input }) => ({ ...input, receipt: '' }),
  initial: 'paying',
  states: {
    paying: {
      entry: { type: 'say', params: { line: 'paying' } },
      invoke: {
        src: 'charge',
        input: ({ context }) => context,
        onDone: { target: 'packing', actions: assign({ receipt: ({ event }) => event.output }) },
      },
    },
    packing: { entry: { type: 'say', params: { line: 'packing' } }, on: { packed: 'cooling' } },
    // Within this time it can be called off; what is left of it is waited for after a restart.
    cooling: { entry: { type: 'say', params: { line: 'cooling' } }, after: { cooling: 'shipped' } },
    shipped: { type: 'final' },
  },
  output: ({ context: { receipt } }) => ({ receipt }),
})

const global = createGlobalManager({ name: 'shop', store: sqliteStore(join(folder, 'shop.db')), work: { order } })
const orders = global.createApp('api').createLocal('orders')

const input = { id: 'order-7', amount: 42 }
// The first time it is new. Later it goes on where it was left; or it has ended, and nothing is done at all.
const routine = orders.spawn('order', order, { durable: true, id: input.id, input, resume: 'snapshot' })
await routine.durable
say('accepted')

// The warehouse says so as often as it likes: in any state but `packing` that changes nothing.
const packed = setInterval(() => routine.state === 'running' && routine.send({ type: 'packed' }), 100)
const outcome = await global.outcomeOf(input.id)
clearInterval(packed)
say(JSON.stringify(outcome))
await global.shutdown()
