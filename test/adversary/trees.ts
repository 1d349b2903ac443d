/** A tree with one of everything, its numbers and strategies from the seed, and what goes on in it until it is shut down. */
import {
  type AppManager,
  type GlobalManager,
  type GlobalManagerOptions,
  link,
  type LocalManager,
  type Manager,
  manager,
  routine,
} from 'curtaincall'
import { pick } from './pairwise.ts'
import { asking, callback, machine, receiver, silent, steps, thenable, thrower, worker } from './works.ts'
import type { AnyRoutine, World } from './world.ts'

/** When the tree is shut down. */
export const END = 260

const STRATEGIES = ['one_for_one', 'one_for_all', 'one_for_all', 'rest_for_one'] as const
const strategyOf = (world: World) => pick(world.random, STRATEGIES)

/** The strategy of a manager, whose children may have permits kept for them. */
function group(world: World, path: string, ids: readonly string[]): { strategy: (typeof STRATEGIES)[number] } {
  const strategy = strategyOf(world)
  world.grouped.set(path, new Set(ids))
  return { strategy }
}

/** A child that crashes now and then. */
function child(world: World, name: string): ReturnType<typeof routine> {
  const { random } = world
  const how = {
    works: pick(random, [15, 40, 90, Infinity]),
    crashes: pick(random, [0, 1, 2]),
    obeys: pick(random, [undefined, undefined, 10]),
  }
  const settled = how.works === Infinity || how.crashes === 0 ? { works: Infinity } : how
  const hung = pick(random, [
    {},
    { hungAfter: 40, onHung: 'kill' as const },
    { hungAfter: 30, onHung: 'kill' as const },
    { hungAfter: 50, onHung: 'restart' as const },
  ])
  return routine(
    name,
    worker(world, clean(settled)),
    asking(world, { restart: pick(random, ['permanent', 'transient']), shutdown: 25, ...hung }),
  )
}

function clean(how: { works?: number; crashes?: number; obeys?: number | undefined }): {
  works?: number
  crashes?: number
  obeys?: number
} {
  return Object.fromEntries(Object.entries(how).filter(([, value]) => value !== undefined))
}

/** Makes the tree. Somebody may have shut a part of it down while it was made: then the rest is refused. */
export function grow(world: World, options: GlobalManagerOptions, create: (options: GlobalManagerOptions) => GlobalManager): GlobalManager {
  const start = ({ path }: { path: string }): void => void world.enter('start of a manager', 'deed', path)
  const svc = manager('svc', { children: [child(world, 'v1')], start, maxRestarts: 20, shutdown: 60, ...group(world, 'g/svc', ['v1']) })
  const global = create({
    ...options,
    name: 'g',
    maxRestarts: 20,
    ...group(world, 'g', ['g1']),
    children: [child(world, 'g1'), svc],
  })
  return global
}

/** Fills it, once everybody listens. */
export function furnish(world: World, global: GlobalManager): void {
  const { random } = world
  const start = ({ path }: { path: string }): void => void world.enter('start of a manager', 'deed', path)
  const cm = manager('cm', {
    children: [child(world, 'c1'), child(world, 'c2')],
    start,
    maxRestarts: pick(random, [1, 20]),
    shutdown: pick(random, [30, 200]),
    restart: pick(random, ['permanent', 'transient', 'temporary']),
    ...group(world, 'g/a/cm', ['c1', 'c2']),
  })
  const app = world.attempt('createApp', () =>
    global.createApp('a', { start, maxRestarts: 20, children: [child(world, 'a1'), cm], ...group(world, 'g/a', ['a1']) }),
  )
  if (app === undefined) return
  world.meetManager(app)
  const made = [local(world, app), actors(world, app), templated(world, app), passing(world, app)]
  const all = made.filter((each) => each !== undefined)
  tie(world, all.flatMap((each) => each.routines()) as AnyRoutine[])
  wait(world, [global, app, ...all])
}

/** A local manager with a limit and a queue, and three children under a strategy. */
function local(world: World, app: AppManager): LocalManager | undefined {
  const { random } = world
  const deaf = routine('s2', worker(world, { obeys: 60 }), { shutdown: 40 })
  const resumed = routine(
    's3',
    machine(world, () => 'g/a/l/s3#s3'),
    { resume: pick(random, ['snapshot', 'fresh']) },
  )
  world.limits.set('g/a/l', 6)
  const made = world.attempt('createLocal', () =>
    app.createLocal('l', {
      maxRoutines: 6,
      overflow: 'queue',
      maxQueue: 3,
      retain: pick(random, [0, 2]),
      maxRestarts: pick(random, [3, 30]),
      children: [child(world, 's1'), deaf, resumed],
      start: ({ path }) => void world.enter('start of a manager', 'deed', path),
      ...group(world, 'g/a/l', ['s1', 's2', 's3']),
    }),
  )
  if (made === undefined) return undefined
  world.meetManager(made)
  const spawn = (name: string, work: unknown, given = {}): unknown =>
    world.attempt(`spawn ${name}`, () => made.spawn(name, work as never, asking(world, given) as never))
  const foreign = world.foreign(10 + Math.floor(random() * 80), made.path)
  spawn('w', worker(world, { works: 30, crashes: 2 }), { restart: 'transient', backoff: { initial: 20, jitter: 0.5, max: 30 } })
  spawn('w', worker(world, { obeys: 40 }), { shutdown: 10, signal: foreign.signal })
  // This one is never aborted: the listener on it has to go with the routine.
  spawn('w', worker(world, { works: 60 }), { signal: world.signal().signal })
  spawn('q', worker(world, { works: 20 }), { signal: foreign.signal })
  spawn('q', thrower(world))
  spawn('q', worker(world, { works: 15, crashes: 1 }), { restart: 'transient' })
  spawn('refused', worker(world, {}))
  return made
}

/** A local manager of actors, mailboxes, and those who fall silent. */
function actors(world: World, app: AppManager): LocalManager | undefined {
  const { random } = world
  const made = world.attempt('createLocal', () => app.createLocal('m', { maxRestarts: 30 }))
  if (made === undefined) return undefined
  world.meetManager(made)
  const spawn = (name: string, work: unknown, given: object): AnyRoutine | undefined =>
    world.attempt(`spawn ${name}`, () => made.spawn(name, work as never, given as never)) as AnyRoutine | undefined
  const at = (id: string) => () => `g/a/m/${id}#${id}`
  const resume = pick(random, ['snapshot', 'fresh'] as const)
  spawn('machine', machine(world, at('machine')), { id: 'machine', restart: 'permanent', resume })
  spawn('callback', callback(world, at('callback')), { id: 'callback' })
  spawn('steps', steps(world, at('steps')), { id: 'steps' })
  spawn(
    'hung',
    silent(world),
    asking(world, { hungAfter: 20, onHung: pick(random, ['report', 'report', 'restart', 'kill']), shutdown: 10 }),
  )
  const mailbox = { capacity: 2, overflow: 'drop-oldest', betweenIncarnations: 'drop' } as const
  const box = spawn('box', receiver(world), asking(world, { id: 'box', restart: 'permanent', mailbox }))
  for (let i = 0; i < 4; i++) world.attempt('send', () => box?.send(`letter ${i}`))
  spawn('receiver', receiver(world), asking(world, { id: 'receiver' }))
  spawn('thenable', thenable(world), {})
  spawn('timed', worker(world, { obeys: 30 }), asking(world, { timeout: 40, shutdown: 20 }))
  spawn('fails', worker(world, { works: 50, crashes: 9 }), { restart: 'temporary', id: 'fails' })
  spawn('tied', worker(world, {}), { id: 'tied' })
  return made
}

/** A local manager with a template. */
function templated(world: World, app: AppManager): LocalManager | undefined {
  const template = routine('inst', worker(world, { works: 40, crashes: 1 }), asking(world, { restart: 'transient' }))
  const made = world.attempt('createLocal', () => app.createLocal('t', { template, maxRestarts: 20 }))
  if (made === undefined) return undefined
  world.meetManager(made)
  for (const id of ['i1', 'i2']) world.attempt('startChild', () => world.promise('startChild of an instance', made.startChild({ id })))
  return made
}

/** A local manager that does not last. */
function passing(world: World, app: AppManager): LocalManager | undefined {
  const made = world.attempt('createLocal', () => app.createLocal('y'))
  if (made === undefined) return undefined
  world.meetManager(made)
  world.attempt('spawn', () => made.spawn('short', worker(world, { obeys: 5 })))
  setTimeout(
    () => {
      world.ordered.add(made.path)
      world.promise('shutdown of g/a/y', made.shutdown())
    },
    40 + Math.floor(world.random() * 60),
  )
  return made
}

/** Links what is there. */
function tie(world: World, routines: readonly AnyRoutine[]): void {
  const named = (name: string): AnyRoutine | undefined => routines.find((each) => each.name === name)
  for (const [a, b] of [
    ['fails', 'tied'],
    ['s1', 'w'],
    ['machine', 'callback'],
  ] as const) {
    const [first, second] = [named(a), named(b)]
    if (first !== undefined && second !== undefined) world.attempt('link', () => link(first as never, second as never))
  }
}

/** Waits of every kind; what comes of them are points. */
function wait(world: World, managers: readonly Manager[]): void {
  for (const each of managers) {
    const told = (point: string) => (): void => void world.enter(point, 'outside', each.path)
    const follow = (point: string, promise: Promise<unknown>): void => {
      world.promise(`${point} of ${each.path}`, promise)
      promise.then(told(point), told(point))
    }
    world.attempt('ready', () => follow('ready', each.ready()))
    world.attempt('whenAvailable', () => follow('whenAvailable', each.whenAvailable({ timeout: 200 })))
    world.attempt('waitFor', () => follow('waitFor', each.waitFor('w', { timeout: 220 })))
    follow('outcome of a manager', each.outcome)
  }
}
