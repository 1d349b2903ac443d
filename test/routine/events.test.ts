/** What events, reports and ids of routines say, to the last field. */
import { describe, expect, test } from 'vitest'
import { createGlobalManager, type LifecycleEvent } from 'curtaincall'
import { exitOf } from '../../machines/restart-policy.ts'
import { deaf, gate, makeTree, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const boom = new Error('boom')

describe.each([{ strict: false }, { strict: true }])('events (strict: $strict)', (mode) => {
  test('an end has what belongs to its kind, and nothing else', async () => {
    const { local, clock, events } = makeTree({}, mode)
    const after = <T>(ms: number, act: () => T) => new Promise<T>((resolve) => clock.setTimeout(() => resolve(act()), ms))
    const throwing = ({ signal }: { signal: AbortSignal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(boom), { once: true }))
    local.spawn('completed', () => after(5, () => 1))
    local.spawn('failed', () => after(5, () => Promise.reject(boom)))
    const told = [local.spawn('cancelled', untilTold), local.spawn('thrown', throwing)]
    const left = local.spawn('killed', deaf)
    await clock.advance(5)
    for (const routine of told) void routine.cancel('enough')
    void left.kill('now')
    await settle()
    const own = (name: string): object => {
      const event = events.find((each) => 'willRestart' in each && each.name === name)
      const { path, id, name: _, incarnation, seq, cause, ...rest } = event as LifecycleEvent & { type: 'routine.completed' }
      expect([path, incarnation, seq > (cause ?? 0)]).toEqual([`g/a/l/${name}#${id}`, 1, true])
      return rest
    }
    const common = { at: 1_005, duration: 5, willRestart: false }
    expect(own('completed')).toStrictEqual({ type: 'routine.completed', ...common })
    expect(own('failed')).toStrictEqual({ type: 'routine.failed', ...common, error: boom })
    expect(own('cancelled')).toStrictEqual({ type: 'routine.cancelled', ...common, reason: 'enough', heldUp: 0 })
    expect(own('thrown')).toStrictEqual({ type: 'routine.cancelled', ...common, reason: 'enough', error: boom, heldUp: 0 })
    expect(own('killed')).toStrictEqual({ type: 'routine.killed', ...common, reason: 'now' })
  })

  test('the event of a start, or of an end, is of the instant that the routine has noted', async () => {
    const clock = new VirtualClock()
    const now = (): number => {
      clock.block(1)
      return VirtualClock.prototype.now.call(clock)
    }
    const ticking = { now, setTimeout: clock.setTimeout.bind(clock), clearTimeout: clock.clearTimeout.bind(clock) }
    const { local, events } = makeTree({}, { ...mode, clock: ticking })
    const routine = local.spawn('x', untilTold)
    await settle()
    await routine.cancel()
    const [, started, cancelled] = events.filter(({ path }) => path === routine.path) as { at: number; duration?: number }[]
    expect([started?.at, cancelled?.at]).toEqual([routine.startedAt, (routine.startedAt ?? 0) + routine.uptime])
    expect(cancelled?.duration).toBe(routine.uptime)
  })

  test('an order by hand is an event that nothing has led to, and what follows from it says so', async () => {
    const { local, events } = makeTree({}, mode)
    const routine = local.spawn('x', untilTold)
    await settle()
    const row = routine as unknown as { ordered(control: string): void }
    row.ordered('cancel')
    void routine.cancel()
    await settle()
    local.life.ordered('shutdown')
    await local.shutdown()
    const orders = events.filter(({ type }) => type === 'control.ordered')
    expect(orders).toMatchObject([
      { path: routine.path, control: 'cancel', cause: null },
      { path: 'g/a/l', control: 'shutdown', cause: null },
    ])
    const led = (to: object): unknown =>
      events.find((event) => Object.entries(to).every(([key, value]) => event[key as 'type'] === value))?.cause
    expect(led({ type: 'routine.cancelled' })).toBe(orders[0]?.seq)
    expect(led({ type: 'manager.phase', path: 'g/a/l', phase: 'closing' })).toBe(orders[1]?.seq)
  })

  test('of what an ended manager has left behind nobody above hears any more', async () => {
    const { global, local, clock, events } = makeTree({}, mode)
    const late = gate()
    const orphan = local.spawn('x', () => late.promise)
    await settle()
    const stopped = local.shutdown({ mode: 'immediate' })
    await clock.runOut()
    await stopped
    const { length } = events
    expect(events.some(({ type }) => type === 'routine.orphaned')).toBe(true)
    ;(orphan as unknown as { send(message: string): void }).send('too late')
    late.resolve()
    await settle()
    expect([events.slice(length), global.metrics().orphaned]).toEqual([[], 0])
  })

  test('a shutdown reports when each routine ended, counted from its beginning', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn(
      'x',
      ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => clock.setTimeout(() => resolve(1), 30))),
    )
    await clock.advance(10)
    const report = global.shutdown()
    await clock.runOut()
    expect((await report).routines).toMatchObject([{ outcome: 'cancelled', phase: 'waiting', duration: 30 }])
  })
})

test('ids that nobody has given are made when they are asked for, differ, and find what lives', async () => {
  await using global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  const [a, b] = [local.spawn('x', untilTold), local.spawn('x', untilTold)]
  expect(a.id).toMatch(/^[\w-]{8}$/)
  expect([a.id === b.id, local.routine(a.id), local.routine(b.id)]).toEqual([false, a, b])
  const { id } = a
  await a.cancel()
  expect([a.id, local.routine(id)]).toEqual([id, undefined])
  const quick = local.spawn('x', () => 1)
  await quick.outcome
  // First asked for when it is over: it has one, and leaves nothing behind.
  expect([local.routine(quick.id), quick.id]).toEqual([undefined, quick.id])
  expect(local.spawn('x', untilTold, { id: quick.id }).id).toBe(quick.id)
})

test('what a supervisor makes of an end', () => {
  const ends = ['completed', 'failed', 'cancelled', 'killed'] as const
  expect(ends.map(exitOf)).toEqual(['normal', 'abnormal', 'shutdown', 'shutdown'])
})
