/** How long a restart waits: the `backoff` option, and its jitter. */
import { backoffDelay } from '../../machines/restart-policy.ts'
import { refuse, type RoutineSpec, share } from '../spec/index.ts'
import type { Launch, Tree } from '../turn/index.ts'
import type { Remembering } from './memory.ts'

/** The middle of the range of a delay. */
const NO_JITTER = 0.5

/** A routine that may be restarted. */
interface Restartable extends Remembering {
  readonly path: string
  readonly tree: Tree
  readonly spec: RoutineSpec
  readonly local: { readonly closed: boolean }
  /** Its present incarnation. */
  readonly current: Launch & { readonly startedAt: number | undefined }
}

/** True if `random` has to be called before the delay is known. */
export function asksChance({ spec, memory, restartIsFree }: Restartable): boolean {
  return spec.backoff !== undefined && memory.chance === undefined && !restartIsFree
}

/** Calls the `random` option. If that throws, or returns no number from 0 to 1, there is no jitter. A deed. */
export function askChance(routine: Restartable): void {
  const { random, bus } = routine.tree
  const { ownMemory, path } = routine
  ownMemory.chance = NO_JITTER
  try {
    const chance = random()
    if (!share.accepts(chance)) throw refuse('what random returns', share.range, chance, path)
    ownMemory.chance = chance
  } catch (error) {
    bus.contain(error, `${path}: random is of no use`)
  }
}

/** Milliseconds. */
export function delayOf(routine: Restartable, now: number): number {
  const { backoff } = routine.spec
  const { startedAt } = routine.current
  if (backoff === undefined || routine.restartIsFree) return 0
  // One that has run for longer than the longest delay has recovered: its next failure is a first one again.
  const { ownMemory } = routine
  ownMemory.streak = startedAt !== undefined && now - startedAt > backoff.max ? 1 : ownMemory.streak + 1
  const delay = backoffDelay(backoff, ownMemory.streak, ownMemory.chance ?? NO_JITTER)
  ownMemory.chance = undefined
  return delay
}

/** Lets the present incarnation begin after a while. */
export function backOff(routine: Restartable, delay: number): void {
  const begin = (): void => {
    routine.ownMemory.backoffTimer = undefined
    // The shutdown comes to it, in one of its slices.
    if (!routine.local.closed) routine.current.launch()
  }
  routine.ownMemory.backoffTimer = routine.tree.laterIn(routine.asyncContext, begin, delay)
}

/** Disarms the timer of a delayed restart. */
export function stopBackOff(routine: Restartable): void {
  const { backoffTimer } = routine.memory
  if (backoffTimer === undefined) return
  routine.tree.clock.clearTimeout(backoffTimer)
  routine.ownMemory.backoffTimer = undefined
}
