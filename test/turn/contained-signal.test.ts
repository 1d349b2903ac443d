/** The signal of a routine behaves as the platform's does, except that what its listeners throw goes to its owner. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { abortContained, containedController } from '../../src/turn/contained-signal.ts'

type Called = readonly [listener: number, self: boolean, type: string]

/** A script of additions and removals, played on one signal, then aborted: who was called, and as what. */
function play(controller: AbortController, abort: () => void, script: readonly Step[]): Called[] {
  const { signal } = controller
  const called: Called[] = []
  const functions = [0, 1, 2].map(
    (i) =>
      function (this: unknown, event: Event) {
        called.push([i, this === signal, event.type])
      },
  )
  const objects = [3, 4].map((i) => ({
    handleEvent(this: unknown, event: Event) {
      called.push([i, this === objects[i - 3], event.type])
    },
  }))
  const listeners = [...functions, ...objects]
  for (const { act, listener, once, capture } of script) {
    const given = listeners[listener] as () => void
    if (act === 'add') signal.addEventListener('abort', given, { once, capture })
    else if (act === 'remove') signal.removeEventListener('abort', given, capture)
    else signal.onabort = given
  }
  abort()
  signal.dispatchEvent(new Event('abort'))
  return called
}

interface Step {
  readonly act: 'add' | 'remove' | 'onabort'
  readonly listener: number
  readonly once: boolean
  readonly capture: boolean
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    act: fc.constantFrom('add', 'add', 'remove', 'onabort'),
    listener: fc.nat(4),
    once: fc.boolean(),
    capture: fc.boolean(),
  }),
  { maxLength: 8 },
)

test('listeners are called as the platform calls them: once each, in order, with the same `this`', () => {
  fc.assert(
    fc.property(steps, (given) => {
      // What is not a function is no handler here and there, and an object as `onabort` is the platform's business.
      const script = given.map((step) => (step.act === 'onabort' ? { ...step, listener: step.listener % 3 } : step))
      const ours = containedController({ listenerThrew: (error) => expect.unreachable(String(error)) })
      const theirs = new AbortController()
      expect(play(ours, () => abortContained(ours, 'why'), script)).toEqual(play(theirs, () => theirs.abort('why'), script))
    }),
    { numRuns: 2_000 },
  )
})

test('one function listens to many signals, and each owner hears of its own', () => {
  const heard: string[] = []
  const listener = (event: Event) => {
    throw (event.target as AbortSignal).reason
  }
  const controllers = ['a', 'b'].map((name) => containedController({ listenerThrew: (error) => heard.push(`${name}: ${String(error)}`) }))
  for (const { signal } of controllers) {
    signal.addEventListener('abort', () => undefined)
    signal.addEventListener('abort', listener)
  }
  const first = containedController({ listenerThrew: (error) => heard.push(`c: ${String(error)}`) })
  first.signal.addEventListener('abort', listener)
  for (const [i, controller] of [...controllers, first].entries()) abortContained(controller, i)
  expect(heard).toEqual(['a: 0', 'b: 1', 'c: 2'])
})

test('what an async listener rejects with goes to the owner too', async () => {
  const heard: unknown[] = []
  const controller = containedController({ listenerThrew: (error) => heard.push(error) })
  controller.signal.addEventListener('abort', (() => Promise.reject('first')) as never)
  controller.signal.addEventListener('abort', { handleEvent: (() => Promise.reject('second')) as never })
  abortContained(controller, 'why')
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['first', 'second'])
})
