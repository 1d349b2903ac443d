/** What a shutdown interrupts of durable routines: it goes on at the next start with all that was promised, or whoever asked is told. */
import type { RoutineContext } from 'curtaincall'
import { expect, test } from 'vitest'
import { spawn, start } from '../support/durable-tree.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { gate, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

/** It ends only when told to, and returns what it has read. */
const reads = async ({ messages }: RoutineContext<unknown, number>): Promise<number[]> => {
  const all: number[] = []
  for await (const { message } of messages) all.push(message)
  return all
}

test.each([
  ['an id made at random', undefined],
  ['a given id', 'x'],
])(
  'DR1: a message that was accepted before the store was open is there at the next start, though a shutdown came first: %s',
  async (_, id) => {
    const store = new MemoryStore()
    const opening = gate()
    store.opening = opening.promise
    const { local, global } = start(store, { reads })
    const routine = spawn(local, 'reads', reads, id)
    routine.send(1)
    routine.send(2)
    const report = global.shutdown()
    await settle()
    opening.resolve()
    await report
    await routine.durable
    expect(store.told.unfinished.get(routine.id)?.messages).toMatchObject([{ message: 1 }, { message: 2 }])
  },
)

test('DR6: durable of one that was stopped before it was found in the journal is refused, where it was sent something', async () => {
  const store = new MemoryStore()
  const first = start(store, { reads })
  spawn(first.local, 'reads', reads, 'x')
  await settle()
  store.kill()
  for (const sends of [true, false]) {
    const opening = gate()
    store.opening = opening.promise
    const { local, global } = start(store, { reads })
    const routine = spawn(local, 'reads', reads, 'x')
    if (sends) routine.send(1)
    const report = global.shutdown()
    await settle()
    opening.resolve()
    await report
    const durable = routine.durable.then(
      () => 'it lasts',
      (error: { code: string }) => error.code,
    )
    expect(await durable).toBe(sends ? 'ERR_STORE_CLOSED' : 'it lasts')
    expect(store.told.unfinished.get('x')?.messages).toEqual([])
    store.kill()
  }
})

test('DR4: a restart by hand that a shutdown comes in the way of is no outcome', async () => {
  const store = new MemoryStore()
  const { local, global } = start(store, { untilTold })
  const routine = spawn(local, 'untilTold', untilTold, 'x')
  await settle()
  routine.restart().catch(() => undefined)
  await global.shutdown()
  expect(store.told.outcomes.get('x')).toBeUndefined()
  store.kill()
  const next = start(store, { untilTold })
  await settle()
  expect(next.local.routine('x')?.state).toBe('running')
})

test('DR4: what has no run left has failed for good, also while its manager closes', async () => {
  const store = new MemoryStore()
  const fails = ({ closing, incarnation }: RoutineContext): Promise<never> => {
    if (incarnation === 1) throw new Error('once')
    return new Promise((_, reject) => closing.addEventListener('abort', () => reject(new Error('no more')), { once: true }))
  }
  const { local, global, clock } = start(store, { fails })
  spawn(local, 'fails', fails, 'last', { attempts: 2 })
  spawn(local, 'fails', fails, 'more', { attempts: 3 })
  await settle()
  const report = global.shutdown({ drain: 10, timeout: 1_000 })
  await clock.advance(100)
  await report
  expect(store.told.outcomes.get('last')?.outcome).toMatchObject({ status: 'failed' })
  expect([...store.told.unfinished.keys()]).toEqual(['more'])
})

test('DR4: what is permanent and returns while its manager closes goes on at the next start', async () => {
  const store = new MemoryStore()
  const returns = ({ closing }: RoutineContext): Promise<string> =>
    new Promise((resolve) => closing.addEventListener('abort', () => resolve('for now'), { once: true }))
  const { local, global, clock } = start(store, { returns })
  spawn(local, 'returns', returns, 'always', { restart: 'permanent' })
  spawn(local, 'returns', returns, 'once')
  await settle()
  const report = global.shutdown({ drain: 10, timeout: 1_000 })
  await clock.advance(100)
  await report
  expect(store.told.outcomes.get('once')?.outcome).toEqual({ status: 'completed', output: 'for now' })
  expect([...store.told.unfinished.keys()]).toEqual(['always'])
})

test('what is told to stop since the store has failed is told of that', async () => {
  const store = new MemoryStore()
  const reasons: unknown[] = []
  const looks = ({ signal }: RoutineContext): Promise<void> =>
    new Promise((resolve) =>
      signal.addEventListener('abort', () => {
        reasons.push(signal.reason)
        resolve()
      }),
    )
  const { local } = start(store, { looks })
  local.spawn('looks', looks)
  await settle()
  const gone = new Error('the disk is gone')
  ;(store.journal as NonNullable<typeof store.journal>).fail(gone)
  await settle()
  expect(reasons).toMatchObject([{ code: 'ERR_GAVE_UP', cause: gone }])
})

test('DR6: whenever a shutdown comes between a spawn and its place in the journal, what is said to last does', async () => {
  const said = new Set<string>()
  for (let turns = 0; turns < 40; turns++) {
    const store = new MemoryStore()
    const first = start(store, { reads })
    spawn(first.local, 'reads', reads, 'x')
    await settle()
    store.kill()
    const { local, global } = start(store, { reads })
    const routine = spawn(local, 'reads', reads, 'x')
    routine.send(1)
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    await global.shutdown()
    const lasts = await routine.durable.then(
      () => 'lasts',
      ({ code }: { code: string }) => code,
    )
    said.add(lasts)
    const { messages = [], handled = 0 } = store.told.unfinished.get('x') ?? {}
    expect([turns, handled + messages.length]).toEqual([turns, lasts === 'lasts' ? 1 : 0])
    expect((await routine.outcome).status).toBe('cancelled')
  }
  expect([...said]).toEqual(['ERR_STORE_CLOSED', 'lasts'])
})
