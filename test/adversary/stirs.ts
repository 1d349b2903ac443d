/** What makes a point be passed again, for points that few trees pass once they stand. */
import { AppManager, link, LocalManager } from 'curtaincall'
import { asking, callback, machine, silent, thenable, worker } from './works.ts'
import type { AnyRoutine, World } from './world.ts'

interface Place {
  readonly world: World
  readonly app: AppManager
  /** Where there is no limit. */
  readonly free: LocalManager
  /** Where there is a limit, and a queue. */
  readonly full: LocalManager
}

type Stir = (place: Place) => void

const spawn = (local: LocalManager, work: unknown, options: object = {}): AnyRoutine =>
  local.spawn('stir', work as never, { shutdown: 10, ...options } as never) as AnyRoutine

const fill: Stir = (place) => {
  for (let i = 0; i < 12; i++) spawn(place.full, worker(place.world, { works: 4 }))
}

/** A local manager that comes and goes. */
const passing: Stir = ({ world, app }) => {
  const start = ({ path }: { path: string }): void => void world.enter('start of a manager', 'deed', path)
  const made = world.meetManager(app.createLocal(world.newName('p'), { start }))
  const told = (point: string) => (): void => void world.enter(point, 'outside', made.path)
  made.ready().then(told('ready'), told('ready'))
  setTimeout(() => {
    world.ordered.add(made.path)
    made.shutdown().then(told('report of a shutdown'), told('report of a shutdown'))
    made.outcome.then(told('outcome of a manager'), told('outcome of a manager'))
  }, 4)
}

/** A local manager that gives up, and is restarted. */
const givingUp: Stir = (place) => {
  const { world, app } = place
  const made = world.meetManager(app.createLocal(world.newName('u'), { maxRestarts: 0 }))
  spawn(made, worker(world, { works: 2, crashes: 9 }), { restart: 'permanent' })
}

const brief =
  (make: (world: World, path: () => string) => unknown): Stir =>
  (place) => {
    let path = ''
    const made = spawn(
      place.free,
      make(place.world, () => path),
    )
    path = made.path
    setTimeout(() => void made.cancel(), 9)
  }

const send =
  (id: string): Stir =>
  ({ free }) => {
    const routine = free.routine(id) as AnyRoutine | undefined
    for (let i = 0; i < 2; i++) routine?.send(routine.work === undefined ? 'hello' : { type: 'go' })
  }

const told = (world: World, point: string, promise: Promise<unknown>, path: string): void => {
  const enter = (): void => void world.enter(point, 'outside', path)
  promise.then(enter, enter)
}

const broken: Stir = (place) => {
  const [a, b] = [spawn(place.free, worker(place.world, {})), spawn(place.free, worker(place.world, {}))]
  link(a as never, b as never)
  setTimeout(() => a.exit(new Error('a link breaks')), 2)
}

const late: Stir = (place) => {
  const ended = spawn(place.free, () => 'done')
  setTimeout(() => place.world.attempt('send', () => ended.send('too late')), 2)
}

const aborted: Stir = (place) => {
  const { signal } = place.world.foreign(3, place.free.path)
  spawn(place.free, worker(place.world, {}), { signal })
}

const stirs: Readonly<Record<string, Stir>> = {
  'routine.queued': fill,
  'routine.refused': fill,
  'routine.hung': (place) => void spawn(place.free, silent(place.world), { hungAfter: 8 }),
  'routine.revived': (place) => void spawn(place.free, silent(place.world), { hungAfter: 8 }),
  'link.broken': broken,
  'message.deadLetter': late,
  'manager.started': passing,
  'manager.restarted': givingUp,
  'manager.gaveUp': givingUp,
  'start of a manager': passing,
  'report of a shutdown': passing,
  'outcome of a manager': passing,
  ready: passing,
  whenAvailable: ({ world, full }) => told(world, 'whenAvailable', full.whenAvailable({ timeout: 6 }), full.path),
  waitFor: ({ world, full }) => told(world, 'waitFor', full.waitFor('w', { timeout: 6 }), full.path),
  'answer of ask': ({ world, free }) => {
    const receiver = free.routine('receiver') as AnyRoutine | undefined
    if (receiver !== undefined) told(world, 'answer of ask', receiver.ask('hello', { timeout: 20 }), receiver.path)
  },
  'answer of a call': ({ world, full }) => told(world, 'answer of a call', full.whichChildren(), full.path),
  'foreign abort': aborted,
  'logger.info': send('machine'),
  'message to a machine': send('machine'),
  'entry action': send('machine'),
  'exit action': send('machine'),
  guard: send('machine'),
  'initial context': brief(machine),
  'invoked promise': brief(machine),
  'callback begins': brief(callback),
  'callback receives': send('callback'),
  'callback cleanup': brief(callback),
  'transition function': send('steps'),
  'message to a body': send('receiver'),
  'then of a thenable': (place) => void spawn(place.free, thenable(place.world)),
  generateId: (place) => void spawn(place.free, worker(place.world, { works: 3 })),
  start: (place) => void spawn(place.free, worker(place.world, { works: 3 }), asking(place.world, { restart: 'temporary' })),
}

/** When: while the tree is made, when groups wait, later. */
const TIMES = [3, 17, 34, 41, 50, 64, 103, 120, 160]

/** Has the case's point passed now and then. */
export function stir(world: World): void {
  const act = stirs[world.case.point]
  if (act === undefined) return
  for (const ms of TIMES) {
    setTimeout(() => {
      const [app, free, full] = ['g/a', 'g/a/m', 'g/a/l'].map((path) => world.global?.whereis(path))
      if (!(app instanceof AppManager) || !(free instanceof LocalManager) || !(full instanceof LocalManager)) return
      world.attempt('stir', () => act({ world, app, free, full }))
    }, ms)
  }
}
