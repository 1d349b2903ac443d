/** The bridge to viewers of XState 4, read through the receiver of @xstate/inspect. */
import { createGlobalManager, type GlobalManager, type GlobalManagerOptions } from 'curtaincall'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket as Client } from 'ws'
import { and, assign, createActor, fromPromise, fromTransition, not, raise, setup } from 'xstate'
import { boxText, machineTextOf, nameInFour } from '../../inspector/xstate-inspect-bridge/definition.ts'
import { type InspectBridge, type InspectBridgeOptions, openInspectBridge } from '../../inspector/xstate-inspect-bridge/index.ts'
import { createWebSocketReceiver } from '../../inspector/xstate-inspect-bridge/receiver.ts'
import { door } from '../support/door.ts'

/** Sockets on a machine that has other things to do. */
vi.setConfig({ testTimeout: 30_000 })
const until = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 10_000, interval: 10 })

async function opened(options?: InspectBridgeOptions): Promise<InspectBridge> {
  const bridge = await openInspectBridge(options)
  onTestFinished(() => bridge.close())
  return bridge
}

type Receiver = ReturnType<typeof createWebSocketReceiver>
type Parsed = NonNullable<ReturnType<Receiver['getSnapshot']>>
type Heard<Type extends Parsed['type']> = Extract<Parsed, { type: Type }>

/** A viewer, and all that it has read. */
interface Viewer {
  readonly receiver: Receiver
  readonly read: Parsed[]
  readonly ofType: <Type extends Parsed['type']>(type: Type) => Heard<Type>[]
  /** What is shown in the end: everybody below its parent, with the values it went through and how it is. */
  readonly family: () => string[]
}

function view({ server }: InspectBridge): Viewer {
  const receiver = createWebSocketReceiver({ server, serialize: undefined })
  const read: Parsed[] = []
  receiver.subscribe((event) => read.push(event))
  const ofType = <Type extends Parsed['type']>(type: Type) => read.filter((event) => event.type === type) as Heard<Type>[]
  const family = (): string[] => {
    const names = new Map(ofType('service.register').map(({ sessionId, id }) => [sessionId, id]))
    return [...names].map(([session, name]) => {
      const own = read.filter(({ sessionId }) => sessionId === session)
      const values = own.flatMap((event) => ('state' in event ? [event.state.toStrings().at(-1)] : []))
      const parent = ofType('service.register').find(({ sessionId }) => sessionId === session)?.parent
      const last = own.findLast((event) => event.type === 'service.state')
      const isDone = last?.type === 'service.state' && last.state.done === true
      const stops = own.filter(({ type }) => type === 'service.stop').length
      return `${parent === undefined ? '' : `${names.get(parent)} > `}${name}: ${[...new Set(values)].join(' ')}${isDone ? ' done' : ''}${stops === 1 ? ' stop' : ''}`
    })
  }
  return { receiver, read, ofType, family }
}

function tree(options: GlobalManagerOptions) {
  const global = createGlobalManager({ name: 'g', ...options })
  onTestFinished(async () => void (await global.shutdown({ mode: 'immediate' })))
  return { global, local: global.createApp('house').createLocal('doors') }
}

const heardOf = (viewer: Viewer, global: GlobalManager) =>
  until(() => expect(viewer.ofType('service.register').map(({ id }) => id)).toContain(global.name))

describe('@xstate/inspect', () => {
  test('its receiver reads a whole tree: parents, values, a crash and a restart, what is done and what is stopped', async () => {
    const bridge = await opened()
    const { global, local } = tree({ inspect: bridge.inspect })
    const viewer = view(bridge)
    await heardOf(viewer, global)
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
    await local.spawn('back', door, { id: 'back' }).started
    await global.shutdown()
    const root = viewer.ofType('service.register')[0]?.sessionId
    await until(() => expect(viewer.read.at(-1)).toEqual({ type: 'service.stop', sessionId: root }))
    const phases = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning'].map((phase) => `stopping.${phase}`).join(' ')
    expect(viewer.family()).toEqual([
      `g: running ${phases} completed done stop`,
      `g > house: running ${phases} completed done stop`,
      `house > doors: running ${phases} completed done stop`,
      'doors > front: pending running.working failed done stop',
      'front > work: shut stop',
      'doors > front: pending running.working completed done stop',
      'front > work: shut ajar locked done stop',
      'doors > job: pending running.working completed done stop',
      'doors > back: pending running.working running.stopping cancelled done stop',
      'back > work: shut stop',
    ])
    const [fallen] = viewer.ofType('service.register').filter(({ id }) => id === 'work')
    const last = viewer.ofType('service.state').findLast(({ sessionId }) => sessionId === fallen?.sessionId)
    expect(last?.state.context).toEqual({ opened: 0 })
    expect(last?.state._event).toMatchObject({
      name: 'error.platform.work',
      data: { type: 'error.platform.work', error: 'TypeError: off its hinges' },
    })
    const told = viewer.ofType('service.event').filter(({ sessionId }) => sessionId === fallen?.sessionId)
    expect(told.map(({ event }) => [event.name, event.origin !== undefined])).toEqual([
      ['xstate.init', true],
      ['break', false],
    ])
  })

  test('a machine arrives as one of XState 4: guards, targets, delays, and states that it can take', async () => {
    const bridge = await opened()
    const viewer = view(bridge)
    const actor = createActor(door, { inspect: bridge.inspect }).start()
    await until(() => expect(viewer.read.length).toBeGreaterThan(0))
    const [registered] = viewer.ofType('service.register')
    expect(JSON.parse(JSON.stringify(registered?.machine)).states.shut.on.open).toMatchObject([
      { target: ['#door.ajar'], cond: { type: 'isNew' }, actions: [{ type: 'count' }], internal: true },
    ])
    const machine = registered?.machine.withConfig({ guards: { isNew: () => true } } as never)
    expect(machine?.transition('shut', { type: 'open' }).value).toBe('ajar')
    expect(registered?.state.matches('shut')).toBe(true)
    expect(registered?.state.context).toEqual({ opened: 0 })
    actor.stop()
    await until(() => expect(viewer.read.at(-1)?.type).toBe('service.stop'))
  })

  test('an event from the viewer moves the actor it names, if controls are on', async () => {
    const bridge = await opened({ controls: true })
    const { local } = tree({ inspect: bridge.inspect })
    const viewer = view(bridge)
    const routine = local.spawn('front', door)
    await routine.started
    await until(() => expect(viewer.family()).toContainEqual(expect.stringContaining('work: shut')))
    const [work] = viewer.ofType('service.register').filter(({ id }) => id === 'work')
    const order = (data: object) => {
      const event = JSON.stringify({ name: 'x', data, $$type: 'scxml', type: 'external', origin: work?.sessionId })
      viewer.receiver.send({ type: 'xstate.event', event, service: work?.sessionId ?? '' })
    }
    order({ type: 'open' })
    await until(() => expect(viewer.family()).toContainEqual(expect.stringContaining('work: shut ajar')))
    order({ type: 'close' })
    expect((await routine.outcome).status).toBe('completed')
  })

  test('no event from a viewer arrives by default, and none of XState itself ever', async () => {
    for (const [controls, type] of [
      [false, 'open'],
      [true, 'xstate.stop'],
    ] as const) {
      const bridge = await opened({ controls })
      const actor = createActor(door, { inspect: bridge.inspect }).start()
      const client = new Client(`ws://${bridge.server}`)
      const texts: string[] = []
      client.on('message', (data) => texts.push(String(data)))
      await once(client, 'open')
      const event = JSON.stringify({ name: type, data: { type }, origin: actor.sessionId })
      client.send(JSON.stringify({ type: 'xstate.event', event, service: actor.sessionId }))
      client.send('{"type":"xstate.inspecting"}')
      // Without controls it is passed over, and what comes after it is answered; with them, it is the end.
      if (controls) expect((await once(client, 'close'))[0]).toBe(1003)
      else await until(() => expect(texts).toHaveLength(1))
      expect(actor.getSnapshot()).toMatchObject({ status: 'active', value: 'shut' })
    }
  })

  test('who comes late is told of all who live, and who are no machines are boxes', async () => {
    const bridge = await opened()
    const { global, local } = tree({ inspect: bridge.inspect })
    const counter = local.spawn(
      'counter',
      fromTransition((count: number) => count + 1, 0),
      { id: 'counter' },
    )
    const waiting = local.spawn(
      'waiting',
      fromPromise(() => new Promise<void>(() => undefined)),
      { id: 'waiting' },
    )
    await local.spawn('gone', () => 1, { id: 'gone' }).outcome
    await Promise.all([counter.started, waiting.started])
    counter.send({ type: 'more' })
    const viewer = view(bridge)
    await heardOf(viewer, global)
    await until(() => expect(viewer.read.length).toBe(7))
    expect(viewer.family()).toEqual([
      'g: running',
      'g > house: running',
      'house > doors: running',
      'doors > counter: running.working',
      'doors > waiting: running.working',
      'counter > work: active',
      'waiting > work: active',
    ])
    expect(viewer.ofType('service.register')[5]?.state.context).toBe(1)
    void counter.cancel()
    await until(() => expect(viewer.family()).toContain('counter > work: active stopped stop'))
  })
})

describe('a viewer that is too slow', () => {
  test('misses steps but no end, and costs a bounded amount', async () => {
    const bridge = await opened()
    const wide = setup({ types: { context: {} as { lines: string[] } } }).createMachine({
      context: { lines: Array.from({ length: 50 }, () => 'x'.repeat(500)) },
      on: { again: { actions: assign({ lines: ({ context }) => [...context.lines] }) } },
    })
    const actor = createActor(wide, { inspect: bridge.inspect }).start()
    const stays = createActor(door, { inspect: bridge.inspect }).start()
    const client = new Client(`ws://${bridge.server}`)
    let bytes = 0
    const heard: { type: string; sessionId: string; state?: string }[] = []
    client.on('message', (data) => {
      bytes += String(data).length
      heard.push(JSON.parse(String(data)))
    })
    await once(client, 'open')
    client.send('{"type":"xstate.inspecting"}')
    await until(() => expect(heard).toHaveLength(2))
    client.pause()
    for (let i = 0; i < 2_000; i++) actor.send({ type: 'again' })
    actor.stop()
    stays.send({ type: 'open' })
    await new Promise((resolve) => setImmediate(resolve))
    client.resume()
    await until(() => expect(JSON.parse(heard.at(-1)?.state ?? '{}')).toMatchObject({ value: 'ajar' }))
    expect(heard.at(-1)).toMatchObject({ type: 'service.register', sessionId: stays.sessionId })
    expect(heard.filter(({ type }) => type === 'service.stop')).toEqual([{ type: 'service.stop', sessionId: actor.sessionId }])
    expect(bytes).toBeLessThan(10_000_000)
  })
})

describe('definitions', () => {
  test('keep all that XState 4 can draw', () => {
    const machine = setup({
      delays: { long: 500 },
      guards: { a: () => true, b: () => true },
      actors: { load: fromPromise(async () => 1) },
    }).createMachine({
      id: 'm',
      description: 'whole',
      initial: 'deep',
      on: { '*': '.rest', again: { target: '.rest', reenter: true } },
      states: {
        deep: {
          initial: 'x',
          states: { x: { always: { guard: and(['a', not('b')]), target: 'y' } }, y: { type: 'final' } },
          onDone: 'wait',
        },
        wait: {
          tags: ['busy'],
          entry: [raise({ type: 'again' }), assign({})],
          after: { 200: 'both', long: { target: 'back' } },
          invoke: { id: 'loader', src: 'load', onDone: 'rest', onError: 'rest' },
        },
        both: { type: 'parallel', states: { l: { initial: 'p', states: { p: {} } }, r: {} } },
        back: { type: 'history', history: 'deep' },
        rest: {},
      },
    })
    const text = machineTextOf(machine)
    expect(JSON.parse(text ?? '')).toMatchObject({
      id: 'm',
      initial: 'deep',
      description: 'whole',
      on: { '*': [{ target: ['#m.rest'], internal: true }], again: [{ internal: false }] },
      states: {
        deep: { on: { 'done.state.m.deep': [{ target: ['#m.wait'] }] }, states: { x: { always: [{ cond: {}, target: ['#m.deep.y'] }] } } },
        wait: {
          tags: ['busy'],
          entry: [{ type: 'raise' }, { type: 'assign' }],
          after: { 200: [{ target: ['#m.both'] }], long: [{ target: ['#m.back'] }] },
          exit: [],
          on: { 'done.invoke.loader': [{ target: ['#m.rest'] }], 'error.platform.loader': [{ target: ['#m.rest'] }] },
          invoke: [{ id: 'loader', src: 'load' }],
        },
        both: { type: 'parallel' },
        back: { type: 'history', history: 'deep' },
      },
    })
    expect(machineTextOf(machine)).toBe(text)
    expect(['xstate.after.200.m.wait', 'xstate.init', 'plain'].map(nameInFour)).toEqual([
      'xstate.after(200)#m.wait',
      'xstate.init',
      'plain',
    ])
  })

  test('none for what is no machine, or too large', () => {
    const states = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`s${i}`, {}]))
    expect(machineTextOf(setup({}).createMachine({ initial: 's1', states }))).toBeUndefined()
    expect(machineTextOf(fromPromise(async () => 1))).toBeUndefined()
    expect(machineTextOf(undefined)).toBeUndefined()
    const astray = { id: 'astray', type: 'atomic', entry: [], exit: [], invoke: [], states: {} }
    const transitions = new Map([['go', [{ target: [{ id: 'nowhere' }], actions: [] }]]])
    expect(machineTextOf({ root: { ...astray, transitions: new Map() } })).toBeDefined()
    expect(machineTextOf({ root: { ...astray, transitions } })).toBeUndefined()
    expect(JSON.parse(boxText('b')).initial).toBe('active')
  })
})

describe('the door of the bridge', () => {
  const refusal = (server: string, headers: Record<string, string> = {}): Promise<string> =>
    new Promise((resolve) => {
      const client = new Client(`ws://${server}`, { headers })
      client.on('error', ({ message }) => resolve(message))
      client.on('open', () => {
        client.terminate()
        resolve('in')
      })
    })

  test('only this machine, only with the token, no page that was not named', async () => {
    const bridge = await opened({ origins: ['https://viewer.example'] })
    const [host = '', token] = bridge.server.split('/')
    expect(host).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(token).toMatch(/^[\w-]{32}$/)
    expect(await refusal(bridge.server)).toBe('in')
    expect(await refusal(bridge.server.replace('127.0.0.1', 'localhost'))).toBe('in')
    expect(await refusal(bridge.server, { origin: 'https://viewer.example' })).toBe('in')
    expect(await refusal(bridge.server, { origin: 'https://elsewhere.example' })).toContain('403')
    expect(await refusal(bridge.server, { host: 'rebound.example' })).toContain('403')
    expect(await refusal(host)).toContain('403')
    expect(await refusal(`${host}/${'x'.repeat(32)}`)).toContain('403')
    expect((await fetch(`http://${host}/`)).status).toBe(426)
    const elsewhere = connect(Number(host.split(':')[1]), '127.0.0.2')
    expect(await once(elsewhere, 'error').catch((error: unknown) => [error])).toMatchObject([{ code: 'ECONNREFUSED' }])
  })

  test('port 80, which clients leave out, may be left out', async () => {
    const bridge = await opened({ port: 80 }).catch((error: NodeJS.ErrnoException) => error)
    // Not everybody may have it, and somebody else may have it already.
    if (bridge instanceof Error) return expect(['EACCES', 'EADDRINUSE']).toContain((bridge as NodeJS.ErrnoException).code)
    expect(await refusal(bridge.server)).toBe('in')
    expect(await refusal(bridge.server, { host: 'localhost' })).toBe('in')
    expect(await refusal(bridge.server, { host: '127.0.0.1:80' })).toBe('in')
    const other = await opened()
    expect(await refusal(other.server, { host: '127.0.0.1' })).toContain('403')
    return undefined
  })

  test('whoever resets the connection while it is turned away ends nothing', async () => {
    const bridge = await opened()
    const port = Number(/:(\d+)/.exec(bridge.server)?.[1])
    const text = `GET /wrong HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`
    const reset = (): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text, () => setImmediate(() => socket.resetAndDestroy())))
        socket.on('error', () => undefined)
        socket.on('close', () => resolve())
      })
    // An error that nobody hears would be reported as one of this file.
    for (let round = 0; round < 200; round++) await reset()
    expect(await refusal(bridge.server)).toBe('in')
  })

  test('sixteen at once', async () => {
    const bridge = await opened()
    const clients = Array.from({ length: 16 }, () => new Client(`ws://${bridge.server}`))
    await Promise.all(clients.map((client) => once(client, 'open')))
    expect(await refusal(bridge.server)).toContain('503')
    const gone = once(clients[0] as Client, 'close')
    clients[0]?.close()
    await gone
    await until(async () => expect(await refusal(bridge.server)).toBe('in'))
  })

  test('what is not understood, or too large, closes the connection; wrong options are refused', async () => {
    const bridge = await opened()
    for (const [message, code] of [
      ['{', 1003],
      ['null', 1003],
      ['x'.repeat(70_000), 1009],
    ] as const) {
      const client = new Client(`ws://${bridge.server}`)
      await once(client, 'open')
      client.send(message)
      expect((await once(client, 'close'))[0]).toBe(code)
    }
    await expect(openInspectBridge({ port: 70_000 })).rejects.toThrow(TypeError)
    await expect(openInspectBridge({ origins: 'x' as never })).rejects.toThrow(TypeError)
    await expect(openInspectBridge({ controls: 1 as never })).rejects.toThrow(TypeError)
    await expect(openInspectBridge({ port: Number(/:(\d+)/.exec(bridge.server)?.[1]) })).rejects.toThrow('EADDRINUSE')
  })

  test('close ends it, twice if need be, and the tree goes on', async () => {
    const bridge = await opened()
    const { global, local } = tree({ inspect: bridge.inspect })
    const client = new Client(`ws://${bridge.server}`)
    await once(client, 'open')
    const gone = once(client, 'close')
    await Promise.all([bridge.close(), bridge.close(), gone])
    expect((await local.spawn('job', () => 42).outcome).status).toBe('completed')
    expect(global.state).toBe('running')
    expect(await refusal(bridge.server)).toContain('ECONNREFUSED')
  })

  test('contexts of any size and shape arrive small', async () => {
    const bridge = await opened()
    const client = new Client(`ws://${bridge.server}`)
    const texts: string[] = []
    client.on('message', (data) => texts.push(String(data)))
    await once(client, 'open')
    client.send('{"type":"xstate.inspecting"}')
    createActor(door, { inspect: bridge.inspect }).start()
    await until(() => expect(texts).toHaveLength(1))
    const context: Record<string, unknown> = {
      many: Array.from({ length: 50 }, () => Array.from({ length: 50 }, () => 'x'.repeat(1_000))),
      big: 1n,
    }
    context['self'] = context
    const actor = createActor(setup({}).createMachine({ context }), { inspect: bridge.inspect }).start()
    actor.stop()
    await until(() => expect(texts.at(-1)).toContain('service.stop'))
    expect(texts[1]).toContain('larger than is shown')
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThan(2_000)
  })
})
