/** What is written down, and how it reads later. PC1–PC3. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keepOutcome, readOutcome } from '../../src/durable/kept-outcome.ts'
import { plainCopy } from '../../src/spec/index.ts'

const through = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const copy = (value: unknown): unknown => plainCopy(value, 'input', 'g')

describe('plainCopy', () => {
  const plain = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('-0'))

  test('PC1: what JSON can hold is copied as JSON would, and nothing is shared', () => {
    fc.assert(
      fc.property(plain, (value) => {
        if (hasMinusZero(value)) return
        expect(copy(value)).toEqual(through(value))
        if (typeof value === 'object' && value !== null) expect(copy(value)).not.toBe(value)
      }),
    )
  })

  test('PC1: anything else is either refused, or comes back from JSON as it was', () => {
    fc.assert(
      fc.property(
        fc.anything({ withDate: true, withMap: true, withSparseArray: true, withBigInt: true, withNullPrototype: true }),
        (value) => {
          let kept: unknown
          try {
            kept = copy(value)
          } catch (error) {
            expect(error).toMatchObject({ code: 'ERR_CONFIG' })
            return
          }
          expect(through(kept)).toEqual(kept)
          expect(kept).toEqual(value)
        },
      ),
    )
  })

  test('PC1: a key that means something to objects is a key, and a value that is there twice is no circle', () => {
    const odd = JSON.parse('{"__proto__": {"a": 1}}') as object
    expect(Object.keys(copy(odd) as object)).toEqual(['__proto__'])
    const shared = { a: 1 }
    expect(copy([shared, shared])).toEqual([{ a: 1 }, { a: 1 }])
  })

  test('PC2: a key without a value is left out', () => {
    expect(Object.keys(copy({ a: undefined, b: 1 }) as object)).toEqual(['b'])
  })

  test('PC3: also where looking throws, or goes on for ever', () => {
    const trap = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('trap')
        },
      },
    )
    const getter = {
      get since(): never {
        throw new Error('gone')
      },
    }
    expect(() => copy({ trap })).toThrow(/[.]trap can't be written down: it throws when it is looked at/)
    expect(() => copy({ list: [1, getter] })).toThrow(/[.]list\[1\][.]since can't be written down/)
    let deep: unknown = 1
    for (let i = 0; i < 50_000; i++) deep = [deep]
    expect(() => copy(deep)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG' }))
  })
})

describe('an outcome', () => {
  const again = (outcome: unknown): any => readOutcome(through(keepOutcome(outcome as never)))

  test('reads as it was, whatever JSON can hold of it', () => {
    for (const outcome of [
      { status: 'completed', output: { a: [1, 'b', null] } },
      { status: 'completed', output: undefined },
      { status: 'failed', error: 'a text' },
      { status: 'failed', error: undefined },
      { status: 'failed', error: { code: 5 } },
      { status: 'cancelled', reason: undefined, killed: true },
      { status: 'cancelled', reason: { by: 'me' }, killed: false, output: 1, error: 'late' },
    ])
      expect(again(outcome)).toEqual(outcome)
  })

  test('an error comes back as one, with what JSON can hold of it; one that is its own cause does not go on for ever', () => {
    const error: Error & { own?: unknown } = Object.assign(new RangeError('too far', { cause: new TypeError('why') }), {
      code: 'ERR_FAR',
      at: [1],
      fn: () => 1,
    })
    const { error: read } = again({ status: 'failed', error })
    expect(read).toBeInstanceOf(Error)
    expect([read.name, read.message, read.stack, read.code, read.at, read.cause.message, 'fn' in read]).toEqual([
      'RangeError',
      'too far',
      error.stack,
      'ERR_FAR',
      [1],
      'why',
      false,
    ])
    expect(Object.keys(read)).toEqual(['code', 'at'])
    const circle = new Error('circle')
    circle.cause = circle
    expect(again({ status: 'failed', error: circle }).error.cause.cause.message).toBe('circle')
  })

  test('what throws when it is looked at is something all the same', () => {
    const trap = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('trap')
      },
    })
    expect(again({ status: 'failed', error: trap })).toMatchObject({ status: 'failed' })
    expect(again({ status: 'failed', error: Symbol('s') })).toEqual({ status: 'failed', error: 'Symbol(s)' })
  })
})

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'number') return Object.is(value, -0)
  return typeof value === 'object' && value !== null && Object.values(value).some(hasMinusZero)
}
