/** What the inspector shows of a durable routine, and of the store. */
import { expect, test } from 'vitest'
import { describeActor } from '../../src/inspector/describe.ts'
import { Traffic } from '../../src/inspector/traffic.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

function factsOf({ global }: Tree, found: unknown): Record<string, string> {
  return Object.fromEntries(describeActor(found as never, new Traffic(global), []).facts)
}

test('the state of the store and its position; of a routine, whether it was brought back, its messages, and what is not written', async () => {
  const store = new MemoryStore()
  const first = makeTree({}, { store, work: { untilTold } })
  const routine = first.local.spawn('untilTold', untilTold, { durable: true, id: 'x', input: 1 })
  expect(factsOf(first, first.global)).toMatchObject({ store: 'opening, 0 entries' })
  expect(factsOf(first, routine)).toMatchObject({ durable: 'waits for the store' })
  await settle()
  store.manual = true
  ;(routine as unknown as { send(message: unknown): void }).send('a')
  expect(factsOf(first, first.global)).toMatchObject({ store: 'open, 1 entries' })
  expect(factsOf(first, first.local)).not.toHaveProperty('store')
  expect(factsOf(first, routine)).toMatchObject({ durable: 'yes', 'messages kept': '1, done up to 0', 'entries not written': '1' })
  store.kill(1)
  const second = makeTree({}, { store, work: { untilTold } })
  await settle()
  expect(factsOf(second, second.local.routine('x'))).toMatchObject({
    durable: 'yes, brought back from the store',
    'messages kept': '1, done up to 0',
    'entries not written': '0',
  })
  expect(factsOf(second, second.local.spawn('plain', untilTold))).not.toHaveProperty('durable')
})
