/** Whoever is called in the middle of something, and acts: an inspection observer, a listener, an order that comes between two others. */
import { describe, expect, test } from 'vitest'
import { fromTransition, type InspectionEvent } from 'xstate'
import { type GlobalManager, type LocalManager, manager, type Routine, routine, type RoutineContext, SpawnRefusedError } from 'curtaincall'
import { makeTree, slowToStop, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const failing = ({ incarnation, signal }: RoutineContext): unknown => {
  if (incarnation > 1) return untilTold({ signal } as RoutineContext)
  throw new Error('boom')
}

/** Calls `act` as the actor of the second incarnation of `x` comes to be. */
function lookOn(act: (tree: Tree, x: Routine) => void): Tree {
  let born = 0
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.actor' || (event.actorRef as { id?: string }).id !== 'x' || ++born !== 2) return
    act(tree, tree.local.routine('x') as Routine)
  }
  const tree = makeTree({}, { inspect })
  return tree
}

describe.each(['spawned', 'child'] as const)('while the next incarnation is made (%s)', (kind) => {
  const start = async ({ local }: Tree, initial: number): Promise<void> => {
    const options = { id: 'x', restart: 'permanent', backoff: { initial } } as const
    if (kind === 'spawned') local.spawn('x', failing, options)
    else await local.startChild(routine('x', failing, options))
    await settle()
  }
  const lives = ({ story }: Tree): string[] => story(/^routine/).map((line) => line.split(/[. ]/)[1] as string)

  test.each([0, 300])('a cancel takes effect at once, with a delay of %i ms', async (initial) => {
    const tree = lookOn((_, x) => void x.cancel('from the observer'))
    await start(tree, initial)
    // By the time that the observer hears of it (T4), its supervisor has begun it: a child that has started is told while it runs.
    const began = kind === 'child' && initial === 0 ? ['started'] : []
    expect(lives(tree)).toEqual(['spawned', 'started', 'failed', 'restarted', ...began, 'cancelled'])
    expect([tree.clock.pending, tree.local.count]).toEqual([0, 0])
  })

  test('a shutdown leaves no timer behind, and nothing is told of what has ended', async () => {
    const tree = lookOn(({ global }) => void global.shutdown({ timeout: 500 }))
    await start(tree, 3_000)
    await settle()
    expect([tree.global.state, tree.clock.pending, tree.global.count]).toEqual(['completed', 0, 0])
    const told = lives(tree)
    expect(told.slice(0, 3)).toEqual(['spawned', 'started', 'failed'])
    expect(told.indexOf('restarted')).not.toBe(told.length - 1)
  })

  test('a shutdown by who hears that a message is dropped leaves no timer behind', async () => {
    const tree = makeTree()
    const { local, global, clock } = tree
    global.on('message.dropped', () => void global.shutdown())
    const options = { id: 'x', restart: 'permanent', backoff: { initial: 20_000 }, mailbox: { betweenIncarnations: 'drop' } } as const
    const body = (): Promise<never> => new Promise((_, reject) => clock.setTimeout(() => reject(new Error('boom')), 10))
    if (kind === 'spawned') local.spawn('x', body, options)
    else await local.startChild(routine('x', body, options))
    await settle()
    local.routine('x')?.send('hello' as never)
    await clock.advance(10)
    expect([global.state, clock.pending, lives(tree).at(-1)]).toEqual(['completed', 0, 'cancelled'])
  })
})

test('L1: an observer that spawns while a spawn takes its permit finds it taken', async () => {
  let refused: unknown
  const act = (local: LocalManager): void => {
    if (refused !== undefined) return
    refused = 'not yet'
    try {
      local.spawn('inner', untilTold)
    } catch (error) {
      refused = error
    }
  }
  let local: LocalManager | undefined
  const inspect = (event: InspectionEvent): void => {
    if (event.type === '@xstate.actor' && local !== undefined) act(local)
  }
  const tree = makeTree({ maxRoutines: 1 }, { inspect })
  local = tree.local
  local.spawn('outer', untilTold)
  await settle()
  expect(refused).toBeInstanceOf(SpawnRefusedError)
  expect([local.count, local.routines().map(({ name }) => name)]).toEqual([1, ['outer']])
})

test('L2: a child whose id is taken by what was spawned does not start, and gives its permit back', async () => {
  const { local } = makeTree({ maxRoutines: 2 })
  local.spawn('other', untilTold, { id: 'x' })
  expect(await local.startChild(routine('x', untilTold))).toMatchObject({ ok: false, error: 'start_failed' })
  expect([local.count, local.available]).toEqual([1, 1])
  expect(await local.startChild(routine('y', untilTold))).toMatchObject({ ok: true })
})

test('L2: an id that is taken gives the permit back', () => {
  const { local } = makeTree({ maxRoutines: 2 })
  local.spawn('x', untilTold, { id: 'a' })
  expect(() => local.spawn('x', untilTold, { id: 'a' })).toThrow('has a routine with the id a')
  expect([local.count, local.available]).toEqual([1, 1])
})

describe.each([{ strict: false }, { strict: true }])('strict: $strict', (mode) => {
  test('I1: what an actor is told directly, in the middle of a step, waits behind what waits already', async () => {
    const { local } = makeTree({}, mode)
    local.on('routine.started', () => {
      x.exit(new Error('first'))
      x.actor.send({ type: 'fail', error: new Error('second') })
    })
    const x = local.spawn('x', untilTold)
    expect(await x.outcome).toEqual({ status: 'failed', error: new Error('first') })
  })

  test('L1: a routine that exits in the queue stays in its place, and is prepared once, when it has its permit', async () => {
    const { local } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    let [starts, bodies] = [0, 0]
    const body = (context: RoutineContext): unknown => {
      bodies++
      return untilTold(context)
    }
    const first = local.spawn('a', untilTold)
    const options = { restart: 'permanent', backoff: { initial: 10 }, start: () => void starts++ } as const
    const queued = local.spawn('b', body, options)
    await settle()
    queued.exit('normal')
    await settle()
    expect([queued.state, queued.incarnation, local.queued, local.count, starts]).toEqual(['pending', 2, 1, 1, 0])
    await first.cancel()
    await settle()
    expect([queued.state, queued.incarnation, local.queued, local.count, starts, bodies]).toEqual(['running', 2, 0, 1, 1, 1])
  })

  test('a drain lets those run that were restarted in the queue', async () => {
    const { local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    local.spawn('a', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 10)))
    const queued = local.spawn('b', () => 'done', { restart: 'transient' })
    await settle()
    queued.exit(new Error('once'))
    void local.shutdown({ drain: 100 })
    await clock.advance(20)
    expect(await queued.outcome).toEqual({ status: 'completed', output: 'done' })
  })

  test('restart() by hand is free, also of one that is being restarted because it hung', async () => {
    const { local, clock, events } = makeTree({ maxRestarts: 0 }, mode)
    const body = (context: RoutineContext): unknown => (context.incarnation > 1 ? untilTold(context) : slowToStop(clock, 50)(context))
    const x = local.spawn('x', body, { hungAfter: 10, onHung: 'restart', shutdown: 1_000 })
    await clock.advance(20)
    const restarted = x.restart()
    await clock.advance(45)
    expect([await restarted, x.incarnation, local.state]).toEqual([true, 2, 'running'])
    expect(events.filter(({ type }) => type === 'manager.gaveUp')).toEqual([])
  })

  test('one that ran out of time, and is silent while it stops, is not run again for its silence', async () => {
    const { local, clock } = makeTree({}, mode)
    let runs = 0
    const body = (context: RoutineContext): unknown => {
      runs++
      return slowToStop(clock, 100)(context)
    }
    const x = local.spawn('x', body, { timeout: 10, hungAfter: 50, onHung: 'restart' })
    await clock.advance(200)
    expect([await x.outcome, runs]).toMatchObject([{ status: 'failed', error: { code: 'ERR_TIMEOUT' } }, 1])
  })
})

describe('terminateChild with a handle', () => {
  const missing = { ok: false, error: 'not_found' }
  const started = async (local: LocalManager, restart: 'temporary' | 'permanent' = 'temporary'): Promise<Routine> => {
    const answer = await local.startChild(routine('x', untilTold, { restart }))
    if (!answer.ok) throw new Error(answer.error)
    return answer.value as Routine
  }

  test('stops nobody who has followed it under the same id', async () => {
    const { local, global } = makeTree()
    const old = await started(local)
    await old.cancel()
    const next = await started(local)
    expect([await local.terminateChild(old), next.state]).toEqual([missing, 'running'])
    const app = global.getApp('a')
    const first = await app?.startChild(manager('m'))
    await app?.terminateChild('m')
    await app?.deleteChild('m')
    const second = await app?.startChild(manager('m'))
    if (first?.ok !== true || second?.ok !== true) throw new Error('not started')
    expect(await app?.terminateChild(first.value as LocalManager)).toEqual(missing)
    expect(second.value?.state).toBe('running')
    await app?.terminateChild('m')
    const third = await app?.restartChild('m')
    expect(await app?.terminateChild(second.value as LocalManager)).toEqual(missing)
    expect(third).toMatchObject({ ok: true, value: { state: 'running' } })
  })

  test('stops nobody who follows it while the call waits for its turn', async () => {
    const { local, clock } = makeTree({ strategy: 'one_for_all' })
    const body = (context: RoutineContext): unknown => slowToStop(clock, 30)(context)
    for (const name of ['a', 'b']) await local.startChild(routine(name, body))
    const [a, b] = local.routines() as [Routine, Routine]
    await settle()
    b.exit(new Error('boom'))
    const answer = local.terminateChild(a)
    await clock.advance(30)
    expect(await answer).toEqual(missing)
    expect(local.routinesNamed('a').map(({ state, incarnation }) => [state, incarnation])).toEqual([['running', 2]])
  })

  test('takes the manager that a context has', async () => {
    const { global } = makeTree({}, {}) as { global: GlobalManager }
    const app = global.createApp('b', { children: [manager('jobs')] })
    await app.ready()
    let own: LocalManager | undefined
    const jobs = app.getLocal('jobs')
    jobs?.spawn('x', (context) => {
      own = context.local
      return untilTold(context)
    })
    await settle()
    expect(await app.terminateChild(own as LocalManager)).toEqual({ ok: true, value: undefined })
    expect(jobs?.state).toBe('completed')
  })
})

describe('a shutdown by who looks on while an actor is made', () => {
  const endsWell = async ({ global, clock }: Tree, done: Promise<unknown> | undefined, mode: string): Promise<void> => {
    await clock.runOut()
    await settle()
    await done
    expect([global.state, global.count, clock.pending, global.metrics().contained]).toEqual([
      mode === 'immediate' ? 'cancelled' : 'completed',
      0,
      0,
      0,
    ])
  }
  /** Shuts the tree down as the actor of this name comes to be for the so-many-th time. */
  const shutsDown = (id: string, time: number, mode: 'graceful' | 'immediate') => {
    let born = 0
    const seen: { done?: Promise<unknown>; state?: string } = {}
    const tree = makeTree(
      {},
      {
        inspect: (event: InspectionEvent) => {
          if (event.type !== '@xstate.actor' || (event.actorRef as { id?: string }).id !== id || ++born !== time) return
          seen.state = (tree.global.getApp(id) ?? tree.local).state
          seen.done = tree.global.shutdown({ mode })
        },
      },
    )
    return { tree, seen }
  }

  test.each(['graceful', 'immediate'] as const)('of a manager: it ends before it begins (%s)', async (mode) => {
    const { tree, seen } = shutsDown('b', 1, mode)
    let started = 0
    const app = tree.global.createApp('b', { start: () => void started++, children: [routine('x', untilTold)] })
    await endsWell(tree, seen.done, mode)
    expect([seen.state, started, app.state === 'running']).toEqual(['pending', 0, false])
    expect(tree.story(/^routine/)).toEqual([])
  })

  test.each(['graceful', 'immediate'] as const)('of the next life of a manager (%s)', async (mode) => {
    const { tree, seen } = shutsDown('b', 2, mode)
    const app = tree.global.createApp('b', { maxRestarts: 0, children: [routine('x', () => Promise.reject(new Error('boom')))] })
    await settle()
    await endsWell(tree, seen.done, mode)
    // Its children have started by the time that the observer hears of it (T4).
    expect([seen.state, app.incarnation]).toEqual(['running', 2])
  })

  test.each(['graceful', 'immediate'] as const)(
    'L2: of a child: its permit is given back once, and it begins, if only to be told (%s)',
    async (mode) => {
      const { tree, seen } = shutsDown('x', 1, mode)
      let ran = 0
      tree.global.createApp('b', { children: [routine('x', () => void ran++)] })
      await endsWell(tree, seen.done, mode)
      expect(ran).toBe(1)
      expect(tree.story(/^routine.*x$/)).toEqual(['routine.spawned g/b/x', 'routine.started g/b/x', 'routine.completed g/b/x'])
    },
  )

  test.each(['graceful', 'immediate'] as const)('L2: of one that is spawned: the same (%s)', async (mode) => {
    const { tree, seen } = shutsDown('x', 1, mode)
    let ran = 0
    const logic = fromTransition((state: number) => state + ++ran, 0)
    const spawned = tree.local.spawn('x', logic, { id: 'x', restart: 'permanent' })
    expect(await spawned.outcome).toMatchObject({ status: 'cancelled' })
    await endsWell(tree, seen.done, mode)
    expect(spawned.startedAt).toBeUndefined()
  })
})

test('a logger that shuts down what has failed to start gets the report of that', async () => {
  let done: Promise<unknown> | undefined
  const error = (_: object, message?: string): void => {
    if (message === 'not started') done = tree.global.getApp('b')?.shutdown()
  }
  const silent = (): void => undefined
  const tree: Tree = makeTree({}, { logger: { debug: silent, info: silent, warn: silent, error } })
  const broken = routine('x', untilTold, {
    start: () => {
      throw new Error('no')
    },
  })
  const app = tree.global.createApp('b', { children: [broken] })
  await settle()
  expect(await done).toBe(await app.outcome)
  expect(await app.outcome).toMatchObject({ trigger: 'start_failed', errors: [{ path: 'g/b', error: { code: 'ERR_START' } }] })
  expect(tree.clock.pending).toBe(0)
  await expect(app.ready()).rejects.toMatchObject({ code: 'ERR_START' })
})
