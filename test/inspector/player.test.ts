/** Recordings: what is kept of the past, how it is played, and what it says of why. */
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { chartOf } from '../../src/inspector/chart.ts'
import { Forest } from '../../src/inspector/forest.ts'
import { Ledger } from '../../src/inspector/ledger.ts'
import { Player } from '../../src/inspector/player.ts'
import type { BaseNode, KeptEvent, Recording } from '../../src/inspector/protocol.ts'
import { fromTrace, keep, toChromeTrace, toTraceLines } from '../../src/inspector/recording.ts'
import { Ring } from '../../src/inspector/ring.ts'
import { isRare } from '../../src/inspector/rare.ts'
import { why } from '../../src/inspector/story.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { TreeTable } from '../../inspector/state/table.ts'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/index.ts'
import { parseTrace } from 'curtaincall/testing'
import { adversarial, numbered, plausible } from '../support/lifecycles.ts'
import { deaf, makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const charts = {
  routine: chartOf(routineMachine),
  global: chartOf(globalManagerMachine),
  app: chartOf(appManagerMachine),
  local: chartOf(localManagerMachine),
}

function recordingOf(events: readonly KeptEvent[], base: readonly BaseNode[] = [], from = 1_000): Recording {
  return { name: 'r', from, base, events, violations: [], story: '' }
}

/** The tree of a table, siblings in order. */
function shape(table: TreeTable): string[] {
  for (const path of table.matchingPaths(() => true)) table.setExpanded(table.find(path), true)
  return table
    .items(0, table.shown)
    .map(({ slot, kind, state, restarts, incarnation }) => `${table.pathOf(slot)} ${kind} ${state} ${restarts} ${incarnation}`)
}

/** Base and events up to a moment, in one go. */
function expected({ base, events }: Recording, at: number): string[] {
  const forest = new Forest(Infinity)
  for (const node of base) forest.add(...node)
  let latest = -Infinity
  for (const event of events) {
    latest = Math.max(latest, event.at)
    if (latest <= at) forest.note(event)
  }
  const table = new TreeTable()
  table.apply(forest.whole(0))
  return shape(table)
}

const base: BaseNode[] = [
  ['g', 'global', 'running', 0, 1],
  ['g/a', 'app', 'running', 2, 3],
  ['g/a/#1', 'routine', 'running', 0, 1],
]
/** Now and then the clock stands still, or steps back. */
const steps = fc.array(fc.integer({ min: -3, max: 5 }), { minLength: 1, maxLength: 20 })

describe('the player', () => {
  test('Y1, Y2: at every moment the tree is base and events up to it, whichever way one has come there', () => {
    fc.assert(
      fc.property(fc.oneof(plausible, adversarial), steps, fc.array(fc.nat(400), { maxLength: 12 }), (happenings, by, moments) => {
        const recording = recordingOf(
          numbered(happenings, (k) => by[k % by.length] as number),
          base,
        )
        const player = new Player(recording, charts)
        const table = new TreeTable()
        table.apply(player.seek(player.from))
        for (const moment of moments) {
          const at = player.from - 20 + moment
          table.apply(player.seek(at))
          expect(shape(table)).toEqual(expected(recording, at))
          expect(player.at).toBe(at)
        }
        table.apply(player.seek(player.to))
        expect(player.nextAt).toBeUndefined()
        expect(shape(table)).toEqual(expected(recording, Infinity))
      }),
      { numRuns: 250 },
    )
  })

  test('Y1: a hundred that come and go at once are all there, in one step or in many', () => {
    const events = numbered(
      Array.from({ length: 300 }, (_, k) => ({
        type: ['routine.spawned', 'routine.started', 'routine.completed'][k % 3] as string,
        path: `g/r#${Math.floor(k / 3)}`,
        willRestart: false,
      })),
    )
    const [one, many] = [new Player(recordingOf(events), charts), new Player(recordingOf(events), charts)]
    one.seek(one.to)
    for (let at = many.from; at <= many.to; at++) many.seek(at)
    for (const player of [one, many]) expect(player.whole().born.length).toBe(101)
  })

  test('it walks to the end from event to event, and answers only of what has been', () => {
    const events = numbered(fc.sample(plausible, { numRuns: 1, seed: 11 })[0] ?? [], (k) => (k % 2 === 0 ? 2 : 0))
    const player = new Player(recordingOf(events), charts)
    player.seek(player.from)
    let steps = 0
    while (player.nextAt !== undefined) {
      expect(player.nextAt).toBeGreaterThan(player.at)
      player.seek(player.nextAt)
      expect(player.answer('log', {}).lines.at(-1)?.seq).toBe(events.findLast(({ at }) => at <= player.at)?.seq)
      steps++
    }
    expect(steps).toBe(new Set(events.map(({ at }) => at)).size)
  })
})

describe('the recording of a living tree', () => {
  /** What a page would put together. */
  function fetched(watch: Watch): Recording {
    const first = watch.answer('recording', {})
    const events = [...first.events]
    for (let part = first; part.more; ) {
      part = watch.answer('recording', { after: (events.at(-1) as KeptEvent).seq })
      events.push(...part.events)
    }
    const recording = recordingOf(JSON.parse(JSON.stringify(events)) as KeptEvent[], first.base ?? [], first.from)
    return first.earlier === undefined ? recording : { ...recording, earlier: first.earlier }
  }

  const living = (lines: readonly string[]): string[] =>
    lines.filter((line) => !/ (completed|failed|cancelled|killed) /.test(line)).toSorted()

  async function tumult(tree: ReturnType<typeof makeTree>, rounds: number): Promise<void> {
    const { local, clock } = tree
    for (let k = 0; k < rounds; k++) {
      local.spawn('short', () => k)
      const routine = local.spawn('long', untilTold)
      if (k % 3 === 0) local.spawn('deaf', deaf)
      if (k % 4 === 0)
        local.spawn(
          'fails',
          () => {
            throw new Error(`${k}`)
          },
          { restart: 'transient', backoff: { initial: 5, factor: 1, max: 5, jitter: 0 } },
        )
      await settle()
      if (k % 2 === 0) void routine.cancel()
      await clock.advance(3)
    }
  }

  test.each([100_000, 64, 7])('U2: from its base, its events lead to the tree as it is, with room for %i events', async (capacity) => {
    const tree = makeTree({ maxRestarts: Infinity })
    await tumult(tree, 4)
    const watch = new Watch(tree.global, capacity)
    watch.begin()
    const table = new TreeTable()
    for (let round = 0; round < 6; round++) {
      await tumult(tree, 5)
      const recording = fetched(watch)
      const player = new Player(recording, charts)
      player.seek(player.to)
      table.apply(player.whole())
      const live = new TreeTable()
      live.apply(watch.forest.whole(0))
      expect(living(shape(table))).toEqual(living(shape(live)))
      expect(living(shape(live)).length).toBeGreaterThan(5)
      expect(recording.events.length - (recording.earlier ?? 0)).toBeLessThanOrEqual(capacity)
    }
    expect(watch.answer('log', {}).lost > 0).toBe(capacity < 100)
    watch.close()
  })

  test('U2: failures from before somebody looked don’t come into the base when they are pushed out later', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: Infinity })
    let broken = true
    const routine = local.spawn(
      'mended',
      (context) => {
        if (broken) throw new Error('broken')
        return untilTold(context)
      },
      { restart: 'transient', backoff: { initial: 10, factor: 1, max: 10, jitter: 0 } },
    )
    const watch = new Watch(global, 4)
    await clock.advance(15)
    broken = false
    await clock.advance(10)
    expect(routine.state).toBe('running')
    watch.begin()
    for (let k = 0; k < 10; k++) {
      local.spawn('short', () => k)
      await settle()
    }
    const { base: before } = watch.answer('recording', {})
    expect(before?.find(([path]) => path === routine.path)).toEqual([
      routine.path,
      'routine',
      'running',
      routine.restarts,
      routine.incarnation,
    ])
    watch.close()
  })

  test('a part that was pushed out while the recording was fetched is missed, not left out in silence', async () => {
    const tree = makeTree({ maxRestarts: Infinity })
    const watch = new Watch(tree.global, 10)
    watch.begin()
    await tumult(tree, 3)
    const { events } = watch.answer('recording', {})
    await tumult(tree, 10)
    expect(() => watch.answer('recording', { after: events.at(-1)?.seq })).toThrow('try again')
    watch.close()
  })

  test('written down as a trace and read again, it is the same; the test kit reads it too', async () => {
    const tree = makeTree({ maxRestarts: Infinity })
    const watch = new Watch(tree.global)
    watch.begin()
    await tumult(tree, 5)
    const recording = fetched(watch)
    watch.close()
    const text = toTraceLines(recording, { node: process.version })
    const back = fromTrace(parseTrace(text, 'x') as never, 'x')
    expect(back.base).toEqual(recording.base)
    const end = (of: Recording): string[] => {
      const player = new Player(of, charts)
      player.seek(player.to)
      const table = new TreeTable()
      table.apply(player.whole())
      return shape(table)
    }
    expect(end(back)).toEqual(end(recording))
    const { traceEvents } = JSON.parse(toChromeTrace(recording)) as { traceEvents: { ph: string; dur?: number }[] }
    expect(traceEvents.filter(({ ph }) => ph === 'i').length).toBe(recording.events.length)
    for (const { ph, dur } of traceEvents) if (ph === 'X') expect(dur).toBeGreaterThanOrEqual(0)
  })

  test('what is kept of an event can be written down, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything(), (error) => {
        const kept = keep({ seq: 1, at: 2, type: 'routine.failed', path: 'g', cause: null, error })
        expect(typeof JSON.stringify(kept)).toBe('string')
      }),
    )
  })
})

describe('what a recording says of who was not well', () => {
  function played(watch: Watch): Player {
    const { base: before = [], from, events } = watch.answer('recording', {})
    return new Player(recordingOf(JSON.parse(JSON.stringify(events)) as KeptEvent[], before, from), charts)
  }

  const statusesOf = (of: Pick<Watch, 'answer'>): (readonly [string, string, number])[] =>
    of.answer('health', {}).nodes.map(({ path, status, hung }) => [path, status, hung])

  test('health: hung and restarted children are passed up, at each moment as the living tree said it', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: 9 })
    let broken = false
    global.createApp('well')
    const hung = local.spawn('silent', untilTold, { hungAfter: 50, onHung: 'report' })
    const watch = new Watch(global)
    await clock.advance(1)
    watch.begin()
    const moments: { at: number; was: ReturnType<typeof statusesOf> }[] = []
    const look = async (): Promise<void> => {
      await settle()
      moments.push({ at: watch.now, was: statusesOf(watch) })
      await clock.advance(1)
    }
    await look()
    await clock.advance(60)
    await look()
    void hung.cancel()
    await look()
    local.spawn(
      'failing',
      (context) => {
        if (broken) return untilTold(context)
        broken = true
        throw new Error('once')
      },
      { restart: 'transient', backoff: { initial: 1, factor: 1, max: 1, jitter: 0 } },
    )
    await clock.advance(2)
    await look()
    await clock.advance(6_000)
    await look()
    const player = played(watch)
    for (const { at, was } of moments) {
      player.seek(at)
      expect([at, statusesOf(player)]).toEqual([at, was])
    }
    expect(new Set(moments.flatMap(({ was }) => was.map(([, status]) => status)))).toEqual(new Set(['healthy', 'hung', 'degraded']))
    watch.close()
  })

  test('health: of more managers than are listed all are counted, and the worst are there', () => {
    const nodes: BaseNode[] = [['g', 'global', 'running', 0, 1]]
    for (let k = 0; k < 900; k++) nodes.push([`g/a${k}`, 'app', 'running', 0, 1])
    nodes.push(['g/a899/x#1', 'routine', 'hung', 0, 1])
    const { nodes: listed, statuses } = new Player(recordingOf([], nodes), charts).answer('health', {})
    expect([listed.length, statuses]).toEqual([500, { hung: 2, healthy: 899 }])
    expect(listed.slice(0, 2).map(({ path }) => path)).toEqual(['g', 'g/a899'])
  })

  test('who was hung or stopping when it began has a bar; who waited has none', () => {
    const states = ['pending', 'running', 'stopping', 'hung', 'queued', 'failed'] as const
    const nodes = states.map((state, k): BaseNode => [`g/r#${k}`, 'routine', state, 0, 1])
    const player = new Player(recordingOf([], nodes), charts)
    expect(player.answer('timeline', {}).bars.map(({ path }) => path)).toEqual(['g/r#1', 'g/r#2', 'g/r#3'])
  })

  test('a message that somebody ordered is no order to stop', () => {
    const ordered = (control: string): unknown => {
      const event = { seq: 1, at: 1_001, type: 'control.ordered', path: 'g/r#1', cause: null, control }
      const player = new Player(recordingOf([event], [['g/r#1', 'routine', 'running', 0, 1]]), charts)
      player.seek(player.to)
      return player.answer('actor', { path: 'g/r#1' })?.life.value
    }
    expect([ordered('send'), ordered('cancel')]).toEqual([{ running: 'working' }, 'running'])
  })

  test('events are counted by the place in the recording, however often one goes back and forth', () => {
    const events = numbered(fc.sample(plausible, { numRuns: 1, seed: 11 })[0] ?? [], () => 2)
    const player = new Player(recordingOf(events), charts)
    const table = new TreeTable()
    for (const at of [player.to, player.from, player.to, player.from, player.to]) table.apply(player.seek(at))
    expect([player.passed, table.events, table.coalesced]).toEqual([events.length, 0, 0])
    player.seek((events[4] as KeptEvent).at)
    expect(player.passed).toBe(5)
  })
})

describe('the ledger', () => {
  const filled = (capacity: number, events: readonly KeptEvent[]): Ledger => {
    const ledger = new Ledger(capacity)
    for (const event of events) ledger.record(event)
    return ledger
  }

  test('a ring holds the last so many, in order of age', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat()), (capacity, items) => {
        const ring = new Ring<number>(capacity)
        const out = items.map((item) => ring.push(item)).filter((item) => item !== undefined)
        expect([...ring]).toEqual(items.slice(-capacity))
        expect(out).toEqual(items.slice(0, Math.max(0, items.length - capacity)))
        expect([ring.at(-1), ring.at(ring.size), ring.size]).toEqual([undefined, undefined, Math.min(items.length, capacity)])
      }),
    )
  })

  test('N1, N3: pages backwards through all that passes, each line once; what is rare stays, and the rest is counted', () => {
    fc.assert(
      fc.property(
        fc.oneof(plausible, adversarial),
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 1, max: 9 }),
        fc.record({
          text: fc.constantFrom('', 'A', 'deadletter', 'gaveUp', '#1', 'willrestart', 'Ä'),
          only: fc.subarray(['routine.failed', 'routine.spawned', 'manager.stopped'], { maxLength: 2 }),
          path: fc.constantFrom(undefined, 'g', 'g/a', 'g/ä'),
        }),
        (happenings, capacity, limit, filter) => {
          const events = numbered(happenings)
          const ledger = filled(capacity, events)
          const held = events.filter((event, k) => k >= events.length - capacity || isRare(event))
          const wanted = held.filter(({ type, path, ...rest }) => {
            const said = ledger.lines({ before: rest.seq + 1, limit: 1 }).lines[0]?.said ?? ''
            const { path: below, only, text } = filter
            if (only.length > 0 && !only.includes(type)) return false
            if (below !== undefined && path !== below && !path.startsWith(`${below}/`)) return false
            return [type, path, said].some((each) => each.toLowerCase().includes(text.toLowerCase()))
          })
          const seen: number[] = []
          let before: number | undefined
          for (;;) {
            const answer = ledger.lines({ ...filter, limit, before })
            expect([answer.total, answer.lost]).toEqual([held.length, events.length - held.length])
            if (answer.lines.length === 0) break
            expect(answer.lines.length).toBeLessThanOrEqual(limit)
            seen.unshift(...answer.lines.map(({ seq }) => seq))
            before = answer.lines[0]?.seq
          }
          expect(seen).toEqual(wanted.map(({ seq }) => seq))
        },
      ),
    )
  })

  test('events are found by their number, with gaps and without', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), fc.integer({ min: 1, max: 30 }), (numbers, capacity) => {
        const seqs = numbers.toSorted((a, b) => a - b)
        const ledger = filled(
          capacity,
          seqs.map((seq) => ({ seq, at: 0, type: 't', path: 'g', cause: null })),
        )
        const held = seqs.slice(-capacity)
        for (let seq = -1; seq < 62; seq++) {
          expect(ledger.indexOf(seq)).toBe(held.indexOf(seq))
          const next = held.findIndex((each) => each >= seq)
          expect(ledger.firstFrom(seq)).toBe(next === -1 ? held.length : next)
        }
      }),
    )
  })

  test('N2: a message that went astray is not held', () => {
    const message = { large: 'x' }
    const ledger = filled(5, [{ seq: 1, at: 0, type: 'message.deadLetter', path: 'g', cause: null, message }])
    expect(ledger.at(0)?.['message']).toBeUndefined()
  })
})

describe('why', () => {
  const chain = (length: number): KeptEvent[] =>
    Array.from({ length }, (_, k) => ({
      seq: k + 1,
      at: k,
      type: k % 2 === 0 ? 'routine.failed' : 'routine.restarted',
      path: 'g/a/l/db#1',
      cause: k === 0 ? null : k,
      incarnation: k,
      error: new Error('refused'),
      delay: 0,
      willRestart: true,
    }))

  const ledgerOf = (events: readonly KeptEvent[], capacity = 1_000): Ledger => {
    const ledger = new Ledger(capacity)
    for (const event of events) ledger.record(event)
    return ledger
  }

  test('goes from the first cause to the event, and on to what followed', () => {
    const told = why(ledgerOf(chain(9)), 5, undefined)
    expect(told?.cut).toBe(false)
    expect(told?.steps.map(({ seq, depth, asked }) => [seq, depth, asked])).toEqual([
      [1, 0, false],
      [2, 1, false],
      [3, 2, false],
      [4, 3, false],
      [5, 4, true],
      [6, 5, false],
      [7, 6, false],
      [8, 7, false],
      [9, 8, false],
    ])
  })

  test('says that it is cut when the cause was pushed out, and of what was pushed out itself says nothing', () => {
    const ordinary = chain(9).map((event) => ({ ...event, type: 'routine.started' }))
    const ledger = ledgerOf(ordinary, 5)
    const told = why(ledger, 7, undefined)
    expect([told?.cut, told?.steps[0]?.seq]).toEqual([true, 5])
    expect(why(ledger, 2, undefined)).toBeUndefined()
    expect(why(ledger, 99, undefined)).toBeUndefined()
  })

  test('the latest that went wrong, here and below; nothing where nothing was', () => {
    const ledger = ledgerOf(chain(4))
    expect(why(ledger, undefined, undefined)?.steps.find(({ asked }) => asked)?.seq).toBe(3)
    expect(why(ledger, undefined, 'g/a')?.steps.find(({ asked }) => asked)?.seq).toBe(3)
    expect(why(ledger, undefined, 'g/b')).toBeUndefined()
    expect(why(new Ledger(5), undefined, undefined)).toBeUndefined()
  })

  test('advises what the work can do: a function beats, of a machine each event is a beat', () => {
    const hung = ledgerOf([{ seq: 1, at: 0, type: 'routine.hung', path: 'g/a', cause: null }])
    const advised = (kind?: 'function' | 'actor') => why(hung, 1, undefined, undefined, () => kind)?.advice
    expect(advised('function')).toBe('Call context.heartbeat() while it works, or raise hungAfter; onHung decides what becomes of it.')
    expect(advised('actor')).toMatch(/^Each event that it handles is a sign of life/)
    expect(advised('actor')).not.toContain('heartbeat')
    expect(advised()).toMatch(/^A function calls context\.heartbeat\(\) while it works, and of a machine each event/)
  })

  test('stays short where something fails again and again: fifty thousand causes are no story', () => {
    const ledger = ledgerOf(chain(50_000), 100_000)
    const told = why(ledger, 49_001, undefined)
    expect(told?.cut).toBe(true)
    expect(told?.steps.length).toBeLessThanOrEqual(260)
    expect(told?.steps.findIndex(({ asked }) => asked)).toBe(199)
  })

  test('ends, whatever a file gives as causes', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: -2, max: 14 })), { minLength: 1, maxLength: 12 }), fc.nat(12), (causes, asked) => {
        const events = causes.map((cause, k) => ({ seq: k + 1, at: k, type: 'routine.failed', path: 'g', cause }))
        const told = why(ledgerOf(events), asked, undefined)
        expect(told?.steps.filter((step) => step.asked).length ?? 1).toBe(1)
      }),
    )
  })
})
