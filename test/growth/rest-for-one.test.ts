/** The end of a child under rest_for_one concerns those after it, and costs nothing for those before. */
import { expect, test } from 'vitest'
import { createGlobalManager, routine, type RoutineContext } from 'curtaincall'
import { ChildOrder } from '../../machines/child-order.ts'
import { growthOf } from '../support/steps.ts'

const steady = ({ signal }: RoutineContext) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

test('the crash of the last child takes as many steps among 2,000 as among 20', async () => {
  const growth = await growthOf(20, 2_000, async (n) => {
    let crash = () => {}
    let starts = 0
    const fragile = () =>
      new Promise<void>((_, reject) => {
        starts++
        crash = () => reject(new Error('again'))
      })
    const children = [...Array.from({ length: n - 1 }, (_, i) => routine(`steady ${i}`, steady)), routine('fragile', fragile)]
    const local = createGlobalManager().createApp('app').createLocal('local', { strategy: 'rest_for_one', children, maxRestarts: 100 })
    await local.ready()
    await new Promise((resolve) => setImmediate(resolve))
    let crashes = 0
    return async () => {
      crash()
      await new Promise((resolve) => setImmediate(resolve))
      expect(starts).toBe(++crashes + 1)
    }
  })
  expect(growth).toBeLessThan(1.5)
})

test('an order is that of a list, whatever comes and goes', () => {
  let list = Array.from({ length: 10 }, (_, i) => i)
  const order = new ChildOrder(list)
  for (let i = 10; i < 500; i++) {
    list.push(i)
    order.add(i)
    // More go than come.
    for (const gone of [i * 7, i * 3, i - 5].map((k) => list[k % list.length] as number)) {
      if (list.length < 5) break
      list = list.filter((each) => each !== gone)
      order.delete(gone)
    }
    for (const each of list) expect(order.from(each)).toEqual(list.slice(list.indexOf(each)))
  }
  expect(order.from(-1)).toEqual([])
})
