/** The delays of users' machines: XState's clock for a tree. */
import type { Clock } from '../port/index.ts'
import type { Tree } from './tree.ts'

/** The timers of a clock, each of which calls back in the asynchronous context in which it was armed. */
export function delaysOf({ asyncContext }: Tree, clock: Clock): Omit<Clock, 'now'> {
  return {
    setTimeout: (callback, delay) => {
      const captured = asyncContext.capture()
      return clock.setTimeout(() => asyncContext.run(captured, callback, undefined, undefined), delay)
    },
    clearTimeout: (timer) => clock.clearTimeout(timer),
  }
}
