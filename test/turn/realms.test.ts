/** Promises and errors of another realm, as of a vm context or a DOM written in JavaScript; and promises that users forget. */
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Logger, type RoutineContext } from 'curtaincall'
import { isError } from '../../src/contract/index.ts'
import { isThenable } from '../../src/turn/index.ts'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const foreign = (code: string): never => runInNewContext(code) as never

const escaped: unknown[] = []
const note = (error: unknown): void => void escaped.push(error)
const others: NodeJS.UnhandledRejectionListener[] = []

beforeEach(() => {
  others.push(...process.listeners('unhandledRejection'))
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  await new Promise(setImmediate)
  process.off('unhandledRejection', note)
  for (const listener of others.splice(0)) process.on('unhandledRejection', listener)
  expect(escaped.splice(0)).toEqual([])
})

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test.each([
    ['an async function of another realm', foreign("(async () => { throw new Error('listener') })")],
    ['one that returns a thenable', () => ({ then: (_: unknown, no: (error: unknown) => void) => no(new Error('listener')) })],
    ['an object of another realm', foreign("({ handleEvent: async () => { throw new Error('listener') } })")],
  ])('Z1: what a listener on the signal rejects with is the error of its routine: %s', async (_, listener) => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('x', (context: RoutineContext) => {
      context.signal.addEventListener('abort', listener)
      return new Promise<void>((resolve) => context.signal.addEventListener('abort', () => setTimeout(resolve, 5)))
    })
    await routine.started
    expect(await routine.cancel()).toMatchObject({ status: 'cancelled', error: { message: 'listener' } })
  })

  test.each([
    ['an Error', "Object.assign(new Error('aborted'), { name: 'AbortError' })"],
    ['a DOMException', "({ __proto__: { name: 'AbortError', message: 'aborted', get [Symbol.toStringTag]() { return 'DOMException' } } })"],
  ])('Z3: an AbortError of another realm obeys: %s', async (_, code) => {
    const { global, local } = makeTree({}, mode)
    const body = ({ signal }: RoutineContext): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(foreign(code))))
    await local.spawn('x', body).started
    expect(await global.shutdown()).toMatchObject({ cancelled: 1, errors: [] })
  })

  test('Z3: so does an error of another realm whose cause is the reason', async () => {
    const { local } = makeTree({}, mode)
    const body = ({ signal }: RoutineContext): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(Object.assign(foreign('new Error()') as Error, { cause: signal.reason })))
      })
    const routine = local.spawn('x', body)
    await routine.started
    await routine.cancel('reason')
    expect(local.metrics().contained).toBe(0)
  })

  test('Z3: what fails with an error of another realm is described by its message', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('x', () => {
      throw foreign("new Error('boom')")
    })
    await expect(routine.result()).rejects.toThrow(`${routine.path} failed: boom`)
  })

  test('Z2: a logger whose methods reject is counted, and harms nobody', async () => {
    const down = async (): Promise<never> => Promise.reject(new Error('the store is down'))
    const logger = { debug: down, info: down, warn: down, error: down } as unknown as Logger
    const { global, local } = makeTree({}, { ...mode, logger })
    global.on('routine.started', () => Promise.reject(new Error('a listener')))
    await local.spawn('x', () => undefined).outcome
    await settle()
    // The listener, and the line about it that was lost.
    expect(global.metrics().contained).toBe(2)
  })

  test('Z2: what observers of actors and of inspection reject with is contained', async () => {
    const rejecting = (what: string) => async (): Promise<never> => Promise.reject(new Error(what))
    const contained: string[] = []
    const none = (): void => undefined
    const error = (details: { err?: Error }): void => void contained.push(details.err?.message ?? '')
    let looks = 0
    const inspect = (event: { type: string }): unknown =>
      event.type === '@xstate.actor' && looks++ === 0 ? rejecting('inspect')() : undefined
    const { global, local } = makeTree({}, { ...mode, inspect: inspect as never, logger: { debug: none, info: none, warn: none, error } })
    const routine = local.spawn('x', untilTold)
    await routine.started
    routine.actor.subscribe({ next: rejecting('next') as () => void, complete: rejecting('complete') as () => void })
    await routine.cancel()
    await global.shutdown()
    await settle()
    expect(new Set(contained)).toEqual(new Set(['inspect', 'next', 'complete']))
  })
})

test('Z1, Z3: errors and promises are told by what they are, not by who made them', () => {
  const proxy = new Proxy({}, { getPrototypeOf: () => expect.fail('looked at'), get: () => expect.fail('looked at') })
  expect([new TypeError(), foreign('new RangeError()'), new DOMException(), { message: 'x' }, proxy, 'x', null].map(isError)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ])
  const callable = Object.assign(() => undefined, { then: () => undefined })
  expect([Promise.resolve(), foreign('Promise.resolve()'), { then() {} }, callable, () => undefined, null].map(isThenable)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})
