import { describe, expect, test } from 'vitest'
import { assign, fromTransition, setup } from 'xstate'
import { getEventListeners } from 'node:events'
import type { RoutineContext } from 'curtaincall'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('messages (strict: $strict)', (mode) => {
  const echo = async ({ messages }: RoutineContext<undefined, string, number>): Promise<string[]> => {
    const seen: string[] = []
    for await (const { message, reply } of messages) {
      if (message === 'crash') throw new Error('crash')
      seen.push(message)
      reply(message.length)
    }
    return seen
  }

  test('X1: are received in order, from before the start on, and end with the cancel', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('echo', echo)
    routine.send('a')
    await settle()
    routine.send('b')
    routine.send('c')
    await settle()
    expect(await routine.cancel()).toMatchObject({ status: 'cancelled', killed: false, output: ['a', 'b', 'c'] })
  })

  test('E1: turns that were taken together are served in their order, and all of them end with the incarnation', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('pairs', async ({ messages, signal }: RoutineContext<undefined, string>) => {
      const turns = messages[Symbol.asyncIterator]()
      const pair = [turns.next(), turns.next(), turns.next()]
      const first = [await pair[0], await pair[1]].map((turn) => turn?.value?.message)
      const [last, after] = [await pair[2], await turns.next()]
      return [...first, last?.done, after.done, signal.aborted, getEventListeners(signal, 'abort').length]
    })
    await settle()
    routine.send('a')
    routine.send('b')
    await settle()
    expect(await routine.cancel()).toMatchObject({ output: ['a', 'b', true, true, true, 0] })
  })

  test('ask is answered, times out, is aborted, or is told that the routine has ended; nothing stays behind', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('echo', echo)
    expect(await routine.ask('four')).toBe(4)
    const silent = local.spawn('silent', async ({ messages }: RoutineContext<undefined, string, number>) => {
      for await (const { message } of messages) if (message === 'end') return
    })
    const controller = new AbortController()
    const asks = [
      expect(silent.ask('x', { timeout: 10 })).rejects.toMatchObject({ code: 'ERR_ASK_TIMEOUT' }),
      expect(silent.ask('x', { signal: controller.signal })).rejects.toBe('why'),
      expect(silent.ask('x', { signal: AbortSignal.abort('early') })).rejects.toBe('early'),
    ]
    await clock.advance(10)
    controller.abort('why')
    await Promise.all(asks)
    silent.send('end')
    const unread = expect(silent.ask('unread')).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
    await silent.outcome
    await unread
    await expect(silent.ask('late')).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
    expect([clock.pending, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0])
    expect(() => routine.ask('x', { timeout: 0 })).toThrow('timeout must be')
  })

  test('what was asked and received, but never answered because the body crashed, is refused at once, with the crash as its cause', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('echo', echo, { restart: 'permanent' })
    await expect(routine.ask('crash', { timeout: 50 })).rejects.toMatchObject({
      code: 'ERR_NOT_RUNNING',
      path: routine.path,
      cause: expect.any(Error) as Error,
    })
    expect(routine.error).toBeInstanceOf(Error)
    expect(clock.pending).toBe(0)
    expect(routine.state).toBe('running')
  })

  test.each([
    ['drop-newest', ['1', '2'], ['3', '4']],
    ['drop-oldest', ['3', '4'], ['1', '2']],
  ] as const)('X2: a full mailbox with %s', async (overflow, kept, dropped) => {
    const { local, events } = makeTree({}, mode)
    const routine = local.spawn('echo', echo, { mailbox: { capacity: 2, overflow } })
    for (const message of ['1', '2', '3', '4']) routine.send(message)
    await settle()
    expect(await routine.cancel()).toMatchObject({ output: kept })
    expect(events.flatMap((event) => (event.type === 'message.dropped' ? [event.message] : []))).toEqual(dropped)
  })

  test('X1: what an actor is sent while it gets what has waited comes behind that', async () => {
    const { local } = makeTree({}, mode)
    const got: number[] = []
    type Numbered = { type: 'n'; n: number }
    const counting = local.spawn(
      'x',
      fromTransition((state: null, { n }: Numbered) => {
        got.push(n)
        if (n === 1) counting.send({ type: 'n', n: 3 })
        if (n === 2) void counting.ask({ type: 'n', n: 4 }).catch(() => undefined)
        return state
      }, null),
    )
    for (const n of [1, 2]) counting.send({ type: 'n', n })
    await settle()
    counting.send({ type: 'n', n: 5 })
    expect(got).toEqual([1, 2, 3, 4, 5])
    const early = setup({ types: { events: {} as Numbered } }).createMachine({
      entry: () => entering.send({ type: 'n', n: 7 }),
      on: { n: { actions: ({ event }) => void got.push(event.n) } },
    })
    const entering = local.spawn('y', early)
    entering.send({ type: 'n', n: 6 })
    await settle()
    expect(got.slice(5)).toEqual([6, 7])
    await local.shutdown()
  })

  test('a question may wait for ever', async () => {
    const { local, clock } = makeTree({}, mode)
    const slow = local.spawn('x', async ({ messages }: RoutineContext<undefined, string, number>) => {
      for await (const { reply } of messages) clock.setTimeout(() => reply(5), 10_000_000)
    })
    const answer = slow.ask('x', { timeout: Infinity })
    await settle()
    expect(clock.pending).toBe(0 + 1)
    await clock.advance(10_000_000)
    expect(await answer).toBe(5)
  })

  test('X2: a full mailbox refuses by default', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('echo', echo, { mailbox: { capacity: 1 } })
    routine.send('1')
    expect(() => routine.send('2')).toThrow(expect.objectContaining({ code: 'ERR_MAILBOX_FULL' }))
    await expect(routine.ask('3')).rejects.toMatchObject({ code: 'ERR_MAILBOX_FULL' })
    await settle()
    expect(await routine.cancel()).toMatchObject({ output: ['1'] })
  })

  test.each(['keep', 'drop'] as const)('between two incarnations: %s', async (betweenIncarnations) => {
    const { local, clock, events } = makeTree({}, mode)
    const routine = local.spawn('echo', echo, { restart: 'transient', backoff: { initial: 10 }, mailbox: { betweenIncarnations } })
    routine.send('crash')
    routine.send('unread')
    await settle()
    expect(routine.state).toBe('pending')
    routine.send('between')
    await clock.advance(10)
    const dropped = events.flatMap((event) => (event.type === 'message.dropped' ? [event.message] : []))
    expect(await routine.cancel()).toMatchObject({ output: betweenIncarnations === 'keep' ? ['unread', 'between'] : [] })
    expect(dropped).toEqual(betweenIncarnations === 'keep' ? [] : ['unread', 'between'])
  })

  test('E1: of two readers the one that asked first is served first, and one that has left is not', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('readers', async (context: RoutineContext<undefined, string>) => {
      const [left, first, second] = [0, 1, 2].map(() => context.messages[Symbol.asyncIterator]())
      const given = [left, first].map((reader) => reader?.next())
      await left?.return?.()
      await settle()
      routine.send('a')
      routine.send('b')
      // Both wait already: whoever asks now is behind the one that has waited.
      given.push(second?.next())
      return (await Promise.all(given)).map((turn) => turn?.value?.message)
    }) as { send(message: string): void; outcome: Promise<unknown> }
    expect(await routine.outcome).toEqual({ status: 'completed', output: [undefined, 'a', 'b'] })
  })

  test('what it answers while it stops reaches who asked; once it is over, nothing does', async () => {
    const { local, clock } = makeTree({}, mode)
    const body = async ({ messages, signal }: RoutineContext<undefined, string, string>): Promise<void> => {
      const replies: ((value: string) => void)[] = []
      signal.addEventListener('abort', () => replies[0]?.('in time'))
      for await (const { reply } of messages) replies.push(reply)
      await new Promise((resolve) => clock.setTimeout(() => resolve(1), 20))
      replies[1]?.('too late')
    }
    const routine = local.spawn('server', body, { shutdown: 10 })
    await settle()
    const answers = [routine.ask('a'), routine.ask('b')]
    const refused = expect(answers[1]).rejects.toMatchObject({ code: 'ERR_NOT_RUNNING' })
    await settle()
    void routine.cancel()
    expect(await answers[0]).toBe('in time')
    await clock.advance(50)
    await refused
  })

  test.each([
    ['drop-newest', ['ERR_TIMEOUT', 'ERR_MAILBOX_FULL']],
    ['drop-oldest', ['ERR_MAILBOX_FULL', 'ERR_TIMEOUT']],
  ] as const)('a question that is dropped for want of room says so: %s', async (overflow, codes) => {
    const { local, clock } = makeTree({}, mode)
    const body = ({ signal }: RoutineContext<undefined, string>): Promise<unknown> =>
      new Promise((resolve) => signal.addEventListener('abort', resolve))
    const deaf = local.spawn('deaf', body, { mailbox: { capacity: 1, overflow } })
    await settle()
    const asked = ['a', 'b'].map((message) => deaf.ask(message, { timeout: 10 }).catch((error: { code: string }) => error.code))
    await clock.advance(10)
    expect(await Promise.all(asked)).toEqual(codes.map((code) => (code === 'ERR_TIMEOUT' ? 'ERR_ASK_TIMEOUT' : code)))
  })

  test('X3: an actor that ends while it gets what has waited leaves the rest to the next, or to nobody', async () => {
    const { local, events } = makeTree({}, mode)
    const crashing = fromTransition((seen: number[], { n }: { type: 'n'; n: number }) => {
      if (n === 1) throw new Error('poison')
      return [...seen, n]
    }, [])
    const permanent = local.spawn('crashing', crashing, { restart: 'permanent' })
    const ending = local.spawn('ending', setup({}).createMachine({ initial: 'a', states: { a: { on: { n: 'b' } }, b: { type: 'final' } } }))
    for (const n of [1, 2, 3]) for (const each of [permanent, ending]) each.send({ type: 'n', n })
    await settle()
    expect([permanent.incarnation, permanent.work?.getSnapshot().context]).toEqual([2, [2, 3]])
    const dead = events.filter(({ type }) => type === 'message.deadLetter')
    expect(dead).toMatchObject([2, 3].map((n) => ({ name: 'ending', message: { n } })))
  })

  test('X3: what reaches nobody is a dead letter', async () => {
    const { local, events } = makeTree({}, mode)
    const routine = local.spawn('ends', () => 1) as unknown as { send(message: string): void; outcome: Promise<unknown> }
    routine.send('unread')
    await routine.outcome
    routine.send('late')
    expect(events.flatMap((event) => (event.type === 'message.deadLetter' ? [event.message] : []))).toEqual(['unread', 'late'])
  })

  test('an actor gets them as events: early ones once it has begun, questions with a reply function', async () => {
    const { local } = makeTree({}, mode)
    const counter = setup({
      types: { context: {} as { sum: number }, events: {} as { type: 'add'; by: number } | { type: 'sum'; reply?: (sum: number) => void } },
    }).createMachine({
      context: { sum: 0 },
      on: {
        add: { actions: assign({ sum: ({ context, event }) => context.sum + event.by }) },
        sum: { actions: ({ context, event }) => event.reply?.(context.sum) },
      },
    })
    const routine = local.spawn('counter', counter)
    routine.send({ type: 'add', by: 1 })
    routine.send({ type: 'add', by: 2 })
    expect(await routine.ask({ type: 'sum' })).toBe(3)
  })

  test('what waits for an actor outlives its crash', async () => {
    const { local, clock } = makeTree({}, mode)
    const logic = fromTransition((seen: string[], event: { type: string }) => {
      if (event.type === 'boom') throw new Error('boom')
      return [...seen, event.type]
    }, [])
    const routine = local.spawn('actor', logic, { restart: 'permanent', backoff: { initial: 10 } })
    await settle()
    routine.send({ type: 'boom' })
    await settle()
    routine.send({ type: 'kept' })
    await clock.advance(10)
    expect(routine.work?.getSnapshot().context).toEqual(['kept'])
  })
})
