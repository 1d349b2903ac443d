/** Durable routines: what the journal is told, and what comes back. DR1–DR6, LG1–LG4, RE1–RE4, CM1–CM3. */
import {
  durableStore,
  type GlobalManagerOptions,
  type LocalManager,
  type LocalManagerOptions,
  type RoutineContext,
  type StoreHost,
} from 'curtaincall'
import { beforeEach, describe, expect, test } from 'vitest'
import { assign, raise, setup } from 'xstate'
import { MemoryStore } from '../support/memory-store.ts'
import { counter, gate, makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const echo = async ({ messages }: RoutineContext<any, unknown>): Promise<unknown> => {
  for await (const { message } of messages) return message
  return 'none'
}
const charge = ({ input }: RoutineContext<any>): unknown => ({ charged: input.amount })
const forever = untilTold
const failing = (): never => {
  throw Object.assign(new TypeError('no', { cause: new Error('deep') }), { code: 'ERR_NO', at: { x: 1 } })
}
/** Counts what it is told, one at a time, and waits for each. */
const takes = async ({ messages, input }: RoutineContext<any, string>): Promise<string> => {
  for await (const { message } of messages) {
    seen.push(message)
    if (message === input) return `done by ${message}`
    await gates.get(message)?.promise
  }
  return 'stopped'
}
const lamp = setup({
  types: { context: {} as { n: number; last: string }, events: {} as { type: 'push'; by?: string } | { type: 'end' } },
}).createMachine({
  context: { n: 0, last: '' },
  initial: 'off',
  states: {
    off: { on: { push: { target: 'on', actions: assign(({ context, event }) => ({ n: context.n + 1, last: event.by ?? '' })) } } },
    on: { after: { 1_000: 'off' }, on: { push: { actions: assign(({ context }) => ({ n: context.n + 1 })) } } },
    over: { type: 'final' },
  },
  on: { end: '.over' },
  output: ({ context }) => ({ n: context.n }),
})
const bell = setup({ types: { context: {} as { rung: number }, events: {} as { type: 'ring' } | { type: 'rung' } } }).createMachine({
  context: { rung: 0 },
  on: {
    ring: { actions: raise({ type: 'rung' }, { delay: 1_000 }) },
    rung: { actions: assign(({ context }) => ({ rung: context.rung + 1 })) },
  },
})
const work = { echo, charge, forever, failing, takes, lamp, bell }
/** As most trees are, and with an actor for each routine. */
let strict = false
let seen: string[] = []
let gates = new Map<string, PromiseWithResolvers<void>>()

function start(store: MemoryStore, options: LocalManagerOptions = {}, more: GlobalManagerOptions = {}): Tree {
  seen = []
  gates = new Map()
  return makeTree(options, { store, work, generateId: undefined, strict, ...more })
}

const spawn = (local: LocalManager, name: keyof typeof work, id?: string, options: object = {}) =>
  local.spawn(name, work[name] as never, { durable: true, id, ...options } as never) as any

describe.each([{ mode: false }, { mode: true }])('strict: $mode', ({ mode }) => {
  beforeEach(() => {
    strict = mode
  })

  describe('what is refused at the spawn, with its place', () => {
    const refusals: readonly (readonly [string, object, string])[] = [
      ['a Date', { input: { customer: { since: new Date(0) } } }, 'input.customer.since'],
      ['a function', { input: [1, () => 1] }, 'input[1]'],
      ['an instance', { input: { 'a b': new URL('a:b') } }, 'input["a b"]'],
      ['a circle', { input: circle() }, 'input.me'],
      ['NaN', { input: { n: Number.NaN } }, 'input.n'],
      ['-0', { input: -0 }, 'input'],
      ['undefined in an array', { input: [undefined] }, 'input[0]'],
      ['a hole', { input: holes() }, 'input[0]'],
      ['a symbol', { input: { s: Symbol('s') } }, 'input.s'],
      ['a symbol for a key', { input: { o: { [Symbol('s')]: 1 } } }, 'input.o'],
      ['a bigint', { input: 1n }, 'input'],
      ['a Map', { input: { m: new Map() } }, 'input.m'],
      ['a toJSON', { input: { toJSON: () => 1 } }, 'input'],
      ['a subclass of arrays', { input: [new (class Rows extends Array {})()] }, 'input[0]'],
      ['a key of an array', { input: Object.assign([1], { more: 2 }) }, 'input'],
      ['a signal', { signal: new AbortController().signal }, 'signal'],
      ['a start', { start: () => undefined }, 'start'],
      ['restartIf', { restart: 'transient', restartIf: () => true }, 'restartIf'],
    ]
    for (const [what, options, option] of refusals)
      test(`${what}: nothing is done by half`, async () => {
        const store = new MemoryStore()
        const { local } = start(store)
        await settle()
        expect(() => spawn(local, 'forever', 'x', options)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG', option }))
        expect([local.routines().length, local.count, store.entries.length]).toEqual([0, 0, 0])
        // The id is free.
        spawn(local, 'forever', 'x')
      })

    test('work of another name, other work of that name, no store, a child', async () => {
      const { local } = start(new MemoryStore())
      const other = (): void => undefined
      expect(() => local.spawn('unknown', other, { durable: true })).toThrow(/unknown is not registered/)
      expect(() => local.spawn('charge', other, { durable: true })).toThrow(/charge is not registered/)
      expect(() => makeTree().local.spawn('charge', charge, { durable: true, input: 1 })).toThrow(/has no store/)
      expect(() => makeTree({}, { work: { charge: 5 as never } })).toThrow(/work.charge/)
    })

    test('a store that brings nothing along, until `durableStore` has made it one that does', async () => {
      const memory = new MemoryStore()
      const own = { open: (host: StoreHost) => memory.open(host) }
      expect(() => makeTree({}, { store: own })).toThrow(
        /option store must be .*durableStore\(store\) of one of your own; received an object/,
      )
      expect(() => durableStore({} as never)).toThrow(/durableStore store must be an object with the methods open/)
      const { local } = makeTree({}, { store: durableStore(own), work, generateId: undefined })
      const routine = spawn(local, 'forever', 'x')
      await routine.durable
      expect(memory.lines).toEqual(['spawned x'])
    })

    test('a message that can not be kept is refused to its sender, and no other', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      const routine = spawn(local, 'forever', 'x')
      await settle()
      expect(() => routine.send({ at: [new Date(0)] })).toThrow(expect.objectContaining({ option: 'message.at[0]' }))
      routine.send({ at: [1], gone: undefined })
      expect(() => routine.send(undefined)).toThrow(/message can't be written down/)
      await routine.durable
      expect(store.lines).toEqual(['spawned x', 'message x 1'])
    })
  })

  function holes(): unknown[] {
    const array: unknown[] = []
    array.length = 1
    return array
  }

  function circle(): object {
    const it: Record<string, unknown> = {}
    it['me'] = it
    return it
  }

  describe('what the journal is told', () => {
    test('a spawn, its messages, that they are handled, and the outcome, in order; what is handed over is a copy', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      await settle()
      const input = { amount: 3 }
      const routine = spawn(local, 'takes', 'o', { input: 'c', timeout: 900, attempts: Infinity, mailbox: { capacity: Infinity } })
      const message = 'a'
      routine.send(message)
      routine.send('b')
      routine.send('c')
      await routine.outcome
      await routine.durable
      expect(store.entries[0]).toEqual({
        type: 'spawned',
        id: 'o',
        path: 'g/a/l/takes#o',
        at: 1_000,
        work: 'takes',
        input: 'c',
        options: { timeout: 900, attempts: 'Infinity', mailbox: { capacity: 'Infinity' } },
      })
      expect(store.lines).toEqual(['spawned o', 'message o 1', 'message o 2', 'message o 3', 'handled o 1', 'handled o 2', 'outcome o'])
      expect(store.entries.at(-1)).toMatchObject({ outcome: { status: 'completed', output: 'done by c' } })
      const other = spawn(local, 'charge', 'p', { input })
      input.amount = 9
      expect(await other.result()).toEqual({ charged: 3 })
    })

    test('an id that is made at random begins at once, one that is given only after the journal has answered', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      await settle()
      const random = spawn(local, 'forever')
      const given = spawn(local, 'forever', 'x')
      expect(random.id).toHaveLength(21)
      await Promise.resolve()
      await Promise.resolve()
      expect([random.state, given.state]).toEqual(['running', 'pending'])
      await settle()
      expect(given.state).toBe('running')
    })

    test('what a routine returns and JSON does not know is an error of it', async () => {
      const store = new MemoryStore()
      const { local } = start(store, {}, { work: { map: () => ({ m: new Map() }) } })
      const map = (local as any).tree.durability.ledger.work.get('map')
      const routine = local.spawn('map', map, { durable: true, id: 'm' })
      expect(await routine.outcome).toMatchObject({ status: 'failed', error: { option: 'output.m' } })
      await routine.durable
      expect(store.entries.at(-1)).toMatchObject({ outcome: { status: 'failed' } })
    })

    test('durable covers what was said so far; not of what is not durable', async () => {
      const store = new MemoryStore()
      store.manual = true
      const { local } = start(store)
      await settle()
      const routine = spawn(local, 'forever', 'x')
      const first = routine.durable
      let isDurable = false
      void first.then(() => (isDurable = true))
      await settle()
      routine.send(1)
      expect(isDurable).toBe(false)
      store.journal?.write(1)
      await settle()
      expect(isDurable).toBe(true)
      const second = routine.durable
      let isAll = false
      void second.then(() => (isAll = true))
      await settle()
      expect(isAll).toBe(false)
      store.journal?.write()
      await second
      await expect(local.spawn('x', untilTold).durable).rejects.toMatchObject({ code: 'ERR_CONFIG' })
    })
  })

  /** Kills the process of a tree, and starts another one on the same store. */
  async function restart(
    store: MemoryStore,
    alsoWritten = 0,
    options: LocalManagerOptions = {},
    more: GlobalManagerOptions = {},
  ): Promise<Tree> {
    store.kill(alsoWritten)
    const tree = start(store, options, more)
    await settle()
    return tree
  }

  describe('after the process was killed', () => {
    test('what had no outcome goes on from its input with what was not handled, marked as restored; what had one does not run', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      gates.set('b', gate())
      const open = spawn(local, 'takes', 'open', { input: 'c' })
      const over = spawn(local, 'charge', 'over', { input: { amount: 1 } })
      open.send('a')
      open.send('b')
      await over.outcome
      await settle()
      expect(store.lines).toContain('handled open 1')
      const { local: next, events, global } = await restart(store)
      expect(seen).toEqual(['b'])
      expect(events.filter(({ type }) => type === 'routine.spawned')).toEqual([expect.objectContaining({ id: 'open', restored: true })])
      const again = next.routine('open') as any
      expect(again.input).toBe('c')
      again.send('c')
      expect(await global.outcomeOf('open')).toEqual({ status: 'completed', output: 'done by c' })
      expect(await global.outcomeOf('over')).toEqual({ status: 'completed', output: { charged: 1 } })
      expect(await global.outcomeOf('never')).toBeUndefined()
      expect(store.lines.filter((line) => line.startsWith('message open'))).toEqual(['message open 1', 'message open 2', 'message open 3'])
    })

    test('CM2: a spawn of an id whose outcome is recorded ends with that, and does not run', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      for (const [name, id] of [
        ['charge', 'c'],
        ['failing', 'f'],
        ['forever', 'k'],
      ] as const)
        spawn(local, name, id, { input: { amount: 4 } })
      await settle()
      await local.routine('k')?.cancel({ by: 'hand' })
      await settle()
      const before = await Promise.all(['c', 'f', 'k'].map((id) => (local as any).tree.durability.ledger.ask(id)))
      const { local: next, story } = await restart(store)
      const c = spawn(next, 'charge', 'c', { input: { amount: 5 } })
      const f = spawn(next, 'failing', 'f', { restart: 'permanent' })
      const k = spawn(next, 'forever', 'k')
      expect(await c.outcome).toEqual({ status: 'completed', output: { charged: 4 } })
      const failed = await f.outcome
      expect(failed).toMatchObject({
        status: 'failed',
        error: { name: 'TypeError', message: 'no', code: 'ERR_NO', at: { x: 1 }, cause: { message: 'deep' } },
      })
      expect(failed.error).toBeInstanceOf(Error)
      expect(failed.error.stack).toContain('failing')
      expect(await k.outcome).toEqual({ status: 'cancelled', reason: { by: 'hand' }, killed: false, output: 'obeyed' })
      await Promise.all([c.durable, f.durable, k.durable])
      expect(story(/started|restarted/)).toEqual(
        ['manager.started a', 'manager.started l'].map((line) => line.replace(/ (.)$/, (_, name) => (name === 'a' ? ' g/a' : ' g/a/l'))),
      )
      expect(store.lines).toHaveLength(6)
      const after = await Promise.all(['c', 'f', 'k'].map((id) => (next as any).tree.durability.ledger.ask(id)))
      expect(after).toEqual(before)
    })

    test('CM2: a spawn of an id that is unfinished takes its place, before it is restored and never beside it', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      gates.set('a', gate())
      for (let i = 0; i < 7; i++) spawn(local, 'takes', `t${i}`, { input: 'z' }).send('a')
      await settle()
      store.kill()
      const { local: next, events } = start(store)
      const mine = spawn(next, 'takes', 't5', { input: 'other' })
      mine.send('b')
      await settle()
      expect(
        next
          .routines()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(['t0', 't1', 't2', 't3', 't4', 't5', 't6'])
      expect(events.filter(({ type, path }) => type === 'routine.spawned' && path.endsWith('#t5'))).toEqual([
        expect.not.objectContaining({ restored: true }),
      ])
      expect(mine.input).toBe('z')
      mine.send('z')
      expect(await mine.result()).toBe('done by z')
      await mine.durable
      expect(store.told.outcomes.has('t5')).toBe(true)
      expect(() => spawn(next, 'takes', 't0')).toThrow(expect.objectContaining({ code: 'ERR_EXISTS' }))
    })

    test('Z5: a machine goes on with its last snapshot, what is left of its delays, and what it has not come to', async () => {
      const store = new MemoryStore()
      const { local, clock } = start(store)
      const routine = spawn(local, 'lamp', 'l', { resume: 'snapshot' })
      await settle()
      routine.send({ type: 'push', by: 'me' })
      routine.send({ type: 'push' })
      await settle()
      await clock.advance(400)
      expect(store.entries.at(-1)).toMatchObject({
        type: 'snapshot',
        number: 2,
        snapshot: { value: 'on', context: { n: 2, last: 'me' } },
        delays: [{ due: 2_000 }],
      })
      store.kill()
      const second = start(store)
      second.clock.block(400)
      await settle()
      const again = second.local.routine('l') as any
      expect(again.work.getSnapshot()).toMatchObject({ value: 'on', context: { n: 2 } })
      await second.clock.advance(599)
      expect(again.work.getSnapshot().value).toBe('on')
      await second.clock.advance(1)
      expect(again.work.getSnapshot().value).toBe('off')
      store.kill()
      const third = start(store)
      third.clock.block(9_000)
      await settle()
      const last = third.local.routine('l') as any
      expect(last.work.getSnapshot()).toMatchObject({ value: 'off', context: { n: 2 } })
      last.send({ type: 'end' })
      expect(await third.global.outcomeOf('l')).toEqual({ status: 'completed', output: { n: 2 } })
    })

    test('Z5: a delay that is over by then comes at once', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      spawn(local, 'lamp', 'l', { resume: 'snapshot' }).send({ type: 'push' })
      await settle()
      store.kill()
      const second = start(store)
      second.clock.block(60_000)
      await settle()
      await second.clock.advance(0)
      expect((second.local.routine('l') as any).work.getSnapshot().value).toBe('off')
    })

    test('a message that its sender was told to be durable is there, though nobody had come to it', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      const routine = spawn(local, 'lamp', 'l', { resume: 'snapshot' })
      await settle()
      store.manual = true
      routine.send({ type: 'push' })
      await settle()
      // The message was written, and not the snapshot after it.
      store.journal?.write(1)
      expect(store.journal?.waiting).toHaveLength(1)
      store.manual = false
      const { local: next } = await restart(store)
      expect((next.routine('l') as any).work.getSnapshot().context.n).toBe(1)
      await settle()
      expect(store.lines).toEqual(['spawned l', 'snapshot l 0', 'message l 1', 'snapshot l 1'])
    })

    test('RE2: of a manager that there is not yet it waits, and RE4: so it does without its work, which is said', async () => {
      const store = new MemoryStore()
      const { global } = start(store)
      const other = global.createApp('b').createLocal('m')
      spawn(other, 'forever', 'x')
      spawn(other, 'takes', 'y')
      await settle()
      const lines: string[] = []
      const logger = { debug: () => 0, info: () => 0, warn: () => 0, error: (_: object, line?: string) => lines.push(line as string) }
      const next = await restart(store, 0, {}, { work: { forever }, logger })
      expect(next.global.routines()).toEqual([])
      const there = next.global.createApp('b').createLocal('m')
      await settle()
      expect(there.routines().map(({ id, state }) => [id, state])).toEqual([['x', 'running']])
      expect(lines).toEqual(['left in the store: its work is not registered'])
      expect(next.events.filter(({ type }) => type === 'store.unclaimed')).toMatchObject([{ id: 'y', work: 'takes' }])
      const last = await restart(store)
      expect(last.global.createApp('b').createLocal('m').path).toBe('g/b/m')
      await settle()
      expect(last.global.routines().map(({ id }) => id)).toEqual(['x', 'y'])
    })

    test('RE3: they wait for permits, in order, though what is spawned would be refused', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      for (let i = 0; i < 5; i++) spawn(local, 'takes', `t${i}`, { input: 'go' })
      await settle()
      const { local: next } = await restart(store, 0, { maxRoutines: 2 })
      expect([next.count, next.queued]).toEqual([2, 3])
      expect(() => spawn(next, 'forever')).toThrow(expect.objectContaining({ code: 'ERR_AT_CAPACITY' }))
      ;(next.routine('t0') as any).send('go')
      await settle()
      expect(next.routines().map(({ id, state }) => `${id} ${state}`)).toEqual(['t1 running', 't2 running', 't3 pending', 't4 pending'])
    })

    test('CM2: a spawn elsewhere of an id that is unfinished fails, and that one comes back where it was', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      spawn(local, 'forever', 'x')
      await settle()
      store.kill()
      const next = start(store)
      const elsewhere = spawn(next.global.createApp('b').createLocal('m'), 'forever', 'x')
      expect(await elsewhere.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_EXISTS' } })
      await settle()
      expect(next.global.routines().map(({ path }) => path)).toEqual(['g/a/l/forever#x'])
      expect(store.told.outcomes.size).toBe(0)
    })

    test('LG2: what ends while the store is read is not brought back from what was read before', async () => {
      const store = new MemoryStore()
      const { global, local } = start(store)
      const other = global.createApp('b').createLocal('m')
      for (let i = 0; i < 20; i++) spawn(other, 'forever', `x${i}`)
      spawn(local, 'takes', 't', { input: 'end' })
      await settle()
      store.pageSize = 1
      const next = await restart(store)
      const t = next.local.routine('t') as any
      const { outcome } = t
      next.global.createApp('b').createLocal('m')
      t.send('end')
      await outcome
      await settle()
      expect(next.global.routines().map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, i) => `x${i}`))
      expect(next.events.filter(({ type, path }) => type === 'routine.spawned' && path.endsWith('#t'))).toHaveLength(1)
    })

    test('a delay that was given no id goes on beside those that come later', async () => {
      const store = new MemoryStore()
      const { local } = start(store)
      spawn(local, 'bell', 'b', { resume: 'snapshot' }).send({ type: 'ring' })
      await settle()
      const { local: next, clock } = await restart(store)
      const bell = next.routine('b') as any
      bell.send({ type: 'ring' })
      await clock.advance(1_000)
      expect(bell.work.getSnapshot().context.rung).toBe(2)
    })

    test('what a user generates twice is not taken for the same', async () => {
      const store = new MemoryStore()
      const { local } = start(store, {}, { generateId: counter() })
      expect(await spawn(local, 'charge', undefined, { input: { amount: 1 } }).result()).toEqual({ charged: 1 })
      spawn(local, 'forever')
      await settle()
      const { local: next } = await restart(store, 0, {}, { generateId: counter() })
      expect(await spawn(next, 'charge', undefined, { input: { amount: 2 } }).outcome).toMatchObject({
        status: 'failed',
        error: { code: 'ERR_EXISTS' },
      })
    })
  })

  describe('an end that is no outcome', () => {
    test('DR4: a shutdown leaves what it stops for the next start, with the message that it was at', async () => {
      const store = new MemoryStore()
      const { local, global, events } = start(store)
      gates.set('a', gate())
      const routine = spawn(local, 'takes', 't', { input: 'c', shutdown: 10 })
      const by = spawn(local, 'forever', 'hand')
      routine.send('a')
      routine.send('b')
      await settle()
      void by.cancel('enough')
      const report = global.shutdown({ mode: 'immediate' })
      gates.get('a')?.resolve()
      expect((await report).errors).toEqual([])
      expect(events.filter(({ type }) => type === 'message.deadLetter')).toEqual([])
      expect(store.journal).toBeUndefined()
      // What is sent to it now is none of those.
      global.on('message.deadLetter', () => undefined)
      routine.send('too late')
      // It has asked for the next one before its end.
      expect(store.lines.filter((line) => !line.startsWith('spawned'))).toEqual([
        'message t 1',
        'message t 2',
        'outcome hand',
        'handled t 1',
      ])
      const next = start(store)
      await settle()
      expect(seen).toEqual(['b'])
      expect(next.global.routines().map(({ id }) => id)).toEqual(['t'])
      expect(await next.global.outcomeOf('hand')).toMatchObject({ status: 'cancelled', reason: 'enough' })
    })

    test('of its manager alone: it goes on in the next life of that', async () => {
      const store = new MemoryStore()
      const { local, global } = start(store, { maxRestarts: 0 })
      spawn(local, 'takes', 't', { input: 'c' }).send('a')
      await settle()
      const boom = (): never => {
        throw new Error('boom')
      }
      local.spawn('boom', boom, { restart: 'permanent' })
      await settle()
      await settle()
      expect([local.state, local.incarnation]).toEqual(['running', 2])
      expect(local.routines().map(({ id, state }) => `${id} ${state}`)).toEqual(['t running'])
      ;(local.routine('t') as any).send('c')
      expect(await global.outcomeOf('t')).toEqual({ status: 'completed', output: 'done by c' })
    })

    test('a failure that would be answered by a restart, were the manager not about to close', async () => {
      const store = new MemoryStore()
      const held = gate<never>()
      const falls = (): Promise<never> => held.promise
      const { local, global } = start(store, {}, { work: { falls } })
      const routine = local.spawn('falls', falls, { durable: true, id: 'x', restart: 'transient' })
      await settle()
      const report = global.shutdown({ drain: 1_000 })
      held.reject(new Error('late'))
      await settle()
      expect(await routine.outcome).toMatchObject({ status: 'failed' })
      await report
      expect(store.told.outcomes.size).toBe(0)
      expect(store.told.unfinished.size).toBe(1)
    })
  })

  describe('the store', () => {
    test('what is spawned before it is open waits, in order', async () => {
      const store = new MemoryStore()
      const opening = gate()
      store.opening = opening.promise
      const { local } = start(store)
      const all = [
        spawn(local, 'charge', undefined, { input: { amount: 1 } }),
        spawn(local, 'echo', 'e'),
        spawn(local, 'charge', 'c', { input: { amount: 2 } }),
      ]
      all[1].send('hello')
      await settle()
      expect(all.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending'])
      opening.resolve()
      expect(await Promise.all(all.map((routine) => routine.result()))).toEqual([{ charged: 1 }, 'hello', { charged: 2 }])
      await Promise.all(all.map(({ durable }) => durable))
      expect(store.lines.filter((line) => line.startsWith('spawned'))).toEqual([`spawned ${all[0].id}`, 'spawned e', 'spawned c'])
    })

    test('that can not be opened fails the tree, and what waited', async () => {
      const store = new MemoryStore()
      store.refusal = Object.assign(new Error('damaged'), { code: 'ERR_STORE_DAMAGED' })
      const { local, global, events } = start(store)
      const routine = spawn(local, 'forever', 'x')
      const { durable } = routine
      const report = await global.outcome
      expect(global.state).toBe('failed')
      expect(report.trigger).toBe('store_failed')
      expect(report.errors).toContainEqual({ path: 'g', error: store.refusal })
      await expect(durable).rejects.toBe(store.refusal)
      expect(await routine.outcome).toMatchObject({ status: 'cancelled' })
      expect(events).toContainEqual(expect.objectContaining({ type: 'store.failed', path: 'g', error: store.refusal, continues: false }))
      await expect(global.outcomeOf('x')).rejects.toBe(store.refusal)
    })

    test("that fails later, with 'continue': it goes on, nothing is durable, and that is said", async () => {
      const store = new MemoryStore()
      const lines: string[] = []
      const logger = { debug: () => 0, info: () => 0, warn: () => 0, error: (_: object, line?: string) => lines.push(line as string) }
      const { local, global, events } = start(store, {}, { storeFailure: 'continue', logger })
      const before = spawn(local, 'takes', 'x', { input: 'c' })
      await settle()
      const waits = global.outcomeOf('x')
      waits.catch(() => undefined)
      expect(global.health()).toMatchObject({ status: 'healthy', store: 'open' })
      const error = new Error('the disk is full')
      store.journal?.fail(error)
      await settle()
      expect(global.health()).toMatchObject({ status: 'degraded', store: 'failed' })
      before.send('c')
      expect(await before.result()).toBe('done by c')
      const after = spawn(local, 'charge', 'y', { input: { amount: 1 } })
      expect(await after.result()).toEqual({ charged: 1 })
      await expect(before.durable).rejects.toBe(error)
      await expect(after.durable).rejects.toBe(error)
      await expect(waits).rejects.toBe(error)
      expect(lines).toEqual(['the store has failed: from here on nothing is durable'])
      expect(events.filter(({ type }) => type === 'store.failed')).toMatchObject([{ continues: true }])
    })

    test('while it is full: refused, or waited for', async () => {
      const store = new MemoryStore()
      const { local, global } = start(store)
      const queueing = global.createApp('b').createLocal('q', { overflow: 'queue', maxQueue: 1 })
      await settle()
      const journal = store.journal as NonNullable<typeof store.journal>
      journal.isFull = true
      expect(() => spawn(local, 'forever', 'x')).toThrow(expect.objectContaining({ code: 'ERR_QUEUE_FULL' }))
      local.spawn('plain', untilTold)
      const waits = spawn(queueing, 'charge', 'w', { input: { amount: 1 } })
      expect(() => spawn(queueing, 'forever', 'x')).toThrow(expect.objectContaining({ code: 'ERR_QUEUE_FULL' }))
      await settle()
      expect([waits.state, store.entries.length]).toEqual(['pending', 0])
      journal.makeRoom()
      expect(await waits.result()).toEqual({ charged: 1 })
    })

    test('LG4: is closed by the shutdown, after all was written, and within its time', async () => {
      const store = new MemoryStore()
      store.manual = true
      const { local, global, clock } = start(store)
      await settle()
      spawn(local, 'forever', 'x')
      const journal = store.journal as NonNullable<typeof store.journal>
      const closing = gate()
      const { close } = journal
      journal.close = async () => {
        await closing.promise
        await close.call(journal)
      }
      let over = false
      const shutdown = global.shutdown({ timeout: 500 })
      void shutdown.then(() => (over = true))
      await clock.advance(499)
      expect(over).toBe(false)
      await clock.advance(1)
      expect(await shutdown).toMatchObject({ timedOut: true, errors: [{ path: 'g', error: { code: 'ERR_NOT_RUNNING' } }] })
      closing.resolve()
      await settle()
      expect(store.lines).toEqual(['spawned x'])
      await expect(global.outcomeOf('x')).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' })
    })

    test('outcomeOf: waits, with a timeout and a signal, and leaves nothing behind', async () => {
      const store = new MemoryStore()
      const { local, global, clock } = start(store)
      spawn(local, 'forever', 'x')
      await settle()
      const timers = clock.pending
      const late = global.outcomeOf('x', { timeout: 100 })
      const abort = new AbortController()
      const aborted = global.outcomeOf('x', { signal: abort.signal })
      aborted.catch(() => undefined)
      late.catch(() => undefined)
      await clock.advance(100)
      await expect(late).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
      abort.abort('enough')
      await expect(aborted).rejects.toBe('enough')
      expect(clock.pending).toBe(timers)
      const waits = global.outcomeOf('x')
      await settle()
      void local.routine('x')?.kill('now')
      expect(await waits).toMatchObject({ status: 'cancelled', reason: 'now', killed: true })
      await expect(makeTree().global.outcomeOf('x')).rejects.toMatchObject({ code: 'ERR_CONFIG' })
    })
  })
})
