/** What the page knows of itself: where it is, and what it is doing. */
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { createActor, type InspectionEvent, SimulatedClock } from 'xstate'
import { inPieces } from '../../inspector/state/link.ts'
import { type PageEvent, pageMachine } from '../../inspector/state/page-machine.ts'
import { asMoment, type Place, readPlace, START, VIEWS, writePlace } from '../../inspector/state/place.ts'
import { type Hello, type Recording, STATES } from '../../src/inspector/protocol.ts'
import { exploreMachine, transitionCoverage } from 'curtaincall/testing'

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom('?', '#', '&=+ %', 'ä🎭', 'a/b#c'))
const place: fc.Arbitrary<Place> = fc.record({
  view: fc.constantFrom(...VIEWS),
  path: text,
  find: text,
  only: fc.subarray([...STATES, 'restarted'] as const),
  at: fc.option(
    fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((at) => at + 0),
      fc.nat(),
    ),
    { nil: undefined },
  ),
  seq: fc.nat(),
  with: fc.array(text, { maxLength: 3 }),
})

describe('a place', () => {
  test('is read as it was written', () => {
    fc.assert(
      fc.property(place, (where) => {
        expect(readPlace(writePlace(where))).toEqual(where)
        // As the browser gives it back.
        expect(readPlace(new URL(writePlace(where), 'http://localhost').hash)).toEqual(where)
      }),
      { numRuns: 1_000 },
    )
  })

  test('holds a moment at which all is shown that was shown, whatever fraction of a millisecond it was', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 ** 52, noNaN: true }), (at) => {
        const { at: read } = readPlace(writePlace({ ...START, at: asMoment(at) }))
        expect(read).toBeGreaterThanOrEqual(at)
        expect(read).toBeLessThanOrEqual(at + 1)
      }),
    )
  })

  test('is the start, as far as the address is not understood', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (hash) => {
        const where = readPlace(hash)
        expect(VIEWS).toContain(where.view)
        expect(readPlace(writePlace(where))).toEqual(where)
      }),
    )
    for (const hash of ['', '#', '#/', '#/nowhere?only=nothing&at=x&seq=-1', '#/problems?at=&seq=1.5', '#/?at=Infinity&seq=1e99'])
      expect(readPlace(hash)).toEqual(START)
  })
})

test('orders to many are cut into pieces: nobody is left out, none is told twice, and each piece fits into a message', () => {
  const worst = fc.string({ unit: fc.constantFrom('a', '"', '\u0001', '🎭', '\ud800'), maxLength: 400 })
  fc.assert(
    fc.property(fc.array(worst, { maxLength: 300 }), (paths) => {
      const pieces = inPieces(paths, 8_000)
      expect(pieces.flat()).toEqual(paths)
      for (const piece of pieces) {
        expect(piece.length).toBeGreaterThan(0)
        expect(new TextEncoder().encode(JSON.stringify(piece)).length).toBeLessThan(60_000)
      }
    }),
  )
  expect(inPieces(Array<string>(10_000).fill('g/a/l/routine#12345678'), 8_000).length).toBeLessThan(60)
})

const hello = (source: Hello['source']): PageEvent => ({ type: 'hello', hello: { hello: 1, name: 'g', controls: false, source, now: 0 } })
const recording: Recording = { name: 'g', from: 0, base: [], events: [], violations: [], story: '' }
const EVENTS: readonly PageEvent[] = [
  hello('live'),
  hello('file'),
  { type: 'lost' },
  { type: 'refused', why: 'another run' },
  { type: 'replaced', why: 'another run' },
  { type: 'retry' },
  { type: 'silent' },
  { type: 'heard' },
  { type: 'record' },
  { type: 'recorded', recording },
  { type: 'failed', why: 'busy' },
  { type: 'play' },
  { type: 'pause' },
  { type: 'live' },
]

describe('the page’s machine', () => {
  const explored = (standalone: boolean) =>
    exploreMachine(pageMachine, {
      input: { standalone },
      events: [...EVENTS, { type: 'xstate.after.patience.page.lost' }],
      // Tries and texts lead nowhere else.
      symmetry: ({ value, context }) => JSON.stringify([value, context.standalone, context.hello?.source]),
      invariants: {
        'C3: a saved page looks for no process': (state) =>
          !state.context.standalone || !(['connecting', 'lost', 'live'] as const).some((value) => state.matches(value)),
        'whoever is refused knows why': ({ value, context }) => value !== 'refused' || context.why !== '',
        'what is live has said hello': (state) => !state.matches('live') || state.context.hello !== undefined,
      },
    })

  test.each([false, true])('no state is a dead end but being refused (saved: %s)', (standalone) => {
    const { deadlocks, violations, states } = explored(standalone)
    expect(violations.map(({ invariant, at }) => `${invariant}: ${at.path.join(', ')}`)).toEqual([])
    // Where there is a process, another tab may be let in, and then this one is, too.
    expect([...new Set(deadlocks.map(({ state }) => state.value))]).toEqual(['refused'])
    expect(states.some(({ state }) => state.matches({ replay: 'playing' }))).toBe(true)
  })

  test('from every state but refused, a page with a process can become live again', () => {
    const { states, edges } = explored(false)
    const live = new Set(states.filter(({ state }) => state.matches('live')).map(({ key }) => key))
    for (let size = 0; size < live.size; ) {
      size = live.size
      for (const { from, to } of edges) if (live.has(to)) live.add(from)
    }
    expect(states.filter(({ key, state }) => !live.has(key) && state.value !== 'refused')).toEqual([])
  })

  function started(standalone = false) {
    const clock = new SimulatedClock()
    const did: string[] = []
    const note = (name: string) => () => void did.push(name)
    const names = ['connect', 'fetchRecording', 'load', 'unload', 'startClock', 'stopClock'] as const
    const actions = Object.fromEntries(names.map((name) => [name, note(name)]))
    const actor = createActor(pageMachine.provide({ actions: actions as never }), { input: { standalone }, clock }).start()
    return { actor, clock, did }
  }

  test('C1: a lost connection is tried again, at growing intervals of at most five seconds, and what was shown stays', () => {
    const { actor, clock, did } = started()
    actor.send(hello('live'))
    const waits: number[] = []
    for (let k = 0; k < 8; k++) {
      actor.send({ type: 'lost' })
      const before = did.length
      let waited = 0
      for (; did.length === before; waited += 50) clock.increment(50)
      waits.push(waited)
      expect(did.at(-1)).toBe('connect')
    }
    expect(waits).toEqual([600, 1_200, 2_400, 4_800, 5_000, 5_000, 5_000, 5_000])
    expect(did).not.toContain('unload')
    actor.send(hello('live'))
    expect(actor.getSnapshot().context.tries).toBe(0)
    actor.send({ type: 'lost' })
    actor.send({ type: 'retry' })
    expect(actor.getSnapshot().value).toBe('connecting')
  })

  test('what has failed is not held against it for ever', () => {
    const { actor } = started()
    for (const event of [hello('live'), { type: 'record' }, { type: 'failed', why: 'busy' }] as const) actor.send(event)
    expect(actor.getSnapshot().context.why).toBe('busy')
    actor.send({ type: 'record' })
    expect(actor.getSnapshot().context.why).toBe('')
  })

  test('C4: silence is said, and what has failed in it is forgotten once the process answers again', () => {
    const { actor, did } = started()
    for (const event of [hello('live'), { type: 'record' }, { type: 'failed', why: 'no answer within 10 s' }, { type: 'silent' }] as const)
      actor.send(event)
    expect([actor.getSnapshot().value, actor.getSnapshot().context.why]).toEqual([{ live: 'silent' }, 'no answer within 10 s'])
    const before = did.length
    actor.send({ type: 'heard' })
    expect([actor.getSnapshot().value, actor.getSnapshot().context.why]).toEqual([{ live: 'answering' }, ''])
    expect(did.length).toBe(before)
  })

  test('C1: where another run has taken the place of one that was shown, what was shown stays, and a new key is tried', () => {
    const { actor, did } = started()
    actor.send({ type: 'replaced', why: 'another run' })
    expect([actor.getSnapshot().value, actor.getSnapshot().context.why]).toEqual(['refused', 'another run'])
    actor.send({ type: 'retry' })
    for (const event of [hello('live'), { type: 'lost' }, { type: 'retry' }, { type: 'replaced', why: 'another run' }] as const)
      actor.send(event)
    expect(actor.getSnapshot().value).toBe('replaced')
    actor.send({ type: 'retry' })
    expect([actor.getSnapshot().value, did]).toEqual(['connecting', ['connect', 'connect', 'connect', 'connect']])
  })

  test('C3: a recording that can’t be fetched has nothing living behind it: the page says why, and shows no empty tree', () => {
    const { actor, did } = started()
    actor.send(hello('file'))
    actor.send({ type: 'live' })
    expect(actor.getSnapshot().value).toBe('fetching')
    actor.send({ type: 'failed', why: 'no answer within 10 s' })
    expect([actor.getSnapshot().value, actor.getSnapshot().context.why, did]).toEqual([
      'refused',
      'no answer within 10 s',
      ['connect', 'fetchRecording'],
    ])
  })

  test('C2: while a recording is played, nothing that the process does changes anything', () => {
    const { actor, did } = started()
    for (const event of [hello('live'), { type: 'record' }, { type: 'recorded', recording }, { type: 'play' }] as const) actor.send(event)
    const before = [actor.getSnapshot().value, did.length]
    for (const event of [
      hello('live'),
      { type: 'lost' },
      { type: 'recorded', recording },
      { type: 'failed', why: 'x' },
      { type: 'record' },
    ] as const)
      actor.send(event)
    expect([actor.getSnapshot().value, did.length]).toEqual(before)
    actor.send({ type: 'live' })
    expect(did.slice(-3)).toEqual(['stopClock', 'unload', 'connect'])
  })

  test('every transition is taken by some sequence of events', () => {
    const coverage = transitionCoverage(pageMachine)
    for (const { standalone } of [{ standalone: false }, { standalone: true }]) {
      for (const [k, run] of fc
        .sample(fc.array(fc.constantFrom(...EVENTS), { minLength: 30, maxLength: 60 }), { numRuns: 200, seed: 5 })
        .entries()) {
        const clock = new SimulatedClock()
        const actor = createActor(pageMachine, {
          input: { standalone },
          clock,
          inspect: (event: InspectionEvent) => coverage.inspect(event),
        }).start()
        for (const event of run) {
          actor.send(event)
          if (actor.getSnapshot().value === 'lost' && event.type === 'lost' && k % 2 === 0) clock.increment(5_000)
        }
      }
    }
    coverage.report({ min: 100 })
  })
})
