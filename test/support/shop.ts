/** A tree with something in it for every view of the inspector: a machine of its own, failures, restarts, somebody deaf. */
import { type GlobalManager, type LocalManager, manager, type Routine, routine } from 'curtaincall'
import { createGlobalManager } from 'curtaincall'
import { assign, setup } from 'xstate'

interface Cart {
  readonly items: readonly { readonly id: number; readonly sku: string }[]
  readonly total: number
}
type OrderEvent = { type: 'add' } | { type: 'pay' } | { type: 'paid' } | { type: 'fail' } | { type: 'ship' }

/** Nested and parallel, with guards, delays and ends. */
const orderMachine = setup({
  types: { context: {} as Cart, events: {} as OrderEvent },
  guards: { isFull: ({ context }) => context.total > 0 },
  actions: {
    put: assign(({ context: { items, total } }) => ({
      items: [...items, { id: items.length, sku: `sku-${items.length}` }],
      total: total + 5,
    })),
  },
}).createMachine({
  id: 'order',
  initial: 'cart',
  context: { items: [], total: 0 },
  states: {
    cart: { on: { add: { actions: 'put' }, pay: { guard: 'isFull', target: 'checkout' } } },
    checkout: {
      type: 'parallel',
      states: {
        payment: { initial: 'waiting', states: { waiting: { on: { paid: 'done' } }, done: { type: 'final' } } },
        stock: { initial: 'reserving', states: { reserving: { after: { 200: 'done' } }, done: { type: 'final' } } },
      },
      onDone: 'ready',
      on: { fail: 'cart' },
    },
    ready: { on: { ship: 'shipped' }, after: { 60_000: 'cart' } },
    shipped: { type: 'final' },
  },
})

const untilAborted = ({ signal }: { readonly signal: AbortSignal }): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener('abort', resolve))

export interface Shop {
  readonly global: GlobalManager
  readonly orders: LocalManager
  readonly images: LocalManager
  readonly order: Routine<unknown, OrderEvent>
  /** Something fails, is restarted, and succeeds. */
  stumble(): Promise<void>
}

/** Makes one, with so many sessions beside. */
export function openShop(sessions = 10): Shop {
  const infra = manager('infra', {
    strategy: 'one_for_all',
    children: [
      routine(
        'db',
        ({ incarnation, signal }) =>
          new Promise<unknown>((resolve, reject) => {
            signal.addEventListener('abort', resolve)
            if (incarnation < 3) setTimeout(() => reject(new Error('connection lost')), 20)
          }),
      ),
      routine('cache', untilAborted),
    ],
  })
  const global = createGlobalManager({ name: 'shop', children: [infra] })
  const api = global.createApp('api')
  const orders = api.createLocal('orders')
  const images = api.createLocal('images', { maxRoutines: 8, overflow: 'queue', maxRestarts: 1_000 })
  const order = orders.spawn('order', orderMachine) as unknown as Routine<unknown, OrderEvent>
  orders.spawn('deaf', () => new Promise(() => undefined), { shutdown: 60_000 })
  const bulk = global.createApp('bulk')
  for (let shard = 0, left = sessions; left > 0; shard++) {
    const local = bulk.createLocal(`shard-${shard}`)
    for (const many = Math.min(left, Math.max(10, sessions / 10)); local.count < many; left--) local.spawn('session', untilAborted)
  }
  return { global, orders, images, order, stumble: () => stumble(images) }
}

async function stumble(images: LocalManager): Promise<void> {
  let runs = 0
  const resize = (): string => {
    if (++runs === 1) throw new Error('the disk is busy')
    return 'resized'
  }
  await images.spawn('resize', resize, { restart: 'transient' }).outcome
}
