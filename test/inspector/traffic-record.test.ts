/** What recordings hold of messages, snapshots and charts: as it was, bounded, and read from files with care. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { assign, setup } from 'xstate'
import { createGlobalManager, type Routine, type RoutineContext } from 'curtaincall'
import { showRecording } from 'curtaincall/inspector'
import { explainTrace, parseTrace, printTrace, readTrace, replayTrace } from 'curtaincall/testing'
import { chartOf } from '../../src/inspector/chart.ts'
import { Player } from '../../src/inspector/player.ts'
import type { ActorView, KeptEvent, MessageLine, Recording } from '../../src/inspector/protocol.ts'
import { fromTrace, type TraceLike, toTraceLines } from '../../src/inspector/recording.ts'
import { Gathering, type TrafficPart, type TrafficPlace, withTraffic } from '../../src/inspector/traffic-record.ts'
import { Watch } from '../../src/inspector/watch.ts'
import { appManagerMachine, globalManagerMachine, localManagerMachine, routineMachine } from '../../machines/index.ts'
import { makeTree, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'curtaincall-traffic-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const charts = {
  routine: chartOf(routineMachine),
  global: chartOf(globalManagerMachine),
  app: chartOf(appManagerMachine),
  local: chartOf(localManagerMachine),
}

type CounterEvent = { type: 'add'; by: number } | { type: 'turn' } | { type: 'break' } | { type: 'end' }
const makeCounter = (id: string) =>
  setup({
    types: { context: {} as { sum: number; seen: readonly string[] }, events: {} as CounterEvent },
    actions: {
      fall: () => {
        throw new Error('broken')
      },
    },
  }).createMachine({
    id,
    context: { sum: 0, seen: [] },
    initial: 'up',
    on: {
      add: { actions: assign({ sum: ({ context, event }) => context.sum + event.by, seen: ({ context }) => [...context.seen, 'add'] }) },
      break: { actions: 'fall' },
      end: '.over',
    },
    states: {
      up: { on: { turn: 'down' } },
      down: {
        initial: 'low',
        on: { turn: 'up' },
        states: { low: { always: { guard: ({ context }) => context.sum > 5, target: 'deep' } }, deep: {} },
      },
      over: { type: 'final' },
    },
  })
const counter = makeCounter('counter')

/** What a page puts together. */
async function fetched(watch: Watch, most?: number, between: () => unknown = () => undefined): Promise<Recording> {
  const first = watch.answer('recording', {})
  const events = [...first.events]
  for (let part = first; part.more; ) {
    part = watch.answer('recording', { after: (events.at(-1) as KeptEvent).seq })
    events.push(...part.events)
  }
  const gathering = new Gathering(most)
  for (let place: TrafficPlace | undefined = { from: 'living', at: 0 }; place !== undefined; await between()) {
    const { from } = place
    const part = watch.answer('traffic', { ...place, charts: gathering.known })
    place = gathering.add(JSON.parse(JSON.stringify(part)) as typeof part, from)
  }
  const { base = [], from } = first
  return withTraffic({ name: 'g', from, base, events, violations: [], story: 's' }, gathering.result)
}

/** Saved and opened again. */
const reopened = (recording: Recording): Recording => fromTrace(parseTrace(toTraceLines(recording, {}), 'x') as TraceLike, 'x')

interface Shown {
  readonly view: Pick<ActorView, 'state' | 'incarnation' | 'life' | 'work' | 'context' | 'snapshots' | 'messages' | 'events'>
  readonly chart: unknown
  readonly diff: unknown
  readonly looked: unknown
}

const SAID = ['state', 'incarnation', 'life', 'work', 'context', 'snapshots', 'messages', 'events'] as const

/** What one is told of an actor. */
function shown(of: Pick<Watch, 'answer'>, path: string): Shown | undefined {
  const view = of.answer('actor', { path })
  if (view === undefined) return undefined
  const snapshots = view.snapshots.filter(({ n }) => n > 0)
  const [one, other] = snapshots.slice(-2)
  return JSON.parse(
    JSON.stringify({
      view: Object.fromEntries(SAID.map((field) => [field, field === 'snapshots' ? snapshots : view[field]])),
      chart: of.answer('chart', { path, which: 'work' }),
      diff: one === undefined || other === undefined ? [] : of.answer('diff', { path, from: one.n, to: other.n }),
      looked: one === undefined ? undefined : of.answer('look', { path, n: one.n, at: ['seen'] }),
    }),
  ) as Shown
}

type Step = readonly [what: 'machine' | 'function' | 'add' | 'turn' | 'break' | 'end' | 'say' | 'cancel' | 'wait', whom: number]
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('machine', 'function', 'add', 'add', 'turn', 'turn', 'break', 'end', 'say', 'say', 'cancel', 'wait'),
  fc.nat(9),
)

class Run {
  readonly tree: Tree
  readonly machines: Routine<unknown, CounterEvent>[] = []
  readonly functions: Routine[] = []

  constructor(strict: boolean) {
    this.tree = makeTree({ maxRestarts: Infinity }, { strict })
  }

  get paths(): string[] {
    return ['g', 'g/a', 'g/a/l', ...[...this.machines, ...this.functions].map(({ path }) => path)]
  }

  async do([what, whom]: Step): Promise<void> {
    const { local, clock } = this.tree
    // Whatever it does is later than all before.
    await clock.advance(1)
    const machine = this.machines[whom % Math.max(1, this.machines.length)]
    if (what === 'machine') this.machines.push(local.spawn('counter', counter, { restart: 'transient' }) as never)
    else if (what === 'function')
      this.functions.push(
        local.spawn('listener', async ({ messages, signal }: RoutineContext<undefined, unknown, unknown>) => {
          for await (const { message, reply } of messages) {
            reply(message)
            if (signal.aborted) return
          }
        }) as never,
      )
    else if (what === 'say') {
      const target = this.functions[whom % Math.max(1, this.functions.length)] as unknown as { send(message: unknown): void } | undefined
      if (target !== undefined) local.spawn('speaker', () => target.send({ type: `word ${whom}`, deep: { whom } }))
    } else if (what === 'cancel') void this.functions[whom % Math.max(1, this.functions.length)]?.cancel()
    else if (what === 'add') machine?.send({ type: 'add', by: whom })
    else if (what !== 'wait') machine?.send({ type: what })
    await settle()
  }
}

describe('what a recording shows', () => {
  test.each([false, true])(
    'Y3, Y4: is at any moment what the living tree showed, though the tree goes on while it is fetched (strict: %s)',
    async (strict) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 8 }),
          fc.array(step, { minLength: 1, maxLength: 25 }),
          fc.array(step, { maxLength: 5 }),
          fc.infiniteStream(fc.nat(1_000)),
          async (before, steps, later, picks) => {
            const run = new Run(strict)
            for (const each of before) await run.do(each)
            const watch = new Watch(run.tree.global)
            watch.begin()
            const moments: { at: number; actors: [string, Shown | undefined][]; messages: readonly MessageLine[] }[] = []
            for (const each of steps) {
              await run.do(each)
              // Those who have ended hold nothing here; a recording has what they held.
              const alive = run.paths.filter((path) => run.tree.global.whereis(path) !== undefined || path === 'g')
              const messages = watch.answer('messages', { paths: run.paths })
              moments.push({ at: watch.now, actors: alive.map((path) => [path, shown(watch, path)]), messages })
            }
            const rest = [...later]
            const recording = await fetched(watch, undefined, async () => {
              const next = rest.pop()
              if (next !== undefined) await run.do(next)
            })
            watch.close()
            const player = new Player(reopened(recording), charts)
            for (let k = 0; k < moments.length * 2; k++) {
              const moment = moments[(picks.next().value ?? 0) % moments.length] as (typeof moments)[number]
              player.seek(moment.at)
              for (const [path, was] of moment.actors) {
                const is = shown(player, path)
                if (is === undefined || was === undefined) throw new Error(`${path} is not there`)
                const isFunction = path.includes('listener')
                // Nobody says what was inside a function that had not been looked at.
                const told = isFunction && is.view.snapshots.length === 0 ? { context: was.view.context, life: was.view.life } : {}
                if (isFunction && is.view.context !== undefined && is.view.snapshots.length > 0)
                  expect(is.view.context).toEqual(was.view.context)
                expect([path, { ...is, view: { ...is.view, ...told } }]).toEqual([path, was])
              }
              expect(player.answer('messages', { paths: run.paths })).toEqual(moment.messages)
            }
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('is what was there already, and how it was found, before it changed', async () => {
    const run = new Run(false)
    for (const each of [
      ['machine', 0],
      ['add', 3],
      ['machine', 1],
    ] as const)
      await run.do(each)
    const [changed, still] = run.machines.map(({ path }) => path) as [string, string]
    const watch = new Watch(run.tree.global)
    watch.begin()
    await run.do(['wait', 0])
    const { now: before } = watch
    await run.do(['turn', 0])
    const recording = await fetched(watch)
    const player = new Player(reopened(recording), charts)
    const at = (moment: number, path: string) => {
      player.seek(moment)
      const view = player.answer('actor', { path })
      return [view?.work?.value, (view?.context as { sum: number } | undefined)?.sum, view?.work?.taken, view?.snapshots.length]
    }
    expect(at(before, changed)).toEqual(['up', 3, {}, 1])
    expect(at(player.to, changed)).toEqual([{ down: 'low' }, 3, { 'counter.up turn 0': 1 }, 2])
    expect(at(before, still)).toEqual(['up', 0, {}, 1])
    expect(at(player.to, still)).toEqual(['up', 0, {}, 1])
    // O2
    expect(recording.traffic?.charts.map(({ chart }) => chart.id)).toEqual(['counter'])
    expect(player.answer('chart', { path: still, which: 'work' })).toEqual(JSON.parse(JSON.stringify(chartOf(counter))))
    expect(at(player.to, changed)[3]).toBe(2)
    player.seek(before)
    const later = recording.traffic?.snapshots.at(-1)?.n as number
    expect(() => player.answer('look', { path: changed, n: later })).toThrow('taken later')
    watch.close()
  })

  test('begins with what it holds, though no lifecycle began or ended', async () => {
    const run = new Run(false)
    await run.do(['machine', 0])
    const watch = new Watch(run.tree.global)
    watch.begin()
    await run.do(['add', 3])
    const { now } = watch
    await run.do(['add', 4])
    const { path } = run.machines[0] as Routine
    const player = new Player(reopened(await fetched(watch)), charts)
    expect(player.recording.events).toEqual([])
    expect([player.from <= now, player.to > now]).toEqual([true, true])
    player.seek(now)
    expect(player.answer('actor', { path })?.context).toMatchObject({ sum: 3 })
    expect(player.answer('messages', { paths: [path] }).length).toBe(1)
    watch.close()
  })

  test('of a tree in which nothing happens shows how all are, though each look at the clock tells another moment', async () => {
    await using global = createGlobalManager({ name: 'g' })
    const { path } = global.createApp('a').createLocal('l').spawn('counter', counter)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const watch = new Watch(global)
    watch.begin()
    const player = new Player(reopened(await fetched(watch)), charts)
    player.seek(player.to)
    expect([player.recording.events.length, player.answer('actor', { path })?.work?.value]).toEqual([0, 'up'])
    watch.close()
  })

  test('goes as deep as the page showed it, and says where it holds no more', async () => {
    const { local, global } = makeTree()
    const deep = (levels: number): unknown => (levels === 0 ? 'the end' : { in: deep(levels - 1) })
    const watch = new Watch(global)
    watch.begin()
    const { path } = local.spawn('deep', setup({}).createMachine({ context: { all: deep(9) } }))
    await settle()
    const player = new Player(reopened(await fetched(watch)), charts)
    player.seek(player.to)
    expect(player.answer('look', { path })).toEqual(watch.answer('look', { path }))
    expect(player.answer('look', { path, at: ['all', 'in'] })).toMatchObject({ in: { in: { in: {} } } })
    expect(player.answer('look', { path, at: ['all', 'nowhere'] })).toBe('undefined')
    expect(() => player.answer('look', { path, at: ['all', 'in', 'in', 'in', 'in', 'in'] })).toThrow('the recording holds no more of it')
    watch.close()
  })

  test('of a function holds nothing from before somebody looked at it', async () => {
    const { local, global, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const watch = new Watch(global)
    watch.begin()
    const first = local.spawn('first', untilTold)
    const second = local.spawn('second', untilTold)
    await clock.advance(1)
    const { now: waiting } = watch
    await clock.advance(1)
    void first.cancel()
    await settle()
    await clock.advance(1)
    watch.answer('actor', { path: second.path })
    const player = new Player(reopened(await fetched(watch)), charts)
    player.seek(waiting)
    const nothing = { snapshots: [], life: { value: 'pending', taken: {} } }
    expect(player.answer('actor', { path: second.path })).toMatchObject({ state: 'queued', ...nothing })
    expect(() => player.answer('look', { path: second.path })).toThrow('nothing was recorded')
    player.seek(watch.now)
    expect(player.answer('actor', { path: second.path })?.snapshots.map(({ event, value }) => [event, value])).toEqual([
      ['xstate.init', { running: 'working' }],
    ])
    watch.close()
  })

  test('holds nothing from an earlier watching, and knows how that left all', async () => {
    const run = new Run(false)
    for (const what of ['machine', 'machine'] as const) await run.do([what, 0])
    const watch = new Watch(run.tree.global)
    watch.begin()
    await run.do(['turn', 1])
    for (let k = 0; k < 2_100; k++) run.machines[0]?.send({ type: 'add', by: 1 })
    await run.do(['wait', 0])
    watch.stop()
    await run.do(['wait', 0])
    watch.begin()
    const { now: began } = watch
    await run.do(['wait', 0])
    const { now } = watch
    await run.do(['turn', 1])
    const recording = await fetched(watch)
    expect([recording.from, recording.traffic?.leftOut.snapshots, recording.traffic?.messages.length]).toEqual([began, 0, 1])
    const player = new Player(reopened(recording), charts)
    player.seek(now)
    expect(player.answer('actor', { path: run.machines[1]?.path ?? '' })?.work?.value).toEqual({ down: 'low' })
    player.seek(player.to)
    expect(player.answer('actor', { path: run.machines[1]?.path ?? '' })?.work?.value).toBe('up')
    watch.close()
  })

  test('of whom nothing was recorded it says so; and who ended is as it ended', async () => {
    const run = new Run(false)
    const watch = new Watch(run.tree.global)
    watch.begin()
    for (const each of [
      ['machine', 0],
      ['add', 7],
      ['end', 0],
    ] as const)
      await run.do(each)
    const { path } = run.tree.local.spawn('plain', untilTold)
    await settle()
    const player = new Player(reopened(await fetched(watch)), charts)
    player.seek(player.to)
    expect(player.answer('actor', { path })).toMatchObject({
      snapshots: [],
      work: undefined,
      life: { value: { running: 'working' }, taken: {} },
    })
    expect(() => player.answer('look', { path })).toThrow('nothing was recorded')
    const ended = run.machines[0]?.path as string
    expect(player.answer('actor', { path: ended })).toMatchObject({ state: 'completed', work: { value: 'over' }, context: { sum: 7 } })
    watch.close()
  })

  test('while a machine waits for its restart its lifecycle is shown, as the page showed it', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: Infinity })
    const watch = new Watch(global)
    watch.begin()
    const routine = local.spawn('counter', counter, {
      restart: 'transient',
      backoff: { initial: 10, factor: 1, max: 10, jitter: 0 },
    }) as unknown as Routine<unknown, CounterEvent>
    const moments: { at: number; was: Shown | undefined }[] = []
    const look = async (): Promise<void> => {
      await settle()
      moments.push({ at: watch.now, was: shown(watch, routine.path) })
      await clock.advance(1)
    }
    await look()
    routine.send({ type: 'add', by: 2 })
    await look()
    routine.send({ type: 'break' })
    await look()
    await clock.advance(20)
    await look()
    const player = new Player(reopened(await fetched(watch)), charts)
    for (const { at, was } of moments) {
      player.seek(at)
      const is = shown(player, routine.path)
      const of = (each: Shown | undefined) => [each?.view.state, each?.view.context, each?.view.snapshots, each?.view.life]
      expect([at, ...of(is)]).toEqual([at, ...of(was)])
    }
    expect(moments.map(({ was }) => [was?.view.state, was?.view.snapshots.length])).toEqual([
      ['running', 1],
      ['running', 2],
      ['pending', 1],
      ['running', 1],
    ])
    watch.close()
  })

  test('who is hung is said to be, in the head and in the tree; and a phase of a shutdown is lit', async () => {
    const { local, global, clock } = makeTree()
    const watch = new Watch(global)
    watch.begin()
    const silent = local.spawn('silent', () => new Promise(() => undefined), { hungAfter: 10, onHung: 'report', shutdown: 50 })
    await settle()
    await clock.advance(30)
    expect(watch.answer('actor', { path: silent.path })?.state).toBe('hung')
    const hungAt = watch.now
    await clock.advance(1)
    void global.shutdown({ timeout: 1_000 })
    await clock.advance(20)
    const { now } = watch
    const live = watch.answer('actor', { path: 'g/a/l' })?.life.value
    const recording = await fetched(watch)
    for (const each of [recording, { ...recording, traffic: undefined }]) {
      const player = new Player(each, charts)
      player.seek(hungAt)
      const view = player.answer('actor', { path: silent.path })
      expect([view?.state, view?.life.value]).toEqual(['hung', { running: 'working' }])
      player.seek(now)
      expect(player.answer('actor', { path: 'g/a/l' })?.life.value).toEqual(live)
      // Told or not: without snapshots of its lifecycle nobody knows.
      if (each.traffic === undefined) expect(player.answer('actor', { path: silent.path })?.life.value).toBe('running')
    }
    await clock.advance(2_000)
    watch.close()
  })

  test('why looks no further than the moment, and the log counts no further', async () => {
    const { local, global, clock } = makeTree({ maxRestarts: Infinity })
    const watch = new Watch(global)
    watch.begin()
    for (const name of ['first', 'second']) {
      local.spawn(
        name,
        ({ incarnation }) => {
          if (incarnation < 3) throw new Error(name)
        },
        { restart: 'transient', backoff: { initial: 2, factor: 1, max: 2, jitter: 0 } },
      )
      await settle()
      await clock.advance(10)
    }
    const player = new Player(await fetched(watch), charts)
    const { events } = player.recording
    const failures = events.filter(({ type }) => type === 'routine.failed')
    player.seek(failures[0]?.at as number)
    const { headline = '', steps = [] } = player.answer('why', {}) ?? {}
    expect([headline.includes('first failed'), steps.length > 0]).toEqual([true, true])
    for (const { at } of steps) expect(at).toBeLessThanOrEqual(player.at)
    // What follows is there, once it has been.
    expect(player.answer('why', { seq: failures[0]?.seq })?.steps.length).toBeGreaterThan(steps.length)
    const upTo = events.filter(({ at }) => at <= player.at).length
    expect([player.answer('log', {}).total, player.answer('log', { limit: 1 }).total]).toEqual([upTo, upTo])
    // Who names an event may have come from later.
    expect(player.answer('why', { seq: failures[2]?.seq })?.headline).toContain('second failed')
    player.seek(player.from - 1)
    expect([player.answer('why', {}), player.answer('log', {}).total]).toEqual([undefined, 0])
    watch.close()
  })
})

describe('O1, E1: it is bounded', () => {
  async function crowd(): Promise<{ watch: Watch; run: Run }> {
    const run = new Run(false)
    const watch = new Watch(run.tree.global)
    watch.begin()
    for (let k = 0; k < 30; k++) run.machines.push(run.tree.local.spawn('counter', k % 2 === 0 ? counter : makeCounter('counter')) as never)
    await settle()
    for (let k = 0; k < 2_500; k++) run.machines[1 + (k % 29)]?.send({ type: 'add', by: k })
    await settle()
    return { watch, run }
  }

  test('what was pushed out is counted, those of whom nothing is held any more are there, and no part is large', async () => {
    const { watch, run } = await crowd()
    let [parts, largest, most] = [0, 0, 0]
    const { answer } = watch
    watch.answer = ((name: never, ask: never) => {
      const part = answer.call(watch, name, ask) as { snapshots?: unknown[]; messages?: unknown[] }
      if (part.snapshots === undefined) return part
      parts++
      largest = Math.max(largest, JSON.stringify(part).length)
      most = Math.max(most, part.snapshots.length + (part.messages?.length ?? 0))
      return part
    }) as never
    const recording = await fetched(watch)
    const { traffic } = recording
    expect(parts).toBeGreaterThan(10)
    expect([largest < 600_000, most <= 200]).toEqual([true, true])
    // The managers' too: they are actors.
    const heard = 2_500 + 30 * 2
    expect((traffic?.leftOut.snapshots ?? 0) + (traffic?.snapshots.filter(({ n }) => n > 0).length ?? 0)).toBeGreaterThanOrEqual(heard)
    expect(traffic?.snapshots.filter(({ n }) => n > 0).length).toBeLessThanOrEqual(2_000)
    expect(traffic?.leftOut).toMatchObject({ messages: 0, charts: 0 })
    expect(traffic?.charts.length).toBe(1)
    const player = new Player(reopened(recording), charts)
    player.seek(player.to)
    for (const { path } of run.machines) {
      const [is, was] = [shown(player, path), shown(watch, path)]
      expect([path, is?.view.work, is?.view.context]).toEqual([path, was?.view.work, was?.view.context])
    }
    watch.close()
  })

  test('E2: whatever was pushed out, at each moment one is told what was, or nothing; and all of it once nothing is missing', async () => {
    const run = new Run(false)
    const { local, clock, global } = run.tree
    const spawned = (many: number): void => {
      for (let k = 0; k < many; k++) run.machines.push(local.spawn('counter', counter) as never)
    }
    spawned(8)
    await settle()
    const watch = new Watch(global)
    await clock.advance(1)
    watch.begin()
    spawned(8)
    await settle()
    const moments: { at: number; was: (Shown | undefined)[] }[] = []
    // Some change all the time; some seldom, so that what led to it is pushed out; some once, at the beginning; some never.
    for (let round = 0; round < 30; round++) {
      await clock.advance(1)
      for (let k = 0; k < 120; k++) run.machines[k % 2 === 0 ? 0 : 8]?.send({ type: 'add', by: 1 })
      for (const each of [1, 9]) if (round % 11 === 3) run.machines[each]?.send({ type: 'turn' })
      for (const each of [2, 10]) if (round === 1) run.machines[each]?.send({ type: 'add', by: 9 })
      for (const each of [3, 11]) if (round === 1 || round === 28) run.machines[each]?.send({ type: 'turn' })
      await settle()
      moments.push({ at: watch.now, was: run.machines.map(({ path }) => shown(watch, path)) })
    }
    const recording = await fetched(watch)
    expect(recording.traffic?.leftOut.snapshots).toBeGreaterThan(1_000)
    const player = new Player(reopened(recording), charts)
    for (const [k, { at, was }] of moments.entries()) {
      player.seek(at)
      for (const [index, { path }] of run.machines.entries()) {
        const is = shown(player, path)?.view
        const nothing = is?.snapshots.length === 0 && is.context === undefined
        // What is held reaches back half of the rounds; what was before the change that is held was pushed out.
        if (nothing && (k < 14 || index % 8 === 3)) continue
        const place = `${index} in round ${k}`
        expect([place, is?.work, is?.context]).toEqual([place, was[index]?.view.work, was[index]?.view.context])
      }
    }
    watch.close()
  })

  /** All parts, as a page asks for them. */
  async function parts(watch: Watch, between: () => unknown = () => undefined): Promise<TrafficPart[]> {
    const all: TrafficPart[] = []
    for (let next: TrafficPlace | undefined = { from: 'living', at: 0 }; next !== undefined; await between()) {
      const part: TrafficPart = watch.answer('traffic', { ...next, charts: all.flatMap(({ charts: told }) => told.map(({ id }) => id)) })
      all.push(part)
      next = part.next
    }
    return all
  }

  test('E1: what is slow to be gone through makes a part short', async () => {
    const { local, global } = makeTree()
    const watch = new Watch(global)
    watch.begin()
    const slow = (): object =>
      new Proxy(
        { sly: 1 },
        {
          ownKeys: (target) => {
            for (const end = performance.now() + 25; performance.now() < end; );
            return Reflect.ownKeys(target)
          },
        },
      )
    const routine = local.spawn(
      'slow',
      setup({ types: { events: {} as { type: 'go' } } }).createMachine({
        context: { all: slow() },
        on: { go: { actions: assign({ all: slow }) } },
      }),
    )
    await settle()
    for (let k = 0; k < 5; k++) routine.send({ type: 'go' })
    const counts = (await parts(watch)).map(({ snapshots }) => snapshots.filter(({ context }) => 'all' in (context as object)).length)
    expect([counts.reduce((sum, each) => sum + each, 0), Math.max(...counts)]).toEqual([6, 1])
    watch.close()
  })

  test('E1: who is told of is settled when a fetch begins, whoever ends meanwhile; two may fetch at once, and five may not', async () => {
    const { local, global, clock } = makeTree({ maxRoutines: Infinity })
    const early = Array.from({ length: 150 }, () => local.spawn('early', counter))
    const still = Array.from({ length: 400 }, () => local.spawn('still', counter))
    await settle()
    await clock.advance(1)
    const watch = new Watch(global)
    watch.begin()
    const end = async (): Promise<void> => {
      for (const each of early.splice(0)) void each.cancel()
      await settle()
    }
    const [one, other] = await Promise.all([parts(watch, end), parts(watch)])
    for (const all of [one, other]) {
      const told = new Set(all.flatMap(({ actors }) => actors.filter(({ which }) => which === 'work').map(({ path }) => path)))
      expect(still.filter(({ path }) => !told.has(path)).length).toBe(0)
    }
    const begun = Array.from({ length: 5 }, () => watch.answer('traffic', {}).next)
    expect(() => watch.answer('traffic', begun[0] ?? {})).toThrow('try again')
    expect(watch.answer('traffic', begun[4] ?? {}).snapshots.length).toBeGreaterThan(0)
    watch.close()
  })

  test.each([
    ['provided', () => counter.provide({})],
    ['made', () => makeCounter('counter')],
  ])('O2: machines that are %s anew for each actor have one chart, which is sent and counted once', async (_, machine) => {
    const { local, global } = makeTree({ maxRoutines: Infinity })
    const routines = Array.from({ length: 300 }, () => local.spawn('counter', machine()))
    await settle()
    const watch = new Watch(global)
    watch.begin()
    const all = await parts(watch)
    expect(all.flatMap((part) => part.charts).length).toBe(1)
    for (const { size, actors, snapshots } of all) expect(size).toBeLessThanOrEqual(JSON.stringify([actors, snapshots]).length)
    const { traffic } = await fetched(watch, 200_000)
    expect(traffic?.leftOut).toEqual({ messages: 0, snapshots: 0, present: 0, charts: 0 })
    const player = new Player(reopened(await fetched(watch)), charts)
    for (const { path } of routines) expect(player.answer('actor', { path })?.work?.value).toBe('up')
    watch.close()
  })

  test('O1: of more living ones than there is room for the own machines come first, and those left out are no earlier snapshots', async () => {
    const { local, global } = makeTree({ maxRoutines: Infinity })
    const machines = Array.from({ length: 1_000 }, () => local.spawn('counter', counter))
    await settle()
    const watch = new Watch(global)
    watch.begin()
    const most = JSON.stringify((await fetched(watch)).traffic?.snapshots).length
    const { actors = [], leftOut } = (await fetched(watch, most)).traffic ?? {}
    const works = actors.filter(({ which }) => which === 'work').length
    expect([works > 300, works < machines.length, leftOut?.snapshots]).toEqual([true, true, 0])
    // The lifecycles of the manager and what is above it.
    expect(leftOut?.present).toBe(machines.length - works + 3)
    watch.close()
  })

  test('of actors that a user’s machine has made nothing is held, and they are counted', async () => {
    const { local, global } = makeTree()
    const watch = new Watch(global)
    watch.begin()
    const child = setup({}).createMachine({ initial: 'a', states: { a: {} } })
    local.spawn('parent', setup({ actors: { child } }).createMachine({ invoke: { src: 'child', id: 'child' } }))
    await settle()
    const { traffic } = await fetched(watch)
    expect([traffic?.leftOut.snapshots, traffic?.actors.filter(({ path }) => path.includes('child')).length]).toEqual([1, 0])
    watch.close()
  })

  test('U2: where events were pushed out it begins when its base holds: what was true then is shown, what was said before is counted', async () => {
    const { local, global, clock } = makeTree({ maxRoutines: Infinity })
    const watch = new Watch(global, 50)
    watch.begin()
    const machine = local.spawn('counter', counter)
    await settle()
    for (const by of [1, 2, 3]) {
      await clock.advance(1)
      machine.send({ type: 'add', by })
    }
    await clock.advance(10)
    const late = local.spawn('late', untilTold)
    await settle()
    await clock.advance(10)
    for (let k = 0; k < 50; k++) {
      await clock.advance(1)
      await local.spawn('short', () => k).outcome
    }
    machine.send({ type: 'add', by: 4 })
    const recording = await fetched(watch)
    expect([recording.events.length, recording.traffic?.leftOut.messages]).toEqual([50, 3])
    const player = new Player(reopened(recording), charts)
    player.seek(player.from)
    expect(player.answer('actor', { path: late.path })?.state).toBe('running')
    expect(player.from).toBeGreaterThan((recording.events[0]?.at ?? 0) - 3)
    const now = player.answer('actor', { path: machine.path })
    expect([now?.context, now?.snapshots.length]).toMatchObject([{ sum: 6 }, 1])
    player.seek(player.to)
    expect(player.answer('actor', { path: machine.path })?.context).toMatchObject({ sum: 10 })
    watch.close()
  })

  test('O2: charts that are the same are one; of too many, or too large ones, none is held, and they are counted', () => {
    const gathering = new Gathering()
    const chartAt = (k: number, id = `m${k}`) => ({ id: k, events: [], chart: { ...chartOf(counter), id } })
    const nothing = {
      snapshots: [],
      messages: [],
      missed: 0,
      size: 0,
      next: undefined,
      left: { messages: 0, snapshots: 0 },
      lost: { messages: 0, snapshots: 0 },
    }
    const actorOf = (k: number) => ({ id: k, path: `g/${k}`, which: 'work' as const, incarnation: 1, chart: k })
    const numbers = Array.from({ length: 250 }, (_, k) => k + 1)
    gathering.add({ ...nothing, charts: numbers.map((k) => chartAt(k)), actors: numbers.map(actorOf) }, 'held')
    // The same again, from another machine that looks like it.
    gathering.add(
      { ...nothing, charts: [chartAt(900, 'm7'), chartAt(901, 'x'.repeat(600_000))], actors: [actorOf(900), actorOf(901)] },
      'held',
    )
    const { charts: held, actors, leftOut } = gathering.result
    expect([held.length, leftOut.charts]).toEqual([200, 51])
    expect(actors.filter(({ chart }) => chart === undefined).map(({ id }) => id)).toEqual([...numbers.slice(200), 901])
    expect(actors.find(({ id }) => id === 900)?.chart).toBe(7)
  })

  test('of what is too much the newest stays, and the rest is counted', async () => {
    const { watch, run } = await crowd()
    const whole = (await fetched(watch)).traffic
    const { traffic } = await fetched(watch, 200_000)
    expect(JSON.stringify(traffic).length).toBeLessThan(800_000)
    const numbers = traffic?.snapshots.map(({ n }) => n).filter((n) => n > 0) ?? []
    expect(numbers).toEqual(
      whole?.snapshots
        .map(({ n }) => n)
        .filter((n) => n > 0)
        .slice(-numbers.length),
    )
    const all = (of: typeof whole): number => (of?.snapshots.filter(({ n }) => n > 0).length ?? 0) + (of?.leftOut.snapshots ?? 0)
    expect(all(traffic)).toBe(all(whole))
    expect(run.machines.length).toBe(30)
    watch.close()
  })
})

describe('the file', () => {
  async function saved(): Promise<{ recording: Recording; text: string }> {
    const run = new Run(true)
    const watch = new Watch(run.tree.global)
    watch.begin()
    for (const what of ['machine', 'function', 'add', 'say', 'turn', 'wait'] as const) await run.do([what, 0])
    const recording = await fetched(watch)
    watch.close()
    return { recording, text: toTraceLines(recording, { node: process.version }) }
  }

  test('is read, kept, explained and played by the test kit as one without what was recorded beside', async () => {
    const { recording, text } = await saved()
    const file = join(folder, 'saved.cct.jsonl')
    writeFileSync(file, text)
    const trace = readTrace(file)
    expect(trace.recorded?.length).toBeGreaterThan(10)
    expect(printTrace(trace)).toBe(text)
    const bare = parseTrace(toTraceLines({ ...recording, traffic: undefined }, { node: process.version }), 'x')
    expect(bare.recorded).toBeUndefined()
    expect(explainTrace(trace)).toBe(explainTrace(bare))
    const tree = { kind: 'tree', name: 'g', children: [] } as const
    expect((await replayTrace(trace, { tree })).summary).toBe((await replayTrace(bare, { tree })).summary)
    const again = fromTrace(trace as TraceLike, 'x')
    expect(again.traffic).toEqual(JSON.parse(JSON.stringify(recording.traffic)))
    expect(toTraceLines(again, { node: process.version })).toBe(text)
    expect(fromTrace(bare as TraceLike, 'x').traffic).toBeUndefined()
  })

  test('with an event behind what was recorded is refused, with the line', async () => {
    const { text } = await saved()
    const lines = text.trimEnd().split('\n')
    const verdict = lines.pop() as string
    const event = lines.find((line) => line.includes('"i":1')) as string
    expect(() => parseTrace(`${[...lines, event, verdict].join('\n')}\n`, 'x')).toThrow(`x:${lines.length + 1}: an event stands behind`)
  })

  test('with anything else in it is refused with the line, or shown; nothing runs away', async () => {
    const { recording, text } = await saved()
    const trace = parseTrace(text, 'x')
    const lines = (trace.recorded ?? []) as unknown as Record<string, unknown>[]
    const first = trace.events.length + 2
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })
    const junk = fc.oneof(fc.anything({ maxDepth: 2 }), fc.constantFrom(deep(60), 1e308, -1, 'x'.repeat(30_000), Array(60_000).fill(0)))
    fc.assert(
      fc.property(fc.nat(), fc.nat(), junk, (which, field, value) => {
        const k = which % lines.length
        const line = lines[k] as Record<string, unknown>
        const key = Object.keys(line)[field % Object.keys(line).length] as string
        const text = JSON.stringify({ ...line, [key]: value }, (_, each: unknown) => (typeof each === 'bigint' ? 0 : each))
        const broken = { ...trace, recorded: lines.with(k, JSON.parse(text) as never) } as unknown as TraceLike
        let read: Recording
        try {
          read = fromTrace(broken, 'x')
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          // The line itself, or one that leans on it.
          expect(Number(/^line (\d+), /.exec((error as Error).message)?.[1])).toBeGreaterThanOrEqual(first + k)
          return
        }
        const player = new Player(read, charts)
        player.seek(player.to)
        for (const { path } of recording.traffic?.actors ?? []) shown(player, path)
      }),
      { numRuns: 500 },
    )
  })

  test('with more in a snapshot than is ever written is refused', async () => {
    const { text } = await saved()
    const trace = parseTrace(text, 'x')
    const lines = (trace.recorded ?? []) as unknown as Record<string, unknown>[]
    const k = lines.findIndex(({ recorded }) => recorded === 'snapshot')
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) })
    for (const context of [deep(60), Array(60_000).fill(0), Array(300).fill(Array(300).fill(0))]) {
      const broken = { ...trace, recorded: lines.with(k, { ...lines[k], context }) } as unknown as TraceLike
      expect(() => fromTrace(broken, 'x')).toThrow('the snapshot is too large')
    }
  })

  test('that is broken is refused by who opens it, in words', async () => {
    const { text } = await saved()
    const trace = parseTrace(text, 'x')
    const recorded = [...(trace.recorded ?? []), { recorded: 'snapshot', of: 99 }]
    await expect(showRecording([trace, { ...trace, recorded }] as never)).rejects.toThrow(
      `of number 2 line ${trace.events.length + 1 + recorded.length}, recorded "snapshot": no actor before it has this number`,
    )
    await expect(showRecording([{ ...trace, recorded: 5 }] as never)).rejects.toThrow('traces')
  })
})
