/** To explore a machine takes as much for each state however many there are. */
import { describe, expect, test } from 'vitest'
import { assign, createMachine, type EventObject } from 'xstate'
import { exploreMachine } from 'curtaincall/testing'
import { stepsOf } from '../support/steps.ts'

const chain = (n: number) =>
  createMachine({
    context: { at: 0 },
    initial: 'on',
    states: {
      on: {
        on: {
          more: { guard: ({ context }) => context.at < n - 2, actions: assign({ at: ({ context }) => context.at + 1 }) },
          end: { guard: ({ context }) => context.at === n - 2, target: 'over' },
        },
      },
      over: { type: 'final' },
    },
  })

/** A state for each ray, and an event for each way to it. */
const star = (n: number) =>
  createMachine({
    initial: 'hub',
    states: {
      hub: { on: Object.fromEntries(Array.from({ length: n - 2 }, (_, i) => [`to ${i}`, `ray ${i}`]).concat([['end', 'over']])) },
      ...Object.fromEntries(Array.from({ length: n - 2 }, (_, i) => [`ray ${i}`, { on: { back: 'hub' } }])),
      over: { type: 'final' },
    },
  })

describe('as many steps for each of 500 states as for each of 50', () => {
  test.each<[string, (n: number) => ReturnType<typeof createMachine>]>([
    ['a chain', chain as never],
    ['a star', star as never],
  ])('of %s', async (_, machineOf) => {
    const each = async (n: number): Promise<number> => {
      const machine = machineOf(n)
      const look = () => {
        const { states, trapped, deadlocks } = exploreMachine(machine)
        expect([states.length, trapped.length, deadlocks.length]).toEqual([n, 0, 0])
      }
      look()
      return (await stepsOf(look)) / n
    }
    const few = await each(50)
    expect((await each(500)) / few).toBeLessThan(1.5)
  })
})

test('a path is made when it is read, and is the shortest', () => {
  const { states } = exploreMachine(chain(5))
  expect(states.map(({ path }) => path.join(' '))).toEqual(['', 'more', 'more more', 'more more more', 'more more more end'])
  expect(Object.keys({ ...states[4] })).toEqual(['key', 'state', 'path'])
  expect(states[4]?.path).not.toBe(states[4]?.path)
})

test('where there are too many states the error says so, and names a path of any length in some lines', () => {
  expect(() => exploreMachine(chain(100_000), { limit: 5_000 })).toThrow(
    /^more than 5000 states; one of the last .* by (more, ){50}… 4900 more …(, more){50}$/,
  )
})

describe('an event that a state does not know', () => {
  const machine = (states: object) => createMachine({ initial: 'a', states: { b: { on: { known: 'a' } }, ...states } } as never)
  const edges = (states: object, events?: EventObject[]) =>
    exploreMachine(machine(states), events === undefined ? {} : { events }).edges.map(({ event, to }) => [
      event,
      (JSON.parse(to) as unknown[])[0],
    ])

  test('is no step', () => {
    expect(edges({ a: { on: { go: 'b' } } })).toEqual([
      ['go', 'b'],
      ['known', 'a'],
    ])
  })

  test('is one where a wildcard takes it, and in the order of the events', () => {
    const events = [{ type: 'known' }, { type: 'x.y' }, { type: 'go' }]
    expect(edges({ a: { on: { 'x.*': 'b', known: 'b' } } }, events)).toEqual([
      ['known', 'b'],
      ['x.y', 'b'],
      ['known', 'a'],
    ])
  })

  test('is one where a guard of a transition that is taken by itself looks at it', () => {
    const looks = ({ event }: { event: EventObject }) => event.type === 'known'
    expect(edges({ a: { always: { guard: looks, target: 'b' } } })).toEqual([
      ['known', 'b'],
      // From there it comes back at once.
      ['known', 'b'],
    ])
  })
})
