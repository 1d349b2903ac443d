/** Q5, N1, N2: whoever waits in a virtual time that nobody moves is told so, and nobody else is. */
import { AsyncResource } from 'node:async_hooks'
import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createGlobalManager, type RoutineContext } from 'curtaincall'
import { expectNoLeaks, startSupervised, virtualTime, type VirtualTime, type VirtualTimeOptions } from 'curtaincall/testing'
import { lookForStandstill } from '../../src/testing/standstill.ts'

const before = process.listenerCount('beforeExit')
afterEach(() => expect(process.listenerCount('beforeExit')).toBe(before))

const turn = () => new Promise((resolve) => setImmediate(resolve))
/** The runner has timers of its own, which come and go. */
const look = async (times: number, ...awake: [boolean?]) => {
  for (let n = 0; n < times; n++) {
    await turn()
    lookForStandstill(...awake)
  }
}
const saidBy = (run: Promise<unknown>) => run.then(String, (error: Error & { code?: string }) => `${error.code}: ${error.message}`)

test('after a while, with the timers and the lines that armed them', async () => {
  const run = saidBy(virtualTime(() => new Promise((resolve) => setTimeout(resolve, 60_000))))
  await look(3, false)
  expect(await run).toMatch(
    /^ERR_TEST: virtual time stands still, and somebody waits: for seconds nothing has happened, and these timers are armed\n {2}setTimeout in 60000 ms, armed at .*standstill\.test\.ts:\d+:\d+.*\nmove it while you wait: /,
  )
})

test('a tree that waits for its shutdown: whose timers they are', async () => {
  const deaf = () => new Promise<void>((resolve) => setTimeout(resolve, 70_000))
  const run = saidBy(
    virtualTime(() =>
      expectNoLeaks(async (options) => {
        await using global = createGlobalManager({ ...options, name: 'g', logger: false })
        await global.createApp('a').createLocal('l').spawn('deaf', deaf, { shutdown: 5_000 }).started
      }),
    ),
  )
  await look(4, false)
  expect(await run).toMatch(/\n {2}setTimeout in 70000 ms of g\/a\/l\/deaf#\S+, armed at /)
})

test('at once where nothing is left to happen', async () => {
  const run = saidBy(virtualTime(() => new Promise((resolve) => setTimeout(resolve, 60_000)), { allowEscapes: true }))
  await turn()
  process.listeners('beforeExit').at(-1)?.(0)
  expect(await run).toMatch(
    /^ERR_TEST: virtual time stands still, and somebody waits: nothing is left to happen, and these timers are armed\n/,
  )
})

test('what had escaped is said besides', async () => {
  const run = saidBy(
    virtualTime(async () => {
      await import('node:fs/promises').then(({ readFile }) => readFile(new URL(import.meta.url)))
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    }),
  )
  await new Promise((resolve) => setTimeout(resolve, 50))
  await look(4, false)
  expect(await run).toMatch(
    /^ERR_ESCAPED: virtual time does not reach F.*\nmeanwhile this was thrown: CurtaincallError: virtual time stands still/s,
  )
})

type Run = (time: VirtualTime, over: Promise<void>) => unknown
const server = createServer()
test.each<[string, Run, [boolean?], VirtualTimeOptions?]>([
  ['where escapes are allowed', (_, over) => over, [false], { allowEscapes: true }],
  ['where something was begun that is not known', (_, over) => [new AsyncResource('OURS'), over][1], [false]],
  ['where something keeps the process awake', (_, over) => (server.listen(), over), []],
])('nothing is said %s', async (_, wait, awake, options) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const run = saidBy(
    virtualTime(async (time) => {
      setTimeout(() => undefined, 60_000)
      await wait(time, promise)
      return 'ended'
    }, options),
  )
  await look(9, ...awake)
  resolve()
  server.close()
  expect(await run).not.toContain('stands still')
})

test('nothing is said while time is moved, by whomever, or no timer is armed', async () => {
  const { promise, resolve } = Promise.withResolvers<VirtualTime>()
  const moved = saidBy(virtualTime((time) => new Promise((done) => resolve(setTimeout(done, 60_000) && time))))
  const time = await promise
  const idle = Promise.withResolvers<string>()
  const without = saidBy(virtualTime(() => idle.promise))
  for (let n = 0; n < 5; n++) {
    await look(2, false)
    await time.advance(1)
    expect(time.pending()).toHaveLength(1)
    // Whoever moves it arms something, too.
    time.clock.clearTimeout(time.clock.setTimeout(() => undefined, 1))
  }
  await time.advance(60_000)
  idle.resolve('no timer')
  expect([await moved, await without]).toEqual(['undefined', 'no timer'])
})

test('a supervised tree moves time itself', async () => {
  const slow = ({ signal }: RoutineContext) =>
    new Promise<void>((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 4_000)))
  const ended = virtualTime(async () => {
    await using shop = await startSupervised({ name: 'g' })
    await shop.global.createApp('a').createLocal('l').spawn('slow', slow, { shutdown: 5_000 }).started
  })
  await look(4, false)
  await ended
})
