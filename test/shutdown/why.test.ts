/** Who is told to stop finds why: in the reason, in the cause of the event, and in the report how long it took. */
import { describe, expect, test } from 'vitest'
import {
  link,
  manager,
  RestartLimitError,
  type Routine,
  RoutineCancelledError,
  routine,
  type RoutineContext,
  StartFailedError,
} from 'curtaincall'
import { deaf, makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('why (strict: $strict)', (mode) => {
  const reasonOf = async (one: Routine<unknown>): Promise<RoutineCancelledError> => {
    const outcome = await one.outcome
    expect(outcome.status).toBe('cancelled')
    return (outcome as unknown as { reason: RoutineCancelledError }).reason
  }

  test('a manager gave up: the limit, and the failure behind it, and the same object for all', async () => {
    const { local } = makeTree({ maxRestarts: 1 }, mode)
    const others = [local.spawn('a', untilTold), local.spawn('b', untilTold)]
    local.spawn('fails', () => Promise.reject(new Error('no database')), { restart: 'permanent' })
    const [a, b] = (await Promise.all(others.map(reasonOf))) as [RoutineCancelledError, RoutineCancelledError]
    expect(a).toBe(b)
    expect(a).toBeInstanceOf(RoutineCancelledError)
    expect(a).toMatchObject({ code: 'ERR_GAVE_UP', path: 'g/a/l', message: 'g/a/l gave up' })
    expect(a.cause).toBeInstanceOf(RestartLimitError)
    expect((a.cause as Error).cause).toEqual(new Error('no database'))
  })

  test('a manager could not start: the failed start', async () => {
    const { global } = makeTree({}, mode)
    const started: Routine[] = []
    global.on('routine.spawned', ({ id }) => started.push(global.routine(id) as Routine))
    const broken = routine('broken', deaf, {
      start: () => {
        throw new Error('no port')
      },
    })
    const app = global.createApp('b', { children: [routine('first', untilTold), broken] })
    await app.outcome
    const reason = await reasonOf(started[0] as Routine)
    expect(reason).toMatchObject({ code: 'ERR_GAVE_UP', path: 'g/b', message: 'g/b could not start' })
    expect(reason.cause).toBeInstanceOf(StartFailedError)
  })

  test('a shutdown: at which manager it began, one object for the whole subtree', async () => {
    const { global, local } = makeTree({ children: [routine('service', untilTold)] }, mode)
    await settle()
    const one = local.spawn('one', untilTold)
    const other = global.createApp('b').createLocal('m').spawn('two', untilTold)
    const service = local.routine('service') as Routine
    await settle()
    await global.shutdown()
    const reasons = await Promise.all([one, other, service].map(reasonOf))
    expect(reasons[0]).toMatchObject({ code: 'ERR_SHUTDOWN', path: 'g', message: 'g shuts down' })
    expect(new Set(reasons).size).toBe(1)
  })

  test('a shutdown that ran out of time: who was asked before, and who only then', async () => {
    const { global, local, clock } = makeTree({ children: [routine('service', untilTold)] }, mode)
    await settle()
    const slow = local.spawn('slow', deaf, { shutdown: 'infinity' })
    const service = local.routine('service') as Routine
    await settle()
    const done = global.shutdown({ timeout: 100 })
    await clock.runOut()
    expect(await reasonOf(slow)).toMatchObject({ code: 'ERR_SHUTDOWN', path: 'g' })
    expect(await reasonOf(service)).toMatchObject({ code: 'ERR_SHUTDOWN_TIMEOUT', path: 'g' })
    expect((await done).timedOut).toBe(true)
  })

  test('by hand, without a reason: told to stop', async () => {
    const { local } = makeTree({}, mode)
    const one = local.spawn('one', untilTold)
    void one.cancel()
    expect(await reasonOf(one)).toMatchObject({ code: 'ERR_CANCELLED', path: 'g/a/l', message: 'told to stop' })
  })

  test('a link broke: the failure of the other', async () => {
    const { local } = makeTree({}, mode)
    const fails = local.spawn('fails', () => Promise.reject(new Error('gone')))
    const tied = local.spawn('tied', untilTold)
    link(fails, tied)
    expect(await reasonOf(tied)).toMatchObject({ code: 'ERR_FAILED', cause: new Error('gone') })
  })

  test.each(['one_for_all', 'rest_for_one'] as const)(
    'a group restarts (%s): the crash, as reason and as cause of the events',
    async (strategy) => {
      let crash: () => void = () => undefined
      const fragile = ({ incarnation, signal }: RoutineContext): Promise<unknown> =>
        incarnation > 1 ? untilTold({ signal } as RoutineContext) : new Promise((_, reject) => (crash = () => reject(new Error('crash'))))
      const children = [routine('fragile', fragile), routine('b', untilTold), manager('m', { children: [routine('c', untilTold)] })]
      const { global, events } = makeTree({}, mode)
      const local = global.createApp('x', { strategy, children })
      await local.ready()
      const b = local.routine('b') as Routine
      const c = global.whereis('g/x/m/c#c') as Routine
      events.length = 0
      crash()
      const [ofB, ofC] = await Promise.all([b, c].map(reasonOf))
      await settle()
      expect(ofB).toBe(ofC)
      expect(ofB).toMatchObject({ code: 'ERR_GROUP_RESTART', path: 'g/x/fragile#fragile', cause: new Error('crash') })
      const seqOf = (type: string, path: string): number | undefined =>
        events.find((event) => event.type === type && event.path === path)?.seq
      const causeOf = (type: string, path: string): number | null | undefined =>
        events.find((event) => event.type === type && event.path === path)?.cause
      const crashed = seqOf('routine.failed', 'g/x/fragile#fragile')
      expect(crashed).toBeDefined()
      expect(causeOf('routine.cancelled', 'g/x/b#b')).toBe(crashed)
      expect(events.find(({ type, path }) => type === 'manager.phase' && path === 'g/x/m')?.cause).toBe(crashed)
      const restarted = seqOf('routine.restarted', 'g/x/fragile#fragile')
      expect(causeOf('routine.restarted', 'g/x/fragile#fragile')).toBe(crashed)
      expect(causeOf('routine.spawned', 'g/x/b#b')).toBe(restarted)
    },
  )

  test('the report says since when each was asked, and for how long it held up the rest', async () => {
    const { global, clock } = makeTree({}, mode)
    const other = global.createApp('b').createLocal('m')
    other.spawn('slow', slowToStop(clock, 30))
    other.spawn('quick', untilTold)
    other.spawn('ends', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 5)))
    await settle()
    const done = other.shutdown({ drain: 10 })
    await clock.runOut()
    const report = await done
    const facts = report.routines.map(({ path, asked, heldUp, duration }) => [path.replace(/.*\/|#.*/g, ''), asked, heldUp, duration])
    expect(facts).toEqual([
      ['ends', undefined, 0, 5],
      ['quick', 10, 0, 10],
      ['slow', 10, 30, 40],
    ])
  })
})
