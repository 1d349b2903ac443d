import { getEventListeners } from 'node:events'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type AnyActorLogic, assign, createMachine, fromCallback, fromObservable, fromPromise, fromTransition, sendTo, setup } from 'xstate'
import { ignore, routine, type RoutineContext, RoutineTimeoutError } from 'curtaincall'
import { deaf, gate, makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('a routine (strict: $strict)', (mode) => {
  test('that returns is completed, with its output', async () => {
    const { local } = makeTree({}, mode)
    const routine = local.spawn('sum', ({ input }) => input.a + input.b, { input: { a: 1, b: 2 } })
    expect(routine.state).toBe('pending')
    expect(await routine.outcome).toEqual({ status: 'completed', output: 3 })
    expect(routine.state).toBe('completed')
    expect(await routine.result()).toBe(3)
    expect(await routine.started).toBe(true)
  })

  test('begins in a later microtask, in order of admission', async () => {
    const { local } = makeTree({}, mode)
    const order: string[] = []
    local.spawn('a', () => void order.push('a'))
    local.spawn('b', () => void order.push('b'))
    order.push('spawned')
    await settle()
    expect(order).toEqual(['spawned', 'a', 'b'])
  })

  test.each([
    ['an error', new Error('no')],
    ['a string', 'no'],
    ['undefined', undefined],
    ['null', null],
  ])('that throws %s fails with it as it was, sync and async', async (_, thrown) => {
    const { local } = makeTree({}, mode)
    const sync = local.spawn('sync', () => {
      throw thrown
    })
    const late = local.spawn('late', async () => {
      throw thrown
    })
    expect(await sync.outcome).toEqual({ status: 'failed', error: thrown })
    expect(await late.outcome).toEqual({ status: 'failed', error: thrown })
    await expect(late.result()).rejects.toMatchObject({ code: 'ERR_FAILED', cause: thrown })
  })

  test('that obeys a cancel is cancelled, not killed, and keeps what it returned', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('wait', untilTold)
    await settle()
    const reason = new Error('enough')
    expect(await routine.cancel(reason)).toEqual({ status: 'cancelled', reason, killed: false, output: 'obeyed' })
    expect(clock.pending).toBe(0)
    await expect(routine.result()).rejects.toMatchObject({ code: 'ERR_CANCELLED', cause: reason })
  })

  test('that is cancelled before it starts never runs its body', async () => {
    const { local } = makeTree({}, mode)
    let ran = false
    const routine = local.spawn('x', () => {
      ran = true
    })
    expect(await routine.cancel('no')).toEqual({ status: 'cancelled', reason: 'no', killed: false })
    expect(await routine.started).toBe(false)
    await settle()
    expect(ran).toBe(false)
  })

  test('that is deaf to a cancel is given up on after its shutdown time, and an orphan until it settles', async () => {
    const { local, clock, global, story } = makeTree({}, mode)
    const body = gate()
    const routine = local.spawn('deaf', () => body.promise, { shutdown: 100 })
    await settle()
    const outcome = routine.cancel('stop')
    await clock.advance(99)
    expect(routine.state).toBe('running')
    await clock.advance(1)
    expect(await outcome).toEqual({ status: 'cancelled', reason: 'stop', killed: true })
    expect(global.metrics()).toMatchObject({ killed: 1, orphaned: 1, cancelled: 0, running: 0 })
    expect(local.count).toBe(0)
    body.resolve()
    await settle()
    expect(global.metrics().orphaned).toBe(0)
    expect(story(/routine/)).toEqual([
      'routine.spawned g/a/l/deaf',
      'routine.started g/a/l/deaf',
      'routine.killed g/a/l/deaf',
      'routine.orphaned g/a/l/deaf',
      'routine.settled g/a/l/deaf',
    ])
  })

  test('with brutal_kill is given up on at once; kill() does not wait either; both have aborted the signal', async () => {
    const { local } = makeTree({}, mode)
    const seen: unknown[] = []
    const body = ({ signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => seen.push(signal.reason))
      return deaf()
    }
    const brutal = local.spawn('brutal', body, { shutdown: 'brutal_kill' })
    const killed = local.spawn('killed', body)
    await settle()
    expect(await brutal.cancel('one')).toMatchObject({ killed: true })
    expect(await killed.kill('two')).toMatchObject({ killed: true, reason: 'two' })
    expect(seen).toEqual(['one', 'two'])
  })

  test('that runs out of time is aborted and fails with a RoutineTimeoutError as soon as it has ended', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('slow', slowToStop(clock, 20), { timeout: 50 })
    await clock.advance(50)
    expect(routine.state).toBe('running')
    await clock.advance(20)
    const outcome = await routine.outcome
    expect(outcome).toMatchObject({ status: 'failed' })
    expect((outcome as { error: unknown }).error).toBeInstanceOf(RoutineTimeoutError)
  })

  test('that runs out of time and is deaf fails after its shutdown time and is an orphan', async () => {
    const { local, clock, global } = makeTree({}, mode)
    const routine = local.spawn('deaf', deaf, { timeout: 50, shutdown: 10 })
    await clock.advance(60)
    expect(await routine.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_TIMEOUT' } })
    expect(global.metrics()).toMatchObject({ failed: 1, orphaned: 1 })
  })

  test('a cancel overtakes a timeout', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('slow', slowToStop(clock, 20), { timeout: 50, restart: 'permanent' })
    await clock.advance(60)
    const outcome = routine.cancel('now')
    await clock.advance(20)
    expect(await outcome).toMatchObject({ status: 'cancelled', reason: 'now', killed: false })
  })

  test('is fenced off once it was given up on', async () => {
    const { local, clock } = makeTree({}, mode)
    const body = gate()
    let tryLater: () => unknown = () => undefined
    const routine = local.spawn(
      'deaf',
      (context) => {
        const { local: home } = context
        tryLater = () => home.spawn('late', () => 1)
        return body.promise
      },
      { shutdown: 0 },
    )
    await settle()
    void routine.cancel()
    await clock.advance(0)
    expect(routine.state).toBe('cancelled')
    expect(() => tryLater()).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
  })

  test('exit() ends it with an OTP reason', async () => {
    const { local } = makeTree({}, mode)
    expect(await local.spawn('x', ({ exit }) => exit('shutdown')).outcome).toEqual({
      status: 'cancelled',
      reason: 'shutdown',
      killed: false,
    })
    expect(await local.spawn('x', (c) => c.exit({ shutdown: 1 }), { restart: 'transient' }).outcome).toMatchObject({
      status: 'cancelled',
      reason: { shutdown: 1 },
    })
    expect(await local.spawn('x', (c) => c.exit('killed')).outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_FAILED' } })
  })

  test('start runs inside spawn; a throw is a failed start, ignore an end without a run', async () => {
    const { local, global } = makeTree({ maxRoutines: 1 }, mode)
    let ran = 0
    const body = () => void ran++
    const other = local.spawn('x', body, {
      start: () => {
        throw new Error('no')
      },
      restart: 'transient',
    })
    expect(other.state).toBe('failed')
    expect(await other.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_START', cause: { message: 'no' } } })
    const ignored = local.spawn('x', body, { start: () => ignore })
    expect(await ignored.outcome).toMatchObject({ status: 'cancelled', reason: ignore })
    expect(ran).toBe(0)
    expect(local.count).toBe(0)
    expect(global.metrics().running).toBe(0)
  })

  test('whose start asks to be ignored is not started again, whatever its restart type says', async () => {
    const { local } = makeTree({}, mode)
    for (const when of [1, 2]) {
      const starts: number[] = []
      const start = ({ incarnation }: { incarnation: number }): typeof ignore | undefined => {
        starts.push(incarnation)
        return incarnation === when ? ignore : undefined
      }
      const ignored = local.spawn('x', () => 5, { restart: 'permanent', start })
      expect(await ignored.outcome).toMatchObject({ status: 'cancelled', reason: ignore })
      expect(starts).toEqual([1, 2].slice(0, when))
    }
    expect([local.state, local.incarnation]).toEqual(['running', 1])
  })

  test('who holds its actor may tell it to stop, and that is for good', async () => {
    const { local } = makeTree({}, mode)
    for (const type of ['cancel', 'kill'] as const) {
      const told = local.spawn('x', untilTold, { restart: 'permanent' })
      await settle()
      told.actor.send({ type })
      expect(await told.outcome).toMatchObject({ status: 'cancelled', killed: type === 'kill' })
      expect(told.incarnation).toBe(1)
    }
  })

  test('a signal of the options cancels it, and one that is aborted already does so at once', async () => {
    const { local } = makeTree({}, mode)
    const controller = new AbortController()
    const routine = local.spawn('x', untilTold, { signal: controller.signal })
    await settle()
    controller.abort('bye')
    expect(await routine.outcome).toMatchObject({ status: 'cancelled', reason: 'bye', killed: false })
    const late = local.spawn('x', untilTold, { signal: controller.signal })
    expect(await late.outcome).toMatchObject({ status: 'cancelled', reason: 'bye' })
  })

  test('that ends at the first event of its life is bound to no signal', () => {
    const { local } = makeTree({}, mode)
    local.on('routine.spawned', ({ id }) => void local.routine(id)?.cancel())
    const { signal } = new AbortController()
    expect(local.spawn('x', untilTold, { signal }).state).toBe('cancelled')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  test('whose id is taken is refused, with the path of its manager', () => {
    const { local } = makeTree({}, mode)
    local.spawn('x', untilTold, { id: 'one' })
    expect(() => local.spawn('y', untilTold, { id: 'one' })).toThrow(
      expect.objectContaining({ code: 'ERR_EXISTS', path: 'g/a/l', message: 'g/a/l has a routine with the id one' }),
    )
    expect([local.count, local.countOf('y')]).toEqual([1, 0])
  })

  test('has no heartbeat to judge before it runs', () => {
    const { local } = makeTree({}, mode)
    local.spawn('x', untilTold, { hungAfter: 100 })
    expect(local.health()).toMatchObject({ status: 'healthy', hung: 0, oldestHeartbeat: undefined })
  })

  test.each([
    ['a machine', createMachine({ on: { tick: {} } })],
    ['a transition', fromTransition((n: number) => n + 1, 0)],
    ['a callback', fromCallback(({ receive }) => receive(() => undefined))],
  ] as const)('events that %s handles are signs of life', async (_, work) => {
    const { local, clock, story } = makeTree({}, mode)
    const routine = local.spawn('x', work as AnyActorLogic, { hungAfter: 100 })
    for (let i = 0; i < 10; i++) {
      await clock.advance(60)
      routine.send({ type: 'tick' })
    }
    expect([story(/hung/), routine.state]).toEqual([[], 'running'])
    await clock.advance(100)
    expect(story(/hung/)).toHaveLength(1)
    routine.send({ type: 'tick' })
    expect(story(/revived/)).toHaveLength(1)
    await routine.cancel()
  })

  test('that is heard again after it was hung says so, each time it was', async () => {
    const { local, clock, events } = makeTree({}, mode)
    let beat: () => void = () => undefined
    local.spawn(
      'x',
      (context) => {
        beat = context.heartbeat
        return untilTold(context)
      },
      { hungAfter: 100 },
    )
    await settle()
    beat()
    await clock.advance(130)
    expect(local.health().status).toBe('hung')
    beat()
    expect(local.health().status).toBe('healthy')
    beat()
    await clock.advance(100)
    beat()
    const heard = events.flatMap((event) => ('silence' in event ? [`${event.type} ${event.silence}`] : []))
    expect(heard).toEqual(['routine.hung 100', 'routine.revived 130', 'routine.hung 100', 'routine.revived 100'])
    const [hung, revived] = events.filter(({ type }) => type === 'routine.hung' || type === 'routine.revived')
    expect(revived?.cause).toBe(hung?.seq)
  })

  test.each(['restart', 'kill'] as const)('that is hung and ended for that has not come to life: onHung %s', async (onHung) => {
    for (const resume of ['fresh', 'snapshot'] as const) {
      const { local, clock, story } = makeTree({}, mode)
      local.spawn('x', createMachine({}), { restart: 'transient', hungAfter: 50, onHung, resume })
      await clock.advance(60)
      const rest = onHung === 'kill' ? ['killed'] : ['failed', 'restarted', 'started']
      expect(story(/^routine/).map((line) => line.slice(8, -8))).toEqual(['spawned', 'started', 'hung', ...rest])
      await local.shutdown()
    }
  })

  test('that has ended is no orphan, and its heartbeat is nobody’s any more', async () => {
    const { local, global } = makeTree({}, mode)
    await local.spawn('x', () => 1, { hungAfter: 100 }).outcome
    expect(global.metrics().orphaned).toBe(0)
    expect(local.health().oldestHeartbeat).toBeUndefined()
  })

  test('whose first run is an orphan tells which run it was that has settled', async () => {
    const { local, clock, events } = makeTree({}, mode)
    const body = gate<unknown>()
    local.spawn('x', (context) => (context.incarnation === 1 ? body.promise : untilTold(context)), {
      restart: 'permanent',
      timeout: 10,
      shutdown: 5,
    })
    await clock.advance(15)
    body.resolve('late')
    await settle()
    expect(events.filter(({ type }) => type === 'routine.settled')).toMatchObject([{ incarnation: 1 }])
  })

  test('C1: an orphan starts nothing any more, whenever it took the means to out of its context', async () => {
    const { local } = makeTree({}, mode)
    const end = gate()
    const said: unknown[] = []
    const body = async ({ local: own }: RoutineContext): Promise<void> => {
      const { spawn, startChild } = own
      expect(spawn('y', () => 1).name).toBe('y')
      await end.promise
      for (const act of [() => spawn('z', () => 1), () => own.spawn('z', () => 1), () => startChild(routine('c', untilTold))])
        try {
          void act()
        } catch (error) {
          said.push((error as { code: string }).code)
        }
    }
    const orphan = local.spawn('x', body)
    await settle()
    await orphan.kill()
    end.resolve()
    await settle()
    expect(said).toEqual(['ERR_NOT_ACCEPTING', 'ERR_NOT_ACCEPTING', 'ERR_NOT_ACCEPTING'])
    expect([local.metrics().spawned, local.count]).toEqual([2, 0])
  })

  test('a handle reads as what it stands for: in a log, as JSON, as a string', async () => {
    const { global, local } = makeTree({}, mode)
    const routine = local.spawn('x', untilTold)
    await settle()
    expect([String(routine), String(local)]).toEqual([routine.path, 'g/a/l'])
    expect(JSON.parse(JSON.stringify({ routine, global }))).toEqual({
      routine: { path: routine.path, state: 'running', incarnation: 1 },
      global: { path: 'g', state: 'running', incarnation: 1 },
    })
    expect([inspect(routine), inspect(local)]).toEqual([`Routine ${routine.path} (running, incarnation 1)`, 'LocalManager g/a/l (running)'])
  })

  test('of those that are retained under one id, the latest is found', async () => {
    const { local } = makeTree({ retain: 3 }, mode)
    for (const input of [1, 2, 3, 4, 5]) {
      const run = local.spawn('job', (context) => context.input, { id: 'job', input })
      await run.outcome
      expect(await local.routine('job')?.outcome).toEqual({ status: 'completed', output: input })
    }
    expect(local.retained()).toHaveLength(3)
  })

  test('result() takes a timeout and a signal, and the routine goes on', async () => {
    const { local, clock } = makeTree({}, mode)
    const routine = local.spawn('x', untilTold)
    const timed = routine.result({ timeout: 10 })
    const controller = new AbortController()
    const aborted = routine.result({ signal: controller.signal })
    const checks = [expect(timed).rejects.toMatchObject({ code: 'ERR_TIMEOUT' }), expect(aborted).rejects.toBe('why')]
    controller.abort('why')
    await clock.advance(10)
    await Promise.all(checks)
    expect(routine.state).toBe('running')
  })

  describe('of actor logic', () => {
    test('completes with the output of promise, machine, callback and observable logic', async () => {
      const { local } = makeTree({}, mode)
      const promise = local.spawn(
        'p',
        fromPromise(async ({ input }: { input: number }) => input + 1),
        { input: 1 },
      )
      expect(await promise.result()).toBe(2)
      const machine = setup({ types: { output: {} as number } }).createMachine({
        initial: 'a',
        states: { a: { on: { go: 'b' } }, b: { type: 'final' } },
        output: 42,
      })
      const run = local.spawn('m', machine)
      await settle()
      run.send({ type: 'go' })
      expect(await run.result()).toBe(42)
    })

    test('is stopped by a cancel, which it always obeys', async () => {
      const { local } = makeTree({}, mode)
      let cleaned = false
      const routine = local.spawn(
        'c',
        fromCallback(() => () => {
          cleaned = true
        }),
      )
      await settle()
      expect(routine.work?.getSnapshot().status).toBe('active')
      expect(await routine.cancel('x')).toEqual({ status: 'cancelled', reason: 'x', killed: false })
      expect(cleaned).toBe(true)
    })

    test('fails alone when its own action throws, and its children are stopped', async () => {
      const { local, events } = makeTree({}, mode)
      let stopped = false
      const child = fromCallback(() => () => {
        stopped = true
      })
      const machine = setup({ actors: { child } }).createMachine({
        invoke: { src: 'child', id: 'child' },
        on: {
          boom: {
            actions: () => {
              throw new Error('boom')
            },
          },
        },
      })
      const sibling = local.spawn('sibling', untilTold)
      const routine = local.spawn('m', machine)
      await settle()
      routine.send({ type: 'boom' })
      expect(await routine.outcome).toMatchObject({ status: 'failed', error: { message: 'boom' } })
      expect(stopped).toBe(true)
      expect(sibling.state).toBe('running')
      expect(events.some((event) => event.type === 'routine.failed')).toBe(true)
    })

    test('that throws at creation fails and leaves nothing behind', async () => {
      const { local } = makeTree({ maxRoutines: 1 }, mode)
      const broken = createMachine({
        context: () => {
          throw new Error('no context')
        },
      })
      expect(await local.spawn('m', broken).outcome).toMatchObject({ status: 'failed', error: { message: 'no context' } })
      expect(local.count).toBe(0)
      expect(local.routines()).toEqual([])
    })

    test('is restarted as a new actor of its own', async () => {
      const { local } = makeTree({}, mode)
      let runs = 0
      const routine = local.spawn(
        'p',
        fromPromise(async () => {
          if (++runs < 3) throw new Error('again')
          return runs
        }),
        { restart: 'transient' },
      )
      const first = routine.actor
      expect(await routine.result()).toBe(3)
      expect(routine.actor).not.toBe(first)
      expect(first.getSnapshot().value).toBe('failed')
      expect(routine.incarnation).toBe(3)
    })

    test('takes transition logic, with what it is sent', async () => {
      const { local } = makeTree({}, mode)
      const routine = local.spawn(
        't',
        fromTransition((count: number, _event: { type: 'more' }) => count + 1, 0),
      )
      await settle()
      routine.send({ type: 'more' })
      routine.send({ type: 'more' })
      expect(routine.work?.getSnapshot().context).toBe(2)
      await routine.cancel()
      void [assign, fromObservable, sendTo]
    })
  })
})
