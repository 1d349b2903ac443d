/** What the routines of the adversary's trees do: each passes the points that lie in work. */
import type { ChildOptions, RoutineContext, RoutineOptions } from 'curtaincall'
import { type AnyActorLogic, fromCallback, fromPromise, fromTransition, log, setup } from 'xstate'
import { pick } from './pairwise.ts'
import type { World } from './world.ts'

type Context = RoutineContext<any, any, any>
type Body = (context: Context) => unknown
export type Options = RoutineOptions<any> & ChildOptions

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))

/** Begins a run: whoever stops it has to abort this signal before the stop returns. */
function begin(world: World, { path, incarnation, signal }: Context): () => void {
  const run = world.begun(path, incarnation, signal)
  signal.addEventListener('abort', () => world.enter('abort listener', 'deed', path))
  if (world.case.point === 'derived abort listener')
    AbortSignal.any([signal, world.never]).addEventListener('abort', () => world.enter('derived abort listener', 'deed', path))
  world.enter('body begins', 'deed', path)
  // One that ends before it has waited for anything is still being begun.
  let stands: 'deed' | 'outside' = 'deed'
  queueMicrotask(() => {
    stands = 'outside'
  })
  return () => {
    run.over = true
    world.enter('body is over', stands, path)
  }
}

/** Resolves once it is told to stop, or after so long. */
function until(signal: AbortSignal, ms = Infinity): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = ms === Infinity ? undefined : setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}

/** Works for some time, crashes in its first runs, and may be slow to obey. */
export const worker =
  (world: World, how: { works?: number; crashes?: number; obeys?: number }): Body =>
  async (context) => {
    const { signal, path, incarnation } = context
    const over = begin(world, context)
    try {
      await until(signal, how.works)
      world.enter('body after a wait', 'outside', path)
      if (signal.aborted && how.obeys !== undefined) await pause(how.obeys)
      if (!signal.aborted && incarnation <= (how.crashes ?? 0)) throw new Error(`${path} crashes`)
      return 'done'
    } finally {
      over()
    }
  }

/** Answers what it is sent, one after the other. */
export const receiver =
  (world: World): Body =>
  async (context) => {
    const over = begin(world, context)
    try {
      for await (const { message, reply } of context.messages) {
        world.enter('message to a body', 'outside', context.path)
        if (message === 'crash') throw new Error('a letter')
        await pause(3)
        reply('answer')
      }
    } finally {
      over()
    }
  }

/** Is silent for some time, and then heard again. */
export const silent =
  (world: World): Body =>
  async (context) => {
    const over = begin(world, context)
    try {
      await until(context.signal, 45)
      context.heartbeat()
      await until(context.signal, 60)
    } finally {
      over()
    }
  }

/** Ends at once, by a `then` of its own. */
export const thenable =
  (world: World): Body =>
  (context) => {
    begin(world, context)()
    const then = (resolve: (value: string) => void): void =>
      world.enter('then of a thenable', 'outside', context.path, () => resolve('then'))
    // oxlint-disable-next-line unicorn/no-thenable -- user code that the library calls
    return { then }
  }

/** Throws before it has waited for anything, in its first run. */
export const thrower =
  (world: World): Body =>
  (context) => {
    const over = begin(world, context)
    over()
    if (context.incarnation === 1) throw new Error(`${context.path} throws`)
    return 'done'
  }

type MachineEvent = { type: 'go' } | { type: 'crash' } | { type: 'end' }

/** A machine with everything in it that a machine may call. */
export function machine(world: World, path: () => string): AnyActorLogic {
  const at =
    (point: string, sort: 'deed' | 'outside' = 'deed') =>
    (): void =>
      void world.enter(point, sort, path())
  return setup({
    types: { events: {} as MachineEvent, context: {} as { steps: number } },
    actors: {
      load: fromPromise(async () => {
        world.enter('invoked promise', 'deed', path())
        await pause(7)
      }),
    },
    actions: {
      enter: at('entry action'),
      leave: at('exit action'),
      hear: at('message to a machine'),
      crash: () => {
        throw new Error('a machine crashes')
      },
    },
    guards: { may: () => (world.enter('guard', 'question', path()), true) },
    delays: { later: 30 },
  }).createMachine({
    id: 'm',
    context: () => (world.enter('initial context', 'deed', path()), { steps: 0 }),
    initial: 'one',
    states: {
      one: { entry: 'enter', exit: 'leave', invoke: { src: 'load' }, on: { go: { guard: 'may', target: 'two', actions: 'hear' } } },
      two: { entry: ['enter', log('in two')], exit: 'leave', after: { later: 'one' }, on: { go: { target: 'one', actions: 'hear' } } },
      done: { type: 'final' },
    },
    on: { crash: { actions: 'crash' }, end: '.done' },
  })
}

/** A callback with a cleanup. */
export function callback(world: World, path: () => string): AnyActorLogic {
  return fromCallback(({ receive }) => {
    world.enter('callback begins', 'deed', path())
    receive(() => void world.enter('callback receives', 'deed', path()))
    return () => void world.enter('callback cleanup', 'deed', path())
  })
}

/** A transition function. */
export function steps(world: World, path: () => string): AnyActorLogic {
  return fromTransition((state: number) => {
    world.enter('transition function', 'deed', path())
    return state + 1
  }, 0)
}

/** Options that ask back: `start`, `restartIf`, and a jitter that needs chance. */
export function asking(world: World, options: Options = {}): Options {
  const { random } = world
  const backoff = pick(random, [undefined, { initial: 20, jitter: 0.5, max: 50 }, { initial: 5, max: 20, jitter: 0.2 }])
  const failing = random() < 0.1 ? 2 : 0
  return {
    restart: pick(random, ['permanent', 'transient', 'transient', 'temporary'] as const),
    ...(backoff === undefined ? {} : { backoff }),
    start: ({ path, incarnation }) => {
      world.acquired.set(`${path} ${incarnation}`, world.events.at(-1)?.seq ?? 0)
      world.enter('start', 'deed', path)
      if (incarnation === failing) throw new Error('no start')
    },
    restartIf: () => {
      world.enter('restartIf', 'question', '')
      return true
    },
    ...options,
  }
}
