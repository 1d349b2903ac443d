/** A program that is killed: it takes orders up, and says of each thing what was acknowledged. `check` says what it finds. */
import { createGlobalManager, type RoutineContext } from '../../src/index.ts'
import { sqliteStore } from '../../src/sqlite/index.ts'
import { assign, setup } from 'xstate'

const [, , file, mode] = process.argv
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const charge = async ({ input }: RoutineContext<{ n: number }>): Promise<object> => {
  await Promise.resolve()
  return { charged: input.n }
}
const cart = setup({
  types: { context: {} as { all: number[] }, events: {} as { type: 'add'; n: number } | { type: 'end' } },
}).createMachine({
  context: { all: [] },
  initial: 'open',
  states: {
    open: { on: { add: { actions: assign(({ context, event }) => ({ all: [...context.all, event.n] })) }, end: 'over' } },
    over: { type: 'final' },
  },
  output: ({ context }) => context.all,
})

const global = createGlobalManager({ name: 'shop', store: sqliteStore(file as string, { fsync: 'system' }), work: { charge, cart } })
const local = global.createApp('api').createLocal('orders')

async function trade(): Promise<void> {
  const carts = Array.from({ length: 5 }, (_, i) => local.spawn('cart', cart, { durable: true, id: `cart${i}`, resume: 'snapshot' }))
  for (const each of carts) await each.durable.then(() => say(`cart ${each.id}`))
  for (let n = 0; ; n++) {
    const routine = local.spawn('charge', charge, { durable: true, id: `charge${n}`, input: { n } })
    void routine.outcome.then(async () => {
      await routine.durable
      say(`outcome ${n}`)
    })
    const to = carts[n % carts.length] as (typeof carts)[number]
    to.send({ type: 'add', n })
    void to.durable.then(() => say(`message ${to.id} ${n}`))
    if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function check(): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const id = `cart${i}`
    for (let k = 0; k < 500 && local.routine(id) === undefined; k++) await new Promise((resolve) => setTimeout(resolve, 10))
    local.routine(id)?.send({ type: 'end' })
    say(JSON.stringify({ id, outcome: await global.outcomeOf(id, { timeout: 10_000 }) }))
  }
  for (let n = 0; ; n++) {
    const outcome = await global.outcomeOf(`charge${n}`, { timeout: 10_000 })
    if (outcome === undefined) break
    say(JSON.stringify({ n, outcome }))
  }
  await global.shutdown()
}

await (mode === 'check' ? check() : trade())
