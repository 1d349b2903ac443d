/** The example, under virtual time: let it crash, state kept, escalation, recovery. */
import { expect, test } from 'vitest'
import { trade, type World } from '../../examples/02-orders/orders.ts'
import { makeTree } from '../support/tree.ts'

function world(blockedFor = 0): World {
  return { stock: { tea: 10, cups: 4 }, journal: [], road: { blockedFor } }
}

async function play(shop: World, orders: Parameters<typeof trade>[2]) {
  const { clock, global, events } = makeTree()
  const begun = clock.now()
  const trading = trade(global, shop, orders)
  await clock.runOut()
  const story = await trading
  const report = await Promise.all([global.shutdown(), clock.runOut()]).then(([each]) => each)
  return { story, report, events, took: clock.now() - begun, pending: clock.pending }
}

test('a bad message crashes the store, which goes on with its stock; only the order that sent it fails', async () => {
  const shop = world()
  const { story, report } = await play(shop, [
    { sku: 'tea', quantity: 2 },
    { sku: 'cups', quantity: Number.NaN },
    { sku: 'tea', quantity: 8 },
    { sku: 'tea', quantity: 1 },
  ])
  expect(story).toEqual([
    '2 tea on the way',
    'store crashed: cannot reserve NaN of cups',
    'order of NaN cups failed',
    '8 tea on the way',
    'tea is sold out',
  ])
  expect(shop.journal.map(({ quantity }) => quantity)).toEqual([2, 8])
  expect(report.totals).toMatchObject({ spawned: 7, completed: 3, failed: 1, cancelled: 3 })
})

test('a courier that cannot get through is restarted, then its shop; the order waits for it and arrives, reserved once', async () => {
  const shop = world(4)
  const { story, took, pending } = await play(shop, [{ sku: 'tea', quantity: 2 }])
  const crash = 'courier crashed: the road is blocked'
  expect(story).toEqual([crash, crash, crash, crash, 'g/trade/shop gave up', 'g/trade/shop was restarted', '2 tea on the way'])
  expect(shop.journal).toEqual([{ sku: 'tea', quantity: 2 }])
  // 50, 100, 200 and 400 ms of backing off.
  expect([took, pending]).toEqual([750, 0])
})
