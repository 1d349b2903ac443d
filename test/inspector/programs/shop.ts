/**
 * Ten actors. Three customers ask for a price and put something into the basket three times a second; now and then one of them pays.
 * A coupon of more than the basket is worth makes the checkout, a machine, fail at its next payment: by rest_for_one the receipts and
 * the mailer behind it are restarted with it, while the database, the prices and the customers go on.
 *
 *     npx curtaincall run --controls test/inspector/programs/shop.ts      a coupon comes every ten seconds
 */
import { type Clock, type GlobalManager, type Program, type Routine, type RoutineContext, routine } from 'curtaincall'
import { assign, setup } from 'xstate'
import { ofPlatform, pause } from './pause.ts'

/** Milliseconds between two questions of one customer. */
const ROUND = 333
/** Rounds between two payments. */
const BASKET = 5

type Sku = 'tea' | 'cup'
const PRICES: Readonly<Record<Sku, number>> = { tea: 4, cup: 9 }

/** Answers whatever it is asked. */
async function database({ messages }: RoutineContext<undefined, { readonly get: Sku }, number>): Promise<void> {
  for await (const { message, reply } of messages) reply(PRICES[message.get])
}

type PriceEvent = { readonly type: 'price'; readonly sku: Sku; readonly reply?: (price: number) => void }

/** Prices are looked up once an hour; meanwhile they are what they were. */
const prices = setup({
  types: { context: {} as { asked: number }, events: {} as PriceEvent | { readonly type: 'refresh' } },
}).createMachine({
  id: 'prices',
  context: { asked: 0 },
  initial: 'fresh',
  states: {
    fresh: { after: { 3_600_000: 'stale' } },
    stale: { on: { refresh: 'fresh' } },
  },
  on: {
    price: {
      actions: [assign({ asked: ({ context }) => context.asked + 1 }), ({ event }) => event.reply?.(PRICES[event.sku])],
    },
  },
})

type CheckoutEvent =
  | { readonly type: 'add'; readonly sku: Sku; readonly price: number }
  | { readonly type: 'coupon'; readonly off: number }
  | { readonly type: 'pay'; readonly by: string }
  | { readonly type: 'booked' }

interface Basket {
  readonly items: readonly Sku[]
  readonly total: number
  readonly off: number
  readonly receipts: () => Routine<unknown, string> | undefined
}

const EMPTY = { items: [], total: 0, off: 0 }

/** Its bug: a payment of less than nothing is noticed only by whoever is to book it. */
const checkout = setup({
  types: { context: {} as Basket, events: {} as CheckoutEvent, input: {} as Pick<Basket, 'receipts'> },
  actions: {
    add: assign(({ context: { items, total } }, { sku, price }: { readonly sku: Sku; readonly price: number }) => ({
      items: [...items, sku],
      total: total + price,
    })),
    book: ({ context: { total, off, items, receipts } }, by: string) => {
      if (total < off) throw new RangeError(`cannot book ${total - off} for ${by}`)
      receipts()?.send(`${by} has paid ${total - off} for ${items.length}`)
    },
  },
}).createMachine({
  id: 'checkout',
  context: ({ input }) => ({ ...EMPTY, ...input }),
  initial: 'shopping',
  states: {
    shopping: {
      on: {
        add: { actions: { type: 'add', params: ({ event }) => event } },
        coupon: { actions: assign({ off: ({ event }) => event.off }) },
        pay: { target: 'booking', actions: { type: 'book', params: ({ event }) => event.by } },
      },
    },
    booking: {
      after: { 50: { target: 'shopping', actions: assign(EMPTY) } },
      on: { add: { actions: { type: 'add', params: ({ event }) => event } } },
    },
  },
})

/** Writes a receipt, and has it sent. */
const receipts =
  (mailer: () => Routine<unknown, string> | undefined) =>
  async ({ messages }: RoutineContext<undefined, string>): Promise<void> => {
    for await (const { message } of messages) mailer()?.send(`Receipt: ${message}`)
  }

async function mailer({ messages }: RoutineContext<undefined, string>): Promise<void> {
  for await (const { message: _mail } of messages) {
    // The road to the customer is somebody else's.
  }
}

interface Counter {
  readonly clock: Clock
  /** Whoever has this name at the moment; nobody while it is restarted. */
  readonly find: <Message, Reply>(name: string) => Routine<unknown, Message, Reply> | undefined
}

/** Buys something in each round, and pays when the basket is full. */
const customer =
  ({ clock, find }: Counter, offset: number) =>
  async ({ name, signal }: RoutineContext): Promise<void> => {
    await pause(clock, offset, signal)
    for (let round = 1; !signal.aborted; round++) {
      const sku = round % 2 === 0 ? 'tea' : 'cup'
      const price = await find<PriceEvent, number>('prices')?.ask({ type: 'price', sku })
      const basket = find<CheckoutEvent, unknown>('checkout')
      if (price !== undefined) basket?.send({ type: 'add', sku, price })
      if (round % BASKET === 0) basket?.send({ type: 'pay', by: name })
      await pause(clock, ROUND, signal)
    }
  }

/** Asks the database what everybody asks the prices. */
const auditor =
  ({ clock, find }: Counter) =>
  async ({ signal }: RoutineContext): Promise<void> => {
    while (await pause(clock, ROUND, signal)) await find<{ readonly get: Sku }, number>('database')?.ask({ get: 'tea' })
  }

export interface Shop {
  /** More than the basket is worth: the next payment fails. */
  coupon(): void
}

/** Opens the shop in a tree, by its clock. */
export async function openShop(global: GlobalManager, clock: Clock): Promise<Shop> {
  const find = <Message, Reply>(name: string) => global.whereis(name) as unknown as Routine<unknown, Message, Reply> | undefined
  const maybe = (name: string) => () => find<string, unknown>(name)
  const app = global.createApp('shop')
  const counter = app.createLocal('counter', { children: [routine('database', database), routine('prices', prices)] })
  const books = app.createLocal('books', {
    strategy: 'rest_for_one',
    maxRestarts: 20,
    children: [
      routine('ledger', database),
      routine('checkout', checkout, { input: { receipts: maybe('receipts') } }),
      routine('receipts', receipts(maybe('mailer'))),
      routine('mailer', mailer),
    ],
  })
  const town = app.createLocal('town', {
    children: [
      ...['anna', 'ben', 'cleo'].map((name, k) => routine(name, customer({ clock, find }, k * 100))),
      routine('auditor', auditor({ clock, find })),
    ],
  })
  await Promise.all([counter.ready(), books.ready(), town.ready()])
  return { coupon: () => find<CheckoutEvent, unknown>('checkout')?.send({ type: 'coupon', off: 1_000 }) }
}

const program: Program = async (global, { signal }) => {
  const shop = await openShop(global, ofPlatform)
  while (await pause(ofPlatform, 10_000, signal)) shop.coupon()
  return ['the shop is closed']
}

export default program
