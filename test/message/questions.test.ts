/** Questions: answers that come later, questions that nobody waits for any more, and what an actor finds of one. */
import { describe, expect, test } from 'vitest'
import { getEventListeners } from 'node:events'
import { fromTransition, setup } from 'xstate'
import type { LocalManager, Routine, RoutineContext } from 'curtaincall'
import { gate, makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

type Reply = (value: unknown) => void
type Ask = { type: string; reply?: Reply }
type Server = Routine<unknown, Ask, unknown>

/** One that answers each question with what `answer` makes of it. */
function serve(
  kind: 'function' | 'actor',
  local: LocalManager,
  answer: (message: Ask, reply: Reply) => void,
  options: object = {},
): Server {
  const body = async ({ messages }: RoutineContext<undefined, Ask, unknown>): Promise<void> => {
    for await (const { message, reply } of messages) answer(message, reply)
  }
  const logic = fromTransition((state: null, event: Ask) => {
    if (!event.type.startsWith('xstate')) answer(event, event.reply as Reply)
    return state
  }, null)
  return (kind === 'function' ? local.spawn('server', body, options) : local.spawn('server', logic, options)) as unknown as Server
}

const codeOf = (error: unknown): unknown => (error as { code?: string }).code ?? error

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  describe.each(['function', 'actor'] as const)('%s', (kind) => {
    test('Q3: a promise for an answer is bounded by timeout, signal and end, and leaves nothing', async () => {
      const { local, clock } = makeTree({}, mode)
      const control = new AbortController()
      const server = serve(kind, local, (_, reply) => reply(new Promise(() => undefined)))
      await settle()
      const asked = [{ timeout: 50 }, { signal: control.signal, timeout: Infinity }, { timeout: 200 }].map((options) =>
        server.ask({ type: 'q' }, options).catch(codeOf),
      )
      await clock.advance(50)
      expect(await asked[0]).toBe('ERR_ASK_TIMEOUT')
      control.abort('why')
      expect(await asked[1]).toBe('why')
      expect(getEventListeners(control.signal, 'abort')).toEqual([])
      await server.cancel()
      expect(await asked[2]).toBe('ERR_NOT_RUNNING')
      expect(clock.pending).toBe(0)
    })

    test('Q3: it is the answer once it has settled, and the first answer counts', async () => {
      const { local, clock } = makeTree({}, mode)
      const [late, failing] = [gate<string>(), gate<string>()]
      const answers: Record<string, (reply: Reply) => void> = {
        late: (reply) => {
          reply(late.promise)
          reply('too late')
        },
        failing: (reply) => reply(failing.promise),
        foreign: (reply) => reply({ then: (keep: Reply) => (keep('foreign'), keep('twice')) }),
        hostile: (reply) => {
          reply({
            get then() {
              throw new Error('not to be looked at')
            },
          })
        },
        plain: (reply) => reply({ then: 'no function' }),
      }
      const server = serve(kind, local, ({ type }, reply) => answers[type]?.(reply))
      await settle()
      const asked = Object.keys(answers).map((type) =>
        server.ask({ type }).catch((error: unknown) => (error instanceof Error ? error.message : error)),
      )
      await clock.advance(10)
      late.resolve('late')
      failing.reject('refused')
      expect(await Promise.all(asked)).toEqual(['late', 'refused', 'foreign', 'not to be looked at', { then: 'no function' }])
      expect(clock.pending).toBe(0)
      await local.shutdown()
    })

    test('Q3: what settles when nobody waits any more is nothing, a rejection neither', async () => {
      const { local, clock, global } = makeTree({}, mode)
      const never = gate<string>()
      const server = serve(kind, local, (_, reply) => reply(never.promise))
      await settle()
      const asked = server.ask({ type: 'q' }, { timeout: 10 }).catch(codeOf)
      await clock.advance(10)
      never.reject(new Error('late'))
      await settle()
      expect([await asked, server.state, global.metrics().contained]).toEqual(['ERR_ASK_TIMEOUT', 'running', 0])
      await local.shutdown()
    })

    test('Q3: a crash refuses it at once, with the crash as its cause', async () => {
      const { local } = makeTree({}, mode)
      const server = serve(
        kind,
        local,
        ({ type }, reply) => {
          if (type === 'crash') throw new Error('crash')
          reply(new Promise(() => undefined))
        },
        { restart: 'permanent' },
      )
      await settle()
      const asked = server.ask({ type: 'q' }).catch((error: Error) => error.cause)
      await settle()
      server.send({ type: 'crash' })
      expect(await asked).toMatchObject({ message: 'crash' })
      await local.shutdown()
    })

    test.each(['timeout', 'signal'] as const)('X4: questions that are over leave the mailbox: %s', async (how) => {
      const { local, clock, events } = makeTree({}, mode)
      const control = new AbortController()
      const got: string[] = []
      const server = serve(kind, local, ({ type }) => got.push(type), {
        mailbox: { capacity: 3 },
        restart: 'permanent',
        backoff: { initial: 1_000 },
      })
      // Between two incarnations all waits, of an actor too.
      await settle()
      server.exit(new Error('crash'))
      await settle()
      const options = how === 'timeout' ? { timeout: 10 } : { signal: control.signal }
      const asked = ['1', '2', '3'].map((type) => server.ask({ type }, options).catch(codeOf))
      expect(() => server.send({ type: 'no room' })).toThrow(expect.objectContaining({ code: 'ERR_MAILBOX_FULL' }))
      await clock.advance(10)
      control.abort('why')
      expect(await Promise.all(asked)).toEqual([1, 2, 3].map(() => (how === 'timeout' ? 'ERR_ASK_TIMEOUT' : 'why')))
      server.send({ type: 'wanted' })
      const last = server.ask({ type: 'wanted too' }).catch(codeOf)
      await clock.advance(2_000)
      expect(got).toEqual(['wanted', 'wanted too'])
      await server.cancel()
      expect(await last).toBe('ERR_NOT_RUNNING')
      expect(events.filter(({ type }) => type.startsWith('message.'))).toEqual([])
    })
  })

  test('X4: however many are over, few are kept, in whatever order they end', async () => {
    const { local, clock } = makeTree({}, mode)
    const deaf = local.spawn('deaf', () => new Promise(() => undefined), { mailbox: { capacity: 10 }, shutdown: 0 }) as unknown as Server
    await settle()
    const held = deaf.ask({ type: 'held' }, { timeout: Infinity }).catch(codeOf)
    const refs: WeakRef<object>[] = []
    for (let round = 0; round < 300; round++) {
      const controls = Array.from({ length: 9 }, () => new AbortController())
      for (const { signal } of controls) {
        const message = { type: 'q' }
        refs.push(new WeakRef(message))
        void deaf.ask(message, { signal, timeout: Infinity }).catch(() => undefined)
      }
      for (const each of round % 2 === 0 ? controls : controls.toReversed()) each.abort()
    }
    const { mailbox } = deaf as unknown as { mailbox: { size: number; places: number } }
    expect(mailbox.size).toBe(1)
    expect(mailbox.places).toBeLessThan(100)
    void deaf.kill()
    await clock.advance(10)
    expect(await held).toBe('ERR_NOT_RUNNING')
  })

  describe('an event of a class', () => {
    class Add {
      type = 'add'
      readonly #amount: number
      constructor(amount: number) {
        this.#amount = amount
      }
      get amount(): number {
        return this.#amount
      }
      twice(): number {
        return this.#amount * 2
      }
      isLike(other: unknown): boolean {
        return typeof other === 'object' && other !== null && #amount in other
      }
    }
    type Seen = { event: Add & { reply: Reply }; amount: number; twice: number; isAdd: boolean }
    const see = (event: Add & { reply: Reply }): Seen => ({
      event,
      amount: event.amount,
      twice: event.twice(),
      isAdd: event instanceof Add,
    })

    const adding = (local: LocalManager): Routine<unknown, unknown, unknown> =>
      local.spawn(
        'adding',
        setup({ types: { events: {} as { type: 'add' } } }).createMachine({
          on: { add: { actions: ({ event }) => (event as unknown as Seen['event']).reply(see(event as never)) } },
        }),
      ) as never

    test('X7: arrives as that object, as it does by send, and carries its reply', async () => {
      const { local } = makeTree({}, mode)
      const routine = adding(local)
      await settle()
      const event = new Add(3)
      for (const _ of [1, 2]) {
        const seen = (await routine.ask(event)) as Seen
        expect([seen.event === (event as object), seen.amount, seen.twice, seen.isAdd]).toEqual([true, 3, 6, true])
        expect(new Add(1).isLike(seen.event)).toBe(true)
        expect(Object.keys(event)).toEqual(['type'])
      }
      await local.shutdown()
    })

    test.each(['as it is', 'frozen', 'with a reply of its own'] as const)(
      'X7: asked of two at once, and twice of one, each gets its own answer: %s',
      async (how) => {
        const { local } = makeTree({}, mode)
        const replies: ((value: string) => void)[] = []
        const make = (name: string): Routine<unknown, unknown, unknown> =>
          local.spawn(
            name,
            fromTransition((state: null, event: Add & { reply: Reply }) => {
              if (event.type === 'add')
                replies.push((value) => event.reply([name, event.amount, event.twice(), event instanceof Add, value]))
              return state
            }, null),
          ) as never
        const [one, two] = [make('one'), make('two')]
        await settle()
        class Other extends Add {
          reply = 'mine'
        }
        const event = how === 'frozen' ? Object.freeze(new Add(3)) : how === 'as it is' ? new Add(3) : new Other(3)
        const asked = [one.ask(event), two.ask(event), one.ask(event)]
        for (const i of [2, 0, 1]) replies[i]?.(`answer ${i}`)
        expect(await Promise.all(asked)).toEqual(['one', 'two', 'one'].map((name, i) => [name, 3, 6, true, `answer ${i}`]))
        if (how === 'with a reply of its own') expect((event as Other).reply).toBe('mine')
        await local.shutdown()
      },
    )
  })

  test('E3: messages taken out of the context can be gone through again after a break', async () => {
    const { local, events } = makeTree({}, mode)
    const routine = local.spawn('r', async ({ messages, signal }: RoutineContext<undefined, string>) => {
      const got: string[] = []
      for await (const { message } of messages) if (message === 'ready') break
      expect(getEventListeners(signal, 'abort')).toEqual([])
      for await (const { message } of messages) {
        got.push(message)
        if (message === 'end') break
      }
      return got
    })
    for (const message of ['ready', 'one', 'two', 'end', 'rest']) routine.send(message)
    expect(await routine.outcome).toEqual({ status: 'completed', output: ['one', 'two', 'end'] })
    expect(events.flatMap((event) => (event.type === 'message.deadLetter' ? [event.message] : []))).toEqual(['rest'])
  })

  test('E3: two loops at once share the messages, and both end with the cancel', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('r', async ({ messages }: RoutineContext<undefined, number>) => {
      const got: number[][] = [[], []]
      await Promise.all(
        got.map(async (mine) => {
          for await (const { message } of messages) mine.push(message)
        }),
      )
      return got
    })
    await settle()
    for (const n of [1, 2, 3, 4]) {
      routine.send(n)
      await settle()
    }
    expect(await routine.cancel()).toMatchObject({
      output: [
        [1, 3],
        [2, 4],
      ],
    })
  })
})
