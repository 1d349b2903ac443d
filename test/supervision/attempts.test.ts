/** Work with a budget of its own: P4 of machines/restart-policy.ts. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError, routine, RoutineHungError } from 'curtaincall'
import { gate, makeTree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('flaky')
}

describe.each([{ strict: false }, { strict: true }])('attempts (strict: $strict)', (mode) => {
  test('P4: 100 flaky jobs under the default limit are all done, and their manager never gives up', async () => {
    const { local, clock, events } = makeTree({ maxRoutines: 5, overflow: 'queue' }, mode)
    const outcomes = Array.from({ length: 100 }, (_, i) =>
      local.spawn('job', ({ incarnation }) => (incarnation < 3 ? failing() : i), { attempts: 3, backoff: { initial: 10 } }),
    ).map(({ outcome }) => outcome)
    await clock.runOut()
    expect(new Set((await Promise.all(outcomes)).map(({ status }) => status))).toEqual(new Set(['completed']))
    expect(events.filter(({ type }) => type === 'routine.restarted')).toHaveLength(200)
    expect(local.state).toBe('running')
    expect(local.health()).toMatchObject({ status: 'healthy' })
  })

  test('P4: after the last it fails alone, with the error of that run', async () => {
    const { local, story } = makeTree({ maxRestarts: 0 }, mode)
    const sibling = local.spawn('sibling', untilTold)
    const job = local.spawn('job', ({ incarnation }) => Promise.reject(new Error(`run ${incarnation}`)), { attempts: 4 })
    expect(await job.outcome).toEqual({ status: 'failed', error: new Error('run 4') })
    expect([job.incarnation, job.restarts, sibling.state, local.state]).toEqual([4, 3, 'running', 'running'])
    expect(story(/gaveUp/)).toEqual([])
  })

  test('P4: it is run as often as it fails, and no more often than it may, whatever the limit of its manager', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 12 }), fc.nat(15), fc.nat(3), async (attempts, failures, maxRestarts) => {
        const { local } = makeTree({ maxRestarts }, mode)
        const job = local.spawn('job', ({ incarnation }) => (incarnation <= failures ? failing() : 'done'), { attempts })
        const { status } = await job.outcome
        expect([status, job.incarnation]).toEqual(failures < attempts ? ['completed', failures + 1] : ['failed', attempts])
        expect(local.state).toBe('running')
      }),
      { seed: 7, numRuns: 60 },
    )
  })

  test('only a failure is tried again; restartIf may say that it would not help, and is not asked after the last', async () => {
    const { local } = makeTree({}, mode)
    expect(await local.spawn('returns', () => 1, { attempts: 3 }).outcome).toMatchObject({ status: 'completed' })
    const leaves = local.spawn('leaves', ({ exit }) => exit('shutdown'), { attempts: 3 })
    expect((await leaves.outcome).status).toBe('cancelled')
    expect(leaves.incarnation).toBe(1)
    const asked: number[] = []
    const restartIf = (_: unknown, restarts: number): boolean => {
      asked.push(restarts)
      return restarts < 1
    }
    const picky = local.spawn('picky', failing, { attempts: 9, restartIf })
    expect((await picky.outcome).status).toBe('failed')
    expect([picky.incarnation, asked]).toEqual([2, [0, 1]])
    asked.length = 0
    const twice = local.spawn('twice', failing, { attempts: 2, restartIf: () => asked.push(0) > 0 })
    await twice.outcome
    expect([twice.incarnation, asked]).toEqual([2, [0]])
  })

  test('a restart by hand is free; one for being hung is an attempt, and the last leaves it failed', async () => {
    const { local, clock } = makeTree({ maxRestarts: 0 }, mode)
    const job = local.spawn('job', untilTold, { attempts: 2, hungAfter: 50, onHung: 'restart', shutdown: 10 })
    await settle()
    await job.restart()
    await job.restart()
    expect(job.incarnation).toBe(3)
    await clock.advance(50)
    expect([job.incarnation, job.state]).toEqual([4, 'running'])
    await clock.advance(50)
    const outcome = await job.outcome
    expect(outcome).toMatchObject({ status: 'failed', error: expect.any(RoutineHungError) as unknown })
    expect(local.state).toBe('running')
  })

  test('a start that fails at a later run is an attempt; a cancel while it waits for the next is its end', async () => {
    const { local, clock } = makeTree({}, mode)
    const start = ({ incarnation }: { incarnation: number }): void => {
      if (incarnation > 1) failing()
    }
    const job = local.spawn('job', failing, { attempts: 3, start })
    expect(await job.outcome).toMatchObject({ status: 'failed' })
    expect(job.incarnation).toBe(3)
    const waiting = local.spawn('waiting', failing, { attempts: 3, backoff: { initial: 1_000 } })
    await settle()
    expect(waiting.state).toBe('pending')
    expect((await waiting.cancel()).status).toBe('cancelled')
    await clock.runOut()
    expect(waiting.incarnation).toBe(2)
  })

  test('a queued one keeps its place, and a shutdown ends the attempts', async () => {
    const { global, local } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    const held = gate()
    local.spawn('first', () => held.promise)
    const queued = local.spawn('queued', failing, { attempts: 3 })
    held.resolve()
    expect((await queued.outcome).status).toBe('failed')
    expect(queued.incarnation).toBe(3)
    const job = local.spawn(
      'job',
      async ({ signal }) => {
        await untilTold({ signal } as never)
        failing()
      },
      { attempts: 3 },
    )
    await settle()
    await global.shutdown()
    expect((await job.outcome).status).toBe('cancelled')
    expect(job.incarnation).toBe(1)
  })
})

test('nothing is run again from closing on: a drain waits for the runs that are under way or queued, and for no more', async () => {
  const { local, global, clock } = makeTree({ maxRoutines: 2, overflow: 'queue' })
  const flaky = ({ incarnation }: { incarnation: number }): Promise<void> =>
    new Promise((resolve, reject) => clock.setTimeout(() => (incarnation === 1 ? reject(new Error('flaky')) : resolve()), 50))
  const job = (name: string) => local.spawn(name, flaky, { attempts: 3, backoff: { initial: 100 } })
  const backsOff = job('backs off')
  await clock.advance(60)
  const [runs, waits] = [job('runs'), job('waits')]
  await settle()
  const report = global.shutdown({ drain: 5_000 })
  await settle()
  expect(backsOff.state).toBe('cancelled')
  await clock.advance(50)
  expect([runs.state, waits.state]).toEqual(['failed', 'failed'])
  expect([runs.incarnation, waits.incarnation]).toEqual([1, 1])
  expect((await report).phases[0]).toMatchObject({ phase: 'closing', exceeded: false })
})

test.each([0, 1, 1.5, -2, NaN, '3', true])('attempts: %s is refused', (attempts) => {
  const { local } = makeTree()
  expect(() => local.spawn('x', failing, { attempts: attempts as number })).toThrow(
    /routine option attempts must be a whole number above 1, or Infinity/,
  )
  expect(local.count).toBe(0)
})

test('it is refused beside restart, and for a child', () => {
  const { local } = makeTree()
  expect(() => local.spawn('x', failing, { attempts: 3, restart: 'transient' } as never)).toThrow(
    /attempts must be left out where restart is given/,
  )
  expect(() => routine('x', failing, { attempts: 3 } as never)).toThrow(ConfigError)
  expect(() => routine('x', failing, { attempts: 3 } as never)).toThrow(/attempts must be left out for a child/)
})
