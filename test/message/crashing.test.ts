/** What an actor is sent while it is at another event, and does not come to: kept, dropped or dead, as it is of a function. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { fromCallback, setup } from 'xstate'
import { type LocalManager, type Routine, routine, type RoutineContext } from 'curtaincall'
import { makeTree, type Tree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

type Event = { type: 'go' } | { type: 'note'; n: number; reply?: (value: unknown) => void }
type Noting = Routine<unknown, Event, unknown>

interface Play {
  /** Called in the middle of the step of `go`, or of the handling of that message. */
  readonly amid: () => void
  /** How that ends. */
  readonly end: 'crashes' | 'is done' | 'goes on'
  readonly got: number[]
}

const machineOf = ({ amid, end, got }: Play) =>
  setup({ types: { events: {} as Event } }).createMachine({
    initial: 'at work',
    states: {
      'at work': {
        on: {
          go: {
            ...(end === 'is done' && { target: 'done' }),
            actions: () => {
              amid()
              if (end === 'crashes') throw new Error('crash')
            },
          },
          note: {
            actions: ({ event }) => {
              got.push(event.n)
              event.reply?.(event.n)
            },
          },
        },
      },
      done: { type: 'final' },
    },
  })

const bodyOf =
  ({ amid, end, got }: Play) =>
  async ({ messages }: RoutineContext<undefined, Event, unknown>): Promise<void> => {
    for await (const { message, reply } of messages) {
      if (message.type === 'go') {
        amid()
        if (end === 'crashes') throw new Error('crash')
        if (end === 'is done') return
      } else {
        got.push(message.n)
        reply(message.n)
      }
    }
  }

type Kind = 'function' | 'actor' | 'actor that resumes'

async function place(local: LocalManager, as: 'spawned' | 'child', kind: Kind, play: Play, options: object): Promise<Noting> {
  const work = kind === 'function' ? bodyOf(play) : machineOf(play)
  const all = { id: 'x', restart: 'transient', ...(kind === 'actor that resumes' && { resume: 'snapshot' }), ...options }
  if (as === 'spawned') local.spawn('x', work as never, all as never)
  else await local.startChild(routine('x', work as never, all as never))
  await settle()
  return local.routine('x') as unknown as Noting
}

const told = ({ events }: Tree): string[] =>
  events.flatMap((event) =>
    event.type === 'message.deadLetter' || event.type === 'message.dropped' ? [`${event.type} ${(event.message as { n: number }).n}`] : [],
  )

/** Calls back as somebody else: what a body asks itself runs out of time with another code. */
const outside = AsyncLocalStorage.snapshot()

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  describe.each(['function', 'actor', 'actor that resumes'] as const)('%s', (kind) => {
    describe.each(['spawned', 'child'] as const)('%s', (as) => {
      const play = async (end: Play['end'], amid: (x: Noting) => void, options: object = {}) => {
        const tree = makeTree({}, mode)
        const got: number[] = []
        const { local } = tree
        const x = await place(local, as, kind, { amid: () => amid(local.routine('x') as never), end, got }, options)
        return { ...tree, tree, got, x }
      }
      const note = (x: Noting, ...ns: number[]): void => ns.forEach((n) => x.send({ type: 'note', n }))

      test('X5: a crash leaves it to the next incarnation, in order, questions too', async () => {
        const asked: Promise<unknown>[] = []
        const { x, got, tree } = await play('crashes', (self) => {
          note(self, 1, 2)
          asked.push(outside(() => self.ask({ type: 'note', n: 3 })))
          note(self, 4)
        })
        x.send({ type: 'go' })
        await settle()
        note(x, 5)
        await settle()
        expect([await Promise.all(asked), got, told(tree), x.incarnation]).toEqual([[3], [1, 2, 3, 4, 5], [], 2])
      })

      test('X5: a question that is over meanwhile is not received', async () => {
        const asked: Promise<unknown>[] = []
        const control = new AbortController()
        const { x, got, clock } = await play(
          'crashes',
          (self) => {
            note(self, 1)
            asked.push(outside(() => self.ask({ type: 'note', n: 2 }, { timeout: 5 })).catch((error: { code: string }) => error.code))
            asked.push(outside(() => self.ask({ type: 'note', n: 3 }, { signal: control.signal })).catch((error: unknown) => error))
            note(self, 4)
            control.abort('why')
          },
          { backoff: { initial: 10 } },
        )
        x.send({ type: 'go' })
        await clock.advance(20)
        expect([await Promise.all(asked), got]).toEqual([
          ['ERR_ASK_TIMEOUT', 'why'],
          [1, 4],
        ])
      })

      test('X5, X3: where none follows it is dead', async () => {
        const asked: Promise<unknown>[] = []
        const { x, got, tree } = await play(
          'crashes',
          (self) => {
            note(self, 1)
            asked.push(outside(() => self.ask({ type: 'note', n: 2 })).catch((error: { code: string }) => error.code))
          },
          { restart: 'temporary' },
        )
        x.send({ type: 'go' })
        await settle()
        expect([await Promise.all(asked), got, told(tree)]).toEqual([
          ['ERR_NOT_RUNNING'],
          [],
          ['message.deadLetter 1', 'message.deadLetter 2'],
        ])
      })

      test('X5: where messages are dropped between two incarnations, it is', async () => {
        const { x, got, tree } = await play('crashes', (self) => note(self, 1, 2), { mailbox: { betweenIncarnations: 'drop' } })
        x.send({ type: 'go' })
        await settle()
        expect([got, told(tree)]).toEqual([[], ['message.dropped 1', 'message.dropped 2']])
      })

      test('X5, X3: by its end in good order, too', async () => {
        const { x, got, tree } = await play('is done', (self) => note(self, 1, 2))
        x.send({ type: 'go' })
        await settle()
        expect([got, told(tree), x.state]).toEqual([[], ['message.deadLetter 1', 'message.deadLetter 2'], 'completed'])
      })

      test.each(['cancel', 'kill'] as const)('X5, X3: and by a %s in the middle', async (how) => {
        const { x, got, tree } = await play('goes on', (self) => {
          note(self, 1)
          void self[how]()
          note(self, 2)
        })
        x.send({ type: 'go' })
        await settle()
        expect([got, told(tree), x.state]).toEqual([[], ['message.deadLetter 1', 'message.deadLetter 2'], 'cancelled'])
      })

      test('X5: a restart by hand in the middle leaves it to the next', async () => {
        const { x, got, tree } = await play('goes on', (self) => {
          note(self, 1)
          if (self.incarnation === 1) void self.restart()
          note(self, 2)
        })
        x.send({ type: 'go' })
        await settle()
        expect([got, told(tree), x.incarnation]).toEqual([[1, 2], [], 2])
      })

      test('X5: without a crash it is received once', async () => {
        const { x, got, tree } = await play('goes on', (self) => note(self, 1, 2))
        x.send({ type: 'go' })
        await settle()
        note(x, 3)
        await settle()
        await x.cancel()
        expect([got, told(tree)]).toEqual([[1, 2, 3], []])
      })
    })
  })

  test.each([
    ['reject', [1, 2], ['message.dropped 4', 'message.dropped 3']],
    ['drop-newest', [1, 2], ['message.dropped 4', 'message.dropped 3']],
    ['drop-oldest', [3, 4], ['message.dropped 1', 'message.dropped 2']],
  ] as const)(
    'X2, X5: what an actor was handed beyond its capacity is dropped by its policy, when it waits again: %s',
    async (overflow, kept, dropped) => {
      const tree = makeTree({}, mode)
      const got: number[] = []
      const amid = (): void => [1, 2, 3, 4].forEach((n) => x.send({ type: 'note', n }))
      const x: Noting = await place(tree.local, 'spawned', 'actor', { amid, end: 'crashes', got }, { mailbox: { capacity: 2, overflow } })
      x.send({ type: 'go' })
      await settle()
      expect([got, told(tree)]).toEqual([kept, dropped])
    },
  )

  test('X5: two actors that tell each other in the middle of their steps', async () => {
    const tree = makeTree({}, mode)
    const got: number[] = []
    const back = tree.local.spawn(
      'back',
      setup({}).createMachine({
        on: {
          ping: {
            actions: () => {
              x.send({ type: 'note', n: 1 })
              x.send({ type: 'note', n: 2 })
            },
          },
        },
      }),
    )
    const x: Noting = await place(tree.local, 'spawned', 'actor', { amid: () => back.send({ type: 'ping' }), end: 'crashes', got }, {})
    x.send({ type: 'go' })
    await settle()
    expect([got, told(tree), x.incarnation]).toEqual([[1, 2], [], 2])
  })

  test('X5: an event that came in another way, the same object even, is not taken for one that was handed over', async () => {
    const tree = makeTree({}, mode)
    const same = { type: 'note', n: 7 } as const
    let steps = 0
    const kid = fromCallback(({ sendBack, receive }) => receive(() => sendBack(same)))
    const machine = setup({ types: { events: {} as { type: 'go' } | { type: 'note'; n: number } }, actors: { kid } }).createMachine({
      invoke: { src: 'kid', id: 'kid' },
      on: {
        go: {
          actions: ({ self }) => {
            // From its own child, then by its routine.
            self.getSnapshot().children['kid']?.send({ type: 'now' })
            x.send(same)
          },
        },
        note: {
          actions: () => {
            if (++steps === 1) throw new Error('crash')
          },
        },
      },
    })
    const x = tree.local.spawn('x', machine, { restart: 'permanent' })
    await settle()
    x.send({ type: 'go' })
    await settle()
    // The first step of it crashed; the one that was handed over is handed over again.
    expect([steps, x.incarnation, told(tree)]).toEqual([2, 2, []])
  })

  test('X5: a hundred thousand that wait for one step are received in order', async () => {
    const tree = makeTree({}, mode)
    const got: number[] = []
    const amid = (): void => {
      for (let n = 0; n < 100_000; n++) x.send({ type: 'note', n })
    }
    const x: Noting = await place(tree.local, 'spawned', 'actor', { amid, end: 'goes on', got }, {})
    x.send({ type: 'go' })
    await settle()
    expect([got.length, got.every((n, i) => n === i)]).toEqual([100_000, true])
  })
})
