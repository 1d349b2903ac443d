/** Values as they are shown, and what differs between two of them. */
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { differences } from '../../src/inspector/diff.ts'
import type { Difference } from '../../src/inspector/protocol.ts'
import { textOf } from '../../src/inspector/story.ts'
import { toWire } from '../../src/inspector/to-wire.ts'

/** As the page gets it. */
const received = (value: unknown): unknown => JSON.parse(JSON.stringify(toWire(value)))

/** Milliseconds of the fastest of a few. */
function took(what: () => unknown): number {
  let best = Infinity
  for (let k = 0; k < 8 && best > 25; k++) {
    const from = performance.now()
    what()
    best = Math.min(best, performance.now() - from)
  }
  return best
}

class Cart {
  readonly items = [1]
  get total(): number {
    throw new Error('not to be asked')
  }
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const throwing = (): never => {
  throw new Error('trap')
}

/** A proxy that throws at whatever is done to it. */
const hostile = new Proxy(
  {},
  { get: throwing, has: throwing, ownKeys: throwing, getPrototypeOf: throwing, getOwnPropertyDescriptor: throwing },
)

describe('toWire', () => {
  test('V1, V2: anything becomes JSON, bounded', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withBoxedValues: true,
          withDate: true,
          withMap: true,
          withNullPrototype: true,
          withObjectString: true,
          withSet: true,
          withSparseArray: true,
          withTypedArray: true,
        }),
        (value) => {
          const wire = toWire(value)
          const text = JSON.stringify(wire)
          expect(typeof text).toBe('string')
          // Nothing in it means anything else after it has travelled.
          expect(JSON.parse(text)).toEqual(wire)
          expect(typeof textOf(value)).toBe('string')
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test.each([
    ['nothing', undefined, 'undefined'],
    ['null', null, null],
    ['not a number', Number.NaN, 'NaN'],
    ['without end', -Infinity, '-Infinity'],
    ['large whole numbers', 12345678901234567890n, '12345678901234567890n'],
    ['symbols', Symbol('why'), 'Symbol(why)'],
    ['functions', toWire, 'ƒ toWire'],
    ['nameless functions', () => 1, 'ƒ (anonymous)'],
    ['no moment', new Date(Number.NaN), 'Invalid Date'],
    ['moments', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['patterns', /a+/gi, '/a+/gi'],
    ['errors', new TypeError('no'), 'TypeError: no'],
    ['bytes', new Uint8Array(7), 'Uint8Array of 7 bytes'],
    ['sets', new Set([1, 'a']), { 'Set of 2': [1, 'a'] }],
    [
      'maps',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, 2],
        [{ k: 2 }, 3],
        [1, 4],
        ['1', 5],
      ]),
      { 'Map of 5': { a: 1, Object: 2, 'Object (2)': 3, '1': 4, '1 (2)': 5 } },
    ],
    ['instances', new Cart(), { '(type)': 'Cart', items: [1] }],
    ['no prototype', Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 }],
    ['boxes', new String('text'), 'text'],
    ['holes', Object.assign(Array<number>(3), { 0: 1, 2: 3 }), [1, 'undefined', 3]],
    [
      'names that mean something',
      JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toJSON": 3}'),
      JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toJSON": 3}'),
    ],
  ])('shows %s', (_, value, shown) => {
    expect(received(value)).toEqual(shown)
    if (typeof shown === 'object' && shown !== null) expect(Object.keys(received(value) as object)).toEqual(Object.keys(shown))
  })

  test('what leads back to itself says so, what is only there twice does not', () => {
    const shared = { x: 1 }
    const cyclic: Record<string, unknown> = { shared, again: shared }
    cyclic['self'] = cyclic
    cyclic['map'] = new Map([['in', cyclic]])
    expect(received(cyclic)).toEqual({ shared, again: shared, self: '↑ itself', map: { 'Map of 1': { in: '↑ itself' } } })
  })

  test('V3: no getter is called, and no method of the user’s', () => {
    let called = 0
    const call = (): number => ++called
    class Sly extends Map<string, number> {
      override get size(): number {
        return call()
      }
      override [Symbol.iterator](): MapIterator<[string, number]> {
        call()
        return super[Symbol.iterator]()
      }
      override entries(): MapIterator<[string, number]> {
        call()
        return super.entries()
      }
    }
    class Endless extends Array<number> {
      override slice(): number[] {
        for (;;) call()
      }
      override map(): never {
        throw new Error('never')
      }
    }
    const value = {
      get now() {
        return call()
      },
      toJSON: call,
      toString: call,
      [Symbol.toPrimitive]: call,
      list: Endless.from([1]),
      sly: new Sly([['a', 1]]),
      at: Object.defineProperty([1, 2], 1, { get: call, enumerable: true }),
      error: Object.defineProperty(new TypeError('x'), 'message', { get: call }),
    }
    expect(received(value)).toMatchObject({
      now: '(a getter, not called)',
      list: [1],
      sly: { 'Map of 1': { a: 1 } },
      at: [1, '(a getter, not called)'],
      error: 'TypeError: (a getter, not called)',
    })
    expect(received(new DOMException('x', 'AbortError'))).toBe('AbortError: x')
    expect(called).toBe(0)
  })

  test('V1: what throws while it is looked at says so, wherever it lies', () => {
    const error = Object.defineProperty(new Error('x'), 'message', { get: throwing })
    const values = [
      revoked(),
      hostile,
      error,
      Object.create(revoked()) as object,
      new Proxy(new Map(), {}),
      new Proxy([1], { get: throwing }),
    ]
    for (const value of values) {
      for (const within of [value, { value }, [value], new Set([value]), new Map([[value, value]])]) {
        expect(typeof JSON.stringify(toWire(within))).toBe('string')
        expect(typeof textOf(within)).toBe('string')
      }
    }
    expect(toWire({ good: 1, bad: hostile })).toEqual({ good: 1, bad: 'Object, which throws when it is looked at: trap' })
    const worse = new Proxy(
      {},
      {
        ownKeys: () => {
          throw hostile
        },
      },
    )
    expect(toWire(worse)).toBe('Object, which throws when it is looked at: something that cannot be shown')
  })

  test('V2: what comes of it is bounded, however large it is', () => {
    const long = 'x'.repeat(5_000_000)
    const named = { [long]: long }
    const manyNames = Object.fromEntries(Array.from({ length: 60 }, (_, k) => [`${k}${long.slice(0, 10_000)}`, long]))
    const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
    const wide = Array.from({ length: 60 }, () => Array.from({ length: 60 }, () => Array.from({ length: 60 }, () => long)))
    const klass = class {
      readonly field = 1
    }
    Object.defineProperty(klass, 'name', { value: long })
    const values = [
      long,
      named,
      manyNames,
      deep,
      wide,
      new klass(),
      klass,
      Symbol(long),
      new Error(long),
      new RegExp(long),
      [long],
      new Map([[long, long]]),
      new String(long),
      2n ** 40_000n,
    ]
    for (const value of values) expect(JSON.stringify(toWire(value)).length).toBeLessThan(2_600_000)
    for (const value of [long, named, deep, new klass(), klass, Symbol(long), new Error(long), new RegExp(long), 2n ** 40_000n]) {
      expect(JSON.stringify(toWire(value)).length).toBeLessThan(3_000)
    }
  })

  test('V2: it takes milliseconds, whatever 50 megabytes look like', () => {
    const many = (length: number): unknown[] => Array.from({ length }, (_, id) => ({ id, name: `n${id}`, tags: ['a', 'b'] }))
    const sparse: unknown[] = []
    sparse[4_000_000_000] = 1
    const values: Record<string, unknown> = {
      text: 'x'.repeat(50_000_000),
      bytes: new Uint8Array(50_000_000),
      box: new String('x'.repeat(50_000_000)),
      list: many(300_000),
      sparse,
      map: new Map(many(200_000).map((each, id) => [id, each])),
      set: new Set(many(200_000)),
      lists: Array.from({ length: 1_000 }, () => Array.from({ length: 5_000 }, (_, k) => k)),
      big: 7n ** 2_000_000n,
      texts: Array.from({ length: 50_000 }, (_, k) => `${k}`.padEnd(1_000, '.')),
      dictionaries: Array.from({ length: 100 }, () => Object.fromEntries(Array.from({ length: 2_000 }, (_, k) => [`k${k}`, k]))),
    }
    for (const [name, value] of Object.entries(values)) expect([name, took(() => toWire({ context: value })) < 50]).toEqual([name, true])
  })
})

test('V2: the names of a wide object are asked for once, however often it is shown, and what is shown is true', () => {
  let asked = 0
  const wide: Record<string, number> = Object.fromEntries(Array.from({ length: 60 }, (_, k) => [`k${k}`, k]))
  const counted = new Proxy(wide, { ownKeys: (target) => [Reflect.ownKeys(target), asked++][0] as string[] })
  const first = toWire({ n: 1, counted })
  expect(toWire({ n: 1, counted: [counted][0] })).toEqual(first)
  for (let n = 0; n < 20; n++) expect(textOf({ type: 'told', n, counted })).toContain('"…":"more entries"')
  expect(asked).toBe(1)
  wide['k3'] = -3
  expect(toWire(counted)).toMatchObject({ k2: 2, k3: -3, '…': 'more entries' })
  // Of those that were shown one has gone, and then so many that all the rest can be shown.
  delete wide['k3']
  expect(Object.keys(toWire(counted) as object)).toEqual([...Object.keys(wide).slice(0, 50), '…'])
  for (let k = 50; k < 60; k++) delete wide[`k${k}`]
  expect(toWire(counted)).toEqual(wide)
})

// --- differences -------------------------------------------------------------------------------

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Does to a copy of `before` what the differences say. */
function applied(before: Json, found: readonly Difference[]): Json {
  let root = structuredClone(before)
  // Places of what was taken away are those of before: from the back of each list.
  const ordered = found.map((each, k) => ({ ...each, k })).sort((a, b) => rank(a, found) - rank(b, found))
  for (const { at, kind, after } of ordered) {
    if (at.length === 0) {
      root = after as Json
      continue
    }
    let holder = root as any
    for (const key of at.slice(0, -1)) holder = holder[key]
    const key = at.at(-1) as string | number
    if (kind === 'removed') {
      if (Array.isArray(holder)) holder.splice(key as number, 1)
      else delete holder[key]
    } else if (kind === 'added' && Array.isArray(holder)) holder.splice(key as number, 0, after)
    else Object.defineProperty(holder, key, { value: after, writable: true, enumerable: true, configurable: true })
  }
  return root
}

/** In order, but a run of removals from one list backwards. */
function rank(each: Difference & { k: number }, found: readonly Difference[]): number {
  if (each.kind !== 'removed') return each.k
  const list = JSON.stringify(each.at.slice(0, -1))
  const isSame = (k: number): boolean => found[k]?.kind === 'removed' && JSON.stringify(found[k].at.slice(0, -1)) === list
  let first = each.k
  let last = each.k
  while (isSame(first - 1)) first--
  while (isSame(last + 1)) last++
  return first + last - each.k
}

/** Without keys that no one can set, and without −0, which JSON has not. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)
const identified: fc.Arbitrary<Json> = fc.uniqueArray(fc.record({ id: fc.nat(8), n: fc.nat(2), inner: fc.array(fc.nat(3)) }), {
  selector: ({ id }) => id,
  maxLength: 8,
})
const either = fc.oneof(json, identified, fc.record({ items: identified, rest: json }), fc.array(fc.nat(5), { maxLength: 6 }))

describe('differences', () => {
  test('there are none between a value and itself', () => {
    fc.assert(
      fc.property(either, (value) => differences(value, structuredClone(value)).length === 0),
      { numRuns: 500 },
    )
  })

  test('done to what was before, they give what came after', () => {
    fc.assert(
      fc.property(either, either, (before, after) => {
        const found = differences(before, after)
        if (found.length >= 200) return
        expect(applied(before, found)).toEqual(after)
      }),
      { numRuns: 3_000 },
    )
  })

  test('each says what was before and what came after, at its place', () => {
    fc.assert(
      fc.property(either, either, (before, after) => {
        for (const { kind, ...each } of differences(before, after)) {
          expect('before' in each).toBe(kind !== 'added')
          expect('after' in each).toBe(kind !== 'removed')
        }
      }),
    )
  })

  test('in a list of those that have ids, one that is put in front changes nothing behind it', () => {
    const before = [
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
    ]
    expect(
      differences(before, [
        { id: 'c', n: 0 },
        { id: 'a', n: 1 },
        { id: 'b', n: 3 },
      ]),
    ).toEqual([
      { at: [0], kind: 'added', after: { id: 'c', n: 0 } },
      { at: [2, 'n'], kind: 'changed', before: 2, after: 3 },
    ])
    expect(differences([1, 2, 3], [2, 3])).toEqual([{ at: [0], kind: 'removed', before: 1 }])
  })

  test('another order is a difference, places in lists are numbers, and ids that are objects tell nobody apart', () => {
    expect(differences([1, 2], [2, 1])).toEqual([
      { at: [0], kind: 'changed', before: 1, after: 2 },
      { at: [1], kind: 'changed', before: 2, after: 1 },
    ])
    expect(differences([{}, {}], [{ x: 1 }, {}])).toEqual([{ at: [0, 'x'], kind: 'added', after: 1 }])
    expect(differences([{ id: { n: 1 } }], [{ id: { n: 1 } }])).toEqual([])
  })

  test('no more than two hundred are told', () => {
    const large = Object.fromEntries(Array.from({ length: 900 }, (_, k) => [`k${k}`, k]))
    const list = Array.from({ length: 900 }, (_, k) => k)
    for (const [before, after] of [
      [large, {}],
      [{}, large],
      [list, []],
      [[], list],
      [list, list.map((k) => -k - 1)],
    ])
      expect(differences(before, after).length).toBe(200)
  })
})

test('an error of another realm is shown as one; what only calls itself one is not asked', () => {
  expect(toWire(runInNewContext("class Jam extends RangeError {}; Object.assign(new Jam('paper'), { name: 'Jam' })"))).toBe('Jam: paper')
  const asked = {
    stack: 'x',
    get [Symbol.toStringTag]() {
      return expect.fail('asked')
    },
    get constructor() {
      return expect.fail('asked')
    },
  }
  expect(toWire(asked)).toEqual({ stack: 'x', constructor: '(a getter, not called)' })
})
