/** L1, L2: who replaces the platform's functions may begin and end in any order. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter, setMaxListeners } from 'node:events'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { routine, type RoutineContext } from 'curtaincall'
import { expectNoLeaks, startSupervised, virtualTime, type VirtualTime } from 'curtaincall/testing'

const PLACES: readonly [object, string][] = [
  ...['setTimeout', 'clearTimeout', 'setInterval', 'setImmediate', 'Date', 'AbortController', 'EventTarget'].map(
    (name): [object, string] => [globalThis, name],
  ),
  [timers, 'setTimeout'],
  [timersPromises, 'setTimeout'],
  [timersPromises.scheduler, 'wait'],
  [Date, 'now'],
  [Date.prototype, 'constructor'],
  [Intl.DateTimeFormat.prototype, 'format'],
  [Intl.DateTimeFormat.prototype, 'formatToParts'],
  [performance, 'now'],
  [performance, 'timeOrigin'],
  [process, 'hrtime'],
  [AbortSignal, 'timeout'],
  [AbortSignal, 'any'],
  [EventTarget.prototype, 'addEventListener'],
  [EventEmitter, 'init'],
  [EventEmitter.prototype, 'on'],
]
const descriptors = () => PLACES.map(([target, name]) => Object.getOwnPropertyDescriptor(target, name))
const own = descriptors()

const untilTold = ({ signal }: RoutineContext): Promise<void> => new Promise((resolve) => signal.addEventListener('abort', () => resolve()))

/** Something that is begun, looked at any number of times, and ended. */
interface Scope {
  readonly look: () => Promise<void>
  readonly end: () => Promise<void>
}

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

/** Its signals obey its clock. */
function inVirtualTime(): Scope {
  const { opened, open } = gate()
  let inside: ((act: () => Promise<void>) => Promise<void>) | undefined
  let moving: VirtualTime | undefined
  const over = virtualTime((time) => {
    inside = AsyncLocalStorage.snapshot() as typeof inside
    moving = time
    return opened
  })
  const look = async () => {
    const signal = AbortSignal.timeout(1_000)
    await moving?.advance(999)
    expect(signal.aborted).toBe(false)
    await moving?.advance(1)
    expect(signal.aborted).toBe(true)
  }
  return {
    look: () => inside?.(look) as Promise<void>,
    end: () => {
      open()
      return over
    },
  }
}

/** It knows what is older than it is, and what is not. */
function watched(): Scope {
  const { opened, open } = gate()
  const old = new EventTarget()
  setMaxListeners(0, old)
  let looks = 0
  let inside: ((act: () => void) => void) | undefined
  const over = expectNoLeaks(() => {
    inside = AsyncLocalStorage.snapshot() as typeof inside
    return opened
  }).then(
    () => '',
    (error: Error) => error.message,
  )
  return {
    look: async () => {
      looks++
      inside?.(() => {
        for (const young of [AbortSignal.any([]), new AbortController().signal, new EventTarget()])
          young.addEventListener('abort', () => undefined)
        old.addEventListener('ring', () => undefined)
      })
    },
    end: async () => {
      open()
      expect((await over).match(/a listener of \w+/g) ?? []).toEqual(Array.from({ length: looks }, () => 'a listener of ring'))
    },
  }
}

test('any order of begins and ends: each sees what it should, and the platform is as it was', async () => {
  const kinds = [inVirtualTime, watched, inVirtualTime, watched]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(kinds.length - 1), { maxLength: 12 }), async (turns) => {
      const scopes = new Map<number, Scope>()
      for (const turn of turns) {
        const living = scopes.get(turn)
        if (living !== undefined) {
          scopes.delete(turn)
          await living.end()
        } else scopes.set(turn, (kinds[turn] as () => Scope)())
        for (const { look } of scopes.values()) await look()
      }
      for (const { end } of scopes.values()) await end()
      expect(descriptors()).toEqual(own)
    }),
    { numRuns: 200 },
  )
})

test('a tree that is watched in real time leaves virtual time alone that begins before it ends', async () => {
  const shop = await startSupervised({ children: [routine('till', untilTold)] })
  const { opened, open } = gate()
  const aborted = virtualTime(async (time) => {
    await opened
    const signal = AbortSignal.timeout(1_000)
    await time.advance(1_000)
    return signal.aborted
  })
  await shop.stop()
  open()
  expect(await aborted).toBe(true)
  expect(descriptors()).toEqual(own)
})

test('a tree of virtual time that is stopped when that is over moves its time still', async () => {
  const slow = ({ signal }: RoutineContext): Promise<void> =>
    new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 60_000)))
  let stop: (() => Promise<void>) | undefined
  const begun = performance.now()
  await virtualTime(() =>
    startSupervised(
      { children: [routine('till', slow, { shutdown: 90_000 })] },
      { timeout: 90_000, onTestFinished: (given) => (stop = given) },
    ),
  )
  await stop?.()
  expect(performance.now() - begun).toBeLessThan(60_000)
  expect(descriptors()).toEqual(own)
})

test("so it is with the runner's own hook", async () => {
  onTestFinished(() => expect(descriptors()).toEqual(own))
  await virtualTime(() => startSupervised({ children: [routine('till', untilTold)] }, { onTestFinished }))
})
