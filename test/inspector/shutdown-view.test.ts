import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { columnsOf, perSecond, sparkline } from '../../inspector/state/samples.ts'
import { pairsOf, witnessesOf } from '../../inspector/state/pairs.ts'
import { axisEnd, blockersOf, episodesOf, patience, progressOf, segmentsOf } from '../../inspector/state/waterfall.ts'
import { Player } from '../../src/inspector/player.ts'
import type { ChartState, KeptEvent, Recording, ShutdownsView, ShutdownView } from '../../src/inspector/protocol.ts'
import { keep } from '../../src/inspector/recording.ts'
import { UNKNOWN, Waterfall } from '../../src/inspector/timeline.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const chart = {} as ChartState
const CHARTS = { routine: chart, global: chart, app: chart, local: chart }
const until = ({ signal }: { signal: AbortSignal }): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()))

/** A tree whose shutdown somebody deaf holds up. */
async function held(): Promise<{ watch: Watch; clock: VirtualClock; kept: KeptEvent[]; deaf: string; done: Promise<unknown> }> {
  const clock = new VirtualClock()
  const global = createGlobalManager({ name: 'shop', clock })
  const kept: KeptEvent[] = []
  global.on('*', (event) => void kept.push(keep(event as unknown as KeptEvent)))
  const watch = new Watch(global)
  watch.begin()
  const api = global.createApp('api')
  const orders = api.createLocal('orders')
  const deaf = orders.spawn('deaf', () => new Promise(() => undefined), { shutdown: 4_000 })
  orders.spawn('polite', until)
  api.createLocal('zone').spawn('polite', until)
  await clock.advance(1_000)
  const done = global.shutdown({ timeout: 8_000 })
  await clock.advance(500)
  return { watch, clock, kept, deaf: deaf.path, done }
}

describe('who blocks a shutdown', () => {
  test('a routine that does not obey is named, with its time; what is above it is not', async () => {
    const { watch, clock, deaf, done } = await held()
    const view = watch.answer('shutdown', {})
    const [episode] = episodesOf(view)
    expect(view.runs.map(({ path }) => path)).toEqual(['shop', 'shop/api', 'shop/api/orders', 'shop/api/zone'])
    expect(episode?.root).toMatchObject({ path: 'shop', startedAt: 2_000, deadline: 10_000, living: 1, held: false })
    const blockers = blockersOf(episode as never)
    expect(blockers).toEqual([expect.objectContaining({ path: deaf, since: 1_000, asked: 2_000, until: 6_000 })])
    expect(patience(blockers[0] as never, episode?.root as never)).toBe(6_000)
    expect(axisEnd(episode as never, view.now)).toBe(10_000)
    await clock.advance(9_000)
    await done
    const after = watch.answer('shutdown', {})
    expect(after.runs[0]).toMatchObject({ path: 'shop', endedAt: 6_000, state: 'completed', deadline: 10_000, blocking: [] })
    expect(episodesOf(after)[0]?.endedAt).toBe(6_000)
    watch.close()
  })

  test('a listener that holds a phase is said in its row', async () => {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'shop', clock })
    global.createApp('api')
    const listener = (): Promise<void> => new Promise((resolve) => void clock.setTimeout(resolve, 300))
    for (let n = 0; n < 2; n++)
      global.on('manager.phase', ({ path, phase }) => (path === 'shop/api' && phase === 'waiting' ? listener() : undefined))
    const watch = new Watch(global)
    watch.begin()
    const done = global.shutdown({ timeout: 8_000 })
    await clock.advance(200)
    const said = (): string[] => watch.answer('shutdown', {}).runs.map((run) => progressOf(run))
    expect(said()).toEqual(['waiting', 'waiting, held by 2 listeners'])
    await clock.advance(200)
    await done
    expect(watch.answer('shutdown', {}).runs.map(({ hooks }) => hooks)).toEqual([0, 0])
    watch.close()
  })

  test('a recording names them, too, at each of its moments', async () => {
    const { watch, clock, kept, deaf, done } = await held()
    await clock.advance(9_000)
    await done
    watch.close()
    const player = new Player({ name: 'shop', from: 0, base: [], events: kept, violations: [], story: '' }, CHARTS)
    player.seek(1_900)
    expect(player.answer('shutdown', {}).runs).toEqual([])
    player.seek(3_000)
    const [episode] = episodesOf(player.answer('shutdown', {}))
    expect(blockersOf(episode as never).map(({ path }) => path)).toEqual([deaf])
    player.seek(player.to)
    expect(player.answer('shutdown', {}).runs.every(({ endedAt, blocking }) => endedAt !== undefined && blocking.length === 0)).toBe(true)
  })

  test('health counts all managers, and the worst come first where there are too many to list', async () => {
    const clock = new VirtualClock()
    const global = createGlobalManager({ name: 'g', clock })
    const app = global.createApp('a')
    for (let k = 0; k < 600; k++) app.createLocal(`l${k}`)
    const last = app.createLocal('last', { maxRestarts: 3, maxRoutines: 2 })
    let runs = 0
    last.spawn('x', (context) => (runs++ === 0 ? Promise.reject(new Error('once')) : until(context)), { restart: 'permanent' })
    await clock.advance(100)
    const watch = new Watch(global)
    const { nodes, statuses } = watch.answer('health', {})
    expect(nodes).toHaveLength(500)
    expect(Object.values(statuses).reduce((sum, each) => sum + each, 0)).toBe(603)
    expect(nodes.find(({ path }) => path === 'g/a/last')).toMatchObject({
      status: 'degraded',
      maxRestarts: 3,
      restartsLeft: 2,
      count: 1,
      limit: 2,
    })
    watch.close()
    await Promise.all([global.shutdown({ mode: 'immediate' }), clock.advance(1_000)])
  })
})

const run = (path: string, startedAt: number, endedAt?: number, more: Partial<ShutdownView> = {}): ShutdownView => ({
  path,
  depth: path.split('/').length - 1,
  startedAt,
  endedAt,
  phases: [{ phase: 'closing', from: startedAt, to: endedAt }],
  state: endedAt === undefined ? undefined : 'completed',
  ...UNKNOWN,
  ...more,
})
const view = (now: number, ...runs: ShutdownView[]): ShutdownsView => ({ now, total: runs.length, runs, accounts: [] })

describe('what belongs together', () => {
  test('a shutdown long ago stands apart from that of what is above it now', () => {
    const found = episodesOf(view(100, run('g', 50), run('g/a', 50), run('g/b', 1, 5), run('g/b/c', 1, 4), run('g/bb', 60)))
    expect(found.map(({ root, runs }) => [root.path, runs.length])).toEqual([
      ['g', 3],
      ['g/b', 2],
    ])
  })

  test('while the end is not known the axis grows in steps', () => {
    const [episode] = episodesOf(view(100, run('g', 0)))
    expect([100, 900, 1_000, 5_000].map((now) => axisEnd(episode as never, now))).toEqual([1_000, 1_000, 2_000, 8_000])
  })

  test('no segment hides another, however short', () => {
    const phases = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning']
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 5, maxLength: 5 }), (lengths) => {
        let at = 0
        const all = lengths.map((length, k) => ({ phase: phases[k] as string, from: at, to: (at += length) }))
        const end = Math.max(1, at)
        const segments = segmentsOf(run('g', 0, end, { phases: all }), end, (time) => (time / end) * 100)
        let before = -1
        for (const { left, width, shift } of segments) {
          const begin = left * 5 + shift
          expect(begin).toBeGreaterThanOrEqual(before)
          before = begin + Math.max(4, width * 5 - shift)
        }
        expect(Math.max(...segments.map(({ shift }) => shift))).toBeLessThanOrEqual(25)
      }),
    )
  })
})

describe('what the server holds of shutdowns', () => {
  const phase = (path: string, at: number, name: string): KeptEvent => ({
    seq: at,
    at,
    type: 'manager.phase',
    path,
    cause: null,
    phase: name,
  })

  test('with thousands of managers, those that go on and all above them are told first', () => {
    const waterfall = new Waterfall()
    waterfall.note(phase('g', 0, 'closing'))
    waterfall.note(phase('g/a', 0, 'closing'))
    for (let k = 0; k < 3_000; k++) waterfall.note(phase(`g/a/l${k}`, 1, 'closing'))
    for (const path of ['g', 'g/a', 'g/a/l2000']) waterfall.note(phase(path, 2, 'waiting'))
    const { runs, total } = waterfall.view(50, () => UNKNOWN)
    expect([total, runs.length]).toEqual([3_002, 500])
    expect(runs.slice(0, 2).map(({ path }) => path)).toEqual(['g', 'g/a'])
    expect(runs.some(({ path }) => path === 'g/a/l2000')).toBe(true)
  })

  test('what is over is let go when it is old', () => {
    const waterfall = new Waterfall()
    waterfall.note(phase('g', 0, 'closing'))
    for (let k = 1; k <= 5_000; k++) {
      waterfall.note(phase(`g/l${k}`, k, 'closing'))
      waterfall.note({ seq: k, at: k, type: 'manager.stopped', path: `g/l${k}`, cause: null, state: 'completed' })
    }
    const { runs, total } = waterfall.view(6_000, () => UNKNOWN)
    expect(total).toBeLessThanOrEqual(1_002)
    expect(runs[0]?.path).toBe('g')
  })
})

describe('samples', () => {
  test('a total is told by how much it grows in a second', () => {
    expect(perSecond([5, 5, 9, 2], [0, 1_000, 3_000, 4_000])).toEqual([0, 0, 2, 0])
    expect(perSecond([], [])).toEqual([])
  })

  test('columns stand in the order of the samples', () => {
    const { at, running, orphaned } = columnsOf([
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
      [12, 13],
    ])
    expect([at, running, orphaned]).toEqual([
      [1, 12],
      [2, 13],
      [11, 0],
    ])
    expect(sparkline([0, 1], 10, 10)).toBe('0.0,9.0 10.0,1.0')
  })
})

describe('two recordings', () => {
  const event = (seq: number, type: string, path: string, fields: object = {}): KeptEvent => ({
    seq,
    at: seq,
    type,
    path,
    cause: null,
    ...fields,
  })
  const recording = (events: KeptEvent[], violations: Recording['violations'] = []): Recording => ({
    name: '',
    from: 0,
    base: [],
    events,
    violations,
    story: '',
  })

  test('an event is found again, whatever its id and number are', () => {
    const one = recording([event(1, 'routine.started', 'g/a#r1', { incarnation: 1 }), event(2, 'manager.phase', 'g', { phase: 'closing' })])
    const other = recording([
      event(1, 'routine.started', 'g/b#r1', { incarnation: 1 }),
      event(5, 'routine.started', 'g/a#r2', { incarnation: 1 }),
      event(6, 'routine.started', 'g/a#r3', { incarnation: 1 }),
      event(9, 'manager.phase', 'g', { phase: 'closing' }),
    ])
    expect([...pairsOf(one, other)].map(([seq, found]) => [seq, found.seq])).toEqual([
      [5, 1],
      [9, 2],
    ])
  })

  test('witnesses say which laws they show', () => {
    const violations = [
      { law: 'a', message: '', witnesses: [1, 2] },
      { law: 'b', message: '', witnesses: [2] },
      { law: 'b', message: 'again', witnesses: [2] },
    ]
    expect([...witnessesOf(recording([], violations))]).toEqual([
      [1, ['a']],
      [2, ['a', 'b']],
    ])
  })
})
