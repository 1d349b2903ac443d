/** A small tree under virtual time, with everything that happened in it. */
import {
  createGlobalManager,
  type GlobalManager,
  type GlobalManagerOptions,
  type LifecycleEvent,
  type LocalManager,
  type LocalManagerOptions,
  type RoutineContext,
} from 'curtaincall'
import { VirtualClock } from './virtual-clock.ts'

export interface Tree {
  readonly clock: VirtualClock
  readonly global: GlobalManager
  readonly local: LocalManager
  readonly events: LifecycleEvent[]
  /** Events as `type path`, ids cut off. */
  readonly story: (filter?: RegExp) => string[]
}

export function counter(prefix = 'r'): () => string {
  let n = 0
  return () => `${prefix}${++n}`
}

export function makeTree(localOptions: LocalManagerOptions = {}, globalOptions: GlobalManagerOptions = {}): Tree {
  const clock = new VirtualClock()
  const global = createGlobalManager({ name: 'g', clock, random: () => 0.5, generateId: counter(), ...globalOptions })
  const events: LifecycleEvent[] = []
  global.on('*', (event) => events.push(event))
  const local = global.createApp('a').createLocal('l', localOptions)
  const story = (filter = /./) =>
    events
      .map((event) => `${event.type}${'phase' in event ? ` ${event.phase}` : ''} ${event.path.replace(/#.*/, '')}`)
      .filter((line) => filter.test(line))
  return { clock, global, local, events, story }
}

/** Work that ends only when told to. */
export const untilTold = ({ signal }: RoutineContext<any>): Promise<string> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve('obeyed'), { once: true }))

/** Work that ends only when told to, some milliseconds later. */
export const slowToStop =
  (clock: VirtualClock, ms: number) =>
  ({ signal }: RoutineContext<any>): Promise<string> =>
    new Promise((resolve) => signal.addEventListener('abort', () => clock.setTimeout(() => resolve('late'), ms), { once: true }))

/** Work that never ends. */
export const deaf = (): Promise<never> => new Promise(() => undefined)

/** A promise and its handles. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>()
}
