/**
 * A small shop in the actor style: a store that keeps its stock over a crash, a courier that cannot
 * reach the road, orders that try again, and supervisors that decide.
 *
 *     npm run build && npx curtaincall run examples/02-orders/orders.ts
 */
import { type GlobalManager, manager, type Program, type Routine, type RoutineContext, routine } from 'curtaincall'
import { assign, setup } from 'xstate'

interface Order {
  readonly sku: string
  readonly quantity: number
}

type Reservation = 'reserved' | 'sold out'
type StoreEvent = { readonly type: 'reserve'; readonly reply?: (answer: Reservation) => void } & Order

/** What outlives every crash: the disk of the store, and the road of the courier. */
export interface World {
  readonly stock: Readonly<Record<string, number>>
  /** Each reservation, as it was made. */
  readonly journal: Order[]
  /** How many parcels are still to get stuck. */
  readonly road: { blockedFor: number }
}

type Stock = Readonly<Record<string, number>>

function take(stock: Stock, { sku, quantity }: Order): Stock {
  const left = stock[sku]
  // No answer for every way in which a caller can be wrong: what makes no sense is not done, and somebody else decides.
  if (left === undefined || !Number.isInteger(quantity)) throw new TypeError(`cannot reserve ${quantity} of ${sku}`)
  return { ...stock, [sku]: left - quantity }
}

/** The database: its state is its context, and a crash costs the message that caused it and nothing else. */
const store = setup({
  types: { context: {} as { stock: Stock; world: World }, events: {} as StoreEvent, input: {} as World },
  guards: { isShort: ({ context, event }) => event.quantity > (context.stock[event.sku] ?? Infinity) },
}).createMachine({
  // A fresh start reads the journal; a resumed one needs to read nothing.
  context: ({ input }) => ({ world: input, stock: input.journal.reduce(take, input.stock) }),
  on: {
    reserve: [
      { guard: 'isShort', actions: ({ event }) => event.reply?.('sold out') },
      {
        actions: [
          assign(({ context, event }) => ({ stock: take(context.stock, event) })),
          ({ context, event: { sku, quantity, reply } }) => {
            context.world.journal.push({ sku, quantity })
            reply?.('reserved')
          },
        ],
      },
    ],
  },
})

/** Takes parcels as they come. When the road is blocked it does what it can: it fails. */
async function courier({ input: road, messages }: RoutineContext<World['road'], Order, string>): Promise<void> {
  for await (const { message, reply } of messages) {
    if (road.blockedFor > 0) {
      road.blockedFor--
      throw new Error('the road is blocked')
    }
    reply(`${message.quantity} ${message.sku} on the way`)
  }
}

/** The whole tree is one expression. The courier depends on the store, so it is restarted with it; orders stand apart. */
const services = (world: World) => [
  manager('shop', {
    strategy: 'rest_for_one',
    maxRestarts: 3,
    restartWindow: 5_000,
    children: [routine('store', store, { input: world, resume: 'snapshot' }), routine('courier', courier, { input: world.road })],
  }),
  // An order that tries again is no emergency.
  manager('orders', { maxRoutines: 10, overflow: 'queue', maxRestarts: 1_000 }),
]

/** True for what a moment later may be different: who was asked is away, and not because of what it was asked. */
function isPassing(error: unknown, restarts: number): boolean {
  const { code, cause } = error as { code?: string; cause?: unknown }
  return restarts < 10 && code === 'ERR_NOT_RUNNING' && !(cause instanceof TypeError)
}

/** One order: a routine of its own, which asks and is restarted if nobody can answer. */
function placing(global: GlobalManager) {
  let reserved = false
  return async ({ input: order }: RoutineContext<Order>): Promise<string> => {
    if (!reserved) {
      const answer = await (find(global, 'store') as Routine<unknown, StoreEvent, Reservation>).ask({ type: 'reserve', ...order })
      if (answer === 'sold out') return `${order.sku} is sold out`
      // Outlives the restarts of this order: what is in the store's journal is not reserved twice.
      reserved = true
    }
    return (find(global, 'courier') as Routine<unknown, Order, string>).ask(order)
  }
}

/** Whoever has this name at the moment; a restart may have put another in its place. */
function find(global: GlobalManager, name: string): unknown {
  const found = global.whereis(name)
  if (found === undefined) throw Object.assign(new Error(`${name} is away`), { code: 'ERR_NOT_RUNNING' })
  return found
}

/** Places orders one after the other and says what became of each. */
export async function trade(global: GlobalManager, world: World, orders: readonly Order[]): Promise<string[]> {
  const app = global.createApp('trade', { children: services(world) })
  await app.ready()
  const story: string[] = []
  using _crashes = app.on('routine.failed', ({ name, error }) => {
    if (name !== 'order') story.push(`${name} crashed: ${(error as Error).message}`)
  })
  using _limits = app.on('manager.gaveUp', ({ path }) => story.push(`${path} gave up`))
  using _lives = app.on('manager.restarted', ({ path }) => story.push(`${path} was restarted`))
  for (const input of orders) {
    const order = app.getLocal('orders')?.spawn('order', placing(global), {
      input,
      restart: 'transient',
      restartIf: isPassing,
      backoff: { initial: 50, factor: 2, max: 1_000 },
    })
    const outcome = await order?.outcome
    story.push(outcome?.status === 'completed' ? outcome.output : `order of ${input.quantity} ${input.sku} ${outcome?.status}`)
  }
  return story
}

const program: Program = (global) =>
  trade(global, { stock: { tea: 10, cups: 4 }, journal: [], road: { blockedFor: 5 } }, [
    { sku: 'tea', quantity: 2 },
    { sku: 'cups', quantity: Number.NaN },
    { sku: 'tea', quantity: 3 },
  ])

export default program
