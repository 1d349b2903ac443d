/** The port of grounds: work that brings its own ground along. */
import { describe, expect, test } from 'vitest'
import { type Ground, GROUND, type Run } from '../../src/port/ground.ts'
import type { LocalManager, Routine } from '../../src/index.ts'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

/** A ground that writes down what it is told, and whose bodies do nothing by themselves. */
class FakeGround implements Ground {
  readonly calls: string[] = []
  readonly runs: Run[] = []
  readonly ends: boolean
  endsWithin?: number
  holdsPermits?: boolean
  replies: ((value: unknown) => void)[] = []

  constructor(ends = true) {
    this.ends = ends
  }

  begin(run: Run): void {
    run.footing = { open: true }
    this.runs.push(run)
    this.calls.push(`begin ${run.number} ${String(run.input)}`)
  }

  ask(run: Run, reason: unknown): void {
    this.calls.push(`ask ${run.number} ${String(reason)} asked=${run.asked}`)
  }

  kill(run: Run, reason: unknown): void {
    this.calls.push(`kill ${run.number} ${String(reason)} over=${run.over}`)
  }

  takes(run: Run): boolean {
    return run.footing !== undefined
  }

  accepts(run: Run): boolean {
    return run.footing !== undefined
  }

  deliver(_run: Run, message: unknown, reply: ((value: unknown) => void) | undefined): void {
    this.calls.push(`deliver ${String(message)}`)
    reply?.(`re: ${String(message)}`)
  }
}

function spawnOn(local: LocalManager, ground: Ground, options: object = {}): Routine<unknown, unknown> {
  return local.spawn('work', { [GROUND]: ground } as never, { input: 'in', ...options } as never) as unknown as Routine<unknown, unknown>
}

test('work begins on its ground, and what that says it returned is its output', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  expect(ground.calls).toEqual(['begin 1 in'])
  expect(routine.state).toBe('running')
  ground.runs[0]?.returned(42)
  expect(await routine.outcome).toEqual({ status: 'completed', output: 42 })
  expect(ground.calls).toEqual(['begin 1 in'])
})

test('what its body throws fails it, and a restart is another run', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground, { restart: 'transient' })
  await settle()
  ground.runs[0]?.threw(new Error('broken'))
  await settle()
  expect(ground.calls).toEqual(['begin 1 in', 'begin 2 in'])
  ground.runs[0]?.returned('too late')
  expect(routine.state).toBe('running')
  ground.runs[1]?.returned('second')
  expect(await routine.outcome).toEqual({ status: 'completed', output: 'second' })
})

test('a cancel asks its ground before it returns', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  void routine.cancel('enough')
  expect(ground.calls).toEqual(['begin 1 in', 'ask 1 enough asked=true'])
  ground.runs[0]?.returned('obeyed')
  expect(await routine.outcome).toMatchObject({ status: 'cancelled', killed: false, output: 'obeyed' })
})

test('a ground that takes a killed body away leaves no orphan', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  void routine.kill('now')
  expect(await routine.outcome).toMatchObject({ status: 'cancelled', killed: true })
  expect(ground.calls.at(-1)).toBe('kill 1 now over=true')
  expect(local.metrics().orphaned).toBe(0)
})

test('a ground that cannot has an orphan until it says that the body has ended after all', async () => {
  const { local } = makeTree()
  const ground = new FakeGround(false)
  const routine = spawnOn(local, ground)
  await settle()
  void routine.kill('now')
  await routine.outcome
  expect(local.metrics().orphaned).toBe(1)
  ground.runs[0]?.returned(undefined)
  expect(local.metrics().orphaned).toBe(0)
})

test('messages are handed to a ground that takes them, and it may answer', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const routine = spawnOn(local, ground)
  await settle()
  routine.send('hello')
  expect(ground.calls.at(-1)).toBe('deliver hello')
  expect(await routine.ask('why')).toBe('re: why')
  ground.runs[0]?.returned(undefined)
})

test('a body may be told to stop while it is being begun: its run says so', async () => {
  const { local } = makeTree()
  const ground = new FakeGround()
  const asked: boolean[] = []
  ground.begin = (run) => {
    void routine.cancel()
    asked.push(run.asked)
    run.returned(undefined)
  }
  const routine = spawnOn(local, ground)
  expect(await routine.outcome).toMatchObject({ status: 'cancelled' })
  expect(asked).toEqual([true])
})

describe('a ground that needs time to end a body', () => {
  function lateGround(endsWithin = 1_000): FakeGround {
    const ground = new FakeGround(false)
    ground.endsWithin = endsWithin
    return ground
  }

  test('O4: a killed routine is asked, then ended, and is over once its body is gone', async () => {
    const { local } = makeTree()
    const ground = lateGround()
    const routine = spawnOn(local, ground)
    await settle()
    const { signal } = ground.runs[0] as Run
    void routine.kill('now')
    expect(ground.calls.slice(1)).toEqual(['ask 1 now asked=true', 'kill 1 now over=false'])
    expect([routine.state, local.count, signal.aborted]).toEqual(['running', 1, false])
    expect(routine.actor.getSnapshot().value).toEqual({ running: 'ending' })
    ground.runs[0]?.returned(undefined)
    expect(await routine.outcome).toEqual({ status: 'cancelled', reason: 'now', killed: true })
    expect([local.count, local.metrics().orphaned, local.metrics().killed]).toEqual([0, 0, 1])
  })

  test('O4: a second kill, a cancel, and a late give-up change nothing', async () => {
    const { local, clock } = makeTree()
    const ground = lateGround(10_000)
    const routine = spawnOn(local, ground, { shutdown: 100 })
    await settle()
    void routine.cancel('first')
    void routine.kill('second')
    void routine.kill('third')
    void routine.cancel('fourth')
    await clock.advance(200)
    expect(ground.calls.slice(1)).toEqual(['ask 1 first asked=true', 'kill 1 first over=false'])
    ground.runs[0]?.returned(undefined)
    expect(await routine.outcome).toEqual({ status: 'cancelled', reason: 'first', killed: true })
  })

  test('O5: past its time it is stuck: an orphan until it is gone', async () => {
    const { local, clock, events, story } = makeTree({ maxRoutines: 1 })
    const ground = lateGround(1_000)
    const routine = spawnOn(local, ground)
    await settle()
    void routine.kill('now')
    await clock.advance(999)
    expect(routine.state).toBe('running')
    await clock.advance(1)
    expect(await routine.outcome).toEqual({ status: 'cancelled', reason: 'now', killed: true, stuck: true })
    expect(ground.calls.at(-1)).toBe('kill 1 now over=true')
    expect([local.metrics().orphaned, local.count]).toEqual([1, 0])
    expect(events.find(({ type }) => type === 'routine.killed')).toMatchObject({ stuck: true, reason: 'now' })
    ground.runs[0]?.returned(undefined)
    expect([local.metrics().orphaned, story(/orphaned|settled/)]).toEqual([
      0,
      ['routine.orphaned g/a/l/work', 'routine.settled g/a/l/work'],
    ])
  })

  test('O5: with `holdsPermits` what is stuck keeps its permit until it is gone', async () => {
    const { local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' })
    const ground = lateGround(50)
    ground.holdsPermits = true
    const routine = spawnOn(local, ground)
    const next = local.spawn('next', () => 'ran')
    await settle()
    void routine.kill()
    await clock.advance(50)
    expect(await routine.outcome).toMatchObject({ stuck: true })
    expect([local.count, next.state, local.queued]).toEqual([1, 'pending', 1])
    ground.runs[0]?.returned(undefined)
    expect(await next.result()).toBe('ran')
    expect(local.count).toBe(0)
  })

  test('O4: out of time, it fails once it is gone; a kill on the way makes it cancelled', async () => {
    const { local, clock } = makeTree()
    const ground = lateGround(1_000)
    const [slow, killed] = [1, 2].map(() => spawnOn(local, ground, { timeout: 10, shutdown: 10 }))
    await settle()
    await clock.advance(20)
    expect(ground.calls.filter((call) => call.startsWith('kill'))).toHaveLength(2)
    void killed?.kill('by hand')
    for (const run of ground.runs) run.returned(undefined)
    expect(await slow?.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_TIMEOUT' } })
    expect(await killed?.outcome).toMatchObject({ status: 'cancelled', reason: 'by hand', killed: true })
  })

  test('O4: the phase `killing` of a shutdown lasts until it is gone, or stuck', async () => {
    const { global, local, clock } = makeTree()
    const ground = lateGround(300)
    spawnOn(local, ground)
    spawnOn(local, ground)
    await settle()
    const stopping = global.shutdown({ timeout: 1_000 })
    await clock.advance(1_000)
    expect(ground.calls.filter((call) => call.startsWith('kill'))).toHaveLength(2)
    ground.runs[0]?.returned(undefined)
    await clock.advance(400)
    const report = await stopping
    expect(report).toMatchObject({ killed: 2, orphaned: 1, timedOut: true })
    expect(report.phases.find(({ phase }) => phase === 'killing')?.duration).toBeGreaterThanOrEqual(300)
  })

  test('O6: what is killed before its body begins never begins', async () => {
    const { local } = makeTree()
    const ground = lateGround()
    local.on('routine.started', ({ id }) => void local.routine(id)?.kill('early'))
    ground.kill = (run) => {
      ground.calls.push('kill')
      run.footing ??= 'never'
    }
    ground.begin = (run) => {
      ground.calls.push(`begin ${String(run.footing)}`)
      run.returned(undefined)
    }
    const routine = spawnOn(local, ground)
    expect(await routine.outcome).toEqual({ status: 'cancelled', reason: 'early', killed: true })
    expect(ground.calls.slice(0, 2)).toEqual(['kill', 'begin never'])
  })

  test('H1: what it finds blocking is in the event, and in the error; H2: who waits for a place is not hung', async () => {
    const { local, clock, events } = makeTree()
    const ground = Object.assign(lateGround(), {
      standing: (run: Run) => (run.subject.name === 'waits' ? ('waiting' as const) : undefined),
      diagnose: () => Promise.resolve('spin' as const),
    })
    spawnOn(local, ground, { hungAfter: 100, id: 'spins' })
    local.spawn('waits', { [GROUND]: ground } as never, { hungAfter: 100 } as never)
    await settle()
    await clock.advance(100)
    await settle()
    expect(events.filter(({ type }) => type === 'routine.hung')).toMatchObject([{ id: 'spins', blocked: 'spin', silence: 100 }])
    expect(local.health().hung).toBe(1)
  })

  test('H1: one that is heard before it is known what blocks it was not hung', async () => {
    const { local, clock, story } = makeTree()
    const diagnosis = Promise.withResolvers<undefined>()
    const ground = Object.assign(lateGround(), { diagnose: () => diagnosis.promise })
    spawnOn(local, ground, { hungAfter: 100, onHung: 'kill' })
    await settle()
    await clock.advance(100)
    ground.runs[0]?.beat()
    diagnosis.resolve(undefined)
    await settle()
    expect(story(/hung|killed|revived/)).toEqual([])
    expect(local.health().hung).toBe(0)
  })
})
