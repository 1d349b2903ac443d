/** What is rare outlives what is ordinary; what is wrong now is said whatever is held; what is not known is not drawn as quiet. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RoutineContext } from 'curtaincall'
import { readTrace } from 'curtaincall/testing'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/statecharts.ts'
import { chartOf } from '../../src/inspector/chart.ts'
import { Ledger } from '../../src/inspector/ledger.ts'
import { Player } from '../../src/inspector/player.ts'
import type { KeptEvent, Recording } from '../../src/inspector/protocol.ts'
import { isRare, RareEvents } from '../../src/inspector/rare.ts'
import { checkedRecording, fromTrace, toTraceLines } from '../../src/inspector/recording.ts'
import { Timeline } from '../../src/inspector/timeline.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'
import { sendFleet } from './programs/fleet.ts'

const CHARTS = {
  routine: chartOf(routineMachine),
  global: chartOf(globalManagerMachine),
  app: chartOf(appManagerMachine),
  local: chartOf(localManagerMachine),
}

describe('the room for what is rare', () => {
  const types = fc.constantFrom('routine.hung', 'routine.failed', 'manager.phase', 'routine.started', 'routine.completed')
  const eventsOf = (all: readonly string[]): KeptEvent[] =>
    all.map((type, k) => ({ seq: k + 1, at: k, type, path: 'g/a/l/x#1', cause: null }))

  test('N3: of each type the latest so many, all of them in order, and each is found', () => {
    fc.assert(
      fc.property(fc.array(types, { maxLength: 200 }), fc.integer({ min: 1, max: 20 }), (all, held) => {
        const rare = new RareEvents(held)
        const events = eventsOf(all)
        for (const event of events) rare.push(event)
        const seqs = Array.from({ length: rare.size }, (_, k) => rare.at(k)?.seq)
        const byType = Object.values(Object.groupBy(events, ({ type }) => type)).flatMap((each) => (each ?? []).slice(-held))
        expect(seqs).toEqual(byType.map(({ seq }) => seq).toSorted((a, b) => a - b))
      }),
    )
  })

  test('N3: however much ordinary there is, and however many failures, the phase and the silence of before are held', () => {
    const ledger = new Ledger(10)
    for (const type of ['routine.hung', 'manager.phase']) ledger.record({ seq: ledger.size + 1, at: 0, type, path: 'g', cause: null })
    for (let seq = 3; seq < 20_000; seq++)
      ledger.record({ seq, at: seq, type: seq % 3 === 0 ? 'routine.failed' : 'routine.started', path: 'g', cause: null })
    expect([ledger.at(0)?.type, ledger.at(1)?.type, ledger.size]).toEqual(['routine.hung', 'manager.phase', 2 + 500 + 10])
    expect(ledger.lost).toBe(19_999 - ledger.size)
    expect(ledger.at(ledger.whole)?.seq).toBe(19_990)
    expect(ledger.indexOf(2)).toBe(1)
  })

  test('ordinary is what begins and ends well; rare is what one asks about afterwards', () => {
    const event = (type: string, more: object = {}): KeptEvent => ({ seq: 1, at: 0, type, path: 'g', cause: null, ...more })
    expect(['routine.spawned', 'routine.started', 'routine.completed', 'routine.cancelled'].map((type) => isRare(event(type)))).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect(isRare(event('routine.cancelled', { reason: { code: 'ERR_GROUP_RESTART' } }))).toBe(true)
    expect(isRare(event('routine.spawned', { incarnation: 2 }))).toBe(true)
    expect(isRare(event('control.ordered'))).toBe(true)
  })
})

/** Falls silent after its first beat. */
const silent = async (context: RoutineContext): Promise<void> => {
  context.heartbeat()
  await untilTold(context)
}

async function churn({ local }: Tree, many: number): Promise<void> {
  for (let k = 0; k < many; k++) local.spawn('trip', () => k)
  await settle()
}

describe('who hangs in churn', () => {
  test('Why says so, and since when, though a hundred times as much has happened as is held', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global, 50)
    watch.begin()
    const hangs = tree.local.spawn('hangs', silent, { hungAfter: 1_000 })
    await tree.clock.advance(2_000)
    await churn(tree, 1_700)
    await tree.clock.advance(10_000)
    const told = watch.answer('why', { path: hangs.path })
    expect([told?.headline, told?.steps.map(({ type }) => type)]).toEqual([
      'hangs hangs: nothing has been heard of it for 12 s',
      ['routine.hung'],
    ])
    expect(told?.advice).toContain('context.heartbeat()')
    const everywhere = watch.answer('why', {})
    expect(everywhere?.now?.map(({ path, state }) => [path, state])).toEqual([[hangs.path, 'hung']])
    expect(watch.answer('log', { only: ['routine.hung'] }).lines.length).toBe(1)
    watch.close()
  })

  test('also where the event of it was pushed out by others of its type', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global, 10)
    watch.begin()
    const all = Array.from({ length: 520 }, () => tree.local.spawn('hangs', silent, { hungAfter: 1_000 }))
    await tree.clock.advance(2_000)
    await churn(tree, 20)
    const first = all[0]?.path ?? ''
    expect(watch.answer('log', { path: first, only: ['routine.hung'] }).lines).toEqual([])
    expect(watch.answer('why', { path: first })).toMatchObject({
      headline: 'hangs hangs: nothing has been heard of it for 2 s',
      cut: true,
      advice: expect.stringContaining('context.heartbeat()') as string,
    })
    expect(watch.answer('why', {})?.now?.length).toBe(5)
    watch.close()
  })

  test('who waits to be restarted is told of; who gives signs of life again is not', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global)
    watch.begin()
    const backoff = { initial: 5_000, factor: 1, max: 5_000, jitter: 0 }
    const fails = ({ incarnation, ...context }: RoutineContext): unknown => {
      if (incarnation === 1) throw new Error('once')
      return untilTold({ incarnation, ...context } as RoutineContext)
    }
    const waits = tree.local.spawn('waits', fails, { restart: 'permanent', backoff })
    await settle()
    expect(watch.answer('why', { path: waits.path })?.headline).toContain('waits failed in run 1: Error: once')
    await tree.clock.advance(5_000)
    expect(watch.answer('why', { path: waits.path })?.now).toBeUndefined()
    watch.close()
  })

  test('to look for them makes no run of those who wait in a queue', async () => {
    const tree = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const watch = new Watch(tree.global)
    tree.local.spawn('hangs', silent, { hungAfter: 1_000 })
    const queued = tree.local.spawn('queued', untilTold)
    await tree.clock.advance(2_000)
    expect(watch.answer('why', { path: queued.path })).toBeUndefined()
    expect(watch.answer('why', {})?.now?.length).toBe(1)
    watch.close()
  })
})

describe('a recording', () => {
  async function recorded(): Promise<Recording & { readonly hung: string }> {
    const tree = makeTree()
    const watch = new Watch(tree.global, 200)
    watch.begin()
    sendFleet(tree.global, tree.clock)
    await tree.clock.advance(20_000)
    const { base = [], from, events, earlier, more } = watch.answer('recording', {})
    expect(more).toBe(false)
    watch.close()
    const hung = tree.global.whereis('tracker')?.path ?? ''
    return { name: 'g', from, base, events, violations: [], story: '', earlier, hung }
  }

  test('holds what is rare from before it begins, and says at every moment of it who hangs', async () => {
    const recording = await recorded()
    const { hung, earlier = 0, events, from } = recording
    expect([earlier > 0, events.length - earlier]).toEqual([true, 200])
    expect(events.slice(0, earlier).every(({ at }) => at <= from + 1)).toBe(true)
    const player = new Player(recording, CHARTS)
    for (const at of [player.to, player.from]) {
      player.seek(at)
      expect(player.answer('actor', { path: hung })?.state).toBe('hung')
      expect(player.answer('why', { path: hung })?.headline).toBe(
        `tracker hangs: nothing has been heard of it for ${Math.round((at - 6_000) / 1_000)} s`,
      )
    }
    const { lines, whole } = player.answer('log', { only: ['routine.hung'] })
    expect([lines.length, whole]).toEqual([1, events[earlier]?.seq])
  })

  test('Y5: the tree at its beginning is its base, whatever is known from before', async () => {
    const recording = await recorded()
    const player = new Player(recording, CHARTS)
    const alone = new Player({ ...recording, events: recording.events.slice(recording.earlier), earlier: undefined }, CHARTS)
    for (const at of [player.from, player.to]) {
      const [one, other] = [player, alone].map((each) => {
        each.seek(at)
        return each.whole()
      })
      expect([one?.born.length, one?.changed]).toEqual([other?.born.length, other?.changed])
    }
  })

  test('is the same once it was saved, as a file and in a page', async () => {
    const { hung, ...recording } = await recorded()
    const folder = mkdtempSync(join(tmpdir(), 'curtaincall-rare-'))
    const file = join(folder, 'saved.cct.jsonl')
    writeFileSync(file, toTraceLines(recording, {}))
    const again = fromTrace(readTrace(file) as never, 'x')
    rmSync(folder, { recursive: true })
    expect([again.from, again.earlier, again.events.map(({ at }) => at)]).toEqual([
      recording.from,
      recording.earlier,
      recording.events.map(({ at }) => at),
    ])
    for (const each of [again, checkedRecording(JSON.parse(JSON.stringify(recording)))]) {
      const player = new Player(each, CHARTS)
      player.seek(player.from)
      expect(player.answer('why', { path: hung })?.steps.map(({ type }) => type)).toEqual(['routine.hung'])
    }
    for (const wrong of [{ earlier: 1.5 }, { earlier: -1 }, { earlier: 1_000_000 }, { first: 'x' }])
      expect(() => checkedRecording({ ...recording, ...wrong })).toThrow(/earlier|first/)
  })
})

describe('T2: what is not known', () => {
  test('is the time before the watching began', async () => {
    const tree = makeTree()
    tree.local.spawn('early', untilTold)
    await tree.clock.advance(5_000)
    const watch = new Watch(tree.global)
    watch.begin()
    const { first, known, now } = watch.answer('timeline', {})
    expect([first, known, now]).toEqual([1_000, 6_000, 6_000])
    watch.close()
  })

  test('is what was pushed out before it was drawn; nobody is drawn as running who has ended meanwhile', async () => {
    const tree = makeTree()
    const watch = new Watch(tree.global, 100)
    watch.begin()
    const ends = tree.local.spawn('ends', untilTold)
    await tree.clock.advance(1_000)
    expect(watch.answer('timeline', {}).bars.map(({ to }) => to)).toEqual([undefined])
    await ends.cancel()
    await tree.clock.advance(1_000)
    await churn(tree, 200)
    const { known, bars } = watch.answer('timeline', {})
    expect([known, bars.filter(({ to }) => to === undefined)]).toEqual([3_000, []])
    watch.close()
  })

  test('is what is over, where more bars have ended than are held', () => {
    const timeline = new Timeline(0)
    timeline.seed([{ path: 'g/a/l/lives#1', incarnation: 1, from: 0, seq: 0 }])
    for (let k = 1; k < 130_000; k++)
      timeline.note({
        seq: k + 1,
        at: k,
        type: 'routine.completed',
        path: 'g/a/l/x#1',
        cause: null,
        willRestart: false,
        duration: 1,
        incarnation: 1,
      })
    const { first, known } = timeline.view({ limit: 0 }, 130_000)
    expect([first, known > 0, known < 130_000 - 50_000]).toEqual([0, true, true])
  })
})
