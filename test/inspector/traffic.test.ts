import { afterEach, describe, expect, test } from 'vitest'
import { type AnyActorRef, assign, fromCallback, sendParent, sendTo, setup } from 'xstate'
import type { RoutineContext } from 'curtaincall'
import { Traffic } from '../../src/inspector/traffic.ts'
import type { SupervisedRoutine } from '../../src/routine/supervised-routine.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { tappersOf } from '../support/observers.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('what is tapped (strict: $strict)', (mode) => {
  const open: Traffic[] = []
  afterEach(() => {
    for (const traffic of open.splice(0)) {
      traffic.end()
      traffic.senders.close()
    }
  })

  function watched(): Tree & { readonly traffic: Traffic } {
    const tree = makeTree({}, mode)
    const traffic = new Traffic(tree.global)
    traffic.begin()
    open.push(traffic)
    return { ...tree, traffic }
  }

  const short = (path: string): string => path.slice(path.lastIndexOf('/') + 1).replace(/#.*/, '')
  const told = (traffic: Traffic, ...paths: string[]): string[] =>
    traffic.messages(paths).map(({ from, to, type, kind }) => `${short(from)}→${short(to)} ${kind} ${type}`)

  const echo = async ({ messages }: RoutineContext<undefined, string, number>): Promise<void> => {
    for await (const { message, reply } of messages) reply(message.length)
  }
  const add = setup({ types: { context: {} as { sum: number }, events: {} as { type: 'add'; by: number } } }).createMachine({
    id: 'sum',
    context: { sum: 0 },
    on: { add: { actions: assign({ sum: ({ context, event }) => context.sum + event.by }) } },
  })
  const rowOf = (tree: Tree, path: string): SupervisedRoutine => tree.global.whereis(path) as unknown as SupervisedRoutine

  test('send, ask and reply between functions: who sent it is known after an await, too', async () => {
    const { local, traffic } = watched()
    const target = local.spawn('target', echo)
    const sender = local.spawn('sender', async () => {
      target.send('early')
      await Promise.resolve()
      return target.ask('later')
    })
    expect(await sender.outcome).toMatchObject({ output: 5 })
    expect(told(traffic, target.path)).toEqual(['sender→target send send', 'sender→target ask ask', 'target→sender reply reply'])
    expect(told(traffic, sender.path)).toEqual(told(traffic, target.path))
    expect(traffic.countsOf(target.path)).toEqual({ in: 2, out: 1 })
  })

  test('what a listener on its signal sends, a routine has sent, whoever spawned it or stops it', async () => {
    const { local, traffic } = watched()
    const target = local.spawn('target', echo)
    const work = ({ signal }: RoutineContext): Promise<unknown> =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => {
          target.send('bye')
          resolve(0)
        }),
      )
    const made = await local.spawn('parent', () => ({ child: local.spawn('child', work) })).result()
    await made.child.started
    await local.spawn('killer', () => void made.child.cancel()).outcome
    await made.child.outcome
    expect(told(traffic, target.path)).toEqual(['child→target send send'])
  })

  test('from outside the tree, nobody is named', async () => {
    const { local, traffic } = watched()
    const target = local.spawn('target', echo)
    target.send('hello')
    expect(await target.ask('four')).toBe(4)
    expect(told(traffic, target.path)).toEqual(['→target send send', '→target ask ask', 'target→ reply reply'])
  })

  test('a message is received, whatever comes of looking at it; a long type is cut', async () => {
    const { local, traffic } = watched()
    const got: unknown[] = []
    const target = local.spawn('target', async ({ messages }: RoutineContext<undefined, unknown>) => {
      for await (const { message } of messages) got.push(message)
    })
    let called = 0
    const asGetter = Object.defineProperty({}, 'type', { enumerable: true, get: () => void called++ })
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const odd = [{ type: Object.create(null) as object }, asGetter, { type: Symbol('odd') }, proxy, { type: 'x'.repeat(10_000) }]
    traffic.watch([target.path])
    for (const message of odd) target.send(message)
    await settle()
    expect([got.length, called]).toEqual([odd.length, 0])
    const types = traffic.messages([target.path]).map(({ type }) => type)
    expect(types.slice(0, 4)).toEqual(['send', 'send', 'send', 'send'])
    expect(types[4]?.length).toBeLessThan(600)
    const callback = local.spawn(
      'callback',
      fromCallback(() => undefined),
    )
    await callback.started
    expect(() => callback.send({ type: 5 } as never)).not.toThrow()
  })

  test('to look into something calls no more than to look at it', async () => {
    const { local, traffic } = watched()
    let called = 0
    const inner = Object.defineProperty({ names: new Set(['one']) }, 'lazy', { enumerable: true, get: () => ++called })
    const context = {
      inner,
      by: new Map([
        [{}, { deep: 1 }],
        [{}, { deep: 2 }],
      ] as const),
    }
    const routine = local.spawn('holder', setup({}).createMachine({ context: () => context }))
    await routine.started
    const ref = routine.work as AnyActorRef
    const look = (...at: (string | number)[]): unknown => traffic.look(ref, undefined, at)
    expect([look('inner', 'lazy'), called]).toEqual(['(a getter, not called)', 0])
    expect(look('inner', 'names', 'Set of 1', 0)).toBe('one')
    expect(look('by', 'Map of 2', 'Object (2)')).toEqual({ deep: 2 })
    expect(look('inner', 'constructor')).toBe('undefined')
  })

  test('each of two who ask gets the reply, in whatever order', async () => {
    const { local, traffic } = watched()
    const backwards = local.spawn('backwards', async ({ messages }: RoutineContext<undefined, string, string>) => {
      const replies: (() => void)[] = []
      for await (const { message, reply } of messages) {
        replies.unshift(() => reply(message))
        if (replies.length === 2) for (const each of replies) each()
      }
    })
    const one = local.spawn('one', () => backwards.ask('1'))
    const two = local.spawn('two', () => backwards.ask('2'))
    expect([await one.outcome, await two.outcome]).toMatchObject([{ output: '1' }, { output: '2' }])
    expect(told(traffic, backwards.path).slice(2)).toEqual(['backwards→two reply reply', 'backwards→one reply reply'])
  })

  test("events between a user's machine and its children; lifecycle events are not among them", async () => {
    const { local, traffic } = watched()
    const child = setup({}).createMachine({ on: { ping: { actions: sendParent({ type: 'pong' }) } } })
    const parent = setup({ actors: { child } }).createMachine({
      invoke: { src: 'child', id: 'kid' },
      on: { go: { actions: sendTo('kid', { type: 'ping' }) }, pong: {} },
    })
    const routine = local.spawn('parent', parent)
    await settle()
    local.spawn('sender', () => routine.send({ type: 'go' }))
    await settle()
    expect(told(traffic, routine.path)).toEqual(['sender→parent event go', 'parent→kid event ping', 'kid→parent event pong'])
    expect(traffic.messages([`${routine.path}/kid`]).map(({ type }) => type)).toEqual(['ping', 'pong'])
  })

  test('a question to a machine, and its answer; what its callbacks send is theirs', async () => {
    const { local, traffic } = watched()
    const machine = setup({ actors: { ticker: fromCallback(({ sendBack }) => sendBack({ type: 'tick' })) } }).createMachine({
      invoke: { src: 'ticker', id: 'ticker' },
      on: { tick: {}, what: { actions: ({ event }) => (event as unknown as { reply: (n: number) => void }).reply(7) } },
    })
    const routine = local.spawn('machine', machine)
    await settle()
    expect(await routine.ask({ type: 'what' } as never)).toBe(7)
    expect(told(traffic, routine.path)).toEqual(['ticker→machine event tick', '→machine ask what', 'machine→ reply reply'])
    await local.spawn('asker', () => routine.ask({ type: 'what' } as never)).outcome
    expect(told(traffic, routine.path).slice(3)).toEqual(['asker→machine ask what', 'machine→asker reply reply'])
  })

  test('Q2: text is written down only for those whom somebody looks at, and only for a while', async () => {
    const { local, clock, traffic } = watched()
    const [a, b] = [local.spawn('a', echo), local.spawn('b', echo)]
    traffic.watch([a.path])
    a.send('to a')
    b.send('to b')
    await clock.advance(15_000)
    a.send('nobody looks any more')
    expect(traffic.messages([a.path, b.path]).map(({ text }) => text)).toEqual(['to a', '', ''])
    traffic.watch([a.path])
    const sender = local.spawn('sender', () => b.send('from one who is not looked at'))
    await sender.outcome
    local.spawn('a-sender', () => a.send('again'))
    await settle()
    expect(traffic.messages([a.path, b.path]).map(({ text }) => text)).toEqual(['to a', '', '', '', 'again'])
  })

  test('Q1: messages and snapshots are bounded, the latest stay', async () => {
    const { local, traffic } = watched()
    const target = local.spawn('target', () => new Promise(() => undefined), { mailbox: { capacity: 1, overflow: 'drop-oldest' } })
    const send = (target as unknown as { send(message: unknown): void }).send.bind(target)
    for (let k = 0; k < 10_050; k++) send({ type: `m${k}` })
    const all = traffic.messages([target.path], 20_000)
    expect([all.length, all[0]?.type, all.at(-1)?.type]).toEqual([10_000, 'm50', 'm10049'])
    expect(traffic.messages([target.path]).length).toBe(200)
    const sum = local.spawn('sum', add)
    await settle()
    for (let k = 0; k < 2_100; k++) sum.send({ type: 'add', by: 1 })
    const lines = traffic.snapshots(sum.work as AnyActorRef)
    expect(lines.length).toBe(40)
    expect(() => traffic.diff(sum.work as AnyActorRef, 1, 2)).toThrow('not held any more')
  })

  test('transitions are counted by their keys; snapshots can be looked into and compared', async () => {
    const { local, traffic } = watched()
    const light = setup({ types: { context: {} as { log: string[] }, events: {} as { type: 'next' } | { type: 'note' } } }).createMachine({
      id: 'light',
      initial: 'red',
      context: { log: [] },
      on: { note: { actions: assign({ log: ({ context }) => [...context.log, 'noted'] }) } },
      states: { red: { on: { next: 'green' } }, green: { on: { next: 'red' } } },
    })
    const routine = local.spawn('light', light)
    await settle()
    for (const type of ['next', 'next', 'next', 'note'] as const) routine.send({ type })
    const ref = routine.work as AnyActorRef
    expect(traffic.taken(ref)).toEqual({ 'light.red next 0': 2, 'light.green next 0': 1, 'light note 0': 1 })
    const lines = traffic.snapshots(ref)
    expect(lines.map(({ event, value }) => `${event} ${String(value)}`)).toEqual([
      ...(lines[0]?.event === 'xstate.init' ? ['xstate.init red'] : []),
      'next green',
      'next red',
      'next green',
      'note green',
    ])
    const [from, to] = [lines.at(-2)?.n as number, lines.at(-1)?.n as number]
    expect(traffic.diff(ref, from, to)).toEqual([{ at: ['context', 'log', 0], kind: 'added', after: 'noted' }])
    expect(traffic.diff(ref, lines.at(-3)?.n as number, from)).toEqual([{ at: ['state'], kind: 'changed', before: 'red', after: 'green' }])
    expect([traffic.look(ref, undefined, ['log', 0]), traffic.look(ref, from, [])]).toEqual(['noted', { log: [] }])
  })

  test('where somebody was spawned is known only of those that were while somebody looked', async () => {
    const tree = makeTree({}, mode)
    const traffic = new Traffic(tree.global)
    const before = tree.local.spawn('before', untilTold)
    traffic.begin()
    const during = tree.local.spawn('during', untilTold)
    traffic.end()
    const after = tree.local.spawn('after', untilTold)
    const site = (path: string): string | undefined => traffic.siteOf(rowOf(tree, path))
    expect(site(during.path)).toMatch(/traffic\.test\.ts:\d+:\d+$/)
    expect([site(before.path), site(after.path)]).toEqual([undefined, undefined])
  })

  test('nothing is tapped after the end, and it can begin again', async () => {
    const { local, traffic, global } = watched()
    const target = local.spawn('target', echo)
    const sum = local.spawn('sum', add)
    await settle()
    target.send('seen')
    sum.send({ type: 'add', by: 1 })
    const seen = (): number[] => [
      traffic.messages([target.path, sum.path]).length,
      traffic.snapshots(sum.work as AnyActorRef).length,
      traffic.taken(sum.work)['sum add 0'] ?? 0,
    ]
    const before = seen()
    traffic.end()
    expect(tappersOf(global)).toEqual([])
    target.send('unseen')
    sum.send({ type: 'add', by: 1 })
    await target.ask('unseen')
    expect(seen()).toEqual(before)
    traffic.begin()
    target.send('seen')
    sum.send({ type: 'add', by: 1 })
    expect(seen().map((value, k) => value - (before[k] as number))).toEqual([2, 1, 1])
  })

  test('several look at one tree, and each sees all of it, whichever comes and goes', async () => {
    const { local, global, traffic } = watched()
    const target = local.spawn('target', echo)
    await settle()
    const other = new Traffic(global)
    open.push(other)
    other.begin()
    const ask = (): Promise<unknown> => local.spawn('sender', () => target.ask('four')).outcome
    await ask()
    const both = ['sender→target ask ask', 'target→sender reply reply']
    expect([told(traffic, target.path), told(other, target.path)]).toEqual([both, both])
    traffic.end()
    expect(tappersOf(global)).toEqual([other])
    await ask()
    expect([told(traffic, target.path), told(other, target.path)]).toEqual([both, [...both, ...both]])
    other.end()
    expect(tappersOf(global)).toEqual([])
  })

  test('once nobody is coming back, neither messages nor snapshots are held', async () => {
    const { local, traffic } = watched()
    const sum = local.spawn('sum', add)
    await settle()
    sum.send({ type: 'add', by: 1 })
    traffic.end()
    const seen = (): number[] => [traffic.messages([sum.path]).length, traffic.snapshots(sum.work as AnyActorRef).length]
    expect(seen().every((count) => count > 0)).toBe(true)
    traffic.forget()
    expect(seen()).toEqual([0, 0])
  })

  test('where a routine was spawned is the line of its caller, however many look', async () => {
    const tree = watched()
    const other = new Traffic(tree.global)
    open.push(other)
    other.begin()
    const routine = tree.local.spawn('x', untilTold)
    await settle()
    for (const traffic of [tree.traffic, other]) expect(traffic.siteOf(rowOf(tree, routine.path))).toMatch(/traffic\.test\.ts:\d+:\d+$/)
  })

  test('a frozen Error stops no spawn: who called is then not captured', async () => {
    const { local } = watched()
    const limit = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor
    Object.defineProperty(Error, 'stackTraceLimit', { ...limit, writable: false })
    try {
      expect(await local.spawn('x', () => 1).outcome).toMatchObject({ output: 1 })
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', limit)
    }
  })
})
