/** Watching, tying together, finding. */
import { describe, expect, test, vi } from 'vitest'
import { ConfigError, link, type LocalManager, type Routine, type RoutineEnd, RoutineFailedError, routine, watch } from 'curtaincall'
import { makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe('watch tells of each end', () => {
  test('restarted or not, until the last', async () => {
    const { local } = makeTree()
    let runs = 0
    const flaky = local.spawn('x', () => (++runs < 3 ? Promise.reject(new Error(`run ${runs}`)) : 'done'), { restart: 'transient' })
    const ends: RoutineEnd[] = []
    watch(flaky, (end) => ends.push(end))
    await flaky.outcome
    expect(ends.map(({ incarnation, outcome, willRestart }) => [incarnation, outcome.status, willRestart])).toEqual([
      [1, 'failed', true],
      [2, 'failed', true],
      [3, 'completed', false],
    ])
  })

  test('of one that has ended already, at once', async () => {
    const { local } = makeTree()
    const done = local.spawn('x', () => 5)
    await done.outcome
    const listener = vi.fn<(end: RoutineEnd) => void>()
    watch(done, listener)
    const unwanted = watch(done, listener)
    unwanted()
    expect(listener).not.toHaveBeenCalled()
    await settle()
    expect(listener.mock.calls).toEqual([
      [{ path: done.path, incarnation: 1, outcome: { status: 'completed', output: 5 }, willRestart: false }],
    ])
  })

  test('what a listener throws, or rejects with, harms nobody; one that has left hears nothing', async () => {
    const { local } = makeTree()
    const work = local.spawn('x', untilTold)
    const listener = vi.fn<() => void>()
    watch(work, () => {
      throw new Error('listener')
    })
    {
      using _watching = watch(work, listener)
    }
    watch(work, () => Promise.reject(new Error('later')))
    await work.cancel()
    await settle()
    expect(listener).not.toHaveBeenCalled()
    expect(local.metrics().contained).toBe(2)
    expect(() => watch({} as Routine, listener)).toThrow(ConfigError)
    expect(() => watch(work, 5 as never)).toThrow('watch listener must be a function; received 5')
  })
})

describe('link', () => {
  test('the failure of one cancels the other, wherever it lives, with the cause', async () => {
    const { global, local, events } = makeTree()
    const other = global.createApp('b').createLocal('m')
    const a = local.spawn('a', untilTold)
    const b = other.spawn('b', untilTold)
    link(a, b)
    await settle()
    const failure = new Error('a broke')
    a.exit(failure)
    const outcome = await b.outcome
    expect(outcome).toMatchObject({ status: 'cancelled', killed: false })
    expect((outcome as { reason: RoutineFailedError }).reason).toBeInstanceOf(RoutineFailedError)
    expect((outcome as { reason: RoutineFailedError }).reason.cause).toBe(failure)
    const broken = events.find(({ type }) => type === 'link.broken')
    expect(broken).toMatchObject({ path: b.path, from: a.path, error: failure })
    expect(events.find(({ seq }) => seq === broken?.cause)).toMatchObject({ path: a.path })
    expect(events.find(({ type, path }) => type === 'routine.cancelled' && path === b.path)?.cause).toBe(broken?.seq)
  })

  test('it holds in both directions, also for what has failed already', async () => {
    const { local } = makeTree()
    const [a, b, c] = ['a', 'b', 'c'].map((name): Routine<string> => local.spawn(name, untilTold)) as [
      Routine<string>,
      Routine<string>,
      Routine<string>,
    ]
    link(a, b)
    await settle()
    b.exit('killed')
    expect(await a.outcome).toMatchObject({ status: 'cancelled' })
    link(c, b)
    expect(await c.outcome).toMatchObject({ status: 'cancelled' })
  })

  test('an end in good order, a restart, or being untied leaves the other alone, and nothing behind', async () => {
    const { local, events } = makeTree()
    const steady = local.spawn('steady', untilTold)
    const flaky = local.spawn('flaky', untilTold, { restart: 'permanent' })
    link(
      steady,
      local.spawn('ends', () => 5),
    )
    link(steady, flaky)
    const untied = local.spawn('untied', untilTold)
    link(steady, untied)()
    await settle()
    flaky.exit(new Error('restarted'))
    untied.exit(new Error('untied'))
    await settle()
    expect(steady.state).toBe('running')
    await flaky.cancel()
    await settle()
    expect(steady.state).toBe('running')
    expect(events.filter(({ type }) => type === 'link.broken')).toEqual([])
    expect(() => link(steady, steady)).toThrow(ConfigError)
  })
})

describe('whereis', () => {
  test('finds managers and routines by path, and routines by id, over restarts', async () => {
    const { global, local } = makeTree({ strategy: 'one_for_all', children: [routine('db', untilTold), routine('cache', untilTold)] })
    const spawned = local.spawn('job', untilTold, { id: 'job-1' })
    await settle()
    const db = global.whereis('g/a/l/db#db') as Routine
    expect(db).toBe(local.routine('db'))
    expect(global.whereis('g')).toBe(global)
    expect(global.whereis('g/a/l')).toBe(local as LocalManager)
    expect(global.whereis('job-1')).toBe(spawned)
    expect(global.whereis('g/a/l/job#job-1')).toBe(spawned)
    ;(local.routine('cache') as Routine).exit(new Error('x'))
    await settle()
    expect(global.whereis('g/a/l/db#db')).not.toBe(db)
    expect(global.whereis('g/a/l/db#db')).toMatchObject({ incarnation: 2, state: 'running' })
  })

  test('finds one that lives before those that are only remembered', async () => {
    const { global } = makeTree()
    const app = global.createApp('b')
    const remembering = app.createLocal('remembering', { retain: 5 })
    const old = remembering.spawn('x', () => 5, { id: 'x' })
    await old.outcome
    expect([app.routine('x'), global.whereis('x')]).toEqual([old, undefined])
    const living = app.createLocal('living').spawn('x', untilTold, { id: 'x' })
    expect([app.routine('x'), global.whereis('x')]).toEqual([living, living])
  })

  test.each(['', 'x', 'g/', 'g/b', 'x/a/l', 'g/a/l/job#nobody', 'g/a/l/wrong#db', 'g/a/db#db', 'g/a/l/db#db/more'])(
    'finds nothing at %j',
    (path) => {
      const { global } = makeTree({ children: [routine('db', untilTold)] })
      expect(global.whereis(path)).toBeUndefined()
    },
  )

  test('what has ended is nowhere', async () => {
    const { global, local } = makeTree({ retain: 5 })
    const work = local.spawn('x', () => 5)
    await work.outcome
    expect(local.routine(work.id)).toBe(work)
    expect(global.whereis(work.path)).toBeUndefined()
    expect(global.whereis(work.id)).toBeUndefined()
  })
})
