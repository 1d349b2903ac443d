/** The port of stores: what is appended to the journal, in which order, and how it is acknowledged. */
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { type JournalEntry, STORE, type Store } from '../../src/port/store.ts'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

class FakeStore implements Store {
  readonly entries: JournalEntry[] = []
  readonly acknowledge: ((error?: unknown) => void)[] = []

  append(entry: JournalEntry, acknowledge: (error?: unknown) => void): void {
    this.entries.push(entry)
    this.acknowledge.push(acknowledge)
  }

  get lines(): string[] {
    return this.entries.map(({ type, path }) => `${type} ${path}`)
  }
}

test('a spawn, its messages and its outcome are appended in order, before the call that caused them returns', async () => {
  const store = new FakeStore()
  const { local } = makeTree({}, { [STORE]: store })
  const routine = local.spawn(
    'echo',
    async ({ messages }) => {
      for await (const { message } of messages) return message
      return undefined
    },
    { input: { from: 'here' } } as never,
  )
  expect(store.entries).toEqual([{ type: 'spawned', path: 'g/a/l/echo#r1', input: { from: 'here' } }])
  ;(routine as unknown as { send(message: unknown): void }).send('hello')
  expect(store.entries[1]).toEqual({ type: 'message', path: 'g/a/l/echo#r1', message: 'hello' })
  await routine.outcome
  expect(store.entries[2]).toEqual({ type: 'outcome', path: 'g/a/l/echo#r1', outcome: { status: 'completed', output: 'hello' } })
  expect(store.entries).toHaveLength(3)
})

test('what is turned away is not appended', async () => {
  const store = new FakeStore()
  const { local } = makeTree({ maxRoutines: 1 }, { [STORE]: store })
  const routine = local.spawn('full', untilTold, { mailbox: { capacity: 1, overflow: 'drop-newest' } })
  const send = (message: unknown): void => (routine as unknown as { send(message: unknown): void }).send(message)
  await settle()
  send('kept')
  send('dropped')
  expect(() => local.spawn('refused', untilTold)).toThrow()
  expect(store.lines).toEqual(['spawned g/a/l/full#r1', 'message g/a/l/full#r1'])
})

test('a snapshot that is kept for a restart is appended', async () => {
  const store = new FakeStore()
  const { local } = makeTree({}, { [STORE]: store })
  const machine = setup({}).createMachine({ initial: 'on', states: { on: { on: { off: 'off' } }, off: { type: 'final' } } })
  const routine = local.spawn('lamp', machine, { resume: 'snapshot' })
  await settle()
  expect(store.lines).toEqual(['spawned g/a/l/lamp#r1', 'snapshot g/a/l/lamp#r1'])
  expect(store.entries[1]).toMatchObject({ snapshot: { status: 'active', value: 'on' } })
  await routine.cancel()
  expect(store.lines.at(-1)).toBe('outcome g/a/l/lamp#r1')
})

test('an acknowledgement is counted in a turn; one with an error is contained', async () => {
  const store = new FakeStore()
  const { local, global } = makeTree({}, { [STORE]: store })
  const { tree } = global as unknown as { readonly tree: { readonly acknowledged: number } }
  void local.spawn('one', () => undefined)
  await settle()
  expect(tree.acknowledged).toBe(0)
  store.acknowledge[0]?.()
  store.acknowledge[1]?.(new Error('the disk is full'))
  expect(tree.acknowledged).toBe(2)
  expect(global.metrics().contained).toBe(1)
})
