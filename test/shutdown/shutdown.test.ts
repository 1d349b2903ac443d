import { describe, expect, test } from 'vitest'
import { manager, type Phase, routine, type RoutineContext, type ShutdownOptions } from 'curtaincall'
import { PHASES } from 'curtaincall/machines'
import { deaf, gate, makeTree, slowToStop, untilTold } from '../support/tree.ts'
import { settle, type VirtualClock } from '../support/virtual-clock.ts'

describe.each([{ strict: false }, { strict: true }])('shutdown (strict: $strict)', (mode) => {
  test('takes five phases on every level, routine before local before app before global, even when empty', async () => {
    const { global, story } = makeTree({}, mode)
    const report = await global.shutdown()
    expect(story(/manager.phase.* g$/).map((line) => line.split(' ')[1])).toEqual([...PHASES])
    expect(story(/manager.phase.* g\/a$/).map((line) => line.split(' ')[1])).toEqual([...PHASES])
    expect(story(/manager.phase.* g\/a\/l$/).map((line) => line.split(' ')[1])).toEqual([...PHASES])
    expect(story(/stopped/)).toEqual(['manager.stopped g/a/l', 'manager.stopped g/a', 'manager.stopped g'])
    expect(story().at(-1)).toBe('manager.stopped g')
    expect(report.phases.map(({ phase }) => phase)).toEqual([...PHASES])
    expect(report).toMatchObject({
      path: 'g',
      mode: 'graceful',
      timedOut: false,
      completed: 0,
      cancelled: 0,
      children: [{ path: 'g/a', children: [{ path: 'g/a/l' }] }],
    })
    expect(global.state).toBe('completed')
  })

  test('what a listener of a phase throws, or rejects with, stands in the reports from there upwards', async () => {
    const { global, local } = makeTree({}, mode)
    local.on('manager.phase', ({ phase, path }) => {
      if (path !== local.path) return undefined
      if (phase === 'cancelling') throw new Error('thrown')
      return phase === 'cleaning' ? Promise.reject(new Error('rejected')) : undefined
    })
    global.on('manager.phase', ({ phase, path }) => (path === 'g' && phase === 'cleaning' ? Promise.reject(new Error('flush')) : undefined))
    const report = await global.shutdown()
    const ofLocal = [
      { path: 'g/a/l', error: new Error('thrown') },
      { path: 'g/a/l', error: new Error('rejected') },
    ]
    expect(report.children[0]?.children[0]?.errors).toEqual(ofLocal)
    expect(report.children[0]?.errors).toEqual(ofLocal)
    expect(report.errors).toEqual([...ofLocal, { path: 'g', error: new Error('flush') }])
    expect(global.metrics().contained).toBe(3)
  })

  test('managers stop one by one in reverse order of start; the routines of a local together, latest first', async () => {
    const { global, clock, story } = makeTree({}, mode)
    const told: string[] = []
    const body = (name: string, ms: number) => (context: any) => {
      context.signal.addEventListener('abort', () => told.push(name))
      return slowToStop(clock, ms)(context)
    }
    const apps = ['one', 'two'].map((name) => global.createApp(name))
    for (const app of apps) for (const name of ['x', 'y']) app.createLocal(name)
    for (const app of apps)
      for (const local of app.locals()) for (const r of ['1', '2']) local.spawn(r, body(`${app.name}/${local.name}/${r}`, 30))
    await settle()
    const done = global.shutdown()
    await settle()
    expect(told).toEqual(['two/y/2', 'two/y/1'])
    await clock.runOut()
    const report = await done
    expect(told).toEqual(['two/y/2', 'two/y/1', 'two/x/2', 'two/x/1', 'one/y/2', 'one/y/1', 'one/x/2', 'one/x/1'])
    expect(story(/stopped/)).toEqual(
      ['g/two/y', 'g/two/x', 'g/two', 'g/one/y', 'g/one/x', 'g/one', 'g/a/l', 'g/a', 'g'].map((p) => `manager.stopped ${p}`),
    )
    expect(report).toMatchObject({ cancelled: 8, duration: 120 })
  })

  test('is in the state that each manager.phase event names, at the time of the event', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('slow', slowToStop(clock, 10))
    local.spawn('deaf', deaf, { shutdown: 20 })
    await settle()
    const managers = new Map<string, typeof global | typeof local>([
      [global.path, global],
      [local.path, local],
    ])
    const seen: string[] = []
    global.on('manager.phase', ({ path, phase }) => {
      const manager = managers.get(path)
      if (manager === undefined) return
      seen.push(`${path} ${phase}`)
      expect(manager.actor.getSnapshot().value).toEqual({ stopping: phase })
      expect(manager.state).toBe('stopping')
    })
    const done = global.shutdown()
    await clock.runOut()
    await done
    expect(seen).toHaveLength(10)
  })

  test.each(PHASES)('each phase lasts as long as its work does: %s', async (phase: Phase) => {
    const { global, local, clock } = makeTree({}, mode)
    const hold = gate()
    // What takes time in each phase: draining, a listener that blocks, slow routines, and whoever listens to the phase.
    if (phase === 'cancelling')
      local.spawn(
        'blocks',
        ({ signal }) =>
          new Promise<void>((resolve) =>
            signal.addEventListener('abort', () => {
              clock.block(70)
              resolve()
            }),
          ),
      )
    if (phase === 'waiting') local.spawn('slow', slowToStop(clock, 70))
    if (phase === 'closing') local.spawn('drains', () => hold.promise)
    if (phase === 'killing' || phase === 'cleaning')
      local.on('manager.phase', (event) => (event.phase === phase ? hold.promise : undefined))
    await settle()
    const done = local.shutdown({ drain: phase === 'closing' ? 1_000 : 0 })
    await settle()
    if (phase !== 'cancelling') expect(local.actor.getSnapshot().value).toEqual({ stopping: phase })
    await clock.advance(70)
    hold.resolve()
    await clock.runOut(0)
    const report = await done
    expect(report.phases.map((each) => [each.phase, each.duration])).toEqual(PHASES.map((each) => [each, each === phase ? 70 : 0]))
    expect(global.state).toBe('running')
  })

  test('closing takes effect synchronously on the whole subtree', async () => {
    const { global, local } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    const running = local.spawn('x', untilTold)
    const queued = local.spawn('q', untilTold)
    await settle()
    void global.shutdown()
    expect(() => local.spawn('y', untilTold)).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    expect(() => global.createApp('b')).toThrow(expect.objectContaining({ code: 'ERR_NOT_ACCEPTING' }))
    expect(local.actor.getSnapshot().value).toEqual({ stopping: 'closing' })
    expect(queued.state).toBe('cancelled')
    expect(running.state).toBe('running')
    expect(await local.whenAvailable()).toBe(false)
    await global.outcome
  })

  test('drain lets running and queued routines end by themselves, up to its time, and restarts nothing', async () => {
    const { global, local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    const job = (ms: number) => () => new Promise<string>((resolve) => clock.setTimeout(() => resolve('done'), ms))
    const first = local.spawn('1', job(10))
    const second = local.spawn('2', job(10))
    const third = local.spawn('3', job(50))
    const fourth = local.spawn('4', job(10))
    await settle()
    const done = global.shutdown({ drain: 40 })
    await clock.runOut()
    const report = await done
    expect([first.state, second.state, third.state, fourth.state]).toEqual(['completed', 'completed', 'cancelled', 'cancelled'])
    expect(await third.outcome).toMatchObject({ killed: false, output: 'done' })
    expect(report).toMatchObject({ completed: 2, cancelled: 2, killed: 0, timedOut: false })
    expect(report.phases[0]).toMatchObject({ phase: 'closing', duration: 40 })
  })

  test('drain lets run what has just been spawned', async () => {
    const { local } = makeTree({}, mode)
    const fresh = local.spawn('x', () => 5)
    const report = local.shutdown({ drain: 100 })
    expect(await fresh.outcome).toEqual({ status: 'completed', output: 5 })
    expect(await report).toMatchObject({ completed: 1, cancelled: 0 })
  })

  test('drain waits for spawned work and not for services, which stop when that has ended', async () => {
    const { global, local, clock, story } = makeTree({ children: [routine('service', untilTold)] }, mode)
    local.spawn('job', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 100)))
    await settle()
    const done = global.shutdown({ drain: 3_000, timeout: 6_000 })
    await clock.runOut()
    const { phases, duration } = await done
    expect(duration).toBe(100)
    expect(phases[0]).toEqual({ phase: 'closing', duration: 100, deadline: 3_000, exceeded: false })
    expect(story(/completed|cancelled/)).toEqual(['routine.completed g/a/l/job', 'routine.cancelled g/a/l/service'])
  })

  test('the report says that a drain ran out, and which time it had', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('job', untilTold)
    await settle()
    const done = global.shutdown({ drain: 40 })
    await clock.runOut()
    expect((await done).phases[0]).toEqual({ phase: 'closing', duration: 40, deadline: 40, exceeded: true })
  })

  test('context.closing is aborted when the manager begins to close, at every level at once, and not before', async () => {
    const { global, local, clock } = makeTree({}, mode)
    const heard: string[] = []
    const begun = clock.now()
    const poller = async ({ closing, name }: RoutineContext): Promise<string> => {
      heard.push(`${name} ${closing.aborted}`)
      await new Promise((resolve) => closing.addEventListener('abort', resolve))
      heard.push(`${name} closes at ${clock.now() - begun}`)
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 30))
      return 'finished'
    }
    const jobs = [local.spawn('one', poller), global.createApp('b').createLocal('m').spawn('two', poller)]
    const late = local.spawn('late', async (context) => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 60))
      return context.closing.aborted
    })
    await clock.advance(50)
    expect(heard).toEqual(['one false', 'two false'])
    const done = global.shutdown({ drain: 1_000 })
    await clock.runOut()
    expect((await done).duration).toBe(30)
    expect(heard.slice(2).toSorted()).toEqual(['one closes at 50', 'two closes at 50'])
    for (const job of jobs) expect(await job.outcome).toEqual({ status: 'completed', output: 'finished' })
    expect(await late.outcome).toEqual({ status: 'completed', output: true })
  })

  test('a listener of context.closing that throws is that routine’s error; one that is over is not told', async () => {
    const { global, local } = makeTree({}, mode)
    const told: string[] = []
    const over = local.spawn('over', ({ closing }) => closing.addEventListener('abort', () => told.push('over')))
    const throws = local.spawn('throws', ({ closing, signal }) => {
      closing.addEventListener('abort', () => {
        throw new Error('thrown')
      })
      return untilTold({ signal } as RoutineContext)
    })
    await over.outcome
    const report = await global.shutdown()
    expect(told).toEqual([])
    expect(await throws.outcome).toMatchObject({ status: 'cancelled', error: new Error('thrown') })
    expect(report.errors).toHaveLength(1)
  })

  test('drain ends as soon as nothing is left', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('1', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 10)))
    await settle()
    const done = global.shutdown({ drain: 1_000 })
    await clock.advance(10)
    expect(await done).toMatchObject({ completed: 1, duration: 10 })
    expect(clock.pending).toBe(0)
  })

  test('drain does not wait for what waits for a restart', async () => {
    const { local, clock } = makeTree({}, mode)
    local.spawn('x', () => Promise.reject(new Error('x')), { restart: 'permanent', backoff: { initial: 50 } })
    await settle()
    const done = local.shutdown({ drain: 1_000 })
    await clock.runOut()
    expect(await done).toMatchObject({ cancelled: 1, duration: 0 })
  })

  test('every caller gets the same report, and a later call can only tighten', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const first = global.shutdown({ timeout: 1_000 })
    const looser = global.shutdown({ timeout: 5_000 })
    const tighter = global.shutdown({ timeout: 100 })
    await clock.advance(99)
    expect(global.state).toBe('stopping')
    await clock.advance(1)
    const report = await first
    expect(await looser).toBe(report)
    expect(await tighter).toBe(report)
    expect(await global.outcome).toBe(report)
    expect(await global.shutdown()).toBe(report)
    expect(report).toMatchObject({ timedOut: true, killed: 1, orphaned: 1, duration: 100 })
    expect(global.state).toBe('cancelled')
    expect(clock.pending).toBe(0)
  })

  test('at the deadline, who was not asked is asked and given one turn before it is killed', async () => {
    const { global, clock } = makeTree({}, mode)
    const early = global.createApp('early').createLocal('l')
    const late = global.createApp('late').createLocal('l')
    const polite = early.spawn('polite', untilTold)
    const rude = early.spawn('rude', deaf)
    late.spawn('blocks', deaf, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 100 })
    await clock.runOut()
    const report = await done
    expect(await polite.outcome).toMatchObject({ status: 'cancelled', killed: false, output: 'obeyed' })
    expect(await rude.outcome).toMatchObject({ status: 'cancelled', killed: true })
    expect(report).toMatchObject({ timedOut: true, cancelled: 1, killed: 2, orphaned: 2, duration: 100 })
    expect(report.phases.map(({ phase }) => phase)).toEqual([...PHASES])
  })

  test('immediate is one turn of waiting for everybody', async () => {
    const { global, local, clock } = makeTree({}, mode)
    const polite = local.spawn('polite', untilTold)
    const slow = local.spawn('slow', slowToStop(clock, 1))
    await settle()
    const done = global.shutdown({ mode: 'immediate' })
    await clock.advance(0)
    expect(await done).toMatchObject({ mode: 'immediate', cancelled: 1, killed: 1, timedOut: false, duration: 0 })
    expect(await polite.outcome).toMatchObject({ killed: false })
    expect(await slow.outcome).toMatchObject({ killed: true })
    expect(global.state).toBe('cancelled')
  })

  test('immediate during graceful, by a call or by the signal', async () => {
    for (const hurry of ['call', 'signal']) {
      const { global, local, clock } = makeTree({}, mode)
      local.spawn('deaf', deaf, { shutdown: 'infinity' })
      await settle()
      const controller = new AbortController()
      const done = global.shutdown({ timeout: 60_000, signal: controller.signal })
      await clock.advance(50)
      if (hurry === 'call') void global.shutdown({ mode: 'immediate' })
      else controller.abort()
      await clock.advance(0)
      expect(await done).toMatchObject({ mode: 'immediate', killed: 1, duration: 50 })
      expect(clock.pending).toBe(0)
    }
  })

  test('a manager that is held in closing by its parent obeys a deadline, or immediate, of its own', async () => {
    for (const options of [{ timeout: 20 }, { mode: 'immediate' as const }]) {
      const { global, local, clock } = makeTree({}, mode)
      local.spawn('deaf', deaf, { shutdown: 'infinity' })
      global.createApp('later').createLocal('l').spawn('deaf', deaf, { shutdown: 'infinity' })
      await settle()
      const all = global.shutdown({ timeout: 1_000 })
      await clock.advance(10)
      expect(local.actor.getSnapshot().value).toEqual({ stopping: 'closing' })
      const own = local.shutdown(options)
      await clock.advance(20)
      expect(await own).toMatchObject({ killed: 1 })
      expect([local.state, global.state]).toEqual(['cancelled', 'stopping'])
      await clock.runOut()
      expect(await all).toMatchObject({ killed: 2, duration: 1_000, timedOut: true })
    }
  })

  test('a routine keeps its own shutdown time inside the whole', async () => {
    const { global, local, clock } = makeTree({}, mode)
    const quick = local.spawn('quick', deaf, { shutdown: 10 })
    const slow = local.spawn('slow', slowToStop(clock, 40))
    await settle()
    const done = global.shutdown({ timeout: 1_000 })
    await clock.advance(10)
    expect(quick.state).toBe('cancelled')
    expect(slow.state).toBe('running')
    await clock.runOut()
    expect(await done).toMatchObject({ cancelled: 1, killed: 1, timedOut: false, duration: 40 })
    expect(global.state).toBe('completed')
  })

  test("a manager's shutdown time bounds what its parent waits for", async () => {
    const { global, clock } = makeTree({}, mode)
    const app = global.createApp('b', { shutdown: 30 })
    app.createLocal('l').spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 1_000 })
    await clock.runOut()
    const report = await done
    expect(report).toMatchObject({ killed: 1, duration: 30, timedOut: false })
    expect(report.children.find(({ path }) => path === 'g/b')).toMatchObject({ timedOut: true })
    expect(app.state).toBe('cancelled')
  })

  test('a limit on one phase moves on to the next', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 1_000, phases: { waiting: 25 } })
    await clock.runOut()
    const report = await done
    expect(report).toMatchObject({ killed: 1, duration: 25, timedOut: false })
    expect(report.phases[2]).toMatchObject({ phase: 'waiting', duration: 25, deadline: 25, exceeded: true })
    expect([global.state, local.state]).toEqual(['cancelled', 'cancelled'])
  })

  test('who obeys at once while a drain is cut short is told in its phase, and the manager counts as hurried', async () => {
    for (const cut of ['call', 'deadline']) {
      const { global, local, clock } = makeTree({}, mode)
      const told: unknown[] = []
      local.spawn('polite', (context) => {
        context.signal.addEventListener('abort', () => told.push(global.actor.getSnapshot().value))
        return untilTold(context)
      })
      await settle()
      const done = global.shutdown({ drain: 1_000, timeout: 100 })
      await settle()
      if (cut === 'call') void global.shutdown({ mode: 'immediate' })
      else clock.fireDue(100)
      // No timer fires any more.
      expect(await done).toMatchObject({ cancelled: 1, killed: 0, timedOut: cut === 'deadline' })
      if (cut === 'call') expect(told).toEqual([{ stopping: 'cancelling' }])
      expect([global.state, clock.pending]).toEqual(['cancelled', 0])
    }
  })

  test('a deadline ends a drain in that instant', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('deaf', deaf)
    await settle()
    const done = global.shutdown({ drain: 1_000, timeout: 100 })
    await settle()
    clock.fireDue(100)
    await settle()
    expect(global.actor.getSnapshot().value).toEqual({ stopping: 'waiting' })
    await clock.runOut()
    expect((await done).routines).toMatchObject([{ outcome: 'killed', phase: 'killing' }])
  })

  test('what a drain has left in the queues never starts, wherever it stands', async () => {
    const { global, local, clock } = makeTree({ maxRoutines: 1, overflow: 'queue' }, mode)
    local.spawn('1', () => new Promise<void>((resolve) => clock.setTimeout(resolve, 60)))
    const queued = local.spawn('2', untilTold)
    global.createApp('later').createLocal('l').spawn('slow', slowToStop(clock, 50))
    await settle()
    const done = global.shutdown({ drain: 40 })
    await clock.runOut()
    expect(await done).toMatchObject({ completed: 1, cancelled: 2, duration: 90 })
    expect(await queued.started).toBe(false)
  })

  test('immediate gives one more turn to those who were asked before', async () => {
    const { global, local, clock } = makeTree({}, mode)
    const end = gate()
    const routine = local.spawn('slow', () => end.promise, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown()
    await clock.advance(50)
    void global.shutdown({ mode: 'immediate' })
    end.resolve()
    await clock.runOut()
    expect(await routine.outcome).toMatchObject({ killed: false })
    expect(await done).toMatchObject({ mode: 'immediate', cancelled: 1, duration: 50 })
  })

  test('D1: one turn is one of the event loop, not of its microtasks', async () => {
    const { global, clock } = makeTree({}, mode)
    const turns = ({ signal }: any) => new Promise<void>((resolve) => signal.addEventListener('abort', () => setImmediate(resolve)))
    const routine = global.createApp('early').createLocal('l').spawn('turns', turns)
    global.createApp('late').createLocal('l').spawn('blocks', deaf, { shutdown: 'infinity' })
    await settle()
    const done = global.shutdown({ timeout: 100 })
    await clock.runOut()
    expect(await routine.outcome).toMatchObject({ killed: false })
    expect((await done).routines.map(({ outcome, phase }) => [outcome, phase])).toEqual([
      ['cancelled', 'closing'],
      ['killed', 'killing'],
    ])
  })

  test('a clock whose timer fires too early does not bring the deadline forward', async () => {
    const { global, local, clock } = makeTree({}, mode)
    local.spawn('deaf', deaf, { shutdown: 'infinity' })
    await settle()
    const { setTimeout } = clock
    clock.setTimeout = (callback, delay) => {
      clock.setTimeout = setTimeout
      return clock.setTimeout(callback, delay - 5)
    }
    const done = global.shutdown({ timeout: 100 })
    await clock.advance(99)
    expect(global.actor.getSnapshot().value).toEqual({ stopping: 'waiting' })
    await clock.runOut()
    expect(await done).toMatchObject({ timedOut: true, duration: 100 })
  })

  test('without a limit no timer is armed', async () => {
    const { global, local, clock } = makeTree({}, mode)
    const { signal } = new AbortController()
    const end = gate()
    local.spawn('slow', () => end.promise, { shutdown: 'infinity', signal })
    await settle()
    const done = global.shutdown({ timeout: Infinity })
    await settle()
    expect(clock.pending).toBe(0)
    end.resolve()
    expect(await done).toMatchObject({ cancelled: 1, duration: 0 })
  })

  test('exceeded names the phase that the deadline has cut short, and no other', async () => {
    const cut = async (body: (clock: VirtualClock) => any, phases = {}, killing = 0): Promise<Phase[]> => {
      const { global, local, clock } = makeTree({}, mode)
      local.spawn('x', body(clock), { shutdown: 'infinity' })
      local.on('routine.killed', () => clock.block(killing))
      await settle()
      const done = global.shutdown({ timeout: 100, phases })
      await clock.runOut()
      return (await done).phases.filter(({ exceeded }) => exceeded).map(({ phase }) => phase)
    }
    expect(await cut(() => deaf)).toEqual(['waiting'])
    // One that blocks beyond the deadline, and ends before the deadline's timer can fire.
    const blocks = (clock: VirtualClock) => (context: any) => {
      context.signal.addEventListener('abort', () => clock.block(150))
      return untilTold(context)
    }
    expect(await cut(blocks)).toEqual([])
    // Killed for its phase's limit, before the deadline; that this takes longer is another matter.
    expect(await cut(() => deaf, { waiting: 10 }, 100)).toEqual(['waiting'])
  })

  test('a listener holds its own phase only: not a later one, and none of a shutdown in a hurry', async () => {
    const { global, clock } = makeTree({}, mode)
    const ends: Partial<Record<Phase, number>> = { closing: 20, cancelling: 50 }
    global.on('manager.phase', ({ path, phase }) => {
      if (path === 'g' && ends[phase] !== undefined) return new Promise<void>((resolve) => clock.setTimeout(resolve, ends[phase] ?? 0))
      return undefined
    })
    const done = global.shutdown({ phases: { closing: 10 } })
    await clock.runOut()
    expect((await done).phases.map(({ duration, exceeded }) => [duration, exceeded])).toEqual([
      [10, true],
      [50, false],
      [0, false],
      [0, false],
      [0, false],
    ])
    const hurried = makeTree({}, mode)
    hurried.global.on('manager.phase', deaf)
    const soon = hurried.global.shutdown({ mode: 'immediate' })
    await hurried.clock.runOut()
    expect(await soon).toMatchObject({ duration: 0 })
  })

  test('a deadline ends a cleaning that a listener holds, whatever was forced before', async () => {
    const end = gate()
    const first = (context: any) => {
      context.signal.addEventListener('abort', () => end.resolve())
      return untilTold(context)
    }
    const { local, clock } = makeTree({ children: [routine('first', first), routine('last', () => end.promise)] }, mode)
    await settle()
    local.on('manager.phase', ({ phase }) => (phase === 'cleaning' ? deaf() : undefined))
    const done = local.shutdown({ timeout: 100, phases: { waiting: 10 } })
    await clock.runOut()
    const report = await done
    expect(report).toMatchObject({ cancelled: 2, killed: 0, timedOut: true, duration: 100 })
    expect(report.phases.map(({ phase, duration }) => [phase, duration])).toContainEqual(['cleaning', 90])
  })

  test('a routine may call shutdown from inside itself', async () => {
    const { global, local } = makeTree({}, mode)
    const routine = local.spawn('x', async ({ signal }) => {
      const done = global.shutdown()
      expect(signal.aborted).toBe(false)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      void done
      return 'left'
    })
    expect(await routine.outcome).toMatchObject({ status: 'cancelled', output: 'left' })
    expect(await global.outcome).toMatchObject({ cancelled: 1 })
  })

  test('a manager that is told by its actor shuts down the same way', async () => {
    const { global, local } = makeTree({}, mode)
    local.spawn('x', untilTold)
    await settle()
    local.actor.send({ type: 'shutdown' })
    expect(await local.outcome).toMatchObject({ cancelled: 1, mode: 'graceful' })
    expect(global.state).toBe('running')
  })

  test('and stays down, also where its parent would restart it', async () => {
    const { global } = makeTree({}, mode)
    const app = global.createApp('b', { children: [manager('m')] })
    await app.ready()
    const m = app.getLocal('m')
    m?.actor.send({ type: 'shutdown' })
    await settle()
    expect([m?.state, m?.incarnation, app.getLocal('m')]).toEqual(['completed', 1, undefined])
  })

  test('the report accounts for every routine that lived, in order of their end', async () => {
    const { global, local, clock } = makeTree({ maxRoutines: 3, overflow: 'queue' }, mode)
    local.spawn('done', () => 1)
    await settle()
    local.spawn('polite', untilTold)
    local.spawn('deaf', deaf, { shutdown: 5 })
    local.spawn('angry', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('angry')))))
    local.spawn('queued', untilTold)
    await settle()
    const done = global.shutdown()
    await clock.runOut()
    const report = await done
    expect(report.routines.map(({ path, outcome, phase }) => `${path.replace(/.*\/(.*)#.*/, '$1')} ${outcome} ${phase}`)).toEqual([
      'queued cancelled closing',
      'angry cancelled cancelling',
      'polite cancelled cancelling',
      'deaf killed waiting',
    ])
    const { completed, failed, cancelled, killed, totals, errors } = report
    expect(completed + failed + cancelled + killed).toBe(report.routines.length)
    expect(totals.completed + totals.failed + totals.cancelled + totals.killed).toBe(totals.spawned)
    expect(totals.spawned).toBe(5)
    expect(errors).toEqual([{ path: expect.stringContaining('angry'), error: new Error('angry') }])
  })

  test('an error of the report is a failure, whatever it looks like, and no obedience', async () => {
    const { local, clock } = makeTree({}, mode)
    const abort = new DOMException('not mine', 'AbortError')
    local.spawn('fails', () => new Promise((_, reject) => clock.setTimeout(() => reject(abort), 10)))
    local.spawn('obeys', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))))
    await settle()
    const done = local.shutdown({ drain: 20 })
    await clock.runOut()
    expect((await done).errors).toEqual([{ path: expect.stringContaining('fails'), error: abort }])
  })

  test('a local can be shut down alone; its name is free again', async () => {
    const { global, local } = makeTree({}, mode)
    const app = global.getApp('a')
    await local.shutdown()
    expect([local.state, global.state, app?.getLocal('l')]).toEqual(['completed', 'running', undefined])
    expect(
      await app
        ?.createLocal('l')
        .spawn('x', () => 'new')
        .result(),
    ).toBe('new')
    await global.shutdown()
  })

  test('await using shuts down at the end of the scope', async () => {
    let outcome: Promise<unknown> | undefined
    {
      await using global = makeTree({}, mode).global
      outcome = global.getApp('a')?.getLocal('l')?.spawn('x', untilTold).outcome
      await settle()
    }
    expect(await outcome).toMatchObject({ status: 'cancelled', killed: false })
  })

  test.each<[string, ShutdownOptions]>([
    ['timeout', { timeout: -1 }],
    ['timeout', { timeout: Number.NaN }],
    ['mode', { mode: 'quick' as never }],
    ['drain', { drain: Infinity }],
    ['phases', { phases: { sleeping: 1 } as never }],
    ['signal', { signal: {} as never }],
    ['speed', { speed: 1 } as never],
  ])('refuses a wrong %s before anything is stopped', (option, options) => {
    const { global } = makeTree({}, mode)
    expect(() => global.shutdown(options)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: expect.stringContaining(option === 'phases' ? 'sleeping' : option) }),
    )
    expect(global.state).toBe('running')
  })
})
