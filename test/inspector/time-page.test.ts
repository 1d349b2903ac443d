import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Layout, layOut } from '../../inspector/state/lanes.ts'
import { columnsOf, endsOf, namesOf, OTHERS, OUTSIDE, PARTNERS } from '../../inspector/state/sequence.ts'
import { pathsWith } from '../../inspector/state/suggest.ts'
import { stepFor, tickLabel, ticks } from '../../inspector/state/ticks.ts'
import { askedFor, TimeView } from '../../inspector/state/time-view.ts'
import type { Bar, MessageLine } from '../../src/inspector/protocol.ts'

describe('lanes', () => {
  const bars = fc
    .array(fc.tuple(fc.constantFrom('g/a', 'g/b'), fc.nat(15), fc.nat(500), fc.nat(80), fc.boolean()), { maxLength: 60 })
    .map((all) => {
      const runs = new Map<string, number>()
      return all.map(([manager, who, from, length, isOpen], k): Bar => {
        const path = `${manager}/r#${who}`
        const incarnation = (runs.get(path) ?? 0) + 1
        runs.set(path, incarnation)
        return {
          path,
          incarnation,
          from,
          to: isOpen ? undefined : from + length,
          state: isOpen ? 'running' : 'completed',
          seq: k,
        }
      })
    })

  const overlaps = ({ placed }: Layout, gap: number): string[] => {
    const lives = new Map<string, { lane: string; from: number; to: number }>()
    for (const { bar, group, lane } of placed) {
      const life = lives.get(bar.path) ?? { lane: `${group} ${lane}`, from: Infinity, to: -Infinity }
      expect(life.lane).toBe(`${group} ${lane}`)
      life.from = Math.min(life.from, bar.from)
      life.to = Math.max(life.to, bar.to ?? Infinity)
      lives.set(bar.path, life)
    }
    const all = [...lives]
    return all.flatMap(([path, a], k) =>
      all
        .slice(k + 1)
        .flatMap(([other, b]) => (a.lane === b.lane && a.from <= b.to + gap && b.from <= a.to + gap ? [`${path} ${other}`] : [])),
    )
  }

  test('L1: no two in a lane overlap, all runs of one are in its lane, and every lane is there', () => {
    fc.assert(
      fc.property(bars, fc.nat(20), bars, (first, gap, second) => {
        const before = layOut(first, gap)
        for (const layout of [before, layOut(second, gap, before.laneOf)]) {
          expect(overlaps(layout, gap)).toEqual([])
          for (const { group, lane, bar } of layout.placed) {
            expect(lane).toBeLessThan(layout.groups[group]?.lanes as number)
            expect(bar.path.startsWith(`${layout.groups[group]?.path}/`)).toBe(true)
          }
        }
      }),
    )
  })

  test('L2: whoever is still there keeps its lane', () => {
    fc.assert(
      fc.property(bars, fc.nat(20), fc.nat(60), (all, gap, k) => {
        const before = layOut(all, gap)
        const after = layOut(all.slice(k), gap, before.laneOf)
        for (const [path, lane] of after.laneOf) expect(lane).toBe(before.laneOf.get(path))
      }),
    )
  })

  test('a run is linked to the one before it, if that is there', () => {
    const run = (incarnation: number): Bar => ({
      path: 'g/r#1',
      incarnation,
      from: incarnation * 10,
      to: incarnation * 10 + 5,
      state: 'failed',
      seq: 0,
    })
    const { placed, groups } = layOut([run(1), run(2), run(4)], 1)
    expect(placed.map(({ before }) => before?.incarnation)).toEqual([undefined, 1, undefined])
    expect(groups).toEqual([{ path: 'g', lanes: 1 }])
  })
})

describe('ticks', () => {
  test('are round, inside, in order, and not too many', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.integer({ min: 1, max: 1e11 }),
        fc.integer({ min: 2, max: 20 }),
        (from, length, most) => {
          const found = ticks(from, from + length, most)
          const step = stepFor(length, most)
          expect(found.length).toBeLessThanOrEqual(most + 1)
          for (const [k, { at }] of found.entries()) {
            expect(at >= from && at <= from + length).toBe(true)
            if (k > 0) expect(at - (found[k - 1]?.at as number)).toBe(step)
          }
        },
      ),
    )
    expect(ticks(5, 5, 10)).toEqual([])
    // Three years, with no room for as many.
    expect(ticks(0, 94_608_000_000, 2).map(({ at }) => at)).toEqual([0, 63_072_000_000])
  })

  test('say as much as tells them apart', () => {
    const noon = new Date(2030, 4, 6, 12, 34, 56, 78).getTime()
    expect([10, 1_000, 60_000, 86_400_000].map((step) => tickLabel(noon, step))).toEqual([
      '12:34:56.078',
      '12:34:56',
      '12:34',
      '2030-05-06',
    ])
    expect([tickLabel(250, 50), tickLabel(12_500, 2_000)]).toEqual(['250 ms', '12.5 s'])
    expect(ticks(noon - 7_200_000, noon, 3).map(({ label }) => label)).toEqual(['11:00', '12:00'])
  })
})

describe('the window of time', () => {
  const known = (isLive: boolean): TimeView => {
    const view = new TimeView()
    view.learn(0, 1_000_000, isLive)
    return view
  }

  test('V2: live it follows what is now; a pan lets go, and it can follow again', () => {
    const view = known(true)
    view.learn(0, 1_005_000, true)
    expect([view.isFollowing, view.span, Math.round(view.to - view.now)]).toEqual([true, 60_000, 1_800])
    view.pan(-10_000)
    const { to } = view
    view.learn(0, 1_020_000, true)
    expect([view.isFollowing, view.to]).toEqual([false, to])
    view.follow()
    expect(view.to).toBeGreaterThan(1_020_000)
  })

  test('a recording is shown as a whole', () => {
    const view = known(false)
    expect([view.isFollowing, view.from, view.to]).toEqual([false, -30_000, 1_030_000])
  })

  test('V1: zooming keeps the moment under the pointer, and has its limits', () => {
    const view = known(false)
    const moves = fc.array(fc.tuple(fc.double({ min: 0.01, max: 100, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })))
    fc.assert(
      fc.property(moves, (all) => {
        for (const [factor, share] of all) {
          const around = view.from + view.span * share
          view.zoom(factor, around)
          expect((around - view.from) / view.span).toBeCloseTo(share, 2)
          expect(view.span).toBeGreaterThanOrEqual(0.99)
          expect(view.span).toBeLessThanOrEqual(3_600_001)
        }
      }),
    )
  })

  test.each([true, false])('V1: every width that is offered is granted, however little there is (live: %s)', (isLive) => {
    const view = new TimeView()
    view.learn(0, 5_000, isLive)
    for (const width of [10_000, 60_000, 600_000, 3_600_000, 10_000]) {
      view.last(width)
      expect(view.span).toBeCloseTo(width, 3)
    }
  })

  test('a pan stops not far from where there is something', () => {
    const view = known(false)
    view.last(10_000)
    view.pan(1e9)
    expect(view.to).toBe(1_005_000)
    view.pan(-1e9)
    expect(view.from).toBe(-5_000)
  })

  test('what is asked for covers the window and changes in steps', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.integer({ min: 1, max: 1e8 }), (from, span) => {
        const asked = askedFor({ from, to: from + span, isFollowing: false })
        expect(asked.from).toBeLessThanOrEqual(from)
        expect(asked.to).toBeGreaterThanOrEqual(from + span)
        expect((asked.to as number) - asked.from).toBeLessThanOrEqual(span * 3)
      }),
    )
    expect(askedFor({ from: 0, to: 10, isFollowing: true }).to).toBeUndefined()
  })
})

describe('a sequence of messages', () => {
  const line = (from: string, to: string): MessageLine => ({ n: 0, at: 0, from, to, type: 't', kind: 'send', text: '' })
  const path = fc.nat(14).map((n) => (n === 0 ? '' : `g/r#${n}`))
  const lines = fc.array(
    fc.tuple(path, path).map(([from, to]) => line(from, to)),
    { maxLength: 40 },
  )

  test('S1, S2: the chosen have a lifeline each, no one has two, and every message has its two ends', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          path.filter((each) => each !== ''),
          { maxLength: 3 },
        ),
        lines,
        lines,
        (chosen, first, second) => {
          const before = columnsOf(chosen, first)
          for (const [columns, all] of [[before, first] as const, [columnsOf(chosen, second, before), second] as const]) {
            expect(new Set(columns).size).toBe(columns.length)
            expect(columns.filter((each) => chosen.includes(each))).toEqual(chosen)
            expect(columns.length).toBeLessThanOrEqual(chosen.length + PARTNERS + 1)
            for (const each of all) for (const end of endsOf(each, columns)) expect(end).toBeGreaterThanOrEqual(0)
          }
        },
      ),
    )
  })

  test('who has been met keeps its place; outside comes first and others last', () => {
    const many = Array.from({ length: 12 }, (_, k) => line(`g/r#${k}`, 'g/me'))
    const columns = columnsOf(['g/me'], [line('', 'g/me'), ...many])
    expect([columns[0], columns[1], columns.at(-1)]).toEqual([OUTSIDE, 'g/me', OTHERS])
    expect(columnsOf(['g/me'], [line('g/b', 'g/me'), line('g/a', 'g/me')], ['g/me', 'g/a', 'g/gone'])).toEqual(['g/me', 'g/a', 'g/b'])
  })

  test('names are as short as they can be', () => {
    expect(namesOf([OUTSIDE, 'g/a/db', 'g/b/db', 'g/cache', OTHERS])).toEqual(['outside', 'a/db', 'b/db', 'cache', 'others'])
  })
})

test('suggestions: by name, by path if there is a slash, those that begin so first, no more than asked', () => {
  const paths = ['', 'g', 'g/api', 'g/api/order#1', 'g/reorder', '', 'g/order#2']
  const table = { labels: paths.map((path) => path.split('/').at(-1) as string), pathOf: (slot: number) => paths[slot] as string }
  expect(pathsWith(table, 'order', 9)).toEqual(['g/api/order#1', 'g/order#2', 'g/reorder'])
  expect(pathsWith(table, 'order', 2)).toEqual(['g/api/order#1', 'g/order#2'])
  expect(pathsWith(table, 'api/', 9)).toEqual(['g/api/order#1'])
})
