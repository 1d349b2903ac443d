/** S4, M2: whatever the tree, the routines and the moment, a shutdown keeps its promises. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  createGlobalManager,
  type GlobalManager,
  type LifecycleEvent,
  type LocalManager,
  type RoutineContext,
  type ShutdownReport,
} from 'curtaincall'
import { PHASES } from 'curtaincall/machines'
import { counter } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const KINDS = {
  polite: () => (c: RoutineContext) => new Promise((resolve) => c.signal.addEventListener('abort', resolve)),
  quick: () => () => 1,
  fails: () => () => Promise.reject(new Error('fails')),
  deaf: () => () => new Promise(() => undefined),
  slow: (clock: VirtualClock) => (c: RoutineContext) =>
    new Promise((resolve) => c.signal.addEventListener('abort', () => clock.setTimeout(() => resolve(1), 30))),
  works: (clock: VirtualClock) => () => new Promise((resolve) => clock.setTimeout(() => resolve(1), 40)),
  angry: () => (c: RoutineContext) => new Promise((_, reject) => c.signal.addEventListener('abort', () => reject(new Error('angry')))),
  throwsInListener: () => (c: RoutineContext) =>
    new Promise((resolve) => {
      c.signal.addEventListener('abort', () => {
        resolve(1)
        throw new Error('in the listener')
      })
    }),
  spawnsWhileStopping: () => (c: RoutineContext) =>
    new Promise((resolve) => c.signal.addEventListener('abort', () => resolve(c.local.spawn('late', () => 1)))),
  shutsDownItself: () => (c: RoutineContext) => {
    void c.local.shutdown({ timeout: 70 })
    return new Promise(() => undefined)
  },
} as const

const routine = fc.record({
  kind: fc.constantFrom(...(Object.keys(KINDS) as (keyof typeof KINDS)[])),
  restart: fc.constantFrom('permanent' as const, 'transient' as const, 'temporary' as const),
  shutdown: fc.constantFrom(0, 10, 50, 'brutal_kill' as const, 'infinity' as const),
  backoff: fc.constantFrom(undefined, { initial: 20 }),
  timeout: fc.constantFrom(undefined, 15, 60),
})
const localManager = fc.record({
  routines: fc.array(routine, { maxLength: 4 }),
  maxRoutines: fc.constantFrom(1, 2, Infinity),
  shutdown: fc.constantFrom('infinity' as const, 25),
  maxRestarts: fc.constantFrom(0, 2),
})
const tree = fc.array(fc.record({ locals: fc.array(localManager, { maxLength: 2 }), shutdown: fc.constantFrom('infinity' as const, 35) }), {
  maxLength: 3,
})
const request = fc.record({
  at: fc.constantFrom('global' as const, 'app' as const, 'local' as const),
  wait: fc.constantFrom(0, 5, 20, 45),
  mode: fc.constantFrom('graceful' as const, 'graceful' as const, 'immediate' as const),
  timeout: fc.constantFrom(0, 30, 100, 1_000),
  drain: fc.constantFrom(0, 0, 20, 200),
  phases: fc.constantFrom({}, { waiting: 12 }, { closing: 5, killing: 3 }),
})

interface Run {
  readonly events: LifecycleEvent[]
  readonly global: GlobalManager
  readonly clock: VirtualClock
  readonly report: ShutdownReport
  readonly timeout: number
  readonly askedAt: number
  readonly endedAt: number
}

type Script = {
  tree: typeof tree extends fc.Arbitrary<infer T> ? T : never
  requests: (typeof request extends fc.Arbitrary<infer T> ? T : never)[]
  strict: boolean
}

async function play({ tree: apps, requests, strict }: Script): Promise<Run> {
  const clock = new VirtualClock()
  const global = createGlobalManager({ name: 'g', clock, random: () => 0.5, generateId: counter(), strict, maxRestarts: 100 })
  const events: LifecycleEvent[] = []
  global.on('*', (event) => events.push(event))
  const locals: LocalManager[] = []
  apps.forEach((each, a) => {
    const app = global.createApp(`a${a}`, { shutdown: each.shutdown, maxRestarts: 100 })
    each.locals.forEach(({ routines, ...options }, l) => {
      const local = app.createLocal(`l${l}`, { ...options, overflow: 'queue' })
      locals.push(local)
      for (const { kind, ...rest } of routines) local.spawn(kind, KINDS[kind](clock) as never, rest)
    })
  })
  let asked: { at: number; timeout: number } | undefined
  let report: Promise<ShutdownReport> | undefined
  let endedAt = Infinity
  // Whatever else was asked for, the last word is a shutdown of all.
  for (const { at, wait, ...options } of [
    ...requests,
    { at: 'global' as const, wait: 0, mode: 'graceful' as const, timeout: 500, drain: 0, phases: {} },
  ]) {
    await clock.advance(wait)
    const manager = at === 'global' ? global : at === 'app' ? global.apps()[0] : locals[0]
    if (manager === undefined) continue
    const promise = manager.shutdown(options)
    if (manager !== global) continue
    const deadline = clock.now() + options.timeout
    asked =
      asked === undefined
        ? { at: clock.now(), timeout: options.timeout }
        : { at: asked.at, timeout: Math.min(asked.timeout, deadline - asked.at) }
    if (report !== undefined) continue
    report = promise
    void report.then(() => {
      endedAt = clock.now()
    })
  }
  await clock.runOut(10_000)
  const { at: askedAt, timeout } = asked as { at: number; timeout: number }
  expect(endedAt).not.toBe(Infinity)
  return { events, global, clock, report: await (report as Promise<ShutdownReport>), timeout, askedAt, endedAt }
}

function laws({ events, global, clock, report, timeout, askedAt, endedAt }: Run): void {
  // withinOverallTimeout; a routine that runs past it is killed in the same instant.
  expect(endedAt - askedAt).toBeLessThanOrEqual(timeout)
  // noLiveResources, permitsBalanced. Bodies that were abandoned may still hold timers of their own.
  expect([global.count, global.routines(), global.apps()]).toEqual([0, [], []])
  expect(clock.pending).toBe(0)
  // phasesInOrder, once per life of each manager.
  const byManager = new Map<string, string[]>()
  for (const event of events)
    if (event.type === 'manager.phase') byManager.set(event.path, [...(byManager.get(event.path) ?? []), event.phase])
  for (const phases of byManager.values()) {
    for (let i = 0; i < phases.length; i += 5) expect(phases.slice(i, i + 5)).toEqual([...PHASES])
  }
  // childBeforeParent: after a manager has stopped, and before it is restarted, nothing of it is heard.
  const silent = new Set<string>()
  for (const event of events) {
    if (event.type === 'manager.restarted') silent.delete(event.path)
    for (const path of silent)
      expect([event.type, event.path === path || event.path.startsWith(`${path}/`), path]).toEqual([event.type, false, path])
    if (event.type === 'manager.started') silent.delete(event.path)
    if (event.type === 'manager.stopped') silent.add(event.path)
  }
  // noSpawnAfterStop
  const closing = events.findIndex((event) => event.type === 'manager.phase' && event.path === 'g')
  expect(
    events.slice(closing).filter(({ type }) => type === 'routine.spawned' || type === 'routine.restarted' || type === 'manager.restarted'),
  ).toEqual([])
  // exactlyOneTerminal: of each routine, one end that is not answered with a restart, and no start after it.
  const ends = new Map<string, number>()
  for (const event of events) if ('willRestart' in event && !event.willRestart) ends.set(event.path, (ends.get(event.path) ?? 0) + 1)
  const spawned = events.filter(({ type }) => type === 'routine.spawned').map(({ path }) => path)
  expect([...ends.keys()].toSorted()).toEqual(spawned.toSorted())
  expect(new Set([...ends.values(), 1])).toEqual(new Set([1]))
  // reportAddsUp
  const { completed, failed, cancelled, killed, totals } = report
  expect(completed + failed + cancelled + killed).toBe(report.routines.length)
  expect(totals.completed + totals.failed + totals.cancelled + totals.killed).toBe(totals.spawned)
  expect(totals.spawned).toBe(spawned.length)
  expect(report.phases.map(({ phase }) => phase)).toEqual([...PHASES])
  // killedOnlyIfDeaf: who obeys at once when asked is never killed, but by brutal_kill or with no time at all.
  for (const event of events) if (event.type === 'routine.killed') expect(event.name).not.toMatch(/^(quick|fails)$/)
  // Causes come first.
  for (const { seq, cause } of events) expect(cause === null || cause < seq).toBe(true)
}

const seen = { killed: 0, gaveUp: 0, timedOut: 0, drained: 0, restarted: 0 }

test('S4: phasesInOrder, childBeforeParent, noSpawnAfterStop, exactlyOneTerminal, withinOverallTimeout, noLiveResources, reportAddsUp', async () => {
  await fc.assert(
    fc.asyncProperty(fc.record({ tree, requests: fc.array(request, { maxLength: 3 }), strict: fc.boolean() }), async (script) => {
      const run = await play(script)
      laws(run)
      if (run.report.killed > 0) seen.killed++
      if (run.report.timedOut) seen.timedOut++
      if (run.report.completed > 0) seen.drained++
      if (run.events.some(({ type }) => type === 'manager.gaveUp')) seen.gaveUp++
      if (run.events.some(({ type }) => type === 'manager.restarted')) seen.restarted++
      await settle()
    }),
    { numRuns: 1_000 },
  )
  // A campaign that never gets there shows nothing.
  for (const [goal, times] of Object.entries(seen)) expect([goal, times > 0]).toEqual([goal, true])
}, 120_000)
