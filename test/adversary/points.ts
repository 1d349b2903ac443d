/**
 * Every point at which foreign code can run, as data: its name, and what has to be put into the tree so that it is passed. Points
 * that lie in the work and in the options of routines are passed in any tree; see works.ts.
 */
import { type GlobalManagerOptions, type LifecycleEventType, type Manager, watch } from 'curtaincall'
import type { InspectionEvent } from 'xstate'
import { type AnyRoutine, isManager, type Target, type World } from './world.ts'

export interface Point {
  readonly name: string
  /** Options of the global manager that are there only for this point. */
  readonly options?: (world: World) => GlobalManagerOptions
  /** Called for each manager and each routine, as soon as it is met. */
  readonly meet?: (world: World, target: Target) => void
}

const EVENTS = [
  'routine.spawned',
  'routine.queued',
  'routine.started',
  'routine.completed',
  'routine.failed',
  'routine.cancelled',
  'routine.killed',
  'routine.orphaned',
  'routine.settled',
  'routine.restarted',
  'routine.hung',
  'routine.revived',
  'routine.refused',
  'link.broken',
  'message.dropped',
  'message.deadLetter',
  'manager.started',
  'manager.restarted',
  'manager.gaveUp',
  'manager.phase',
  'manager.stopped',
] as const satisfies readonly LifecycleEventType[]

const PHASES = ['closing', 'cancelling', 'waiting', 'killing', 'cleaning'] as const

const isGlobal = (target: Target): target is Manager => isManager(target) && target.path === 'g'
const onManagers = (act: (world: World, manager: Manager) => void) => (world: World, target: Target) => {
  if (isManager(target)) act(world, target)
}
const onRoutines = (act: (world: World, routine: AnyRoutine) => void) => (world: World, target: Target) => {
  if (!isManager(target)) act(world, target)
}

/** Listeners of each type, at the root. */
const events = EVENTS.map((type): Point => {
  const meet = (world: World, target: Target): void => {
    if (isGlobal(target)) target.on(type, (event) => void world.enter(type, 'word', event.path))
  }
  return { name: type, meet }
})

/** Listeners that hold a phase. */
const holds = PHASES.map((phase): Point => {
  const name = `a hold of ${phase}`
  const meet = (world: World, target: Target): void => {
    if (!isGlobal(target)) return
    target.on('manager.phase', (event) => {
      if (event.phase !== phase) return undefined
      world.enter(name, 'word', event.path)
      return new Promise<void>((resolve) => void setTimeout(resolve, 2))
    })
  }
  return { name, meet }
})

/** Inspection observers, by what they are told. */
const inspections = (['@xstate.actor', '@xstate.event', '@xstate.snapshot'] as const).map((type): Point => {
  const name = `inspect ${type}`
  const inspect = (world: World) => (event: InspectionEvent) => {
    if (event.type === type) world.enter(name, 'word', '')
  }
  return { name, options: (world) => ({ inspect: inspect(world) }) }
})

const lines = (world: World) => {
  const line = (level: string) => (): void => void world.enter(`logger.${level}`, 'word', '')
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
}

const subscribers: Point[] = [
  {
    name: 'subscriber of routine.actor',
    meet: onRoutines(
      (world, routine) => void routine.actor.subscribe(() => world.enter('subscriber of routine.actor', 'word', routine.path)),
    ),
  },
  {
    name: 'completion of routine.actor',
    meet: onRoutines((world, routine) => {
      const complete = (): void => void world.enter('completion of routine.actor', 'word', routine.path)
      routine.actor.subscribe({ complete })
    }),
  },
  {
    name: 'subscriber of routine.work',
    meet: onRoutines((world, routine) => {
      // The user's own actor: XState tells its subscribers in the middle of its step, as it always does.
      const next = (): void => void world.enter('subscriber of routine.work', 'deed', routine.path)
      void routine.started.then(() => routine.work?.subscribe({ next, error: () => undefined }))
    }),
  },
  {
    name: 'subscriber of manager.actor',
    meet: onManagers(
      (world, manager) => void manager.actor.subscribe(() => world.enter('subscriber of manager.actor', 'word', manager.path)),
    ),
  },
  {
    name: 'system.inspect',
    meet: (world, target) => {
      if (isGlobal(target)) target.actor.system.inspect({ next: () => world.enter('system.inspect', 'word', '') })
    },
  },
  {
    name: 'a listener of a local manager',
    meet: onManagers((world, manager) => {
      if (manager.path === 'g/a/l') manager.on('*', (event) => void world.enter('a listener of a local manager', 'word', event.path))
    }),
  },
  { name: 'watch', meet: onRoutines((world, routine) => void watch(routine, () => void world.enter('watch', 'word', routine.path))) },
]

const follow = (name: string, promiseOf: (routine: AnyRoutine) => Promise<unknown>): Point => ({
  name,
  meet: onRoutines((world, routine) => {
    const told = (): void => void world.enter(name, 'outside', routine.path)
    promiseOf(routine).then(told, told)
  }),
})

const promises: Point[] = [
  follow('outcome', (routine) => routine.outcome),
  follow('started', (routine) => routine.started),
  follow('result', (routine) => routine.result()),
  ...['outcome of a manager', 'ready', 'whenAvailable', 'waitFor', 'answer of ask', 'answer of a call', 'report of a shutdown'].map(
    (name) => ({ name }),
  ),
]

/** Passed in any tree. */
const inner = [
  'abort listener',
  'derived abort listener',
  'foreign abort',
  'start',
  'start of a manager',
  'restartIf',
  'random',
  'generateId',
  'clock.now',
  'clock.setTimeout',
  'clock.clearTimeout',
  'body begins',
  'body after a wait',
  'body is over',
  'message to a body',
  'message to a machine',
  'entry action',
  'exit action',
  'guard',
  'initial context',
  'invoked promise',
  'callback begins',
  'callback receives',
  'callback cleanup',
  'transition function',
  'then of a thenable',
  'a timer outside',
].map((name): Point => ({ name }))

export const points: readonly Point[] = [
  ...events,
  ...holds,
  ...['logger.error', 'logger.info'].map((name) => ({ name })),
  ...inspections,
  ...subscribers,
  ...promises,
  ...inner,
]

/** The options that every tree has: each of them passes its point. */
export function asked(world: World, given: GlobalManagerOptions): GlobalManagerOptions {
  const { clock, random, generateId } = given
  if (clock === undefined || random === undefined || generateId === undefined) throw new Error('a simulation gives all of these')
  const point = points.find(({ name }) => name === world.case.point)
  const answer = <T>(name: string, own: () => T): T => world.enter(name, 'question', '', own) as T
  return {
    ...given,
    logger: lines(world),
    random: () => answer('random', random),
    generateId: () => answer('generateId', generateId),
    clock: {
      now: () => answer('clock.now', () => clock.now()),
      setTimeout: (callback, delay) => world.enter('clock.setTimeout', 'deed', '', () => clock.setTimeout(callback, delay)),
      clearTimeout: (timer) => world.enter('clock.clearTimeout', 'deed', '', () => clock.clearTimeout(timer)),
    },
    ...point?.options?.(world),
  }
}
