/** A restart of actor logic goes on where it was: `resume: 'snapshot'`. */
import { describe, expect, test } from 'vitest'
import { type AnyStateMachine, assign, createMachine, fromPromise, fromTransition, setup } from 'xstate'
import { ConfigError, type LifecycleEvent, type Routine, routine } from 'curtaincall'
import { makeTree } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const counterMachine = setup({
  types: {
    context: {} as { count: number },
    events: {} as { type: 'add' } | { type: 'crash' } | { type: 'poison' },
    input: {} as { from: number },
  },
}).createMachine({
  context: ({ input }) => ({ count: input.from }),
  initial: 'counting',
  states: {
    counting: {
      on: {
        add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
        crash: {
          actions: [
            assign({ count: 1_000 }),
            () => {
              throw new Error('crash')
            },
          ],
        },
        poison: 'poisoned',
      },
    },
    poisoned: {
      after: {
        10: {
          actions: () => {
            throw new Error('poisoned')
          },
        },
      },
    },
  },
})

type Counting = Routine<
  unknown,
  { type: 'add' } | { type: 'crash' } | { type: 'poison' },
  unknown,
  { getSnapshot(): { context: { count: number }; value: unknown } } | undefined
>

describe('it goes on from the last step before the crash', () => {
  test.each(['spawned', 'child'] as const)('%s: with its state and context, not with those of the step that failed', async (kind) => {
    const options = { input: { from: 5 }, resume: 'snapshot', restart: 'permanent' } as const
    const { local } = makeTree({ children: kind === 'child' ? [routine('counter', counterMachine, options)] : [] })
    const counter = (kind === 'child' ? local.routine('counter') : local.spawn('counter', counterMachine, options)) as unknown as Counting
    await settle()
    counter.send({ type: 'add' })
    counter.send({ type: 'add' })
    counter.send({ type: 'crash' })
    await settle()
    expect([counter.incarnation, counter.work?.getSnapshot().context.count]).toEqual([2, 7])
    counter.send({ type: 'add' })
    counter.send({ type: 'crash' })
    await settle()
    expect([counter.incarnation, counter.work?.getSnapshot().context.count]).toEqual([3, 8])
  })

  test("'fresh' begins at the input", async () => {
    const { local } = makeTree()
    const counter = local.spawn('counter', counterMachine, { input: { from: 5 }, restart: 'permanent' })
    await settle()
    counter.send({ type: 'add' })
    counter.send({ type: 'crash' })
    await settle()
    expect(counter.work?.getSnapshot().context.count).toBe(5)
  })

  test('a delay runs on for what is left of it, and fires once', async () => {
    const fired: number[] = []
    const { clock, local } = makeTree()
    const machine = setup({ types: { events: {} as { type: 'crash' } } }).createMachine({
      initial: 'waiting',
      on: {
        crash: {
          actions: () => {
            throw new Error('x')
          },
        },
      },
      states: { waiting: { after: { 100: { target: 'done', actions: () => fired.push(clock.now()) } } }, done: {} },
    })
    const begun = clock.now()
    const waiting = local.spawn('w', machine, { resume: 'snapshot', restart: 'permanent' })
    await clock.advance(60)
    waiting.send({ type: 'crash' })
    await clock.advance(39)
    expect(fired).toEqual([])
    await clock.advance(500)
    expect(fired).toEqual([begun + 100])
    expect(waiting.work?.getSnapshot().value).toBe('done')
    await clock.advance(500)
    expect(fired).toHaveLength(1)
  })

  test('a delay that was cancelled before the crash stays so', async () => {
    const { clock, local } = makeTree()
    const machine = setup({ types: { events: {} as { type: 'crash' } | { type: 'leave' } } }).createMachine({
      initial: 'waiting',
      on: {
        crash: {
          actions: () => {
            throw new Error('x')
          },
        },
      },
      states: { waiting: { after: { 100: 'late' }, on: { leave: 'away' } }, away: {}, late: {} },
    })
    const waiting = local.spawn('w', machine, { resume: 'snapshot', restart: 'permanent' })
    await clock.advance(10)
    waiting.send({ type: 'leave' })
    waiting.send({ type: 'crash' })
    await clock.advance(1_000)
    expect(waiting.work?.getSnapshot().value).toBe('away')
    expect(clock.pending).toBe(0)
  })

  test('an invoked promise that failed is invoked again', async () => {
    let calls = 0
    const machine = createMachine({
      initial: 'loading',
      states: {
        loading: {
          invoke: {
            src: fromPromise(async () => {
              if (++calls < 3) throw new Error('not yet')
              return calls
            }),
            onDone: 'loaded',
          },
        },
        loaded: { type: 'final' },
      },
    })
    const { local } = makeTree()
    const loading = local.spawn('l', machine, { resume: 'snapshot', restart: 'transient' })
    expect(await loading.outcome).toMatchObject({ status: 'completed' })
    expect([calls, loading.incarnation]).toEqual([3, 3])
  })

  test('one that has done its work begins anew: its end is nothing to go on with', async () => {
    const { local, clock } = makeTree({ maxRestarts: 3, restartWindow: 100 })
    const round = createMachine({ initial: 'working', states: { working: { after: { 50: 'done' } }, done: { type: 'final' } } })
    const rounds = local.spawn('rounds', round, { restart: 'permanent', resume: 'snapshot' })
    await clock.advance(50 * 10)
    expect([rounds.state, rounds.incarnation, local.state]).toEqual(['running', 11, 'running'])
  })

  test('any logic that XState can persist', async () => {
    const { local } = makeTree()
    const sum = fromTransition((state: number, event: { type: 'add'; n: number }) => {
      if (event.n < 0) throw new Error('negative')
      return state + event.n
    }, 0)
    const adding = local.spawn('s', sum, { resume: 'snapshot', restart: 'permanent' })
    await settle()
    adding.send({ type: 'add', n: 2 })
    adding.send({ type: 'add', n: -1 })
    adding.send({ type: 'add', n: 3 })
    await settle()
    expect(adding.work?.getSnapshot().context).toBe(5)
  })
})

describe('a snapshot that crashes at once', () => {
  test.each(['spawned', 'child'] as const)('%s: its fresh start waits as any restart does', async (kind) => {
    const options = { id: 'x', input: { from: 5 }, resume: 'snapshot', restart: 'permanent', backoff: { initial: 30 } } as const
    const { clock, local, events } = makeTree({ maxRestarts: 0 })
    if (kind === 'spawned') local.spawn('x', counterMachine, options)
    else await local.startChild(routine('x', counterMachine, options))
    await settle()
    local.routine('x')?.send({ type: 'crash' })
    await clock.advance(30)
    const delays = events.flatMap((event) => (event.type === 'routine.restarted' ? [event.delay] : []))
    expect([delays, local.routine('x')?.incarnation, local.state]).toEqual([[30], 2, 'running'])
    expect(events).toContainEqual(expect.objectContaining({ type: 'routine.failed', willRestart: true }))
  })

  test.each(['spawned', 'child'] as const)(
    '%s: is given up for one fresh start when the limit is reached, and then the supervisor gives up',
    async (kind) => {
      const options = { input: { from: 5 }, resume: 'snapshot', restart: 'permanent' } as const
      const children = kind === 'child' ? [routine('counter', counterMachine, options)] : []
      const said: string[] = []
      const note = (level: string) => (of: object, what?: string) =>
        void said.push(`${level}: ${what} ${String((of as { incarnation?: number }).incarnation)}`)
      const logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
      const { clock, local, events } = makeTree({ maxRestarts: 3, restart: 'temporary', children }, { logger })
      const counter = (kind === 'child' ? local.routine('counter') : local.spawn('counter', counterMachine, options)) as unknown as Counting
      await settle()
      counter.send({ type: 'poison' })
      await clock.advance(9)
      expect(counter.incarnation).toBe(1)
      await clock.advance(1)
      // Its delay is over, so that it crashes as soon as it is resumed: three times from the snapshot, then from the input.
      expect([counter.incarnation, counter.work?.getSnapshot()]).toMatchObject([5, { value: 'counting', context: { count: 5 } }])
      counter.send({ type: 'poison' })
      await clock.advance(10)
      expect(await local.outcome).toMatchObject({ trigger: 'limit' })
      expect(events.filter(({ type }: LifecycleEvent) => type === 'manager.gaveUp')).toHaveLength(1)
      // Who listens hears that its state is lost.
      expect(events.flatMap((event) => (event.type === 'routine.restarted' ? [event.resumed] : []))).toEqual([true, true, true, false])
      const failed = [1, 2, 3, 4].map((run) => `warn: routine failed ${run}`)
      const lost = 'warn: the limit is reached: its snapshot is given up, and it starts from its input 4'
      expect(said.filter((line) => line !== lost)).toEqual([...failed, 'error: routine failed 5', 'error: gave up undefined'])
      expect(said.filter((line) => line === lost)).toHaveLength(1)
    },
  )

  test('a function has no snapshot to resume from', () => {
    expect(() => makeTree().local.spawn('x', () => undefined, { resume: 'snapshot' } as never)).toThrow(ConfigError)
    expect(() => routine('x', () => undefined, { resume: 'snapshot' } as never)).toThrow(
      'routine option resume must be \'fresh\' where the work is a function; received "snapshot"',
    )
    expect(() => routine('x', createMachine({}) as AnyStateMachine, { resume: 'snapshot' })).not.toThrow()
  })
})
