/** The programs that the inspector is tried with go the same way each time, and are what their views are to show. */
import { expect, test } from 'vitest'
import { createGlobalManager, type GlobalManager, type LifecycleEvent } from 'curtaincall'
import { counter } from '../support/tree.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { sendFleet } from './programs/fleet.ts'
import { openShop } from './programs/shop.ts'

function stage(): { readonly clock: VirtualClock; readonly global: GlobalManager; readonly events: LifecycleEvent[] } {
  const clock = new VirtualClock()
  const global = createGlobalManager({ name: 'p', clock, random: () => 0.5, generateId: counter() })
  const events: LifecycleEvent[] = []
  global.on('*', (event) => events.push(event))
  return { clock, global, events }
}

async function shop(): Promise<readonly LifecycleEvent[]> {
  const { clock, global, events } = stage()
  const { coupon } = await openShop(global, clock)
  await clock.advance(2_000)
  coupon()
  await clock.advance(3_000)
  expect(global.metrics().running).toBe(10)
  await Promise.all([global.shutdown(), clock.advance(10_000)])
  return events
}

test('the shop: its checkout fails for a coupon, and those behind it are restarted, and nobody else', async () => {
  const events = await shop()
  const failed = events.filter(({ type }) => type === 'routine.failed')
  expect(failed.map(({ path }) => path)).toEqual(['p/shop/books/checkout#checkout'])
  const stopped = events.filter(({ type, cause }) => type === 'routine.cancelled' && cause === failed[0]?.seq)
  expect(stopped.map(({ path }) => path.replace(/.*#/, ''))).toEqual(['mailer', 'receipts'])
  expect(await shop()).toEqual(events)
})

async function fleet(): Promise<readonly LifecycleEvent[]> {
  const { clock, global, events } = stage()
  sendFleet(global, clock)
  await clock.advance(10_000)
  expect(global.metrics().running).toBeGreaterThan(1_000)
  const [report] = await Promise.all([global.shutdown({ timeout: 20_000 }), clock.advance(30_000)])
  expect(report.duration).toBe(8_000)
  return events
}

test('the fleet: one of a thousand hangs, and one holds up the shutdown', async () => {
  const events = await fleet()
  const of = (wanted: LifecycleEvent['type']): string[] =>
    events.filter(({ type }) => type === wanted).map(({ path }) => path.replace(/.*\//, ''))
  expect(of('routine.hung')).toEqual(['tracker#tracker'])
  expect(of('routine.killed')).toEqual(['archive#archive'])
  expect(of('routine.failed').length).toBe(20)
  expect((await fleet()).map(({ type, path, at }) => [type, path, at])).toEqual(events.map(({ type, path, at }) => [type, path, at]))
})
