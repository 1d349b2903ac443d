/** What no peer is held beside, in jobs that one build of curtaincall and another both can do: public names only, and none that are new. */
import {
  createGlobalManager,
  type GlobalManagerOptions,
  type LocalManager,
  manager,
  type Outcome,
  routine,
  type RoutineContext,
  type RoutineOptions,
} from '../../src/index.ts'
import { Check, DEADLINE, ENDING, held, type Kind, LIMIT, sendAll, stream, Sum, task, TIMEOUT, type Variant } from '../job.ts'
import { adding, asPromise, patient, quiet, twoEvents } from './machines.ts'

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

async function streamed(
  n: number,
  options: GlobalManagerOptions,
  each: (local: LocalManager, i: number) => Promise<Outcome<number>>,
): Promise<void> {
  const global = createGlobalManager(options)
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
  const check = new Check(n)
  await stream(n, async (i) => {
    const outcome = await each(local, i)
    if (outcome.status === 'completed') check.done(outcome.output)
    else check.failed()
  })
  check.verify()
  await global.shutdown()
}

/** The job of bench/variant/curtaincall.ts under other options. */
const likeStreamed =
  (options: GlobalManagerOptions, own: RoutineOptions<undefined> = {}) =>
  (n: number): Promise<void> =>
    streamed(n, options, (local, i) => local.spawn('task', ({ signal }) => task(i, signal), { timeout: TIMEOUT, ...own }).outcome)

/** The platform's time, but as a clock that the library does not know. */
const ownClock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback: () => void, delay: number): unknown => setTimeout(callback, delay),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
}

/** Each of n lives has to end in this way. */
async function lives(n: number, status: Outcome['status'], live: (local: LocalManager) => Promise<Outcome>): Promise<void> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
  await stream(n, async () => {
    const outcome = await live(local)
    if (outcome.status !== status) throw new Error(`${outcome.status} instead of ${status}`)
  })
  await global.shutdown()
}

/** The last of so many children fails n times. */
async function crashing(n: number, strategy: 'one_for_one' | 'one_for_all', siblings: number): Promise<void> {
  let starts = 0
  let crashes = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const steady = (context: RoutineContext): Promise<void> => {
    starts++
    return untilAborted(context)
  }
  const fragile = async (context: RoutineContext): Promise<void> => {
    starts++
    await undefined
    if (crashes++ < n) throw new Error('again')
    resolve()
    await untilAborted(context)
  }
  const children = [...Array.from({ length: siblings }, (_, i) => routine(`steady ${i}`, steady)), routine('fragile', fragile)]
  const global = createGlobalManager()
  global.createApp('app').createLocal('local', { strategy, children, maxRestarts: Infinity })
  await promise
  const expected = strategy === 'one_for_all' ? (siblings + 1) * (n + 1) : siblings + 1 + n
  if (starts !== expected) throw new Error(`${starts} starts instead of ${expected}`)
  await global.shutdown()
}

async function sendMachine(n: number, options: { readonly resume?: 'snapshot' } = {}): Promise<void> {
  const sum = new Sum()
  const global = createGlobalManager()
  const receiver = global.createApp('app').createLocal('local').spawn('receiver', adding(sum), options)
  await receiver.started
  await sendAll(n, sum, (i) => receiver.send({ type: 'add', i }))
  await global.shutdown()
}

async function ending(n: number): Promise<{ end: () => void; stop: () => Promise<void> }> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local')
  for (let i = 0; i < n; i++) local.spawn('other', patient)
  const routines = Array.from({ length: ENDING }, () => local.spawn('machine', patient))
  await new Promise((resolve) => setImmediate(resolve))
  return {
    end: () => {
      for (const routine of routines) routine.send({ type: 'end' })
    },
    stop: async () => {
      for (const routine of routines) if ((await routine.outcome).status !== 'completed') throw new Error('not all have ended')
      const report = await global.shutdown({ timeout: DEADLINE })
      if (report.cancelled !== n) throw new Error('not all were stopped')
    },
  }
}

async function locals(n: number): Promise<void> {
  const global = createGlobalManager()
  const app = global.createApp('app')
  for (let i = 0; i < n; i++) {
    const { phases } = await app.createLocal('local').shutdown()
    if (phases.length !== 5) throw new Error(`${phases.length} phases instead of 5`)
  }
  await global.shutdown()
}

/** Nothing but a promise, as of the row that is called bare, and its signal, which it has looked at. */
const signalled =
  (i: number) =>
  ({ signal }: { signal: AbortSignal }): Promise<void> => {
    if (signal.aborted) throw new Error('aborted')
    return held(i)
  }

/** Each has a name of its own. */
async function liveManaged(n: number, kind: Kind): Promise<() => Promise<void>> {
  const global = createGlobalManager()
  const app = kind === 'manager-children' ? undefined : global.createApp('app')
  const each = <T>(make: (name: string, i: number) => T): T[] => Array.from({ length: n }, (_, i) => make(`of ${i}`, i))
  if (app === undefined) global.createApp('app', { children: each((name) => manager(name)) })
  else if (kind === 'routine-children') app.createLocal('local', { children: each((name, i) => routine(name, signalled(i))) })
  else if (kind === 'locals') each((name) => app.createLocal(name))
  else {
    const local = app.createLocal('local')
    each((name, i) => local.spawn(name, signalled(i)))
  }
  const isMade = (): boolean =>
    kind === 'locals' || app === undefined ? global.getApp('app')?.locals().length === n : global.metrics().running === n
  // Children are started in slices of the event loop.
  await new Promise((resolve) => setTimeout(resolve, n / 10))
  return async () => {
    if (!isMade()) throw new Error('not all were made')
    await global.shutdown({ timeout: 0 })
    // What timers keep is not to be collected while the next are measured.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function live(n: number, kind: Kind): Promise<() => Promise<void>> {
  if (kind === 'locals' || kind === 'own-names' || kind.endsWith('-children')) return liveManaged(n, kind)
  const global = createGlobalManager()
  const app = global.createApp('app')
  const local = app.createLocal('local')
  const isMachine = kind === 'machines' || kind === 'resumed'
  const routines = Array.from({ length: n }, () =>
    isMachine
      ? local.spawn('machine', twoEvents, kind === 'resumed' ? { resume: 'snapshot' } : {})
      : local.spawn('task', untilAborted, { timeout: 60_000 }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  return async () => {
    if (isMachine) {
      const report = await global.shutdown({ timeout: DEADLINE })
      if (report.cancelled !== n) throw new Error('not all were stopped')
      return
    }
    const outcomes = routines.map((routine) => routine.cancel())
    for (const outcome of outcomes) if ((await outcome).status !== 'cancelled') throw new Error('not all were cancelled')
    await global.shutdown()
  }
}

/** A life of two events. */
function twoEventsOf(local: LocalManager): Promise<Outcome> {
  const machine = local.spawn('machine', twoEvents)
  machine.send({ type: 'begin' })
  machine.send({ type: 'end' })
  return machine.outcome
}

/** Lives of a machine on one tree, which is looked at a hundred times. */
async function soak(n: number, look: (done: number, registered: number) => void): Promise<void> {
  const global = createGlobalManager()
  const local = global.createApp('app').createLocal('local', { maxRoutines: LIMIT })
  const slice = n / 100
  for (let done = 0; done < n; done += slice) {
    await stream(slice, async () => {
      const { status } = await twoEventsOf(local)
      if (status !== 'completed') throw new Error(`${status} instead of completed`)
    })
    look(done + slice, global.routines().length + global.count)
  }
  await global.shutdown()
}

export const variant: Variant = {
  live,
  soak,
  ending,
  alone: {
    strict: likeStreamed({ strict: true }),
    start: likeStreamed({}, { start: () => undefined }),
    clock: likeStreamed({ clock: ownClock }),
    promise: (n) => streamed(n, {}, (local, i) => local.spawn('task', asPromise, { input: i }).outcome),
    machine: (n) => lives(n, 'completed', twoEventsOf),
    callback: (n) =>
      lives(n, 'cancelled', async (local) => {
        const callback = local.spawn('callback', quiet)
        await callback.started
        return callback.cancel()
      }),
    'restart-child': (n) => crashing(n, 'one_for_one', 0),
    'one-for-all': (n) => crashing(n, 'one_for_all', 9),
    'send-machine': (n) => sendMachine(n),
    'send-resumed': (n) => sendMachine(n, { resume: 'snapshot' }),
    locals,
    manager: locals,
  },
}
