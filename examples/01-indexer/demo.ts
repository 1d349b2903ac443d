/**
 * A small shop that never comes to rest, for `npm start`: beside the indexer's job, to see in the inspector what goes wrong, is
 * restarted, and holds up a shutdown.
 *
 * - Every few seconds a customer pays with no card. The machine `payment` fails, and its group is restarted.
 * - `pricing` loses its connection now and then, and comes back after a backoff.
 * - Twice a minute `exports` is shut down; `legacy-export` does not listen, and has to be killed.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnyRoutine, type AppManager, type GlobalManager, type RoutineContext, routine } from 'curtaincall'
import { assign, setup } from 'xstate'

interface Bill {
  readonly card: { readonly number: string } | undefined
  readonly items: readonly string[]
  readonly paid: number
}
type BillEvent =
  | { readonly type: 'order'; readonly item: string; readonly card: Bill['card'] }
  | { readonly type: 'confirm' }
  | { readonly type: 'cancel' }

function charge({ card, items }: Bill): string {
  try {
    return (card as { readonly number: string }).number
  } catch (cause) {
    throw new Error(`the order of ${items.length} items can't be paid: there is no card`, { cause })
  }
}

const payment = setup({
  types: { context: {} as Bill, events: {} as BillEvent, input: {} as { readonly desk: string; readonly currencies: readonly string[] } },
  actions: {
    take: assign(({ context, event }) => (event.type === 'order' ? { card: event.card, items: [...context.items, event.item] } : {})),
    charge: ({ context }) => void charge(context),
    close: assign(({ context }) => ({ items: [], paid: context.paid + context.items.length })),
  },
}).createMachine({
  id: 'payment',
  initial: 'waiting',
  context: { card: undefined, items: [], paid: 0 },
  states: {
    waiting: { on: { order: { target: 'open', actions: 'take' } } },
    open: {
      on: { order: { actions: 'take' }, confirm: { target: 'paid', actions: ['charge', 'close'] }, cancel: 'waiting' },
    },
    paid: { after: { 500: 'waiting' } },
  },
})

const untilTold = ({ signal }: RoutineContext): Promise<unknown> => sleep(2 ** 31 - 1, undefined, { signal })

/** One customer after another; each sixth has no card. */
async function customers({ signal, input: global }: RoutineContext<GlobalManager>): Promise<void> {
  for (let k = 1; !signal.aborted; k++) {
    const card = k % 6 === 0 ? undefined : { number: `4929-${1_000 + k}` }
    for (const event of [
      { type: 'order', item: `sku-${k}`, card },
      { type: 'order', item: `sku-${k + 100}`, card },
      { type: 'confirm' },
    ] satisfies BillEvent[]) {
      const desk = global.whereis('run/demo/desk/payment#payment') as AnyRoutine | undefined
      desk?.send(event as never)
      await sleep(700, undefined, { signal })
    }
  }
}

async function pricing({ signal, input: { currency }, heartbeat }: RoutineContext<{ readonly currency: string }>): Promise<never> {
  for (let k = 0; k < 25; k++) {
    heartbeat()
    await sleep(900, undefined, { signal })
  }
  throw new Error(`no prices in ${currency}`, { cause: Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' }) })
}

/** Deaf: it never looks at its signal. */
const legacyExport = (): Promise<never> => new Promise(() => undefined)

/** Opens the exports and shuts them down again, and waits for those who do not obey. */
async function nightShift({ signal, input: app }: RoutineContext<AppManager>): Promise<void> {
  while (!signal.aborted) {
    const children = [
      routine('legacy-export', legacyExport, { shutdown: 6_000, input: { month: '2026-11' } }),
      routine('newsletter', untilTold),
    ]
    const exports = app.createLocal('exports', { children })
    await sleep(12_000, undefined, { signal })
    await exports.shutdown({ timeout: 8_000 })
    await sleep(12_000, undefined, { signal })
  }
}

/** Opens it; it goes on until its tree is shut down. */
export function openDemo(global: GlobalManager): void {
  const app = global.createApp('demo')
  app.createLocal('desk', {
    strategy: 'one_for_all',
    maxRestarts: 4,
    restartWindow: 40_000,
    children: [routine('payment', payment, { input: { desk: 'Berlin', currencies: ['EUR', 'CHF'] } }), routine('receipts', untilTold)],
  })
  const local = app.createLocal('shop')
  local.spawn('pricing', pricing, {
    input: { currency: 'EUR' },
    restart: 'permanent',
    hungAfter: 5_000,
    backoff: { initial: 4_000, factor: 2, max: 10_000 },
  })
  local.spawn('customers', customers, { input: global })
  local.spawn('night-shift', nightShift, { input: app })
}
