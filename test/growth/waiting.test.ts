/** Who waits for messages costs nobody else anything: readers, their turns, and what is turned away. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, CurtaincallError, type RoutineContext } from 'curtaincall'
import { growthOf } from '../support/steps.ts'

type Context = RoutineContext<undefined, number>

/** A body that waits, and how to send to it. */
async function reading(read: (messages: Context['messages'], signal: AbortSignal) => void) {
  const local = createGlobalManager().createApp('app').createLocal('local')
  const self = local.spawn(
    'body',
    async ({ messages, signal }: Context) => {
      read(messages, signal)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
    { mailbox: { capacity: 5, overflow: 'drop-newest' } },
  )
  await self.started
  return self
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('as many steps among 2,000 as among 20', () => {
  test('a message, among readers that wait', async () => {
    const growth = await growthOf(20, 2_000, async (n) => {
      const taken: number[] = []
      const self = await reading((messages) => {
        const take = async (i: number): Promise<void> => {
          for await (const { message } of messages) taken.push(i + 10_000 * message)
        }
        for (let i = 0; i < n; i++) void take(i)
      })
      let sent = 0
      return async () => {
        self.send(sent)
        await settled()
        // The one that waits longest, and once each.
        expect(taken).toHaveLength(++sent)
        expect(taken.at(-1)).toBe((sent - 1) * 10_001)
      }
    })
    expect(growth).toBeLessThan(1.5)
  })

  test('a message, among calls of next() that wait', async () => {
    const growth = await growthOf(20, 2_000, async (n) => {
      const taken: number[] = []
      const self = await reading((messages) => {
        const reader = messages[Symbol.asyncIterator]()
        for (let i = 0; i < n; i++) void reader.next().then(({ value }) => taken.push(value?.message as number))
      })
      let sent = 0
      return async () => {
        self.send(sent++)
        await settled()
        expect(taken).toEqual([0, 1].slice(0, sent))
      }
    })
    expect(growth).toBeLessThan(1.5)
  })

  test('a reader that comes and goes, and the platform has one listener for all of them', async () => {
    let listeners = 0
    const growth = await growthOf(20, 2_000, async (n) => {
      let messages: Context['messages'] | undefined
      await reading((given, signal) => {
        messages = given
        const { addEventListener } = signal
        signal.addEventListener = (...rest: Parameters<typeof addEventListener>) => {
          listeners++
          addEventListener.apply(signal, rest)
        }
        for (let i = 0; i < n; i++) void given[Symbol.asyncIterator]().next()
      })
      return () => {
        const reader = (messages as Context['messages'])[Symbol.asyncIterator]()
        void reader.next()
        void reader.return?.()
      }
    })
    expect(growth).toBeLessThan(1.5)
    // One for the readers, and the body's own.
    expect(listeners).toBe(4)
  })
})

test('all that wait end when the body is told to stop', async () => {
  const ended: boolean[] = []
  const self = await reading((messages) => {
    for (let i = 0; i < 5; i++)
      void messages[Symbol.asyncIterator]()
        .next()
        .then(({ done }) => ended.push(done === true))
  })
  await self.cancel()
  await settled()
  expect(ended).toEqual([true, true, true, true, true])
})

test('of a message that is dropped no error is made, unless somebody asked', async () => {
  const self = await reading(() => {})
  for (let i = 0; i < 5; i++) self.send(i)
  let made = 0
  Object.setPrototypeOf(
    CurtaincallError,
    class extends Error {
      constructor(...given: [string, ErrorOptions?]) {
        super(...given)
        made++
      }
    },
  )
  self.send(6)
  expect(made).toBe(0)
  await expect(self.ask(7)).rejects.toMatchObject({ code: 'ERR_MAILBOX_FULL' })
  expect(made).toBe(1)
  Object.setPrototypeOf(CurtaincallError, Error)
})
