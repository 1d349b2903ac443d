/** A body that asks its own routine while nobody waits for a message there is refused; whoever asks while it waits for one is answered. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { fromPromise, setup } from 'xstate'
import { createGlobalManager, type LocalManager, type Routine, routine, type RoutineContext } from 'curtaincall'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

type Served = Routine<unknown, string, unknown>

/** Until what the platform has queued is done. */
const turnsOver = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

const codeOf = (error: unknown): unknown => (error as { code?: string }).code ?? error

/** One that does what it is told in the handling of `go`, and answers everything else. */
function server(local: LocalManager, act: (self: Served) => unknown): Served {
  const self: Served = local.spawn('server', async ({ messages }: RoutineContext<undefined, string, unknown>) => {
    for await (const { message, reply } of messages) reply(message === 'go' ? await act(self) : `${message} answered`)
  })
  return self
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test.each<[string, (self: Served) => unknown]>([
    ['at once', (self) => self.ask('inner')],
    ['after it has awaited something', async (self) => (await settle(), self.ask('inner'))],
    ['in what it calls', (self) => Promise.all([1].map(async () => (await settle(), self.ask('inner'))))],
    ['in a timer of its own', (self) => new Promise((resolve, reject) => setImmediate(() => void self.ask('inner').then(resolve, reject)))],
  ])('X6: %s', async (_, act) => {
    const { local, clock } = makeTree({}, mode)
    const self = server(local, (own) => (act(own) as Promise<unknown>).catch(codeOf))
    await settle()
    const answer = self.ask('go', { timeout: 10_000 })
    await turnsOver()
    // Of `go` itself: no time has passed.
    expect(clock.pending).toBeLessThanOrEqual(1)
    expect(await answer).toBe('ERR_ASK_SELF')
    expect([await self.ask('outer'), clock.pending]).toEqual(['outer answered', 0])
    await local.shutdown()
  })

  test.each<[string, (self: Served, ask: () => void) => unknown]>([
    ['a timer that it has armed', (_, ask) => void setImmediate(ask)],
    ['a promise that it has let go of', (_, ask) => void settle().then(ask)],
  ])('X6: is answered: %s', async (_, act) => {
    const { local, clock } = makeTree({}, mode)
    finished = Promise.withResolvers()
    const self = server(local, (own) => act(own, () => void own.ask('inner').then(done, done)))
    await settle()
    await self.ask('go')
    expect(await finished.promise).toBe('inner answered')
    expect(clock.pending).toBe(0)
    await local.shutdown()
  })

  test.each<[string, (self: Served, ask: () => void) => unknown]>([
    ['a listener that it calls', (_, ask) => void new EventEmitter().on('x', ask).emit('x')],
    ['itself, which does not wait', (_, ask) => ask()],
  ])('X6: is refused, since whether it waits can’t be seen: %s', async (_, act) => {
    const { local } = makeTree({}, mode)
    finished = Promise.withResolvers()
    const self = server(local, (own) => act(own, () => void own.ask('inner').catch(codeOf).then(done)))
    await settle()
    await self.ask('go')
    expect(await finished.promise).toBe('ERR_ASK_SELF')
    await local.shutdown()
  })

  test('X6: what it has come to and does not answer is late as any other', async () => {
    const { local, clock } = makeTree({}, mode)
    finished = Promise.withResolvers()
    const self: Served = local.spawn('server', async ({ messages }: RoutineContext<undefined, string, unknown>) => {
      for await (const { message } of messages) if (message === 'go') setImmediate(() => void self.ask('inner').catch(codeOf).then(done))
    })
    await settle()
    self.send('go')
    await turnsOver()
    await clock.advance(5_000)
    expect(await finished.promise).toBe('ERR_ASK_TIMEOUT')
    await local.shutdown()
  })

  test('X6: before it goes through its messages, of a child, and in its next incarnation', async () => {
    const { local, clock } = makeTree({}, mode)
    const codes: unknown[] = []
    const body = async ({ messages, incarnation }: RoutineContext<undefined, string, unknown>): Promise<void> => {
      const self = local.routine('x') as unknown as Served
      codes.push(await self.ask('early').catch(codeOf))
      if (incarnation === 1) throw new Error('crash')
      for await (const { reply } of messages) reply('answered')
    }
    await local.startChild(routine('x', body))
    await settle()
    await clock.advance(5_000)
    await settle()
    await clock.advance(5_000)
    await settle()
    expect(codes).toEqual(['ERR_ASK_SELF', 'ERR_ASK_SELF'])
    expect(await (local.routine('x') as unknown as Served).ask('outer')).toBe('answered')
    await local.shutdown()
  })

  test.each<[string, (self: Served, local: LocalManager) => unknown]>([
    ['a body that it spawns', (self, local) => void local.spawn('other', async () => done(await self.ask('by another')))],
    [
      'one that it spawns, after a while',
      (self, local) => void local.spawn('other', async () => (await settle(), done(await self.ask('x')))),
    ],
    ['one that it spawns and restarts', (self, local) => spawnsTwice(self, local)],
    ['the start of one', (self, local) => void local.spawn('other', () => 1, { start: () => void self.ask('x').then(done) })],
    ['an actor that it spawns', (self, local) => void local.spawn('machine', machineFor(self))],
    [
      'a listener, at once',
      (self, local) => (local.on('routine.spawned', () => void self.ask('x').then(done)), void local.spawn('other', () => 1)),
    ],
    [
      'a listener, after a while',
      (self, local) => (
        local.on('routine.spawned', async () => (await settle(), done(await self.ask('x')))), void local.spawn('other', () => 1)
      ),
    ],
    ['an abort listener of one that it cancels', (self, local) => cancels(self, local)],
  ])('X6: is answered: %s', async (_, act) => {
    const { local } = makeTree({}, mode)
    finished = Promise.withResolvers()
    const self = server(local, (own) => act(own, local))
    await settle()
    await self.ask('go')
    expect(await finished.promise).toMatch(/answered$/)
    await local.shutdown()
  })

  test('X6: is answered: the step of an actor that it tells something, and what that awaits', async () => {
    const { local } = makeTree({}, mode)
    finished = Promise.withResolvers()
    let own: Served | undefined
    const machine = local.spawn(
      'machine',
      machineFor(() => own as Served, 'go'),
    )
    const self = (own = server(local, () => machine.send({ type: 'go' })))
    await settle()
    await self.ask('go')
    expect(await finished.promise).toBe('by a machine answered')
    await local.shutdown()
  })

  test('X6: is answered: who asks two that ask each other about something else', async () => {
    const { local } = makeTree({}, mode)
    const one = server(local, () => 'one')
    const two = server(local, () => one.ask('by two'))
    const three = server(local, () => two.ask('go'))
    await settle()
    expect(await three.ask('go')).toBe('by two answered')
    await local.shutdown()
  })

  test('X6: an actor may ask itself', async () => {
    const { local } = makeTree({}, mode)
    const machine = setup({ types: { events: {} as { type: 'go' | 'inner'; reply?: (value: unknown) => void } } }).createMachine({
      on: {
        go: { actions: ({ event }) => event.reply?.(self.ask({ type: 'inner' })) },
        inner: { actions: ({ event }) => event.reply?.('answered') },
      },
    })
    const self = local.spawn('x', machine)
    await settle()
    expect(await self.ask({ type: 'go' })).toBe('answered')
    await local.shutdown()
  })
})

test('X6: stores of users are as they were', async () => {
  const store = new AsyncLocalStorage<string>()
  const global = createGlobalManager()
  const local = global.createApp('a').createLocal('l')
  const seen: unknown[] = []
  const self = store.run('request', () =>
    server(local, async (own) => {
      const kept = store.run('mine', () => own.ask('x', { timeout: 1 }).catch(() => store.getStore()))
      seen.push(await kept)
    }),
  )
  await settle()
  await store.run('other', async () => {
    await self.ask('go')
    seen.push(store.getStore())
  })
  expect(seen).toEqual(['mine', 'other'])
  await global.shutdown()
})

let finished = Promise.withResolvers<unknown>()
const done = (value: unknown): void => finished.resolve(value)

function machineFor(whom: Served | (() => Served), on?: 'go') {
  const asks = fromPromise(async () => {
    await settle()
    done(await (typeof whom === 'function' ? whom() : whom).ask('by a machine'))
  })
  return setup({ types: { events: {} as { type: 'go' } }, actors: { asks } }).createMachine({
    initial: on === undefined ? 'asking' : 'idle',
    states: { idle: { on: { go: 'asking' } }, asking: { invoke: { src: 'asks' } } },
  })
}

function spawnsTwice(self: Served, local: LocalManager): void {
  local.spawn(
    'other',
    async ({ incarnation }: RoutineContext) => {
      if (incarnation === 1) throw new Error('crash')
      done(await self.ask('x'))
    },
    { restart: 'transient' },
  )
}

async function cancels(self: Served, local: LocalManager): Promise<void> {
  const other = local.spawn('other', ({ signal }: RoutineContext) => {
    signal.addEventListener('abort', () => void self.ask('x').then(done))
    return new Promise((resolve) => signal.addEventListener('abort', resolve))
  })
  await other.started
  void other.cancel()
}
