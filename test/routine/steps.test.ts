/** The steps of one incarnation: their order, whoever looks in the middle of them, and what they throw. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMachine, fromCallback, fromPromise, fromTransition, type Snapshot } from 'xstate'
import { createGlobalManager, type LifecycleEvent, type Routine, routine, type RoutineContext } from 'curtaincall'
import { counter, deaf, makeTree, slowToStop, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const boom = new Error('boom')

const bodies = {
  returns: () => 1,
  throws: () => {
    throw boom
  },
  later: async () => 2,
  rejects: () => Promise.reject(boom),
  obeys: untilTold,
  throwsWhenTold: ({ signal }: RoutineContext) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(boom), { once: true })),
  deaf,
} satisfies Record<string, (context: RoutineContext) => unknown>

const HEARD = [
  'routine.spawned',
  'routine.started',
  'routine.completed',
  'routine.failed',
  'routine.cancelled',
  'routine.restarted',
] as const
const ACTS = ['cancel', 'kill', 'restart', 'exit', 'shutdown'] as const

interface Reaction {
  readonly to: (typeof HEARD)[number]
  readonly look: boolean
  readonly acts: readonly (typeof ACTS)[number][]
}

interface Script {
  readonly body: keyof typeof bodies | 'slow'
  readonly shutdown: number | 'brutal_kill'
  readonly restart: 'permanent' | 'temporary'
  readonly timeout: number | undefined
  readonly hungAfter: number | undefined
  readonly reactions: readonly Reaction[]
}

const scripts: fc.Arbitrary<Script> = fc.record({
  body: fc.constantFrom(...(Object.keys(bodies) as (keyof typeof bodies)[]), 'slow' as const),
  shutdown: fc.constantFrom<number | 'brutal_kill'>(0, 5, 20, 'brutal_kill'),
  restart: fc.constantFrom('permanent', 'temporary'),
  timeout: fc.constantFrom(undefined, 10),
  hungAfter: fc.constantFrom(undefined, 7),
  reactions: fc.array(
    fc.record({
      to: fc.constantFrom(...HEARD),
      look: fc.boolean(),
      acts: fc.array(fc.constantFrom(...ACTS), { minLength: 0, maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})

function react({ look, acts }: Reaction, routine: Routine, { global }: Tree): void {
  if (look) routine.actor.getSnapshot()
  for (const act of acts) {
    if (act === 'shutdown') void global.shutdown({ timeout: 50 })
    else if (act === 'exit') routine.exit(new Error('exit'))
    else if (act !== 'restart') void routine[act](act)
    else if (routine.state === 'pending' || routine.state === 'running') void routine.restart().catch(() => undefined)
  }
}

const plain = (_: string, value: unknown): unknown => (value instanceof Error ? value.message : value)

/** What happened, and what is left; each reaction happens once. */
async function play(script: Script, strict: boolean): Promise<string> {
  const tree = makeTree({ maxRestarts: 3 }, { strict, generateId: counter() })
  const { local, clock, events, global } = tree
  const { body, shutdown, restart, timeout, hungAfter, reactions } = script
  for (const reaction of reactions) {
    const off = local.on(reaction.to, (event: LifecycleEvent) => {
      const routine = 'id' in event ? local.routine(event.id) : undefined
      if (routine === undefined) return
      off()
      react(reaction, routine as Routine, tree)
    })
  }
  const work = body === 'slow' ? slowToStop(clock, 10) : bodies[body]
  const routine = local.spawn('x', work, { shutdown, restart, timeout, hungAfter })
  await clock.advance(100)
  void global.shutdown({ timeout: 50 })
  await clock.runOut()
  const { totals, killed, timedOut } = await global.outcome
  const { orphaned, contained } = global.metrics()
  expect([clock.pending, global.health().hung, body === 'deaf' || body === 'slow' ? 0 : orphaned]).toEqual([0, 0, 0])
  expect(orphaned).toBeGreaterThanOrEqual(0)
  return JSON.stringify([events, await routine.outcome, totals, killed, timedOut, contained], plain, 1)
}

test('I1, I3: whoever looks, or orders something, in the middle of a step: the same happens as with actors from birth', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (script) => {
      expect(await play(script, false)).toBe(await play(script, true))
    }),
    { numRuns: 1_000 },
  )
}, 30_000)

class Stubborn extends Promise<number> {
  // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
  override then(): never {
    throw new Error('no then')
  }
}

class Twice extends Promise<number> {
  // eslint-disable-next-line unicorn/no-thenable -- that is what is tested
  override then(keep: unknown): never {
    ;(keep as (value: number) => void)(1)
    ;(keep as (value: number) => void)(2)
    throw new Error('after all')
  }
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

describe.each([{ strict: false }, { strict: true }])('I4: a step that throws harms nobody else (strict: $strict)', (mode) => {
  /** Spawns it between two others, and shuts down. */
  async function beside(spawn: (tree: Tree) => Routine): Promise<Routine> {
    const tree = makeTree({}, mode)
    const { local, global, clock } = tree
    const before = local.spawn('before', untilTold)
    const routine = spawn(tree)
    const after = local.spawn('after', untilTold)
    await clock.advance(1_000)
    expect([before.state, after.state]).toEqual(['running', 'running'])
    void global.shutdown({ timeout: 100 })
    await clock.runOut()
    expect(await global.outcome).toMatchObject({ timedOut: false, orphaned: 0 })
    expect([clock.pending, global.count, global.metrics().orphaned]).toEqual([0, 0, 0])
    return routine
  }

  test.each([
    ['a promise whose `then` throws', () => new Stubborn(() => undefined), { status: 'failed', error: new Error('no then') }],
    ['a promise that answers twice', () => new Twice(() => undefined), { status: 'completed', output: 1 }],
  ])('%s', async (_, body, outcome) => {
    const routine = await beside(({ local }) => local.spawn('x', body as () => Promise<number>))
    expect(await routine.outcome).toEqual(outcome)
  })

  test('an error that throws at each question', async () => {
    const thrown = revoked()
    const body = (): never => {
      throw thrown
    }
    const routine = await beside(({ local }) => local.spawn('x', body, { restart: 'transient', restartIf: () => false }))
    const outcome = (await routine.outcome) as { status: string; error: unknown }
    expect([outcome.status, outcome.error === thrown]).toEqual(['failed', true])
    await expect(routine.result()).rejects.toMatchObject({ code: 'ERR_FAILED' })
  })

  const noChance = (): never => {
    throw new Error('no chance')
  }
  test.each([noChance, () => Number.NaN, () => 2, () => '0.5' as never])(
    'a source of chance that is none, %s: there is no jitter',
    async (random) => {
      const { local, global, clock, events } = makeTree({}, { ...mode, random })
      const body = ({ incarnation }: RoutineContext): number => {
        if (incarnation === 1) throw boom
        return incarnation
      }
      const routine = local.spawn('x', body, { restart: 'transient', backoff: { initial: 40, jitter: 0.5 } })
      await clock.advance(40)
      expect(await routine.outcome).toEqual({ status: 'completed', output: 2 })
      expect(events.find(({ type }) => type === 'routine.restarted')).toMatchObject({ delay: 40 })
      expect(global.metrics().contained).toBe(1)
    },
  )

  test.each(['oops', undefined, 5, null, []])('exit(%j) is a failure, and says what there is', async (reason) => {
    const bodies = {
      now: ({ exit }: RoutineContext) => exit(reason as never),
      later: async ({ exit }: RoutineContext) => exit(reason as never),
    }
    for (const body of Object.values(bodies)) {
      const routine = await beside(({ local }) => local.spawn('x', body))
      expect(await routine.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_CONFIG', option: 'reason' } })
    }
    const unstarted = await beside(({ local }) => local.spawn('x', untilTold, { start: ({ exit }) => exit(reason as never) }))
    expect(await unstarted.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_START', cause: { code: 'ERR_CONFIG' } } })
    const { local } = makeTree({}, mode)
    const routine = local.spawn('x', untilTold)
    await settle()
    expect(() => routine.exit(reason as never)).toThrow(
      "exit reason must be 'normal', 'shutdown', 'killed', an object {shutdown} or an Error",
    )
    expect(routine.state).toBe('running')
  })

  test('a step that cannot be persisted costs what came since the last one that could; that is said once for each run', async () => {
    const logic = fromTransition((count: number, event: { type: 'add' | 'crash' }) => {
      if (event.type === 'crash') throw boom
      return count + 1
    }, 0)
    logic.getPersistedSnapshot = (snapshot): Snapshot<unknown> => {
      if (snapshot.context % 2 === 1) throw new Error('not this one')
      return snapshot
    }
    const { local, global } = makeTree({}, mode)
    const routine = local.spawn('x', logic, { restart: 'permanent', resume: 'snapshot' })
    await settle()
    for (const type of ['add', 'add', 'crash'] as const) routine.send({ type })
    await settle()
    const seen = (): unknown[] => [routine.incarnation, routine.work?.getSnapshot().context, global.metrics().contained]
    expect(seen()).toEqual([2, 2, 1])
    for (const type of ['add', 'add', 'add', 'crash'] as const) routine.send({ type })
    await settle()
    // After 5 there was nothing to go on from.
    expect(seen()).toEqual([3, 0, 2])
  })

  test.each(['cancel', 'kill', 'exit', 'timeout', 'brutal_kill'] as const)(
    'what an actor throws while it is stopped is told, however it is stopped: %s',
    async (how) => {
      const logic = fromCallback(() => () => {
        throw boom
      })
      const { local, global, clock, events } = makeTree({}, mode)
      const routine = local.spawn('x', logic, how === 'timeout' ? { timeout: 5 } : how === 'brutal_kill' ? { shutdown: how } : {})
      await settle()
      if (how === 'exit') routine.exit('normal')
      else if (how === 'timeout') await clock.advance(5)
      else if (how === 'brutal_kill') void routine.cancel('enough')
      else void routine[how]('enough')
      const outcome = await routine.outcome
      expect(global.metrics().contained).toBe(1)
      if (outcome.status !== 'cancelled') return
      expect(outcome.error).toBe(boom)
      expect(events.find(({ type }) => type === 'routine.cancelled' || type === 'routine.killed')).toMatchObject(
        how === 'cancel' ? { error: boom } : {},
      )
    },
  )

  test('an error that a machine has handled long ago is not told again when it is stopped', async () => {
    const logic = createMachine({ invoke: { src: fromPromise(() => Promise.reject(boom)), onError: { actions: () => undefined } } })
    const { local, global } = makeTree({}, mode)
    const routine = local.spawn('x', logic)
    await settle()
    expect(await routine.cancel('enough')).toEqual({ status: 'cancelled', reason: 'enough', killed: false })
    expect([global.metrics().contained, (await global.shutdown()).errors]).toEqual([0, []])
  })

  test('logic may call something of its own children', async () => {
    let cleaned = 0
    const logic = fromTransition(
      (state: { children: object }, event: { type: string }) => {
        if (event.type === 'xstate.stop') cleaned++
        return state
      },
      { children: {} },
    )
    const { getInitialSnapshot, transition } = logic
    logic.getInitialSnapshot = (...args) => ({ ...getInitialSnapshot(...args), children: { alice: 'age 7', bob: null } }) as never
    logic.transition = (snapshot, event, scope) => {
      if ((event as { type: string }).type === 'xstate.stop') cleaned++
      return transition(snapshot, event, scope)
    }
    const { local, global } = makeTree({}, mode)
    const routine = local.spawn('x', logic)
    await settle()
    expect(await routine.cancel('enough')).toEqual({ status: 'cancelled', reason: 'enough', killed: false })
    expect([cleaned > 0, global.metrics().contained]).toEqual([true, 0])
  })

  test("another tree's failed start is a failure like any other", async () => {
    const other = createGlobalManager({
      children: [
        routine('db', deaf, {
          start: () => {
            throw boom
          },
        }),
      ],
    })
    const { local } = makeTree({}, mode)
    let runs = 0
    const body = async (): Promise<number> => {
      if (++runs < 3) await other.ready()
      return runs
    }
    expect(await local.spawn('x', body, { restart: 'transient' }).outcome).toEqual({ status: 'completed', output: 3 })
    runs = 0
    const once = local.spawn('y', body, { restart: 'transient', restartIf: (_, restarts) => restarts === 0 })
    expect(await once.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_START' } })
    expect(runs).toBe(2)
  })

  test('a routine may exit with the reason of a signal, and with any other error', async () => {
    class Odd extends Error {
      get [Symbol.toStringTag](): string {
        return 'Odd'
      }
    }
    for (const error of [AbortSignal.abort().reason as Error, new Odd('odd')]) {
      const { local } = makeTree({}, mode)
      const inside = local.spawn('x', ({ exit }) => exit(error))
      expect(await inside.outcome).toEqual({ status: 'failed', error })
      const outside = local.spawn('x', untilTold)
      await settle()
      expect(outside.exit(error)).toBe(true)
      expect(await outside.outcome).toEqual({ status: 'failed', error })
    }
  })

  test('what an actor throws while it is stopped, or a child of it, is told with its end', async () => {
    const quiet = createMachine({ invoke: { src: fromPromise(deaf) } })
    const callback = fromCallback(() => () => {
      throw boom
    })
    const invoking = createMachine({ invoke: { src: createMachine({ invoke: { src: callback } }) } })
    for (const [logic, error] of [
      [quiet, undefined],
      [callback, boom],
      [invoking, boom],
    ] as const) {
      const { local, global } = makeTree({}, mode)
      const routine = local.spawn('x', logic)
      await settle()
      expect(await routine.cancel('enough')).toEqual({ status: 'cancelled', reason: 'enough', killed: false, ...(error && { error }) })
      expect(global.metrics()).toMatchObject({ contained: error === undefined ? 0 : 1, orphaned: 0 })
      const killed = local.spawn('x', logic)
      await settle()
      expect(await killed.kill('now')).toMatchObject({ status: 'cancelled', reason: 'now' })
      expect(global.metrics().orphaned).toBe(0)
    }
  })
})
