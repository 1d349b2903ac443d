/** What the actors of routines and managers take from whom, and what they leave as it is. */
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createActor, createMachine, fromCallback, fromPromise, fromTransition, sendParent, setup } from 'xstate'
import { localManagerMachine, ROUTINE_EVENTS } from '../../machines/index.ts'
import { type Routine, routine } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const WORDS = ['hello', ...ROUTINE_EVENTS, 'xstate.stop', 'xstate.done.actor.other']

const talkative = {
  machine: (type: string) => createMachine({ on: { go: { actions: sendParent({ type }) } } }),
  callback: (type: string) => fromCallback(({ sendBack, receive }) => receive(({ type: told }) => told === 'go' && sendBack({ type }))),
}

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test.each(['machine', 'callback'] as const)('A1: what the work of a routine says to its parent is no order (%s)', async (kind) => {
    const { local } = makeTree({}, mode)
    for (const word of WORDS) {
      const talks = local.spawn('x', talkative[kind](word), { restart: 'transient' }) as unknown as Routine<unknown, { type: 'go' }>
      await settle()
      talks.send({ type: 'go' })
      await settle()
      expect([word, talks.state, talks.incarnation]).toEqual([word, 'running', 1])
    }
  })

  test('A1: a machine that says a word as it begins goes on to its own end', async () => {
    const { local, clock } = makeTree({}, mode)
    for (const type of WORDS) {
      const machine = createMachine({
        initial: 'a',
        states: { a: { entry: sendParent({ type }), after: { 20: 'b' } }, b: { type: 'final' } },
        output: 'its output',
      })
      const { outcome } = local.spawn('x', machine)
      await clock.advance(20)
      expect([type, await outcome]).toEqual([type, { status: 'completed', output: 'its output' }])
    }
  })

  test('A1: what a user sends to an actor is an order of the public API, or nothing', async () => {
    const { local, global, clock } = makeTree({}, mode)
    const x = local.spawn('x', untilTold)
    await settle()
    for (const type of ['xstate.stop', 'xstate.done.actor.work', 'start', 'hello']) {
      x.actor.send({ type } as never)
      local.actor.send({ type } as never)
    }
    expect([x.state, local.state]).toEqual(['running', 'running'])
    const down = global.shutdown({ timeout: 200 })
    await clock.runOut()
    expect(await down).toMatchObject({ cancelled: 1, timedOut: false })
  })

  test('the actor of an earlier life gives no orders', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: 0 }, mode)
    const earlier = local.actor
    let fails = true
    local.spawn('x', (context) => (fails ? Promise.reject(new Error('x')) : untilTold(context)), { restart: 'permanent' })
    local.on('routine.failed', () => (fails = false))
    await settle()
    expect([local.incarnation, local.state, local.actor === earlier]).toEqual([2, 'running', false])
    for (const type of ['shutdown', 'hurry', 'giveUp']) earlier.send({ type } as never)
    await settle()
    expect([local.incarnation, local.state]).toEqual([2, 'running'])
    local.actor.send({ type: 'shutdown' } as never)
    await settle()
    expect(local.state).toBe('completed')
    void global.shutdown({ timeout: 200 })
    await clock.runOut()
  })

  test('what is no event is nothing, whoever sends it', async () => {
    const { local, global, clock } = makeTree({}, mode)
    const x = local.spawn('x', untilTold)
    const sends = local.spawn(
      'sends',
      fromCallback(({ sendBack }) => sendBack(undefined as never)),
    )
    await settle()
    for (const event of [undefined, null, 'cancel', 7]) for (const { actor } of [x, local, global]) actor.send(event as never)
    expect([x.state, sends.state, local.state, global.state]).toEqual(['running', 'running', 'running', 'running'])
    const down = global.shutdown({ timeout: 200 })
    await clock.runOut()
    expect(await down).toMatchObject({ cancelled: 2, timedOut: false })
    expect(global.metrics().contained).toBe(0)
  })

  // What it decides is remembered, until somebody inspects.
  test.each([
    ['remembered', []],
    ['inspected', ['phaseDone', 'shutdown', 'start']],
  ])('A3: a machine of a manager meets its own events alone (%s)', async (how, expected) => {
    const { global, clock } = makeTree({}, mode)
    await global.createApp('first').createLocal('first').shutdown()
    if (how === 'inspected') global.actor.system.inspect(() => undefined)
    const app = global.createApp('b')
    const met = vi.spyOn(localManagerMachine, 'transition')
    const local = app.createLocal('m')
    local.spawn(
      'x',
      fromPromise(async () => 1),
    )
    local.spawn('y', () => 1).actor.getSnapshot()
    await settle()
    void local.shutdown()
    await clock.runOut()
    const types = new Set<string>(met.mock.calls.map(([, { type }]) => type))
    expect([...types].toSorted()).toEqual(expected)
  })

  describe('T2: what a routine is given is handed on as it is', () => {
    const kid = fromTransition((n: number) => n + 1, 0)
    const cart = setup({ actors: { kid } }).createMachine({ context: ({ spawn }) => ({ kid: spawn('kid', { id: 'kid' }) }) })
    const saved = (): object => JSON.parse(JSON.stringify(createActor(cart).start().getPersistedSnapshot())) as object
    const list = (): object => {
      let chain: object = {}
      for (let i = 0; i < 20_000; i++) chain = { i, next: chain }
      return chain
    }
    const unready = {
      get db(): never {
        throw new Error('not connected')
      },
    }
    const frozen = Object.freeze({ context: Object.freeze({ kid: Object.freeze({ xstate$$type: 1, id: 'kid' }) }) })

    test.each([
      ['a list of many links', list()],
      ['what throws when it is looked at', unready],
      ['a frozen snapshot', frozen],
    ])('%s is input, and a reason, like any other', async (_, input) => {
      const { local, global, clock } = makeTree({ children: [routine('child', createMachine({}), { input })] }, mode)
      const given: unknown[] = []
      const body = (context: { readonly input: unknown; readonly signal: AbortSignal }): Promise<unknown> => {
        given.push(context.input)
        return untilTold(context as never)
      }
      const [f, m] = [local.spawn('f', body, { input }), local.spawn('m', createMachine({}), { input } as never)]
      await settle()
      expect([f.state, m.state, local.routine('child')?.state, given[0] === input]).toEqual(['running', 'running', 'running', true])
      expect(f.actor.getSnapshot().context.input === input).toBe(true)
      const outcome = f.cancel(input)
      expect(f.actor.getSnapshot().context.reason === input).toBe(true)
      expect(((await outcome) as { reason?: unknown }).reason === input).toBe(true)
      expect((await m.kill()).status).toBe('cancelled')
      void global.shutdown({ timeout: 200 })
      await clock.runOut()
      expect([global.state, global.metrics().contained]).toEqual(['completed', 0])
    })

    test('a snapshot that is restored from it has its actors, whoever has looked', async () => {
      const { local } = makeTree({ retain: 5 }, mode)
      const input = { saved: saved() }
      const before = JSON.stringify(input)
      const restore = async (): Promise<string> =>
        typeof createActor(cart, { snapshot: input.saved as never })
          .start()
          .getSnapshot().context.kid
      const restored = local.spawn('restore', restore, { input })
      restored.actor.getSnapshot()
      expect(await restored.result()).toBe('object')
      expect(JSON.stringify(input)).toBe(before)
      const save = local.spawn('save', async () => saved())
      const output = await save.result()
      const returned = JSON.stringify(output)
      save.actor.getSnapshot()
      expect(JSON.stringify(output)).toBe(returned)
    })
  })
})

afterEach(() => {
  vi.restoreAllMocks()
})
