/** Every order of the public API, as data: its name, the kinds of target that it fits, and how to give it. */
import {
  AppManager,
  GlobalManager,
  link,
  LocalManager,
  type Manager,
  manager,
  routine,
  type RoutineContext,
  type ShutdownOptions,
  SpawnRefusedError,
  watch,
} from 'curtaincall'
import { pick } from './pairwise.ts'
import { inconsistencies } from './reading.ts'
import { type AnyRoutine, isManager, type Target, type World } from './world.ts'

export const ROUTINE_KINDS = ['concerned', 'sibling', 'child', 'spawned', 'queued', 'between'] as const
export const MANAGER_KINDS = ['its manager', 'local', 'app', 'global', 'child manager'] as const
export type TargetKind = (typeof ROUTINE_KINDS)[number] | (typeof MANAGER_KINDS)[number]

export interface Order {
  readonly name: string
  readonly targets: readonly TargetKind[]
  /** False if there is nothing to be ordered of this one. */
  readonly give: (world: World, target: Target) => boolean | void
}

const untilTold = ({ signal }: RoutineContext<any>): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
const crashing = async ({ incarnation, signal }: RoutineContext<any>): Promise<void> => {
  if (incarnation === 1) throw new Error('a crash that was ordered')
  await untilTold({ signal } as RoutineContext)
}

/** True once this run is over, for good or until another one is made. */
const isEnded = ({ state }: AnyRoutine): boolean => state !== 'pending' && state !== 'running'

function ofRoutine(name: string, act: (world: World, routine: AnyRoutine) => void): Order {
  const give = (world: World, target: Target): boolean => {
    if (isManager(target)) return false
    const lived = !isEnded(target)
    world.attempt(name, () => act(world, target))
    // T12: who gives an order from outside has heard what came of it when it returns.
    if (!world.nested && lived && isEnded(target) && !world.heardEnd(target))
      world.find('T12 not told', `${target.path} is ${target.state} after ${name}, and its end was not told`)
    return true
  }
  return { name, targets: ROUTINE_KINDS, give }
}

function ofManager(name: string, act: (world: World, manager: Manager) => boolean | void): Order {
  const give = (world: World, target: Target): boolean => {
    if (!isManager(target)) return false
    return world.attempt(name, () => act(world, target)) !== false
  }
  return { name, targets: MANAGER_KINDS, give }
}

/** T5: after the order, also inside of a listener, the signal of a body that was running is aborted. */
function stops(name: string, act: (world: World, routine: AnyRoutine) => void): Order {
  return ofRoutine(name, (world, target) => {
    world.ordered.add(target.path)
    const run = world.runs.get(target.path)
    const ran = target.state === 'running' && run !== undefined && !run.over && run.incarnation === target.incarnation
    act(world, target)
    if (ran && !run.signal.aborted) world.find('T5 not aborted', `after ${name} of ${target.path} its signal is not aborted`)
  })
}

const exits = ([...['normal', 'shutdown', 'killed'], new Error('told to fail')] as const).map((reason) =>
  ofRoutine(`exit ${reason instanceof Error ? 'error' : reason}`, (world, target) => {
    world.ordered.add(target.path)
    const run = world.runs.get(target.path)
    const ran = target.state === 'running' && run !== undefined && !run.over && run.incarnation === target.incarnation
    const done = target.exit(reason as 'normal')
    if (done && ran && !run.signal.aborted) world.find('T5 not aborted', `after exit of ${target.path} its signal is not aborted`)
  }),
)

const routineOrders: Order[] = [
  stops('cancel', (world, target) => world.promise(`cancel of ${target.path}`, target.cancel('told'))),
  stops('kill', (world, target) => world.promise(`kill of ${target.path}`, target.kill('told'))),
  stops('restart', (world, target) => {
    world.hurried.add(target.path)
    world.promise(`restart of ${target.path}`, target.restart())
  }),
  ...exits,
  ofRoutine('send', (_, target) => target.send(target.work === undefined ? 'hello' : { type: 'go' })),
  ofRoutine('send a crash', (_, target) => target.send(target.work === undefined ? 'crash' : { type: 'crash' })),
  ofRoutine('ask', (world, target) => {
    const answer = target.ask(target.work === undefined ? 'hello' : { type: 'go' }, { timeout: 30 })
    const told = (): void => void world.enter('answer of ask', 'outside', target.path)
    world.promise(`ask of ${target.path}`, answer)
    answer.then(told, told)
  }),
  ofRoutine('link', (world, target) => {
    const other = world.global?.routines().find((each) => each.path !== target.path)
    if (other === undefined) return
    world.ordered.add(target.path).add(other.path)
    link(target as never, other as never)
  }),
  ofRoutine('watch', (world, target) => void watch(target, () => void world.enter('a watch by order', 'word', target.path))),
  ofRoutine('look at its actor', (_, target) => void target.actor.getSnapshot()),
]

/** T7: what is spawned is there, or refused. */
function spawn(world: World, target: Manager, crash: boolean): boolean {
  const local = target instanceof LocalManager ? target : undefined
  if (local === undefined || local.path === 'g/a/t') return false
  const nested = world.nested
  let spawned: AnyRoutine
  try {
    spawned = local.spawn(world.newName('x'), crash ? crashing : untilTold, {
      restart: crash ? 'transient' : 'temporary',
      shutdown: 20,
    }) as never
  } catch (error) {
    if (!(error instanceof SpawnRefusedError)) throw error
    return true
  }
  world.meetRoutine(spawned)
  const living = spawned.state === 'pending' || spawned.state === 'running'
  if (living !== local.routines().includes(spawned as never))
    world.find('T7 spawn', `${spawned.path} is ${spawned.state} and ${living ? 'not among' : 'among'} the routines`)
  if (nested && !living) world.find('T7 spawn', `${spawned.path} is ${spawned.state} when its spawn returns`)
  if (!nested && !world.events.some(({ type, path }) => type === 'routine.spawned' && path === spawned.path))
    world.find('T12 not told', `routine.spawned of ${spawned.path} was not told before its spawn returned`)
  return true
}

/** T7: what is made is found at once. */
function create(world: World, target: Manager): boolean {
  const name = world.newName('n')
  const app = target instanceof LocalManager ? world.global?.getApp('a') : target
  if (!(app instanceof AppManager) && !(app instanceof GlobalManager)) return false
  const options = { children: [routine('n', untilTold, { shutdown: 20 })] }
  const made: Manager = app instanceof AppManager ? app.createLocal(name, options) : app.createApp(name, options)
  const found = app instanceof AppManager ? app.getLocal(name) : app.getApp(name)
  if (found !== made && made.state !== 'failed' && !isOver(made)) world.find('T7 create', `${made.path} was made and is not found`)
  world.meetManager(made)
  return true
}

const isOver = ({ state }: Manager): boolean => state === 'completed' || state === 'failed' || state === 'cancelled'

/** A manager is made anew under a name that a stopped one had. */
function recreate(world: World): boolean {
  const app = world.global?.getApp('a')
  const name = ['y', 'l', 't'].find((each) => app?.getLocal(each) === undefined)
  if (app === undefined || name === undefined) return false
  const made = world.meetManager(app.createLocal(name, { maxRestarts: 30 }))
  if (app.getLocal(name) !== made && !isOver(made)) world.find('T7 create', `${made.path} was made and is not found`)
  world.meetRoutine(made.spawn('again', untilTold, { shutdown: 20 }) as never)
  return true
}

function shutdown(world: World, target: Manager, options: ShutdownOptions): void {
  const due = world.now() + (options.mode === 'immediate' ? 0 : (options.timeout ?? 10_000))
  const deadline: { path: string; due: number; endedAt: number | undefined } = { path: target.path, due, endedAt: undefined }
  world.deadlines.push(deadline)
  world.ordered.add(target.path)
  const report = target.shutdown(options)
  if (target.state === 'running' || target.state === 'pending')
    world.find('T7 shutdown', `${target.path} is ${target.state} after shutdown() has returned`)
  const closes = world.events.some(({ type, path }) => type === 'manager.phase' && path === target.path)
  if (!world.nested && !closes && !isOver(target))
    world.find('T12 not told', `${target.path} closes, and shutdown() returns before that is told`)
  world.promise(`shutdown of ${target.path}`, report)
  void report.then(() => {
    deadline.endedAt = world.now()
    world.enter('report of a shutdown', 'outside', target.path)
  })
}

/** A call of the supervisor; its answer is a point. */
function called(name: string, call: (world: World, manager: Manager) => Promise<unknown> | undefined): Order {
  return ofManager(name, (world, target) => {
    const answer = call(world, target)
    if (answer === undefined) return false
    const told = (): void => void world.enter('answer of a call', 'outside', target.path)
    world.promise(`${name} of ${target.path}`, answer)
    answer.then(told, told)
    return true
  })
}

/** The id of one of its children. */
const childOf = (target: Manager): string => target.routines().find(({ id, path }) => path === `${target.path}/${id}#${id}`)?.id ?? 's1'

const managerOrders: Order[] = [
  ofManager('spawn', (world, target) => spawn(world, target, false)),
  ofManager('spawn a crash', (world, target) => spawn(world, target, true)),
  ofManager('create', create),
  ofManager('make anew', recreate),
  ofManager('shutdown', (world, target) => shutdown(world, target, { timeout: 50 })),
  ofManager('shutdown immediate', (world, target) => shutdown(world, target, { mode: 'immediate' })),
  ofManager('shutdown with drain', (world, target) => shutdown(world, target, { timeout: 80, drain: 30 })),
  ofManager('shutdown without time', (world, target) => shutdown(world, target, { timeout: 0 })),
  ofManager('shutdown with a signal', (world, target) => {
    const controller = world.signal()
    shutdown(world, target, { timeout: 300, signal: controller.signal })
    setTimeout(() => controller.abort('hurry'), 5)
  }),
  ofManager('shutdownNamed', (world, target) => {
    const name = pick(world.random, ['w', ...target.routines().map((each) => each.name)])
    for (const each of target.routinesNamed(name)) world.ordered.add(each.path)
    world.promise(`shutdownNamed of ${target.path}`, target.shutdownNamed(name, { timeout: 20 }))
  }),
  called('startChild', (world, target) => {
    if (target.path === 'g/a/t') return target.startChild({})
    const name = world.newName('k')
    world.grouped.get(target.path)?.add(name)
    return target.startChild(routine(name, untilTold, { shutdown: 20 }))
  }),
  called('startChild of a manager', (world, target) => {
    if (target.path === 'g/a/t') return undefined
    return target.startChild(manager(world.newName('k'), { children: [routine('n', untilTold, { shutdown: 20 })], shutdown: 50 }))
  }),
  called('restartChild', (_, target) => target.restartChild(childOf(target))),
  called('terminateChild', (world, target) => {
    const id = childOf(target)
    world.ordered.add(`${target.path}/${id}#${id}`)
    return target.terminateChild(id)
  }),
  called('terminateChild by handle', (world, target) => {
    const handle = target.routines()[0]
    if (handle === undefined) return undefined
    world.ordered.add(handle.path)
    return target.terminateChild(handle)
  }),
  called('deleteChild', (_, target) => target.deleteChild(childOf(target))),
  called('whichChildren', (_, target) => target.whichChildren()),
  called('countChildren', (_, target) => target.countChildren()),
  ofManager('waits', (world, target) => {
    const controller = world.signal()
    const { signal } = controller
    world.promise('waitFor', target.waitFor('w', { timeout: 40, signal }), 'no more')
    world.promise('whenAvailable', target.whenAvailable({ timeout: 40, signal }), 'no more')
    world.promise('ready', target.ready({ timeout: 40, signal }), 'no more')
    setTimeout(() => controller.abort('no more'), 20)
  }),
  ofManager('on and off', (world, target) => {
    let live = true
    const off = target.on('*', ({ seq }) => {
      if (!live) world.find('T10 heard after off', `event ${seq} came after off()`)
      if (seq <= from) world.find('T10 heard from before', `event ${seq} came, which is older than on()`)
    })
    const from = world.events.at(-1)?.seq ?? 0
    setTimeout(() => {
      live = false
      off()
    }, 10)
  }),
  ofManager('read', (world) => {
    for (const each of inconsistencies(world)) world.find('T3 inconsistent', each)
  }),
]

export const orders: readonly Order[] = [...routineOrders, ...managerOrders]
