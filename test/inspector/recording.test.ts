import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { createGlobalManager } from 'curtaincall'
import { parseTrace, readTrace } from 'curtaincall/testing'
import { Player } from '../../src/inspector/player.ts'
import { KINDS, type KeptEvent, type Recording, STATES } from '../../src/inspector/protocol.ts'
import { checkedRecording, fromTrace, keep, type TraceLike, toChromeTrace, toTraceLines } from '../../src/inspector/recording.ts'

const folder = mkdtempSync(join(tmpdir(), 'curtaincall-recording-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const ON = { curtaincall: '0', xstate: '5', node: '' }

/** Saves it as the page does, and opens it as the command does. */
function saved(recording: Recording): Recording {
  const file = join(folder, 'saved.cct.jsonl')
  writeFileSync(file, toTraceLines(recording, ON))
  return fromTrace(readTrace(file) as TraceLike, 'another name')
}

const TYPES = ['routine.spawned', 'routine.started', 'routine.failed', 'routine.completed', 'routine.restarted', 'manager.phase', 'step']
const path = fc.constantFrom('g', 'g/a', 'g/a/l', 'g/a/l/x#1', 'g/a/l/x#2', 'g/b/svc#svc', '')
const anything = fc.oneof(fc.string(), fc.nat(), fc.boolean(), fc.constant(null))
const extra = fc.record(
  {
    incarnation: fc.nat(),
    error: anything,
    delay: fc.nat(),
    name: fc.string(),
    id: fc.string(),
    text: fc.string(),
    willRestart: fc.boolean(),
    phase: fc.string(),
  },
  { noNullPrototype: true, requiredKeys: [] },
)

/** Events as a ring holds them: numbers grow, with gaps; causes come before, and may be gone already. */
const events = fc
  .array(
    fc.record({
      gap: fc.nat({ max: 3 }),
      later: fc.nat({ max: 50 }),
      type: fc.constantFrom(...TYPES),
      path,
      extra,
      back: fc.nat({ max: 9 }),
    }),
  )
  .map((drawn) => {
    let [seq, at] = [100, 1_700_000_000_000]
    return drawn.map(({ gap, later, type, path: where, extra: rest, back }): KeptEvent => {
      seq += gap + 1
      at += later
      return { ...rest, seq, at, type, path: where, cause: back === 0 ? null : seq - back }
    })
  })

const recordings: fc.Arbitrary<Recording> = events.chain((all) => {
  const seqs = all.map(({ seq }) => seq)
  return fc.record({
    name: fc.string(),
    from: fc.constant(all[0]?.at ?? 1_700_000_000_000),
    base: fc.array(fc.tuple(path, fc.constantFrom(...KINDS), fc.constantFrom(...STATES), fc.nat(), fc.nat()), { maxLength: 4 }),
    events: fc.constant(all),
    violations: fc.array(fc.record({ law: fc.string(), message: fc.string(), witnesses: fc.subarray(seqs) }), { maxLength: 2 }),
    story: fc.string({ minLength: 1 }),
  })
})

/** Some hold what is rare from before they began. */
const withEarlier = fc.tuple(recordings, fc.nat(30)).map(([recording, many]): Recording => {
  const earlier = Math.min(many, recording.events.length)
  return earlier === 0 ? recording : { ...recording, from: recording.events[earlier]?.at ?? recording.from, earlier }
})

/** The same, numbered from 1 and called from 0, without causes that are not held: what a file can say. */
function renumbered(recording: Recording): Recording {
  const places = new Map(recording.events.map(({ seq }, i) => [seq, i + 1]))
  return {
    ...recording,
    first: 0,
    events: recording.events.map((event) => ({
      ...event,
      seq: places.get(event.seq) as number,
      cause: event.cause === null ? null : (places.get(event.cause) ?? null),
    })),
    violations: recording.violations.map((each) => ({ ...each, witnesses: each.witnesses.map((seq) => places.get(seq) as number) })),
  }
}

test('what the page saves is read by the test kit, and is the same recording', () => {
  fc.assert(
    fc.property(fc.oneof(recordings, withEarlier), (recording) => {
      const again = saved(recording)
      expect(again).toEqual(renumbered(recording))
      // Saved once more, nothing changes any more.
      expect(saved(again)).toEqual(again)
    }),
    { numRuns: 200 },
  )
})

test('a clock that steps back is written down as one that stands still', () => {
  const event = (seq: number, at: number): KeptEvent => ({ seq, at, type: 'routine.started', path: 'g/a/l/x#1', cause: null })
  const recording = { name: 'g', from: 10, base: [], events: [event(1, 12), event(2, 9), event(3, 15)], violations: [], story: 's' }
  expect(saved(recording).events.map(({ at }) => at)).toEqual([12, 12, 15])
})

test('a tree that fails, restarts and stops is written down whole', async () => {
  const global = createGlobalManager({ name: 'g' })
  const kept: KeptEvent[] = []
  global.on('*', (event) => void kept.push(keep(event as unknown as KeptEvent)))
  const local = global.createApp('a').createLocal('l')
  const failing = local.spawn('x', ({ incarnation }) => {
    if (incarnation === 1) throw Object.assign(new Error('bad\nluck'), { code: 7n })
  })
  await failing.outcome
  await global.shutdown()
  const recording = { name: 'g', from: kept[0]?.at ?? 0, base: [], events: kept, violations: [], story: 's' }
  const again = saved(recording)
  expect(again.events.map(({ type, path: where }) => [type, where])).toEqual(kept.map(({ type, path: where }) => [type, where]))
  expect(again.events.map(({ cause }) => cause)).toEqual(renumbered(recording).events.map(({ cause }) => cause))
})

interface ChromeEvent {
  readonly ph: string
  readonly name: string
  readonly pid: number
  readonly tid: number
  readonly ts: number
  readonly dur?: number
  readonly id?: number
  readonly args?: { readonly name?: string }
}

test("Chrome's format: nothing lasts less than nothing, each arrow has both its ends, and all have names", () => {
  // Clocks may step back here.
  const unsteady = fc.tuple(recordings, fc.array(fc.integer({ min: -100, max: 100 }))).map(([recording, steps]) => ({
    ...recording,
    events: recording.events.map((event, k) => ({ ...event, at: event.at + (steps[k] ?? 0) })),
  }))
  fc.assert(
    fc.property(fc.oneof(recordings, unsteady), (recording) => {
      const { traceEvents } = JSON.parse(toChromeTrace(recording)) as { traceEvents: ChromeEvent[] }
      const of = (ph: string): ChromeEvent[] => traceEvents.filter((each) => each.ph === ph)
      for (const { ts, dur } of of('X')) expect([Number.isInteger(ts), (dur as number) >= 0]).toEqual([true, true])
      expect(of('f').map(({ id }) => id)).toEqual(of('s').map(({ id }) => id))
      expect(new Set(of('s').map(({ id }) => id)).size).toBe(of('s').length)
      expect(of('i').length).toBe(recording.events.length)
      const processes = new Set(of('M').flatMap(({ name, pid }) => (name === 'process_name' ? [pid] : [])))
      const threads = new Set(of('M').flatMap(({ name, pid, tid }) => (name === 'thread_name' ? [`${pid} ${tid}`] : [])))
      for (const { pid, tid } of traceEvents.filter(({ ph }) => ph !== 'M')) {
        expect([pid, processes.has(pid)]).toEqual([pid, true])
        expect([tid, threads.has(`${pid} ${tid}`)]).toEqual([tid, true])
      }
    }),
    { numRuns: 200 },
  )
})

test('what a file begins with is refused in words if it is not as it was written, and so is what is saved in a page', () => {
  const event: KeptEvent = { seq: 1, at: 12, type: 'routine.started', path: 'g/x#1', cause: null }
  const recording: Recording = {
    name: 'g',
    from: 10,
    base: [['g', 'global', 'running', 0, 1]],
    events: [event],
    violations: [{ law: 'l', message: 'm', witnesses: [1] }],
    story: 's',
  }
  const { header, ...rest } = parseTrace(toTraceLines(recording, ON), 'x') as unknown as TraceLike
  const openings: readonly [string, object | null][] = [
    ['recording has to be an object', null],
    ['recording.name has to be a text', { name: 7 }],
    ['recording.from has to be a number', { from: null }],
    ['recording.from has to be a number', { from: '10' }],
    ['recording.base has to be a list', { base: null }],
    ['recording.base has to be a list', { base: { length: 1 } }],
    ['recording.base[1] has to be', { base: [...recording.base, 5] }],
    ['recording.base[0] has to be', { base: [['g', 'planet', 'running', 0, 1]] }],
    ['recording.base[0] has to be', { base: [['g', 'global', 'toString', 0, 1]] }],
    ['recording.base[0] has to be', { base: [['g', 'global', 'running', -1, 1]] }],
    ['recording.base[0] has to be', { base: [[['g'], 'global', 'running', 0, 1]] }],
  ]
  for (const [why, change] of openings) {
    const opening = change === null ? null : { ...header.recording, ...change }
    expect(() => fromTrace({ header: { ...header, recording: opening as never }, ...rest }, 'x')).toThrow(`line 1: ${why}`)
    expect(() => checkedRecording(change === null ? null : { ...recording, ...change })).toThrow(why)
  }
  const others: readonly [string, object][] = [
    ['events have to be', { events: [{ ...event, at: undefined }] }],
    ['events have to be', { events: [null] }],
    ['violations have to be', { violations: [{ law: 'l', message: 'm', witnesses: 1 }] }],
    ['story has to be', { story: 5 }],
    ['no actor before it', { traffic: { charts: [], actors: [], snapshots: [{ of: 1, at: 5 }], messages: [], leftOut: {} } }],
  ]
  for (const [why, change] of others) expect(() => checkedRecording({ ...recording, ...change })).toThrow(why)
  expect(checkedRecording(recording)).toEqual(recording)
})

test('a path may be as deep as any tree; one that is deeper is refused with its line', () => {
  const trace = (levels: number): TraceLike =>
    ({
      header: { story: '' },
      events: [{ i: 0, t: 0, type: 'routine.started', actor: `g${'/a'.repeat(levels - 1)}`, incarnation: 1 }],
      verdict: { violations: [] },
    }) as unknown as TraceLike
  const player = new Player(fromTrace(trace(12_000), 'deep'), {} as never)
  player.seek(player.to)
  expect(player.whole().born).toHaveLength(12_000)
  expect(() => fromTrace(trace(12_001), 'deeper')).toThrow(
    'line 2: its actor has to be a text of at most 100000 characters and 12000 levels',
  )
  const saved = { ...player.recording, events: [{ seq: 1, at: 0, type: 'x', path: 'a/'.repeat(12_000), cause: null }] }
  expect(() => checkedRecording(saved)).toThrow('events have to be a list of events')
})
