/** Children as data: order, rollback, handles, permits, and what of the library meets OTP's rules. */
import { describe, expect, test, vi } from 'vitest'
import {
  ConfigError,
  createGlobalManager,
  ignore,
  type LifecycleEvent,
  type LocalManager,
  manager,
  NotRunningError,
  type Routine,
  type RoutineContext,
  RoutineTimeoutError,
  routine,
  StartFailedError,
} from 'curtaincall'
import { counter, deaf, gate, makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle, VirtualClock } from '../support/virtual-clock.ts'

const clockOptions = () => ({ clock: new VirtualClock(), generateId: counter(), random: () => 0.5, name: 'g' })

/** What happened to managers and routines, in order. */
function storyOf(events: readonly LifecycleEvent[], filter: RegExp): string[] {
  return events.map(({ type, path }) => `${type} ${path.replace(/#.*/, '')}`).filter((line) => filter.test(line))
}

describe('a whole tree is one expression', () => {
  test('it starts in order, is there at once, and stops in reverse order', async () => {
    const order: string[] = []
    const service = (name: string) =>
      routine(name, untilTold, {
        start: () => {
          order.push(name)
        },
      })
    const options = clockOptions()
    await using global = createGlobalManager({
      ...options,
      children: [
        manager('api', { children: [service('db'), manager('jobs', { children: [service('mailer')] }), service('web')] }),
        service('clock'),
      ],
    })
    expect(order).toEqual(['db', 'mailer', 'web', 'clock'])
    await global.ready()
    expect(global.state).toBe('running')
    const jobs = global.getApp('api')?.getLocal('jobs') as LocalManager
    expect(jobs.path).toBe('g/api/jobs')
    expect(jobs.routine('mailer')?.path).toBe('g/api/jobs/mailer#mailer')
    await settle()
    expect(global.routines().map(({ name, state }) => [name, state])).toEqual([
      ['clock', 'running'],
      ['db', 'running'],
      ['web', 'running'],
      ['mailer', 'running'],
    ])
    const report = await global.shutdown()
    expect(report.routines.map(({ path }) => path.split('#')[1])).toEqual(['clock', 'web', 'mailer', 'db'])
    expect(global.routines()).toEqual([])
  })

  test('children stop one by one, and after what was spawned', async () => {
    const { clock, local, events } = makeTree({
      children: [routine('a', untilTold), routine('b', ({ signal }) => slowToStop(clock, 30)({ signal } as RoutineContext))],
    })
    local.spawn('work', (context) => slowToStop(clock, 20)(context))
    await settle()
    const done = local.shutdown()
    await clock.advance(19)
    expect(storyOf(events, /cancelled/)).toEqual([])
    await clock.advance(30)
    expect(storyOf(events, /cancelled/)).toEqual(['routine.cancelled g/a/l/work'])
    await clock.runOut()
    await done
    expect(storyOf(events, /cancelled/)).toEqual(['routine.cancelled g/a/l/work', 'routine.cancelled g/a/l/b', 'routine.cancelled g/a/l/a'])
  })

  test('D3: after a child has gone for good, those that are left still come after what was spawned', async () => {
    const { clock, local } = makeTree({ children: [routine('a', untilTold), routine('b', untilTold)] })
    await local.terminateChild('a')
    local.spawn('work', (context) => slowToStop(clock, 20)(context))
    await settle()
    const done = local.shutdown()
    await clock.advance(19)
    expect(local.routine('b')?.state).toBe('running')
    await clock.runOut()
    expect((await done).routines.map(({ path }) => path.replace(/.*\/|#.*/g, ''))).toEqual(['work', 'b'])
  })

  test('a value can be put into any number of trees', async () => {
    const tree = manager('x', { children: [routine('y', untilTold)] })
    const one = createGlobalManager({ ...clockOptions(), children: [tree] })
    const two = createGlobalManager({ ...clockOptions(), children: [tree] })
    expect(one.routine('y')).not.toBe(two.routine('y'))
    await Promise.all([one.shutdown(), two.shutdown()])
  })
})

describe('a start that fails', () => {
  const broken = routine('broken', deaf, {
    start: () => {
      throw new Error('no disk')
    },
  })

  test('is rolled back in reverse, ends as failed, and ready() says which path', async () => {
    const events: LifecycleEvent[] = []
    const options = clockOptions()
    const global = createGlobalManager({
      ...options,
      children: [manager('api', { children: [routine('a', untilTold), routine('b', untilTold), manager('deep', { children: [broken] })] })],
    })
    global.on('*', (event) => events.push(event))
    const error: unknown = await global.ready().catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(StartFailedError)
    expect((error as StartFailedError).path).toBe('g/api/deep/broken#broken')
    expect((error as StartFailedError).message).toContain('g/api/deep/broken#broken')
    expect((error as Error).cause).toEqual(new Error('no disk'))
    expect(global.state).toBe('failed')
    expect(storyOf(events, /cancelled|stopped/)).toEqual([
      'manager.stopped g/api/deep',
      'routine.cancelled g/api/b',
      'routine.cancelled g/api/a',
      'manager.stopped g/api',
      'manager.stopped g',
    ])
    expect((await global.outcome).trigger).toBe('start_failed')
    expect(options.clock.pending).toBe(0)
  })

  test('of a local manager that is made by hand leaves its parent as it was', async () => {
    const { global } = makeTree()
    const app = global.getApp('a')
    const local = app?.createLocal('x', { children: [routine('a', untilTold), broken] }) as LocalManager
    await expect(local.ready()).rejects.toThrow(StartFailedError)
    expect(local.state).toBe('failed')
    expect(app?.getLocal('x')).toBeUndefined()
    expect(app?.state).toBe('running')
  })

  test('nobody needs to await ready()', async () => {
    const unhandled = vi.fn<(error: unknown) => void>()
    process.on('unhandledRejection', unhandled)
    const global = createGlobalManager({ ...clockOptions(), children: [broken] })
    void global.ready()
    await global.outcome
    await settle()
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('the start of a manager itself may fail, or ask to be ignored', async () => {
    const { local } = makeTree()
    const failing = await local.startChild(
      manager('x', {
        start: () => {
          throw new Error('no')
        },
        children: [routine('never', deaf)],
      }),
    )
    expect(failing).toMatchObject({ ok: false, error: 'start_failed', cause: { path: 'g/a/l/x' } })
    expect(await local.startChild(manager('y', { start: () => ignore, restart: 'temporary' }))).toEqual({ ok: true, value: undefined })
    expect(local.locals()).toEqual([])
    expect(await local.countChildren()).toEqual({ ok: true, value: { specs: 0, active: 0, supervisors: 0, workers: 0 } })
  })

  test('ready() waits no longer than it is told to, nor for what has ended', async () => {
    const held = gate()
    const { clock, global } = makeTree()
    const app = global.createApp('b', { children: [routine('slow', () => held.promise, { shutdown: 50 }), broken] })
    const waiting = app.ready({ timeout: 10 })
    const expired = expect(waiting).rejects.toThrow(RoutineTimeoutError)
    await clock.advance(10)
    await expired
    await clock.runOut()
    await expect(app.ready()).rejects.toThrow(StartFailedError)
    const other = global.createApp('c')
    await other.ready()
    const stopping = other.shutdown()
    const late = expect(other.ready()).rejects.toThrow(NotRunningError)
    await stopping
    await late
    await expect(other.ready()).rejects.toThrow(NotRunningError)
    held.resolve()
  })

  test('ready() of a manager that gave up is rejected; of one that is restarted it waits for the next life', async () => {
    const held = gate()
    const { global } = makeTree()
    const app = global.createApp('b', {
      children: [manager('l', { children: [routine('fails', () => Promise.reject(new Error('no database')))], maxRestarts: 0 })],
      maxRestarts: 1,
    })
    const [local] = app.locals()
    await app.outcome
    await expect(app.ready()).rejects.toThrow(NotRunningError)
    await expect(local?.ready()).rejects.toThrow(NotRunningError)
    let lives = 0
    const children = [routine('fails', () => (lives === 1 ? Promise.reject(new Error('once')) : held.promise), { shutdown: 0 })]
    const other = makeTree().global.createApp('c', { children: [manager('l', { start: () => void lives++, children, maxRestarts: 0 })] })
    const [again] = other.locals()
    const stopping = new Promise((resolve) => again?.on('manager.gaveUp', resolve))
    await stopping
    await expect(again?.ready()).resolves.toBeUndefined()
    expect([lives, again?.state]).toEqual([2, 'running'])
    held.resolve()
  })

  test('a shutdown from inside a start is a shutdown, and the body runs to release what was acquired', async () => {
    const body = vi.fn<typeof untilTold>(untilTold)
    let global: ReturnType<typeof createGlobalManager> | undefined
    const tree = createGlobalManager({ ...clockOptions() })
    global = tree
    const app = tree.createApp('x', {
      children: [
        routine('a', untilTold),
        routine('b', body, {
          start: () => {
            void global?.shutdown()
          },
        }),
        routine('c', deaf),
      ],
    })
    await expect(app.ready()).rejects.toThrow(NotRunningError)
    const report = await tree.outcome
    expect(report.routines.map(({ path, outcome }) => [path, outcome])).toEqual([
      ['g/x/b#b', 'cancelled'],
      ['g/x/a#a', 'cancelled'],
    ])
    expect(body).toHaveBeenCalledOnce()
  })
})

describe('handles', () => {
  const crasher = async ({ messages }: RoutineContext<undefined, string>) => {
    for await (const { message } of messages) throw new Error(message)
  }

  test('a crash goes on with the same routine, a group restart makes a new one with the next number', async () => {
    const { local } = makeTree({ strategy: 'one_for_all', children: [routine('a', crasher), routine('b', untilTold)] })
    await settle()
    const [a, b] = ['a', 'b'].map((id) => local.routine(id)) as [Routine<unknown, string>, Routine]
    a.send('x')
    await settle()
    expect(local.routine('a')).toBe(a)
    expect([a.incarnation, a.restarts, a.state]).toEqual([2, 1, 'running'])
    expect(await b.outcome).toMatchObject({ status: 'cancelled', killed: false })
    expect(local.routine('b')).not.toBe(b)
    expect(local.routine('b')).toMatchObject({ incarnation: 2, restarts: 0, state: 'running' })
  })

  test('cancel, kill and restart of a child are calls to its supervisor', async () => {
    const { local, events } = makeTree({
      strategy: 'one_for_all',
      maxRestarts: 0,
      children: [routine('a', untilTold), routine('b', untilTold)],
    })
    await settle()
    const a = local.routine('a') as Routine
    expect(await a.restart()).toBe(true)
    expect(a.incarnation).toBe(2)
    expect(await a.cancel()).toMatchObject({ status: 'cancelled' })
    expect(local.routine('b')).toMatchObject({ incarnation: 1, state: 'running' })
    expect((await local.whichChildren()).ok).toBe(true)
    const again = await local.restartChild('a')
    expect(again).toMatchObject({ ok: true, value: { id: 'a', incarnation: 3 } })
    expect(storyOf(events, /gaveUp/)).toEqual([])
  })

  test('exit() from outside is a failure like any other, and the signal says so', async () => {
    const { local } = makeTree({ children: [routine('a', untilTold)] })
    await settle()
    const a = local.routine('a') as Routine
    expect(a.exit(new Error('on purpose'))).toBe(true)
    await settle()
    expect([a.incarnation, (a.error as Error).message]).toEqual([2, 'on purpose'])
    expect(local.metrics()).toMatchObject({ failures: 1, restarts: 1, orphaned: 0 })
    void a.cancel()
    expect(a.exit('normal')).toBe(false)
  })

  test('a manager keeps its handle over a restart of its group, with its original children only', async () => {
    const inner = manager('inner', { children: [routine('c', untilTold)] })
    const { local } = makeTree({ strategy: 'one_for_all', children: [routine('a', crasher), inner] })
    await settle()
    const handle = local.getLocal('inner') as LocalManager
    await handle.startChild(routine('extra', untilTold))
    const spawned = handle.spawn('work', untilTold)
    ;(local.routine('a') as Routine<unknown, string>).send('x')
    await settle()
    expect(await spawned.outcome).toMatchObject({ status: 'cancelled' })
    expect(local.getLocal('inner')).toBe(handle)
    expect([handle.state, handle.incarnation, handle.routines().map(({ id }) => id)]).toEqual(['running', 2, ['c']])
    let ended = false
    void handle.outcome.then(() => (ended = true))
    await local.terminateChild('inner')
    await settle()
    expect(ended).toBe(true)
  })

  test('the number of calls that wait when a supervisor ends is the number answered `down`', async () => {
    const { clock, local } = makeTree({ children: [routine('slow', (context) => slowToStop(clock, 50)(context as never))] })
    await settle()
    const calls = [local.terminateChild('slow'), local.whichChildren(), local.restartChild('slow')]
    const end = local.shutdown({ mode: 'immediate' })
    await clock.runOut()
    expect(await Promise.all(calls)).toEqual([1, 2, 3].map(() => ({ ok: false, error: 'down' })))
    await end
    expect(await local.countChildren()).toEqual({ ok: false, error: 'down' })
  })
})

describe('what is beside OTP', () => {
  test('a delayed restart holds nobody up and is counted once; restart() hastens it', async () => {
    const failing = vi.fn<() => Promise<never>>().mockRejectedValueOnce(new Error('x')).mockImplementation(deaf)
    const { clock, local } = makeTree({ maxRestarts: 1, children: [routine('a', failing, { backoff: { initial: 1_000 } })] })
    await settle()
    expect(await local.whichChildren()).toMatchObject({ value: [{ id: 'a', child: 'restarting' }] })
    await clock.advance(999)
    expect(failing).toHaveBeenCalledTimes(1)
    void (local.routine('a') as Routine).restart()
    await settle()
    expect(failing).toHaveBeenCalledTimes(2)
    expect(await local.whichChildren()).toMatchObject({ value: [{ id: 'a', child: { state: 'running' }, incarnation: 2 }] })
    expect(local.health().restartsLeft).toBe(0)
  })

  test('a child that waits for its delayed restart can be cancelled and terminated', async () => {
    const { clock, local } = makeTree({ children: [routine('a', () => Promise.reject(new Error('x')), { backoff: { initial: 1_000 } })] })
    await settle()
    const a = local.routine('a') as Routine
    expect(await a.cancel()).toMatchObject({ status: 'cancelled' })
    expect(await local.whichChildren()).toMatchObject({ value: [{ id: 'a', child: undefined }] })
    await local.restartChild('a')
    await settle()
    expect(await local.terminateChild('a')).toEqual({ ok: true, value: undefined })
    expect(clock.pending).toBe(0)
  })

  test('children hold permits, also while their group restarts, and a queue does not get them', async () => {
    const { local } = makeTree({
      strategy: 'one_for_all',
      maxRoutines: 2,
      overflow: 'queue',
      children: [
        routine('a', ({ signal, exit }: RoutineContext<undefined>) => untilTold({ signal } as never).then(() => exit('normal'))),
        routine('b', untilTold),
      ],
    })
    await settle()
    expect(local.count).toBe(2)
    local.spawn('queued', untilTold)
    expect(local.queued).toBe(1)
    ;(local.routine('a') as Routine).exit(new Error('x'))
    await settle()
    expect([local.count, local.queued, (await local.countChildren()).ok && local.routine('b')?.state]).toEqual([2, 1, 'running'])
    await local.terminateChild('b')
    await settle()
    expect([local.count, local.queued]).toEqual([2, 0])
    expect(await local.restartChild('b')).toMatchObject({ ok: false, error: 'start_failed', cause: { path: 'g/a/l/b#b' } })
  })

  test('restartIf and timeouts are asked as for any routine', async () => {
    const { clock, local } = makeTree({
      children: [
        routine('a', () => Promise.reject(new Error('hopeless')), { restartIf: () => false }),
        routine('b', untilTold, { timeout: 100 }),
      ],
    })
    await settle()
    expect(await local.whichChildren()).toMatchObject({ value: [{ id: 'b' }, { id: 'a', child: undefined }] })
    await clock.advance(100)
    expect(local.routine('b')).toMatchObject({ incarnation: 2, state: 'running' })
  })

  test('an end of what was spawned does not touch the children, but shares their limit', async () => {
    const { local } = makeTree({ strategy: 'one_for_all', maxRestarts: 1, restart: 'temporary', children: [routine('a', untilTold)] })
    await settle()
    const work = local.spawn('w', untilTold, { restart: 'permanent' })
    await settle()
    work.exit(new Error('x'))
    await settle()
    expect(local.routine('a')).toMatchObject({ incarnation: 1, state: 'running' })
    ;(local.routine('a') as Routine).exit(new Error('y'))
    expect(await local.outcome).toMatchObject({ trigger: 'limit' })
  })

  test('a template makes instances, each with its input', async () => {
    const { local } = makeTree({ template: routine('session', async ({ input }) => input, { input: 'none', restart: 'transient' }) })
    const answer = await local.startChild({ id: 'one', input: 'hello' })
    if (!answer.ok) throw new Error(answer.error)
    expect(await (answer.value as Routine).outcome).toEqual({ status: 'completed', output: 'hello' })
    expect(await local.countChildren()).toEqual({ ok: true, value: { specs: 1, active: 0, supervisors: 0, workers: 0 } })
    expect(await local.startChild({})).toMatchObject({ ok: true, value: { id: 'r1' } })
    expect(await local.terminateChild(answer.value as Routine)).toEqual({ ok: true, value: undefined })
    expect(await local.terminateChild('stranger')).toEqual({ ok: false, error: 'not_found' })
  })

  test('instances of a template are stopped all together, managers as well as routines', async () => {
    const clock = new VirtualClock()
    const work = routine('work', slowToStop(clock, 100))
    for (const template of [work, manager('m', { children: [work] })]) {
      const { global } = makeTree({}, { clock })
      const local = global.createApp('b').createLocal('l', { template })
      for (const id of ['1', '2', '3', '4']) await local.startChild({ id })
      await settle()
      const begun = clock.now()
      const report = local.shutdown()
      await clock.advance(100)
      expect([(await report).cancelled, clock.now() - begun]).toEqual([4, 100])
    }
  })

  test('paths go by name, siblings are told apart by id, and instances of a manager are named by theirs', async () => {
    const { local } = makeTree({ children: [routine('job', untilTold, { id: 'one' }), routine('job', untilTold, { id: 'two' })] })
    expect(local.routines().map(({ path }) => path)).toEqual(['g/a/l/job#one', 'g/a/l/job#two'])
    const made = makeTree({ template: manager('m', { children: [routine('in', untilTold)] }) })
    await made.local.startChild({ id: 'one' })
    await made.local.startChild({ id: 'two' })
    expect(made.local.locals().map(({ path }) => path)).toEqual(['g/a/l/one', 'g/a/l/two'])
  })

  test('an instance never gets a generated id that is taken', async () => {
    const { local } = makeTree({ template: routine('session', untilTold) }, { generateId: () => 'same' })
    expect(await local.startChild({})).toMatchObject({ ok: true, value: { id: 'same' } })
    expect(() => local.startChild({})).toThrow('generateId must return ids that are not taken')
  })

  test('terminateChild knows its own children from what was spawned and from the children of others', async () => {
    const { global, local } = makeTree({ children: [routine('a', untilTold)] })
    const other = global.createApp('b').createLocal('l', { children: [routine('a', untilTold)] })
    await settle()
    const work = local.spawn('w', () => 1)
    await work.outcome
    const missing = { ok: false, error: 'not_found' }
    expect(await local.terminateChild(work)).toEqual(missing)
    expect(await local.terminateChild(other.routine('a') as Routine)).toEqual(missing)
    expect([local.routine('a')?.state, other.routine('a')?.state]).toEqual(['running', 'running'])
  })

  test('terminateChild of an instance that has ended is done, as in OTP, and stops nobody who lives by its id now', async () => {
    const { local } = makeTree({ template: routine('tail', untilTold, { restart: 'temporary' }) })
    const first = await local.startChild({ id: 'one' })
    const handle = (first as { value: Routine }).value
    const done = { ok: true, value: undefined }
    expect([await local.terminateChild(handle), await local.terminateChild(handle)]).toEqual([done, done])
    expect(await local.terminateChild('one')).toEqual({ ok: false, error: 'not_found' })
    await local.startChild({ id: 'one' })
    expect([await local.terminateChild(handle), local.routine('one')?.state]).toEqual([done, 'running'])
    await local.shutdown()
  })

  test('terminateChild stops what the handle stands for, not a manager of the same name, or who has followed it', async () => {
    const jobs = () => manager('jobs', { children: [routine('a', untilTold)] })
    const { global, local } = makeTree({ children: [jobs()] })
    const other = global.createApp('b').createLocal('l', { children: [jobs()] })
    await settle()
    const theirs = other.getLocal('jobs') as LocalManager
    expect(await local.terminateChild(theirs)).toEqual({ ok: false, error: 'not_found' })
    const own = local.getLocal('jobs') as LocalManager
    expect([own.state, theirs.state]).toEqual(['running', 'running'])
    const first = own.routine('a') as Routine
    await own.terminateChild('a')
    await own.restartChild('a')
    expect(await own.terminateChild(first)).toEqual({ ok: false, error: 'not_found' })
    expect(own.routine('a')?.state).toBe('running')
    expect(await own.terminateChild(own.routine('a') as Routine)).toEqual({ ok: true, value: undefined })
    expect(await local.terminateChild(own)).toEqual({ ok: true, value: undefined })
    expect([own.state, theirs.state]).toEqual(['completed', 'running'])
  })

  test('an automatic shutdown ends as completed', async () => {
    const { global } = makeTree()
    const app = global.createApp('x', {
      restart: 'temporary',
      autoShutdown: 'any_significant',
      children: [routine('a', async () => undefined, { restart: 'transient', significant: true }), routine('b', untilTold)],
    })
    expect(await app.outcome).toMatchObject({ trigger: 'auto_shutdown', cancelled: 1 })
    expect(app.state).toBe('completed')
  })
})

describe('bad input is refused before anything starts', () => {
  const never = routine('never', () => {
    throw new Error('must not run')
  })
  test.each<[() => unknown, RegExp, string | undefined]>([
    [() => routine('a', 5 as never), /routine work must be a function or XState actor logic; received 5/, 'work'],
    [() => routine('a/b', deaf), /routine name must be a string of 1 to 200 characters/, 'name'],
    [() => routine('a', deaf, { restart: 'always' as never }), /routine option restart must be 'permanent' or/, 'restart'],
    [() => manager('a', { maxRestarts: -1 }), /maxRestarts must be a whole number of at least 0, or Infinity; received -1/, 'maxRestarts'],
    [
      () => createGlobalManager({ children: [{} as never] }),
      /children\[0\] must be what routine\(\) or manager\(\) returns/,
      'children[0]',
    ],
    [() => createGlobalManager({ children: 5 as never }), /children must be an array/, 'children'],
    [() => createGlobalManager({ children: [never, never] }), /each id must be unique among its siblings; received "never"/, 'id'],
    [
      () => manager('a', { children: [routine('s', deaf, { significant: true, restart: 'transient' })] }),
      /significant must be false.*'never'/,
      'significant',
    ],
    [
      () => manager('a', { autoShutdown: 'any_significant', children: [routine('s', deaf, { significant: true })] }),
      /significant must be false for a permanent child/,
      'significant',
    ],
    [() => manager('a', { template: never, children: [never] } as never), /children must be absent beside a template/, 'children'],
    [() => manager('a', { template: never, strategy: 'one_for_all' } as never), /strategy must be absent beside a template/, 'strategy'],
    [() => manager('a', { template: [] as never }), /template must be what routine\(\)/, 'template'],
    [
      () => makeTree().local.spawn('x', deaf, { significant: true } as never),
      /significant must be false for what is spawned/,
      'significant',
    ],
    [() => makeTree().local.startChild({} as never), /startChild child must be what routine\(\) or manager\(\) returns/, 'child'],
    [() => makeTree({ template: never }).local.startChild(never), /startChild instance must be an object \{id, input\}/, 'instance'],
    [() => makeTree({ template: never }).local.startChild(5 as never), /startChild instance must be an object/, 'instance'],
    [() => makeTree({ template: never }).local.startChild(null as never), /startChild instance must be an object/, 'instance'],
    [() => makeTree({ template: never }).local.startChild({ id: 'a/b' }), /startChild instance option id must be a string of 1/, 'id'],
    [
      () => makeTree({ template: never }).local.startChild({ inptu: 3 } as never),
      /startChild instance: unknown option "inptu"; known are id, input/,
      'inptu',
    ],
    [() => makeTree().local.terminateChild(null as never), /terminateChild child must be the id of a child, or itself/, 'child'],
  ])('%# %s', (act, message, option) => {
    const error = thrownBy(act)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).message).toMatch(message)
    expect((error as ConfigError).option).toBe(option)
  })

  function thrownBy(act: () => unknown): unknown {
    try {
      act()
    } catch (error) {
      return error
    }
    return undefined
  }
})
