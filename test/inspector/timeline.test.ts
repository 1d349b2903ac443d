import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Bar, KeptEvent } from '../../src/inspector/protocol.ts'
import { Timeline, UNKNOWN, Waterfall } from '../../src/inspector/timeline.ts'

/** A life: who, when, how long, how it ended; one that is open has not. */
interface Life {
  readonly path: string
  readonly from: number
  readonly to: number
  readonly state: string | undefined
}

const states = fc.constantFrom('completed', 'failed', 'cancelled', 'killed', undefined)
const lives = fc
  .array(fc.record({ start: fc.nat(1_000), length: fc.nat(300), state: states, manager: fc.constantFrom('g/a/l', 'g/a/lo', 'g/b') }), {
    maxLength: 120,
  })
  .map((all) =>
    all.map(({ start, length, state, manager }, k): Life => ({ path: `${manager}/r#${k}`, from: start, to: start + length, state })),
  )

/** The events of these lives, in order of time. */
function eventsOf(all: readonly Life[]): KeptEvent[] {
  const begun = all.map(({ path, from }) => ({ path, at: from, type: 'routine.started', incarnation: 1, cause: null }))
  const ended = all.flatMap(({ path, from, to, state }) =>
    state === undefined
      ? []
      : [{ path, at: to, type: `routine.${state}`, incarnation: 1, cause: null, willRestart: false, duration: to - from }],
  )
  return [...begun, ...ended].toSorted((a, b) => a.at - b.at).map((event, k) => ({ ...event, seq: k + 1 }))
}

function timelineOf(all: readonly Life[]): Timeline {
  const timeline = new Timeline()
  for (const event of eventsOf(all)) timeline.note(event)
  return timeline
}

const hasFailed = ({ state }: { readonly state: string | undefined }): boolean => state === 'failed' || state === 'killed'
const NOW = 1_300
const window_ = fc.tuple(fc.nat(NOW), fc.nat(NOW)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const)
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const identity = ({ path, from, to, state }: Bar): string => JSON.stringify([path, from, to, state])

describe('bars', () => {
  test('T1: all that overlap the window, and no other, whatever path they are below', () => {
    const paths = fc.constantFrom(undefined, '', 'g', 'g/a', 'g/a/l', 'g/b', 'g/a/l/r#0')
    fc.assert(
      fc.property(lives, window_, paths, (all, [from, to], path) => {
        const { bars, total } = timelineOf(all).view({ from, to, path }, NOW)
        const expected = all.filter(
          (life) =>
            life.from <= to &&
            (life.state === undefined || life.to >= from) &&
            (path === undefined || path === '' || life.path === path || life.path.startsWith(`${path}/`)),
        )
        expect(total).toBe(expected.length)
        expect(new Set(bars.map(identity))).toEqual(
          new Set(expected.map((life) => JSON.stringify([life.path, life.from, life.state && life.to, life.state ?? 'running']))),
        )
        expect(bars).toEqual(bars.toSorted((a, b) => a.from - b.from || a.seq - b.seq))
      }),
    )
  })

  test('T1: a limit is held and used up; what failed is drawn before anything else', () => {
    fc.assert(
      fc.property(lives, window_, fc.nat(40), (all, [from, to], limit) => {
        const timeline = timelineOf(all)
        const whole = timeline.view({ from, to }, NOW)
        const { bars, total } = timeline.view({ from, to, limit }, NOW)
        expect(total).toBe(whole.total)
        expect(bars.length).toBe(Math.min(limit, total))
        expect(new Set(bars.map(identity)).size).toBe(bars.length)
        expect(bars.filter(hasFailed).length).toBe(Math.min(limit, whole.bars.filter(hasFailed).length))
      }),
    )
  })

  test('among equals the longest are drawn, by the power of two', () => {
    const all = Array.from({ length: 64 }, (_, k): Life => ({ path: `g/r#${k}`, from: k, to: k + 2 ** (k % 8), state: 'completed' }))
    const { bars } = timelineOf(all).view({ limit: 8 }, NOW)
    expect(bars.map(({ from, to }) => (to as number) - from)).toEqual(Array(8).fill(128))
  })

  test('where much goes through the window, what begins or ends in it is drawn all the same, and the other way round', () => {
    const through = Array.from({ length: 400 }, (_, k): Life => ({ path: `g/idle#${k}`, from: 0, to: 0, state: undefined }))
    const brief = Array.from({ length: 400 }, (_, k): Life => ({ path: `g/busy#${k}`, from: 500 + k, to: 501 + k, state: 'completed' }))
    const drawn = (all: readonly Life[]): number[] => {
      const { bars } = timelineOf(all).view({ from: 400, to: 1_000, limit: 100 }, NOW)
      return [bars.filter(({ path }) => path.startsWith('g/busy')).length, bars.filter(({ path }) => path.startsWith('g/idle')).length]
    }
    expect(drawn([...through, ...brief])).toEqual([75, 25])
    expect(drawn([...through, ...brief.slice(0, 10)])).toEqual([10, 90])
    expect(drawn([...through.slice(0, 5), ...brief])).toEqual([95, 5])
  })

  test('a manager with many does not hide another with few, whatever runs longer', () => {
    const many = Array.from({ length: 500 }, (_, k): Life => ({ path: `g/bulk/idle#${k}`, from: k, to: 0, state: undefined }))
    const few = Array.from({ length: 30 }, (_, k): Life => ({ path: `g/api/busy#${k}`, from: 600 + k, to: 601 + k, state: 'completed' }))
    const { bars } = timelineOf([...many, ...few]).view({ limit: 100 }, NOW)
    const of = (manager: string): number => bars.filter(({ path }) => path.startsWith(manager)).length
    expect([of('g/api'), of('g/bulk')]).toEqual([30, 70])
    expect(Object.keys(bars[0] as Bar).toSorted()).toEqual(['from', 'incarnation', 'path', 'seq', 'state', 'to'])
  })

  test('starts and failures of the window are counted, each once', () => {
    fc.assert(
      fc.property(lives, window_, (all, [from, to]) => {
        const { starts, failures } = timelineOf(all).view({ from, to, limit: 0 }, NOW)
        const inside = (at: number): boolean => at >= from && at <= to
        expect([starts.length, failures.length]).toEqual([240, 240])
        expect(sum(starts)).toBe(all.filter((life) => inside(life.from)).length)
        expect(sum(failures)).toBe(all.filter((life) => hasFailed(life) && inside(life.to)).length)
      }),
    )
  })

  test('those that ran before anybody looked are there; the end of one says how long it ran', () => {
    const timeline = new Timeline()
    timeline.seed([
      { path: 'g/late', incarnation: 3, from: 50, seq: 0 },
      { path: 'g/early', incarnation: 1, from: 10, seq: 0 },
    ])
    expect(timeline.view({}, 100)).toMatchObject({
      first: 10,
      total: 2,
      bars: [{ path: 'g/early', state: 'running', to: undefined }, { path: 'g/late' }],
    })
    const end = { type: 'routine.failed', cause: null, willRestart: false, incarnation: 1 }
    timeline.note({ ...end, path: 'g/early', at: 90, seq: 7, duration: 80 })
    timeline.note({ ...end, path: 'g/unknown', at: 95, seq: 8, duration: 90 })
    timeline.note({ ...end, path: 'g/unstarted', at: 96, seq: 9, duration: 0 })
    timeline.note({ ...end, type: 'routine.cancelled', path: 'g/never', at: 97, seq: 10, duration: 0 })
    expect(timeline.view({ limit: 9 }, 100).bars.map(({ path, from, to }) => [path, from, to])).toEqual([
      ['g/unknown', 5, 95],
      ['g/early', 10, 90],
      ['g/late', 50, undefined],
      ['g/unstarted', 96, 96],
    ])
  })

  test('runs of one routine are bars of their own', () => {
    const timeline = new Timeline()
    const event = { path: 'g/r#1', cause: null }
    timeline.note({ ...event, type: 'routine.started', at: 0, seq: 1, incarnation: 1 })
    timeline.note({ ...event, type: 'routine.failed', at: 5, seq: 2, incarnation: 1, willRestart: true, duration: 5 })
    timeline.note({ ...event, type: 'routine.started', at: 9, seq: 3, incarnation: 2 })
    expect(timeline.view({}, 20).bars.map(({ incarnation, from, to, state }) => [incarnation, from, to, state])).toEqual([
      [1, 0, 5, 'failed'],
      [2, 9, undefined, 'running'],
    ])
  })

  test('the oldest are let go, and the beginning with them', () => {
    const timeline = new Timeline()
    for (let k = 0; k < 70_000; k++)
      timeline.note({ path: `g/r#${k}`, type: 'routine.completed', at: k + 1, seq: k, cause: null, willRestart: false, duration: 1 })
    const { first, total } = timeline.view({ limit: 0 }, 70_000)
    expect(total).toBeLessThanOrEqual(60_000)
    expect(first).toBe(70_000 - total)
  })
})

describe('waterfalls', () => {
  const phases = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning']
  const runs = fc.array(
    fc.record({
      path: fc.constantFrom('g', 'g/a', 'g/b'),
      steps: fc.array(fc.nat(50), { minLength: 1, maxLength: 5 }),
      stops: fc.boolean(),
    }),
    { maxLength: 6 },
  )

  test('the phases of a shutdown follow one another without a gap, the last is open until it has stopped', () => {
    fc.assert(
      fc.property(runs, (all) => {
        const waterfall = new Waterfall()
        const open = new Set<string>()
        let at = 0
        for (const { path, steps, stops } of all) {
          if (open.has(path)) continue
          for (const [k, step] of steps.entries()) {
            waterfall.note({ type: 'manager.phase', path, at: (at += step), seq: at, cause: null, phase: phases[k] })
          }
          if (stops) waterfall.note({ type: 'manager.stopped', path, at: ++at, seq: at, cause: null, state: 'completed' })
          else open.add(path)
        }
        const blocked = [{ path: 'x', state: 'running', since: 0, asked: undefined, until: undefined }]
        const { runs: views } = waterfall.view(at, () => ({ ...UNKNOWN, deadline: 99, blocking: blocked }))
        expect(views.map(({ path }) => path)).toEqual([...new Set(all.map(({ path }) => path))].toSorted())
        for (const { path, phases: shown, startedAt, endedAt, deadline, blocking } of views) {
          expect(shown[0]?.from).toBe(startedAt)
          for (const [k, { to }] of shown.entries()) expect(to).toBe(shown[k + 1]?.from ?? endedAt)
          expect(endedAt === undefined).toBe(open.has(path))
          expect([deadline, blocking]).toEqual(open.has(path) ? [99, blocked] : [undefined, []])
        }
      }),
    )
  })
})
