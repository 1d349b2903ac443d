/** Durable routines where things overlap: cancels before the answer, readers beside each other, steps within steps, stores that come late. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { RoutineContext } from 'curtaincall'
import { expect, test } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'
import { spawn, start } from '../support/durable-tree.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { deaf, gate, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const linesOf = (store: MemoryStore): string[] => store.lines.filter((line) => !line.startsWith('spawned'))

test('DR6: durable of a spawn whose id is known covers what was said of it before', async () => {
  const store = new MemoryStore()
  const once = (): string => 'once'
  const { local } = start(store, { once })
  await settle()
  store.manual = true
  const first = spawn(local, 'once', once, 'x')
  await first.outcome
  await settle()
  const second = spawn(local, 'once', once, 'x')
  let isDurable = false
  void second.durable.then(() => (isDurable = true))
  expect(await second.result()).toBe('once')
  await settle()
  expect(isDurable).toBe(false)
  store.journal?.write()
  await settle()
  expect(isDurable).toBe(true)
})

test('DR1: a cancel by hand before the journal has answered is the outcome, of what is new and of what was left', async () => {
  const store = new MemoryStore()
  const { local } = start(store, { untilTold })
  spawn(local, 'untilTold', untilTold, 'left').send('a')
  await settle()
  store.kill()
  const next = start(store, { untilTold })
  for (const id of ['left', 'new']) void spawn(next.local, 'untilTold', untilTold, id).cancel('by hand')
  await settle()
  expect([...store.told.outcomes].map(([id, { outcome }]) => [id, outcome])).toEqual([
    ['new', expect.objectContaining({ status: 'cancelled', reason: { value: 'by hand' } })],
    ['left', expect.objectContaining({ status: 'cancelled', reason: { value: 'by hand' } })],
  ])
  expect(next.local.routines()).toEqual([])
})

test('DR1: a message that is dropped before it has a number is never told of', async () => {
  const store = new MemoryStore()
  const { local } = start(store, { untilTold })
  const routine = spawn(local, 'untilTold', untilTold, 'x', { mailbox: { capacity: 1, overflow: 'drop-oldest' } })
  routine.send('a')
  routine.send('b')
  await routine.durable
  expect(store.entries.filter(({ type }) => type === 'message')).toEqual([{ type: 'message', id: 'x', number: 1, message: 'b' }])
  routine.send('c')
  await routine.durable
  expect(linesOf(store)).toEqual(['message x 1', 'handled x 1', 'message x 2'])
})

test('DR2: who reads on after a break is done with what was read before it', async () => {
  const store = new MemoryStore()
  const twice = async ({ messages }: RoutineContext<undefined, string>): Promise<void> => {
    for await (const _ of messages) break
    for await (const _ of messages) continue
  }
  const { local } = start(store, { twice })
  const routine = spawn(local, 'twice', twice, 'x')
  routine.send('a')
  await routine.durable
  await settle()
  expect(linesOf(store)).toEqual(['message x 1', 'handled x 1'])
})

test('DR2: of two readers, one of whom is slow, the journal is told once all before are done', async () => {
  const store = new MemoryStore()
  const slow = gate()
  const both = async ({ messages }: RoutineContext<undefined, string>): Promise<void> => {
    const read = async (): Promise<void> => {
      for await (const { message } of messages) if (message === 'slow') await slow.promise
    }
    await Promise.all([read(), read()])
  }
  const { local } = start(store, { both })
  const routine = spawn(local, 'both', both, 'x')
  for (const message of ['slow', 'b', 'c']) routine.send(message)
  await settle()
  await settle()
  expect(linesOf(store).filter((line) => line.startsWith('handled'))).toEqual([])
  slow.resolve()
  await settle()
  expect(linesOf(store).at(-1)).toBe('handled x 3')
})

test('DR2: what is not there any more between two that wait does not hold up those behind', async () => {
  const store = new MemoryStore()
  const reads = async ({ messages }: RoutineContext): Promise<void> => {
    for await (const _ of messages) continue
  }
  const { local } = start(store, { reads })
  spawn(local, 'reads', reads, 'x')
  await settle()
  store.kill()
  store.written.push(JSON.stringify({ type: 'message', id: 'x', number: 3, message: 'c' }))
  start(store, { reads })
  await settle()
  expect(store.lines.at(-1)).toBe('handled x 3')
})

test('DR2: a body that fails is done with what it was at, and its next run begins behind that', async () => {
  const store = new MemoryStore()
  const fails = async ({ messages }: RoutineContext<undefined, string>): Promise<void> => {
    for await (const { message } of messages) if (message === 'bad') throw new Error(message)
  }
  const { local } = start(store, { fails })
  const routine = spawn(local, 'fails', fails, 'x', { restart: 'transient' })
  routine.send('bad')
  await settle()
  expect(linesOf(store)).toEqual(['message x 1', 'handled x 1'])
  expect(routine.restarts).toBe(1)
})

test('DR3: a message that comes while the machine is at another one is not in the snapshot of that', async () => {
  const store = new MemoryStore()
  let self: any
  const machine = setup({ types: { events: {} as { type: 'a' | 'b' }, context: {} as { all: string } } }).createMachine({
    context: { all: '' },
    on: {
      a: { actions: [() => self.send({ type: 'b' }), assign(({ context }) => ({ all: `${context.all}a` }))] },
      b: { actions: assign(({ context }) => ({ all: `${context.all}b` })) },
    },
  })
  const { local } = start(store, { machine })
  self = spawn(local, 'machine', machine, 'x', { resume: 'snapshot' })
  await settle()
  self.send({ type: 'a' })
  await self.durable
  const states = store.entries.flatMap((entry) => (entry.type === 'snapshot' ? [[entry.number, (entry.snapshot as any).context.all]] : []))
  expect(states).toEqual([
    [0, ''],
    [1, 'a'],
    [2, 'ab'],
  ])
})

test('Z5: a machine one of whose children has failed is kept; what JSON does not know in its context is told of, and the last that could be kept counts', async () => {
  const store = new MemoryStore()
  const fail = fromPromise(async () => {
    await Promise.resolve()
    throw Object.assign(new Error('no'), { code: 'ERR_NO' })
  })
  const machine = setup({ types: { context: {} as { why: unknown }, events: {} as { type: 'date' } }, actors: { fail } }).createMachine({
    context: { why: '' },
    invoke: { src: 'fail', onError: { actions: assign({ why: ({ event }) => (event.error as Error).message }) } },
    on: { date: { actions: assign({ why: () => new Date(0) }) } },
  })
  const lines: [string, string][] = []
  const logger = {
    debug: () => 0,
    info: () => 0,
    warn: () => 0,
    error: (fields: any, line?: string) => lines.push([line as string, fields.err.message]),
  }
  const { local } = start(store, { machine }, {}, { logger })
  const routine = spawn(local, 'machine', machine, 'x', { resume: 'snapshot' })
  await settle()
  expect(store.entries.at(-1)).toMatchObject({ type: 'snapshot', snapshot: { context: { why: 'no' } } })
  routine.send({ type: 'date' })
  routine.send({ type: 'date' })
  await settle()
  expect(lines).toEqual([['g/a/l/machine#x: not kept in the store', expect.stringContaining('state.snapshot.context.why')]])
  expect(store.told.unfinished.get('x')).toMatchObject({
    handled: 0,
    messages: [{ number: 1 }, { number: 2 }],
    snapshot: { context: { why: 'no' } },
  })
})

test('DR4: what was cancelled by hand has that outcome, though a shutdown has to give up on it', async () => {
  const store = new MemoryStore()
  const { local, global, clock } = start(store, { deaf })
  const routine = spawn(local, 'deaf', deaf, 'x', { shutdown: 1_000 })
  await settle()
  void routine.cancel('by hand')
  const report = global.shutdown({ mode: 'immediate' })
  await clock.advance(1)
  await report
  expect(store.told.outcomes.get('x')?.outcome).toMatchObject({ status: 'cancelled', reason: { value: 'by hand' }, killed: true })
})

test("RE2: what is brought back runs in the asynchronous context of its manager's making", async () => {
  const store = new MemoryStore()
  const als = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const looks = async ({ signal }: RoutineContext): Promise<void> => {
    seen.push(als.getStore())
    await untilTold({ signal } as never)
  }
  const { local } = start(store, { looks })
  als.run('spawn', () => spawn(local, 'looks', looks, 'x'))
  await settle()
  store.kill()
  als.run('making', () => start(store, { looks }))
  await settle()
  expect(seen).toEqual(['spawn', 'making'])
})

test('what waits goes on in order, though there is room before that is said', async () => {
  const store = new MemoryStore()
  const { local } = start(store, { untilTold }, { overflow: 'queue' })
  await settle()
  const journal = store.journal as NonNullable<typeof store.journal>
  journal.isFull = true
  spawn(local, 'untilTold', untilTold, 'a')
  journal.isFull = false
  spawn(local, 'untilTold', untilTold, 'b')
  await settle()
  expect(store.lines).toEqual([])
  journal.makeRoom()
  await settle()
  expect(store.lines).toEqual(['spawned a', 'spawned b'])
})

test('LG4: what waited for a store that opens during the shutdown is written all the same', async () => {
  const store = new MemoryStore()
  const opening = gate()
  store.opening = opening.promise
  const { local, global } = start(store, { untilTold })
  const random = spawn(local, 'untilTold', untilTold)
  const given = spawn(local, 'untilTold', untilTold, 'x')
  const report = global.shutdown()
  await settle()
  opening.resolve()
  expect((await report).errors).toEqual([])
  await Promise.all([random.durable, given.durable])
  expect(store.lines).toEqual([`spawned ${random.id}`, 'spawned x'])
})

test("a store that can't be opened, with 'continue': what waited for it runs", async () => {
  const store = new MemoryStore()
  store.refusal = new Error('locked')
  const once = (): string => 'once'
  const { local } = start(store, { once }, {}, { storeFailure: 'continue' })
  const routine = spawn(local, 'once', once, 'x')
  expect(await routine.result()).toBe('once')
  await expect(routine.durable).rejects.toBe(store.refusal)
})

test('LG4: what waited for room is written by the shutdown', async () => {
  const store = new MemoryStore()
  const { local, global } = start(store, { untilTold }, { overflow: 'queue' })
  await settle()
  ;(store.journal as NonNullable<typeof store.journal>).isFull = true
  const routine = spawn(local, 'untilTold', untilTold, 'x')
  await settle()
  expect(store.lines).toEqual([])
  await global.shutdown()
  await routine.durable
  expect(store.lines).toEqual(['spawned x'])
})

test('LG4: a store that does not close holds up neither a shutdown whose time is up, nor one whose cleaning is', async () => {
  for (const [options, ms] of [
    [{ timeout: 100 }, 100],
    [{ phases: { cleaning: 50 } }, 50],
  ] as const) {
    const store = new MemoryStore()
    const { local, global, clock } = start(store, { deaf })
    await settle()
    ;(store.journal as NonNullable<typeof store.journal>).close = () => new Promise(() => undefined)
    if ('timeout' in options) spawn(local, 'deaf', deaf, 'x', { shutdown: 'infinity' })
    await settle()
    const report = global.shutdown(options)
    await clock.advance(ms)
    expect((await report).errors).toEqual([{ path: 'g', error: expect.objectContaining({ code: 'ERR_NOT_RUNNING' }) }])
  }
})

test('DR2: a machine without snapshots is done with a message once its step is over', async () => {
  const store = new MemoryStore()
  const machine = setup({}).createMachine({ on: { a: { actions: () => during.push(...linesOf(store)) } } })
  const during: string[] = []
  const { local } = start(store, { machine })
  const routine = spawn(local, 'machine', machine, 'x')
  await settle()
  routine.send({ type: 'a' })
  routine.send({ type: 'ignored' })
  await routine.durable
  expect(during).toEqual([])
  expect(linesOf(store)).toEqual(['message x 1', 'handled x 1', 'message x 2', 'handled x 2'])
  expect(store.told.unfinished.get('x')?.messages).toEqual([])
})

test('an output that can not be kept, of what was told to stop, is left out of the record', async () => {
  const store = new MemoryStore()
  const map = async ({ signal }: RoutineContext): Promise<unknown> => {
    await untilTold({ signal } as never)
    return new Map()
  }
  const { local } = start(store, { map })
  const routine = spawn(local, 'map', map, 'x')
  await settle()
  expect(await routine.cancel('enough')).toEqual({ status: 'cancelled', reason: 'enough', killed: false, output: new Map() })
  await routine.durable
  expect(store.told.outcomes.get('x')?.outcome).toEqual({ status: 'cancelled', reason: { value: 'enough' }, killed: false })
})

test('RE1: the first of very many runs before the last was read, and the event loop turns in between', async () => {
  const store = new MemoryStore()
  const { local } = start(store, { untilTold })
  for (let i = 0; i < 1_200; i++) spawn(local, 'untilTold', untilTold, `r${i}`)
  await settle()
  store.kill()
  store.pageSize = 2_000
  const next = start(store, { untilTold })
  await settle()
  expect([next.local.routines().length, next.local.routine('r0')?.state]).toEqual([512, 'running'])
  await next.clock.advance(0)
  expect(next.local.routines().map(({ id }) => id)).toEqual(Array.from({ length: 1_200 }, (_, i) => `r${i}`))
})
