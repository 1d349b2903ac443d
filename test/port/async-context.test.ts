/** The port of asynchronous contexts: captured at a spawn, and in force wherever the code of that routine is called. */
import { expect, test } from 'vitest'
import { createGlobalManager, routine } from '../../src/index.ts'
import { ASYNC_CONTEXT, type AsyncContext } from '../../src/port/async-context.ts'
import { settle } from '../support/virtual-clock.ts'

class FakeContext implements AsyncContext {
  /** Whose context it is now. */
  current: unknown = undefined
  captures = 0

  capture(): unknown {
    this.captures++
    return this.current
  }

  run<A, B>(captured: unknown, act: (a: A, b: B) => unknown, a: A, b: B): void {
    const before = this.current
    this.current = captured
    act(a, b)
    this.current = before
  }

  within<R>(name: string, act: () => R): R {
    this.current = name
    const result = act()
    this.current = undefined
    return result
  }
}

test('body, start and restartIf run in the context of their spawn', async () => {
  const context = new FakeContext()
  const seen: string[] = []
  const note = (what: string): void => void seen.push(`${what} in ${String(context.current)}`)
  await using global = createGlobalManager({ [ASYNC_CONTEXT]: context })
  const local = global.createApp('a').createLocal('l')
  const work = (name: string) => () => {
    note(`body of ${name}`)
    throw new Error('broken')
  }
  const options = (name: string) => ({
    restart: 'transient' as const,
    start: () => note(`start of ${name}`),
    restartIf: () => {
      note(`restartIf of ${name}`)
      return false
    },
  })
  const before = context.captures
  const one = context.within('request 1', () => local.spawn('one', work('one'), options('one')))
  const two = context.within('request 2', () => local.spawn('two', work('two'), options('two')))
  expect(context.captures).toBe(before + 2)
  await Promise.all([one.outcome, two.outcome])
  expect(seen.toSorted()).toEqual(
    ['one', 'two'].flatMap((name, i) => ['body', 'restartIf', 'start'].map((what) => `${what} of ${name} in request ${i + 1}`)).toSorted(),
  )
  expect(context.current).toBe(undefined)
})

test('children run in the context in which their manager was made, in each of its lives', async () => {
  const context = new FakeContext()
  const seen: unknown[] = []
  await using global = createGlobalManager({ [ASYNC_CONTEXT]: context })
  const child = routine('child', () => {
    seen.push(context.current)
    throw new Error('broken')
  })
  context.within('request 1', () =>
    global.createApp('a', { children: [child], maxRestarts: 1, start: () => void seen.push(`start ${String(context.current)}`) }),
  )
  await settle()
  await settle()
  expect(seen.slice(0, 3)).toEqual(['start request 1', 'request 1', 'request 1'])
  expect(new Set(seen)).toEqual(new Set(['start request 1', 'request 1']))
})

test('a context that there is nothing to keep of costs a routine no memory of its own', async () => {
  const context = new FakeContext()
  await using global = createGlobalManager({ [ASYNC_CONTEXT]: context })
  const local = global.createApp('a').createLocal('l')
  const row = local.spawn('plain', () => undefined) as unknown as { readonly memory: object }
  const other = local.spawn('plain', () => undefined) as unknown as { readonly memory: object }
  expect(row.memory).toBe(other.memory)
})
