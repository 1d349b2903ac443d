/** The adapter for @statelyai/inspect, read by its own receivers and held beside its own inspector. */
import { createBrowserReceiver, createInspector, createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import { ConfigError, createGlobalManager } from 'curtaincall'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type WebSocket as Socket, WebSocketServer } from 'ws'
import { createActor, fromPromise, fromTransition, type InspectionEvent, setup } from 'xstate'
import { door } from '../support/door.ts'
import { createStatelyAdapter, type StatelyEvent, type StatelySender } from '../../src/inspector/stately.ts'

/** Sockets on a machine that has other things to do. */
vi.setConfig({ testTimeout: 30_000 })
const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 })

/** A tree with a crash and a restart, a routine that is done, one that fails, and one that is stopped. */
async function play(inspect: { next(event: InspectionEvent): void }): Promise<void> {
  const global = createGlobalManager({ name: 'g', inspect })
  const local = global.createApp('house').createLocal('doors')
  const front = local.spawn('front', door, { id: 'front', restart: 'transient', backoff: { initial: 0 } })
  await front.started
  const restarted = Promise.withResolvers<void>()
  local.on('routine.started', () => restarted.resolve())
  front.send({ type: 'break' })
  await restarted.promise
  front.send({ type: 'open' })
  front.send({ type: 'close' })
  await front.outcome
  await local.spawn('job', () => 42, { id: 'job' }).outcome
  await local.spawn('bad', () => Promise.reject(new RangeError('too far')), { id: 'bad', restart: 'temporary' }).outcome
  await local.spawn('back', door, { id: 'back' }).started
  await global.shutdown()
}

type Told<Type extends StatelyEvent['type']> = Extract<StatelyEvent, { type: Type }>
const ofType = <Type extends StatelyEvent['type']>(events: readonly StatelyEvent[], type: Type): Told<Type>[] =>
  events.filter((event) => event.type === type) as Told<Type>[]

/** What a viewer shows in the end: everybody below its parent, with the values it went through and its last status. */
function family(events: readonly StatelyEvent[]): string[] {
  const actors = ofType(events, '@xstate.actor')
  const names = new Map(actors.map(({ sessionId, name }) => [sessionId, name]))
  return actors.map(({ sessionId, parentId, name }) => {
    const snapshots = ofType(events, '@xstate.snapshot').filter((event) => event.sessionId === sessionId)
    const values = snapshots.map(({ snapshot }) => (typeof snapshot.value === 'string' ? snapshot.value : JSON.stringify(snapshot.value)))
    return `${parentId === undefined ? '' : `${names.get(parentId)} > `}${name}: ${[...new Set(values)].join(' ')} (${snapshots.at(-1)?.snapshot.status})`
  })
}

const WHOLE = [
  'g: pending running {"stopping":"closing"} {"stopping":"cancelling"} {"stopping":"waiting"} {"stopping":"killing"} {"stopping":"cleaning"} completed (done)',
  'g > house: pending running {"stopping":"closing"} {"stopping":"cancelling"} {"stopping":"waiting"} {"stopping":"killing"} {"stopping":"cleaning"} completed (done)',
  'house > doors: pending running {"stopping":"closing"} {"stopping":"cancelling"} {"stopping":"waiting"} {"stopping":"killing"} {"stopping":"cleaning"} completed (done)',
  'doors > front: pending {"running":"working"} failed (done)',
  'front > work: shut (error)',
  'doors > front: pending {"running":"working"} completed (done)',
  'front > work: shut ajar locked (done)',
  'doors > job: pending {"running":"working"} completed (done)',
  'doors > bad: pending {"running":"working"} failed (done)',
  'doors > back: pending {"running":"working"} {"running":"stopping"} cancelled (done)',
  'back > work: shut (stopped)',
]

/** A relay such as theirs, on the loopback interface alone. */
async function relay(): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  server.on('connection', (socket: Socket) =>
    socket.on('message', (data) => {
      for (const other of server.clients) if (other !== socket) other.send(String(data))
    }),
  )
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function collect(run: (sender: StatelySender) => Promise<void> | void): Promise<StatelyEvent[]> {
  const events: StatelyEvent[] = []
  await run({ next: (event) => events.push(event) })
  return events
}

describe('@statelyai/inspect', () => {
  test('its WebSocket receiver reads a whole tree: parents, values, the crash, the ends', async () => {
    const url = await relay()
    const read: StatelyInspectionEvent[] = []
    createWebSocketReceiver({ server: url }).subscribe((event) => read.push(event))
    const socket = new WebSocket(url)
    await once(socket, 'open')
    await until(async () => {
      socket.send(JSON.stringify({ type: 'hello' }))
      expect(read.length).toBeGreaterThan(0)
    })
    await play(createStatelyAdapter(socket))
    socket.send(JSON.stringify({ type: 'bye' }))
    await until(() => expect(read.at(-1)?.type).toBe('bye'))
    socket.close()
    const events = read.filter(({ type }) => type.startsWith('@xstate.')) as unknown as StatelyEvent[]
    expect(family(events)).toEqual(WHOLE)
    const fallen = ofType(events, '@xstate.snapshot').find(({ snapshot }) => snapshot.status === 'error')
    expect(fallen?.snapshot).toEqual({ status: 'error', value: 'shut', context: { opened: 0 }, error: 'TypeError: off its hinges' })
    expect(fallen?.event).toMatchObject({ type: 'xstate.error.actor.work', error: 'TypeError: off its hinges' })
  })

  test('its browser receiver takes what its own adapters would be given', async () => {
    const listeners: ((event: { data: unknown }) => void)[] = []
    const page = { addEventListener: (_: string, listener: (event: { data: unknown }) => void) => listeners.push(listener), opener: null }
    const read: StatelyInspectionEvent[] = []
    createBrowserReceiver({ window: Object.assign(page, { self: page, top: page }) as unknown as Window }).subscribe((event) =>
      read.push(event),
    )
    const adapter = { send: (event: StatelyInspectionEvent) => listeners.forEach((listener) => listener({ data: event })) }
    await play(createStatelyAdapter({ next: (event) => adapter.send(event) }))
    expect(family(read as unknown as StatelyEvent[])).toEqual(WHOLE)
  })

  test('its own inspector says the same of the same tree, but for the ends that XState does not tell', async () => {
    const theirs: StatelyInspectionEvent[] = []
    const inspector = createInspector({ send: (event) => theirs.push(event) })
    const ours = await collect((sender) => {
      const adapter = createStatelyAdapter(sender)
      return play({
        next: (event) => {
          inspector.inspect.next?.(event)
          adapter.next(event)
        },
      })
    })
    await until(() => expect(theirs.at(-1)).toMatchObject({ type: '@xstate.snapshot', snapshot: { value: 'completed' } }))
    const common = (event: StatelyEvent | StatelyInspectionEvent): unknown => ({
      type: event.type,
      sessionId: event.sessionId,
      rootId: event.rootId,
      name: 'name' in event ? event.name : undefined,
      parentId: 'parentId' in event ? event.parentId : undefined,
      sourceId: 'sourceId' in event ? event.sourceId : undefined,
      event: 'event' in event ? event.event?.type : undefined,
      value: event.type === '@xstate.snapshot' ? (event.snapshot as { value?: unknown }).value : undefined,
      status: event.type === '@xstate.snapshot' ? event.snapshot.status : undefined,
    })
    const withoutEnds = ours.filter((event) => event.type !== '@xstate.snapshot' || event.snapshot.status !== 'error')
    expect(withoutEnds.map(common)).toEqual(theirs.map(common))
    expect(ours.length - withoutEnds.length).toBe(1)
    const definitions = (events: readonly unknown[]): unknown[] =>
      ofType(events as StatelyEvent[], '@xstate.actor').map(({ definition = '' }) => JSON.parse(definition).states?.ajar)
    expect(definitions(ours)).toEqual(definitions(theirs))
    const keys = (events: readonly object[], type: string): string[] =>
      Object.keys(events.find((event) => (event as { type: string }).type === type) ?? {}).sort()
    for (const type of ['@xstate.actor', '@xstate.event', '@xstate.snapshot']) expect(keys(ours, type)).toEqual(keys(theirs, type))
  })
})

describe('bounded and safe', () => {
  const inspected = (logic: Parameters<typeof createActor>[0], events: readonly object[], input?: unknown): Promise<StatelyEvent[]> =>
    collect((sender) => {
      const actor = createActor(logic, { input, inspect: createStatelyAdapter(sender) } as object)
      actor.subscribe({ error: () => undefined })
      actor.start()
      for (const event of events) actor.send(event as never)
    })

  test('cycles, big numbers, getters that throw and huge contexts become small JSON', async () => {
    const context: Record<string, unknown> = {
      big: 12n,
      error: new Error('readable'),
      huge: 'x'.repeat(1e6),
      many: Array.from({ length: 1e5 }),
    }
    context['self'] = context
    Object.defineProperty(context, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('hands off')
      },
    })
    const logic = setup({}).createMachine({ context, on: { poke: {} } })
    const events = await inspected(logic, [{ type: 'poke', context }])
    const text = JSON.stringify(events)
    expect(text.length).toBeLessThan(20_000)
    expect(text).toContain('Error: readable')
    expect(text).toContain('"12n"')
    expect(text).toContain('a getter, not called')
    expect(ofType(events, '@xstate.event').at(-1)?.event.type).toBe('poke')
  })

  test('a definition that is too large, or cannot be written down, is a box with its name', async () => {
    const states = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`s${i}`, {}]))
    const definitionOf = async (config: object): Promise<unknown> => {
      const [actor] = ofType(await inspected(setup({}).createMachine(config as never), []), '@xstate.actor')
      return JSON.parse(actor?.definition ?? '')
    }
    expect(await definitionOf({ id: 'huge', initial: 's1', states })).toEqual({ id: 'huge' })
    const meta: Record<string, unknown> = {}
    meta['self'] = meta
    expect(await definitionOf({ id: 'round', meta })).toEqual({ id: 'round' })
    expect(await definitionOf({ id: 'many', meta: Array.from({ length: 30_000 }, () => 1) })).toEqual({ id: 'many' })
    expect(await definitionOf({ id: 'long', description: 'x'.repeat(300_000) })).toEqual({ id: 'long' })
    expect(await definitionOf({ id: 'stuffed', context: { all: 'x'.repeat(300_000) }, tags: ['kept'] })).toMatchObject({ tags: ['kept'] })
    expect(await definitionOf({ id: 'fine', entry: function greet() {}, invoke: { src: door } })).toMatchObject({
      id: 'fine',
      entry: { type: 'greet' },
      invoke: { src: { type: 'an actor' } },
    })
  })

  test('a root that throws, and logic that knows no stop, are said to have ended', async () => {
    const thrown = await inspected(door, [{ type: 'break' }])
    expect(thrown.at(-1)).toMatchObject({ type: '@xstate.snapshot', snapshot: { status: 'error', error: 'TypeError: off its hinges' } })
    const stopped = await collect((sender) => {
      const actor = createActor(
        fromTransition((count: number) => count + 1, 0),
        { inspect: createStatelyAdapter(sender) },
      ).start()
      actor.send({ type: 'more' })
      actor.stop()
    })
    expect(stopped.at(-1)).toMatchObject({ type: '@xstate.snapshot', snapshot: { status: 'stopped', context: 2 } })
  })

  test('an end is told once, also where XState tells of it after all', async () => {
    const failing = setup({ actors: { load: fromPromise(() => Promise.reject(new Error('no'))) } }).createMachine({
      invoke: { src: 'load', onError: { actions: () => undefined } },
    })
    const events = await collect(async (sender) => {
      const actor = createActor(failing, { inspect: createStatelyAdapter(sender) }).start()
      await new Promise((resolve) => setImmediate(resolve))
      actor.stop()
    })
    expect(ofType(events, '@xstate.actor')).toHaveLength(2)
    expect(ofType(events, '@xstate.snapshot').filter(({ snapshot }) => snapshot.status === 'error')).toHaveLength(1)
  })

  test('who looks at a system that runs already is told of those who do something, parents first, and of nobody who has ended', async () => {
    const twins = setup({ actors: { door } }).createMachine({
      id: 'twins',
      invoke: [
        { id: 'left', src: 'door' },
        { id: 'right', src: 'door' },
      ],
    })
    // XState warns of an event to one who has ended.
    const warning = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    onTestFinished(() => warning.mockRestore())
    const events = await collect((sender) => {
      const actor = createActor(twins).start()
      const { left, right } = actor.getSnapshot().children
      for (const type of ['open', 'close'] as const) right?.send({ type })
      actor.system.inspect(createStatelyAdapter(sender))
      right?.send({ type: 'open' })
      left?.send({ type: 'open' })
      actor.stop()
    })
    expect(ofType(events, '@xstate.actor').map(({ name }) => name)).toEqual(['twins', 'left'])
    expect(events[0]).toMatchObject({ name: 'twins' })
  })

  test('what the sender throws stays here', async () => {
    const onError = vi.fn()
    const adapter = createStatelyAdapter({ next: () => undefined }, { onError })
    adapter.next({ type: '@xstate.event' } as never)
    expect(onError).toHaveBeenCalledTimes(1)
    const throwing = createStatelyAdapter({
      next: () => {
        throw new Error('gone')
      },
    })
    await expect(play(throwing)).resolves.toBeUndefined()
    const both = createStatelyAdapter(
      {
        next: () => {
          throw new Error('gone')
        },
      },
      {
        onError: () => {
          throw new Error('gone, too')
        },
      },
    )
    await expect(play(both)).resolves.toBeUndefined()
    for (const sender of [{}, null, { next: 1 }]) expect(() => createStatelyAdapter(sender as never)).toThrow(ConfigError)
    const refused = (options: object) => expect(() => createStatelyAdapter({ next: () => undefined }, options as never))
    refused({ now: 3 }).toThrow('createStatelyAdapter option now must be a function; received 3')
    refused({ clock: Date.now }).toThrow('createStatelyAdapter: unknown option "clock"; known are now, onError')
  })
})

describe('a viewer that cannot be told', () => {
  const socket = {
    readyState: 0,
    bufferedAmount: 0,
    said: [] as StatelyEvent[],
    send: (text: string) => void socket.said.push(JSON.parse(text)),
  }
  const begin = () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    Object.assign(socket, { readyState: 0, bufferedAmount: 0, said: [] })
    const adapter = createStatelyAdapter(socket, { now: () => 7 })
    return { adapter, actor: createActor(door, { inspect: adapter }).start() }
  }

  test('gets, once it is connected, everybody as they are by then', () => {
    const { actor } = begin()
    actor.send({ type: 'open' })
    vi.advanceTimersByTime(1_000)
    expect(socket.said).toEqual([])
    socket.readyState = 1
    vi.advanceTimersByTime(100)
    expect(socket.said).toMatchObject([{ type: '@xstate.actor', name: 'door', createdAt: '7', snapshot: { value: 'ajar' } }])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not told what it has no room for, and hears who has ended meanwhile', () => {
    socket.readyState = 1
    const { actor } = begin()
    socket.readyState = 1
    vi.advanceTimersByTime(100)
    socket.bufferedAmount = 1e9
    const before = socket.said.length
    actor.send({ type: 'open' })
    actor.send({ type: 'close' })
    expect(socket.said).toHaveLength(before)
    socket.bufferedAmount = 0
    vi.advanceTimersByTime(100)
    expect(socket.said.slice(before)).toMatchObject([{ type: '@xstate.snapshot', snapshot: { status: 'done', value: 'locked' } }])
  })

  test('is not waited for when it has closed, and can be told again when it comes back', () => {
    const { adapter, actor } = begin()
    socket.readyState = 3
    vi.advanceTimersByTime(100)
    expect(vi.getTimerCount()).toBe(0)
    actor.send({ type: 'open' })
    expect(vi.getTimerCount()).toBe(0)
    socket.readyState = 1
    adapter.replay()
    expect(socket.said).toMatchObject([{ type: '@xstate.actor', snapshot: { value: 'ajar' } }])
  })
})
