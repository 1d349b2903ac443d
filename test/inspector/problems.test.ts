/** The problems of a tree: a fold that counts every failure once, in whatever order. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Problems } from '../../src/inspector/problems.ts'
import type { KeptEvent } from '../../src/inspector/protocol.ts'
import { warningsOf } from '../../src/inspector/warnings.ts'

const frame = (file: string, line: number, own = true): object => ({ name: 'f', file, line, column: 1, own })

const failure = fc.record({
  name: fc.constantFrom('Error', 'TypeError'),
  message: fc.oneof(
    fc.nat({ max: 99 }).map((n) => `order ${n} is gone`),
    fc.constantFrom('the disk is busy', ''),
  ),
  frames: fc.constantFrom([], [frame('/a.ts', 1)], [frame('node:fs', 9, false), frame('/a.ts', 2)]),
  causes: fc.constant([]),
})

const events: fc.Arbitrary<KeptEvent[]> = fc
  .array(
    fc.record(
      {
        type: fc.constantFrom('routine.failed', 'routine.failed', 'routine.hung', 'manager.gaveUp', 'routine.started', 'routine.refused'),
        path: fc
          .tuple(fc.constantFrom('g/a', 'g/b'), fc.constantFrom('x', 'y'), fc.nat({ max: 3 }))
          .map(([above, name, id]) => `${above}/${name}#${id}`),
        at: fc.nat({ max: 2_000_000 }),
        failure,
        willRestart: fc.boolean(),
      },
      { requiredKeys: ['type', 'path', 'at', 'failure', 'willRestart'] },
    ),
    { maxLength: 80 },
  )
  .map((all) => all.map((each, k) => ({ ...each, seq: k + 1, cause: null })))

function folded(all: readonly KeptEvent[], most?: number): ReturnType<Problems['view']> {
  const problems = new Problems(most)
  for (const event of all) problems.note(event)
  return problems.view(2_000_000)
}

const isProblem = ({ type }: KeptEvent): boolean => type !== 'routine.started'

describe('problems', () => {
  test('J1, J3: the counts of all problems, those that are not told apart any more among them, are as many as there were', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 6 }), (all, most) => {
        const { problems, older } = folded(all, most)
        expect(problems.length).toBeLessThanOrEqual(most)
        expect(problems.reduce((sum, { count }) => sum + count, older.count)).toBe(all.filter(isProblem).length)
        const whole = folded(all)
        const failures = whole.problems.filter(({ kind }) => kind === 'failed').reduce((sum, { count }) => sum + count, 0)
        expect([failures, whole.older]).toEqual([all.filter(({ type }) => type === 'routine.failed').length, { groups: 0, count: 0 }])
      }),
    )
  })

  test('J2: the order in which they are told makes no difference', () => {
    const shuffled = events.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })))
    fc.assert(
      fc.property(shuffled, ([all, others]) => {
        expect(folded(others)).toEqual(folded(all))
      }),
    )
  })

  const failed = (seq: number, message: string, more: object = {}): KeptEvent => {
    const what = { name: 'Error', message, frames: [frame('/a.ts', 1)], causes: [], ...more }
    return { seq, at: seq, type: 'routine.failed', path: `g/l/job#${seq}`, cause: null, willRestart: true, failure: what }
  }

  test('numbers and ids make no difference; the place, the name of the error and of the routine do', () => {
    const both = folded([failed(1, 'order 17 of u-4f is gone'), failed(2, 'order 9 of u-77 is gone')]).problems
    expect(both).toMatchObject([{ count: 2, paths: 2, seq: 2, said: 'order 9 of u-77 is gone', first: 1, last: 2, restarted: true }])
    const others = [
      failed(1, 'x'),
      failed(2, 'x', { name: 'TypeError' }),
      failed(3, 'x', { frames: [frame('/a.ts', 2)] }),
      failed(4, 'y'),
      { ...failed(5, 'x'), path: 'g/l/other#1' },
    ]
    expect(folded(others).problems).toHaveLength(5)
  })

  test('a trend is of the last ten minutes, whenever it is looked at', () => {
    const problems = new Problems()
    for (let k = 0; k < 400; k++) problems.note({ ...failed(k + 1, 'x'), at: k * 10_000 })
    const {
      problems: [problem],
      part,
    } = problems.view(3_999_999)
    expect([problem?.trend.length, problem?.count, part]).toEqual([60, 400, 10_000])
    expect(problem?.trend.every((many) => many === 1)).toBe(true)
    expect(problems.view(8_000_000).problems[0]?.trend.every((many) => many === 0)).toBe(true)
  })

  test('the worst kind comes first, and of one kind the newest, so that what is read stays where it is', () => {
    const gaveUp: KeptEvent = { seq: 9, at: 9, type: 'manager.gaveUp', path: 'g/l', cause: null, restarts: 3, window: 5_000 }
    const all = [failed(1, 'a'), failed(2, 'b'), gaveUp, failed(10, 'a')]
    expect(folded(all).problems.map(({ said }) => said)).toEqual(['more than 3 restarts within 5.0 s', 'b', 'a'])
  })
})

test('what a file says of its events may be anything', () => {
  const odd = { toString: 1, valueOf: 1 }
  for (const type of [
    '__proto__',
    'routine.failed',
    'routine.refused',
    'manager.gaveUp',
    'routine.hung',
    'loop.blocked',
    'store.failed',
    'toString',
  ]) {
    const event = {
      seq: 1,
      at: 1,
      type,
      path: '',
      cause: null,
      error: odd,
      name: odd,
      code: odd,
      restarts: odd,
      window: odd,
      silence: odd,
      duration: odd,
    }
    expect(folded([event]).problems.length).toBe(type.includes('.') ? 1 : 0)
  }
})

test('one is warned of restarts that are nearly used up, of silence, of a full house and of who holds up a shutdown', () => {
  const node = { depth: 0, status: 'healthy', hung: 0, restartsLeft: 3, maxRestarts: 3, oldestBeat: undefined, count: 1, limit: 10 }
  const nodes = [
    { ...node, path: 'g', hung: 1 },
    { ...node, path: 'g/a', hung: 1 },
    { ...node, path: 'g/b', restartsLeft: 1 },
    { ...node, path: 'g/c', count: 10 },
    { ...node, path: 'g/d', restartsLeft: 0, maxRestarts: 0 },
  ]
  const phases = [{ phase: 'waiting', from: 0, to: undefined }]
  const blocker = { path: 'g/e/deaf#1', state: 'stopping', since: 0, asked: 0, until: undefined }
  const run = {
    path: 'g/e',
    depth: 1,
    startedAt: 0,
    endedAt: undefined,
    phases,
    deadline: 10_000,
    living: 1,
    held: false,
    hooks: 0,
    state: undefined,
  }
  const said = warningsOf({ nodes }, { now: 4_000, runs: [{ ...run, blocking: [blocker] }] }).map(({ kind, path }) => [kind, path])
  expect(said).toEqual([
    ['held', 'g/e/deaf#1'],
    ['silent', 'g/a'],
    ['budget', 'g/b'],
    ['queue', 'g/c'],
  ])
})
