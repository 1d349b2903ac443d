/** How a life of a manager ends by itself: by more restarts than are allowed, by a start, or because somebody says so. In a turn. */
import type { ShutdownTrigger } from '../../machines/lifecycle-event.ts'
import { RestartLimitError, type StartFailedError } from '../contract/index.ts'
import { type Closing, ShutdownRun } from '../shutdown/index.ts'
import { DEFAULT_SHUTDOWN_TIMEOUT, type ManagerSpec, plainShutdown, type ShutdownPlan } from '../spec/index.ts'
import type { Place } from './place.ts'

/** A manager that fails. */
export interface Failing extends Closing {
  readonly place: Place
  readonly spec: ManagerSpec
  readonly up: Failing | undefined
  readonly seq: number
  trigger: ShutdownTrigger
  run: ShutdownRun | undefined
  startError: StartFailedError | undefined
  /** If a level above closes all below it, it does by now. */
  heedAbove(): void
}

export function giveUp(life: Failing, cause: number, error: unknown): void {
  life.heedAbove()
  if (life.run !== undefined) return
  const { path, tree } = life
  const { maxRestarts, restartWindow } = life.spec
  const limit = new RestartLimitError(`${path}: more than ${maxRestarts} restarts within ${restartWindow} ms`, { path, cause: error })
  const seq = life.place.announce({ type: 'manager.gaveUp', restarts: maxRestarts, window: restartWindow }, cause)
  tree.bus.log('error', { path, err: limit }, 'gave up')
  fail(life, 'limit', limit, seq)
}

export function failStart(life: Failing, error: StartFailedError): void {
  life.heedAbove()
  if (life.run !== undefined) return
  const { path, tree } = life
  life.startError = error
  tree.bus.log('error', { path, err: error }, 'not started')
  fail(life, 'start_failed', error, life.seq)
}

/** The store of the tree is gone. */
export function failStore(life: Failing, error: unknown, continues: boolean): void {
  const { path, tree } = life
  const seq = life.place.announce({ type: 'store.failed', error, continues }, 0)
  tree.bus.log('error', { path, err: error }, continues ? 'the store has failed: from here on nothing is durable' : 'the store has failed')
  if (!continues) fail(life, 'store_failed', error, seq)
}

export function fail(life: Failing, trigger: ShutdownTrigger, error: unknown, cause: number): void {
  life.heedAbove()
  if (life.run !== undefined) return
  life.trigger = trigger
  life.run = new ShutdownRun(life, unasked(life, cause))
  life.run.blame({ path: life.path, error })
  life.tell({ type: 'giveUp', error })
}

/** The shutdown of a manager that stops by itself. Nobody above bounds that of the root, which is not to last for ever. */
export function unasked({ up, spec }: Pick<Failing, 'up' | 'spec'>, cause: number): ShutdownPlan {
  return plainShutdown(up === undefined ? DEFAULT_SHUTDOWN_TIMEOUT : spec.shutdown, cause)
}
