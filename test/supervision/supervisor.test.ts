/** The hands of a supervisor: what ends, calls, permits and timers do to each other, above all while it is busy. */
import { describe, expect, test, vi } from 'vitest'
import {
  ignore,
  type LifecycleEvent,
  type LocalManager,
  type LocalManagerOptions,
  manager,
  type Routine,
  type RoutineContext,
  routine,
} from 'curtaincall'
import { deaf, gate, makeTree, slowToStop, type Tree, untilTold } from '../support/tree.ts'
import { settle } from '../support/virtual-clock.ts'

const failing = (): never => {
  throw new Error('boom')
}

/** Fails or ends when the test says so. */
function ending() {
  const ends: PromiseWithResolvers<unknown>[] = []
  const body = vi.fn<(context: RoutineContext<any>) => Promise<unknown>>((context) => {
    const end = gate<unknown>()
    ends.push(end)
    context.signal.addEventListener('abort', () => end.resolve('obeyed'))
    return end.promise
  })
  const crash = async (): Promise<void> => {
    ends.at(-1)?.reject(new Error('crash'))
    await settle()
  }
  return { body, crash, finish: () => ends.at(-1)?.resolve('done') }
}

/** The ends of children as `kind willRestart`. */
function endsOf(events: readonly LifecycleEvent[]): string[] {
  return events.flatMap((event) => ('willRestart' in event ? [`${event.type.slice(8)} ${event.willRestart}`] : []))
}

const get = (local: LocalManager, id: string): Routine => local.routine(id) as Routine

describe('the event of an end says whether the child comes back', () => {
  test.each<[string, object, (routine: Routine) => unknown, string]>([
    ['one that has done its work', { restart: 'transient' }, (a) => a.exit('normal'), 'completed false'],
    ['a permanent one that ends', {}, (a) => a.exit('normal'), 'completed true'],
    ['one that was told to', {}, (a) => a.cancel(), 'cancelled false'],
    ['one that nothing helps', { restartIf: () => false }, (a) => a.exit(new Error('x')), 'failed false'],
    ['one that is restarted by hand', { restart: 'temporary' }, (a) => void a.restart(), 'cancelled true'],
    ['one that crashes', {}, (a) => a.exit(new Error('x')), 'failed true'],
  ])('%s', async (_, options, act, line) => {
    const { local, events } = makeTree({ children: [routine('a', untilTold, options)] })
    await settle()
    act(get(local, 'a'))
    await settle()
    expect(endsOf(events)).toEqual([line])
  })

  test('one that is restarted because it hangs, whatever its restart type', async () => {
    const { local, events, clock } = makeTree({
      children: [routine('a', deaf, { restart: 'temporary', hungAfter: 100, onHung: 'restart', shutdown: 0 })],
    })
    await clock.advance(100)
    expect(endsOf(events)).toEqual(['failed true'])
    expect(get(local, 'a')).toMatchObject({ incarnation: 2, state: 'running' })
  })

  test('one beyond the limit does not, unless that was ordered by hand', async () => {
    const { local, events } = makeTree({ maxRestarts: 0, restart: 'temporary', children: [routine('a', untilTold)] })
    await settle()
    await get(local, 'a').restart()
    get(local, 'a').exit(new Error('x'))
    await local.outcome
    expect(endsOf(events)).toEqual(['cancelled true', 'failed false'])
  })

  test('while the supervisor is busy there is room until it decides', async () => {
    const a = ending()
    const { local, events, clock } = makeTree({
      maxRestarts: 1,
      restartWindow: 100,
      children: [routine('slow', (context) => slowToStop(clock, 150)(context as never)), routine('a', a.body)],
    })
    await settle()
    await a.crash()
    const stopped = local.terminateChild('slow')
    await clock.advance(50)
    await a.crash()
    expect(endsOf(events)).toEqual(['failed true', 'failed true'])
    await clock.runOut()
    await stopped
    expect([get(local, 'a').incarnation, local.incarnation]).toEqual([3, 1])
  })

  test('a first start that fails is an end; that of a restart is tried again, unless it asks to be ignored', async () => {
    const starts = [failing, () => undefined, failing, () => undefined, () => (ignored = true)]
    let ignored = false
    const { local, events } = makeTree({ maxRestarts: 10 })
    const child = routine('a', untilTold, {
      start: () => {
        starts.shift()?.()
        return ignored ? ignore : undefined
      },
    })
    expect(await local.startChild(child)).toMatchObject({ ok: false })
    expect(endsOf(events)).toEqual(['failed false'])
    await local.startChild(child)
    for (let i = 0; i < 2; i++) {
      await settle()
      get(local, 'a').exit(new Error('x'))
    }
    await settle()
    expect(endsOf(events).slice(1)).toEqual(['failed true', 'failed true', 'failed true', 'cancelled false'])
  })
})

describe('while the supervisor is busy', () => {
  /** Beside `slow`, which takes 50 ms to stop, and is told to. */
  async function busy(options: LocalManagerOptions & { children: NonNullable<LocalManagerOptions['children']> }) {
    const slow = routine('slow', (context) => slowToStop(tree.clock, 50)(context as never))
    const tree: Tree = makeTree({ ...options, children: [slow, ...options.children] })
    await settle()
    return { ...tree, stop: () => tree.local.terminateChild('slow') }
  }

  test('a cancel of what has crashed comes before its next run, with its reason', async () => {
    const a = ending()
    const { local, clock, stop } = await busy({ children: [routine('a', a.body)] })
    const handle = get(local, 'a')
    void stop()
    await a.crash()
    const outcome = handle.cancel('why')
    await clock.runOut()
    expect(await outcome).toEqual({ status: 'cancelled', reason: 'why', killed: false })
    expect(a.body).toHaveBeenCalledTimes(1)
    expect(await local.whichChildren()).toMatchObject({ value: [{ id: 'a', child: undefined }, { id: 'slow' }] })
  })

  test('a cancel of what was about to begin again is its end', async () => {
    const a = ending()
    const { local, clock, stop, story } = await busy({ children: [routine('a', a.body, { backoff: { initial: 20 } })] })
    const handle = get(local, 'a')
    await a.crash()
    void stop()
    await clock.advance(20)
    const outcome = handle.cancel('why')
    await clock.runOut()
    expect(await outcome).toEqual({ status: 'cancelled', reason: 'why', killed: false })
    expect([handle.incarnation, story(/restarted/)]).toEqual([2, ['routine.restarted g/a/l/a']])
    expect(await local.countChildren()).toMatchObject({ value: { specs: 2, active: 0 } })
  })

  test('V5: a sibling that has crashed meanwhile starts anew with its group', async () => {
    const [a, b] = [ending(), ending()]
    const { local, clock, stop } = await busy({
      strategy: 'one_for_all',
      children: [routine('a', a.body), routine('b', b.body)],
    })
    const old = get(local, 'b')
    void stop()
    await a.crash()
    await b.crash()
    await clock.runOut()
    expect(await old.outcome).toMatchObject({ status: 'failed' })
    expect(get(local, 'b')).not.toBe(old)
    expect(get(local, 'b')).toMatchObject({ incarnation: 2, restarts: 0, state: 'running' })
  })

  test('a manager that has ended is not alive, and stopping it is quick', async () => {
    const { local, clock, stop } = await busy({ children: [manager('inner')] })
    void stop()
    const counts = local.countChildren()
    const stopped = local.terminateChild('inner')
    await local.getLocal('inner')?.shutdown()
    await clock.runOut()
    expect(await counts).toMatchObject({ value: { specs: 2, active: 0, supervisors: 1 } })
    expect(await stopped).toEqual({ ok: true, value: undefined })
  })

  test('a call from within the start of the manager itself is answered once it runs', async () => {
    const { global } = makeTree()
    const answers: unknown[] = []
    const app = global.createApp('b', {
      start: () => {
        void global
          .getApp('b')
          ?.startChild(routine('x', untilTold))
          .then((answer) => answers.push(answer.ok))
      },
      children: [routine('a', untilTold)],
    })
    await settle()
    expect([answers, app.routines().map(({ id }) => id)]).toEqual([[true], ['a', 'x']])
  })
})

describe('a delayed restart of a child', () => {
  test('comes when its time has come; cancelled before, the body does not run', async () => {
    const body = vi.fn<() => Promise<never>>(() => Promise.reject(new Error('x')))
    const { local, clock } = makeTree({ children: [routine('a', body, { backoff: { initial: 1_000 } })] })
    await clock.advance(1_000)
    expect(body).toHaveBeenCalledTimes(2)
    await get(local, 'a').cancel()
    await settle()
    expect([body.mock.calls.length, clock.pending]).toEqual([2, 0])
  })

  test('neither does that of a child which had left in its start', async () => {
    const body = vi.fn<typeof untilTold>(untilTold)
    const { local, clock } = makeTree({
      children: [routine('a', body, { backoff: { initial: 1_000 }, start: ({ exit }) => exit('shutdown') })],
    })
    await settle()
    await get(local, 'a').cancel()
    expect([body.mock.calls.length, clock.pending]).toEqual([0, 0])
  })

  test('is forgotten when its group has restarted it before', async () => {
    const [a, b] = [ending(), ending()]
    const { clock } = makeTree({
      strategy: 'one_for_all',
      maxRestarts: 10,
      children: [routine('a', a.body), routine('b', b.body, { backoff: { initial: 1_000 } })],
    })
    await settle()
    await b.crash()
    await clock.advance(100)
    await a.crash()
    await clock.advance(400)
    await b.crash()
    expect(b.body).toHaveBeenCalledTimes(2)
    await clock.advance(999)
    expect(b.body).toHaveBeenCalledTimes(2)
    await clock.advance(1)
    expect(b.body).toHaveBeenCalledTimes(3)
  })

  test('is given up when another one of its group fails to start, and comes with the next attempt', async () => {
    const b = ending()
    const starts = [() => undefined, failing, () => undefined]
    const { local, clock } = makeTree({
      strategy: 'one_for_all',
      children: [routine('a', untilTold, { start: () => starts.shift()?.() }), routine('b', b.body, { backoff: { initial: 1_000 } })],
    })
    await settle()
    const old = get(local, 'b')
    await b.crash()
    await clock.advance(1_000)
    expect(await old.outcome).toMatchObject({ status: 'cancelled', killed: false })
    expect(get(local, 'b')).not.toBe(old)
    expect([get(local, 'b').state, b.body.mock.calls.length, local.count]).toEqual(['running', 2, 2])
  })

  test('is not armed when its event has led to a shutdown', async () => {
    const { local, clock } = makeTree({ children: [routine('a', failing, { backoff: { initial: 1_000 } })] })
    local.on('routine.restarted', () => void local.shutdown())
    expect(await local.outcome).toMatchObject({ duration: 0 })
    expect(clock.pending).toBe(0)
  })
})

describe('permits of children', () => {
  test('are given back when the manager closes while a group restarts', async () => {
    const a = ending()
    const { local, global, clock } = makeTree({
      strategy: 'one_for_all',
      children: [routine('a', a.body), routine('b', (context) => slowToStop(clock, 50)(context as never)), routine('c', untilTold)],
    })
    await settle()
    await a.crash()
    expect([local.count, local.routine('c')]).toEqual([3, undefined])
    const done = local.shutdown()
    await clock.runOut()
    await done
    expect([local.count, global.count]).toEqual([0, 0])
  })

  test('are free while a group cannot start, go to who waits, and are taken again', async () => {
    const [a, work] = [ending(), ending()]
    const starts = [() => undefined, failing, () => undefined]
    const { local, global, clock } = makeTree({
      strategy: 'one_for_all',
      maxRoutines: 2,
      overflow: 'queue',
      children: [routine('a', a.body, { start: () => starts.shift()?.(), backoff: { initial: 1_000 } }), routine('b', untilTold)],
    })
    const queued = local.spawn('queued', work.body)
    await settle()
    await a.crash()
    await clock.advance(1_000)
    expect([queued.state, local.queued, local.count, local.routine('b')]).toEqual(['running', 0, 2, undefined])
    work.finish()
    await clock.runOut()
    expect([get(local, 'a').state, get(local, 'b').state, local.count]).toEqual(['running', 'running', 2])
    const done = global.shutdown()
    await clock.runOut()
    await done
    expect([local.count, global.count]).toEqual([0, 0])
  })

  test('without one a start fails, says why, and leaves no specification', async () => {
    const { local } = makeTree({ maxRoutines: 1, children: [routine('a', untilTold)] })
    await settle()
    expect(await local.startChild(routine('b', untilTold))).toMatchObject({
      ok: false,
      error: 'start_failed',
      cause: { path: 'g/a/l/b#b', cause: { code: 'ERR_AT_CAPACITY', path: 'g/a/l' } },
    })
    expect(await local.countChildren()).toMatchObject({ value: { specs: 1, active: 1 } })
  })
})

test('a manager whose name is taken by one that was made by hand does not start', async () => {
  const { global } = makeTree()
  const app = global.createApp('b')
  app.createLocal('x')
  expect(await app.startChild(manager('x'))).toMatchObject({
    ok: false,
    error: 'start_failed',
    cause: { path: 'g/b/x', cause: { code: 'ERR_EXISTS' } },
  })
  expect(await app.countChildren()).toMatchObject({ value: { specs: 0 } })
})

test('V6: a significant manager that was told to shut down ends nobody else', async () => {
  const { global } = makeTree()
  const app = global.createApp('b', {
    autoShutdown: 'any_significant',
    children: [manager('m', { restart: 'transient', significant: true }), routine('a', untilTold)],
  })
  await app.ready()
  await app.getLocal('m')?.shutdown()
  await settle()
  expect([app.state, app.routine('a')?.state]).toEqual(['running', 'running'])
})

test('a signal of its options cancels a child', async () => {
  const controller = new AbortController()
  const { local } = makeTree({ children: [routine('a', untilTold, { signal: controller.signal })] })
  await settle()
  const { outcome } = get(local, 'a')
  controller.abort('bye')
  expect(await outcome).toMatchObject({ status: 'cancelled', reason: 'bye' })
})

test('children that are forgotten leave nothing behind', async () => {
  const { local } = makeTree({ template: routine('session', () => 1, { restart: 'temporary' }) })
  for (let i = 0; i < 20; i++) await local.startChild({})
  await settle()
  expect((local as unknown as { life: { startOrder: Set<unknown> } }).life.startOrder.size).toBe(0)
})

test('a group of 5,000 that ends at once does not deepen the stack, and keeps its permits', async () => {
  const children = Array.from({ length: 5_000 }, (_, i) => routine(`${i}`, deaf, { shutdown: 'brutal_kill' }))
  const { local, global, clock } = makeTree({ strategy: 'one_for_all', children })
  await clock.advance(0)
  get(local, '0').exit(new Error('x'))
  await clock.advance(0)
  expect([get(local, '4999').incarnation, local.count, local.state]).toEqual([2, 5_000, 'running'])
  void global.shutdown({ mode: 'immediate' })
  await clock.runOut()
  await global.outcome
  expect(global.count).toBe(0)
})
