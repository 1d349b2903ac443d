/** What the command says of whatever was thrown, and what of it a terminal sees. */
import { expect, test } from 'vitest'
import { LiveLine } from '../../src/cli/live-line.ts'
import { codeOf, harmless, isOf, messageOf, shown, stackOf } from '../../src/cli/words.ts'
import { createGlobalManager } from 'curtaincall'

const throwing = (field: string): object =>
  Object.defineProperty(new Error('x'), field, {
    get() {
      throw new Error(`no ${field}`)
    },
  })
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const itself = new Error('x')
itself.cause = itself

const ODD: readonly unknown[] = [
  Object.create(null),
  throwing('message'),
  throwing('stack'),
  throwing('code'),
  Object.assign(new Error('x'), { message: { toString: 1 }, code: 7, stack: [] }),
  { [Symbol.for('nodejs.util.inspect.custom')]: () => expect.fail('looked at') },
  new Proxy({}, { get: () => expect.fail('asked'), getPrototypeOf: () => expect.fail('asked') }),
  revoked(),
  itself,
  undefined,
  null,
  Symbol('x'),
  10n,
]

test.each(ODD.map((value, k) => [k, value]))('odd value %i has words, whichever way it is asked for', (_, value) => {
  for (const text of [messageOf(value), shown(value), stackOf(value) ?? '', codeOf(value)]) expect(typeof text).toBe('string')
  expect(messageOf(value)).not.toBe('')
  expect([isOf(value, Array), isOf(value, Promise)]).toEqual([false, false])
})

test('ordinary ones are said as they are', () => {
  const error = Object.assign(new TypeError('boom'), { code: 'E' })
  expect([messageOf(error), messageOf('text'), messageOf({ a: 1 }), codeOf(error)]).toEqual(['boom', 'text', '{ a: 1 }', 'E'])
  expect(stackOf(error)).toContain('TypeError: boom')
  expect([isOf(error, TypeError), isOf(error, RangeError)]).toEqual([true, false])
})

test('a terminal obeys nothing: what it would obey is written out', () => {
  expect(harmless('a\u001b]0;owned\u0007\u009b2J\r\u202ex\ty\nz')).toBe('a\\u001b]0;owned\\u0007\\u009b2J\\u000d\\u202ex\ty\nz')
  expect(harmless('Zoë 🎭 — ok')).toBe('Zoë 🎭 — ok')
})

test('neither in a line above the live one; a terminal that says it has no columns has 80', () => {
  const written: string[] = []
  const ci = process.env['CI']
  delete process.env['CI']
  const metrics = createGlobalManager().metrics()
  const live = new LiveLine({ isTTY: true, columns: 0, write: (text) => written.push(text) }, () => metrics)
  if (ci !== undefined) process.env['CI'] = ci
  live.print('failed: \u001b[2J')
  live.draw()
  expect(written).toEqual(['failed: \\u001b[2J\n', '\r\u001b[2K✓ 0 done  ▸ 0 running  0/s'])
})
