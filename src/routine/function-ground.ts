/** The ground of functions: they run inline, are asked to stop by their signal, and cannot be ended from outside. */
import type { AnyBody } from '../contract/index.ts'
import type { Ground, Run } from '../port/index.ts'
import { isThenable } from '../turn/index.ts'
import { BodyContext, type BodyRun } from './body-context.ts'

export const functionGround: Ground = {
  begin(run) {
    const { subject } = run as BodyRun
    const { interceptor } = subject.local.tree
    const given = subject.logic as AnyBody
    const body = interceptor === undefined ? given : interceptor.body(subject, given)
    const result = body(new BodyContext(run as BodyRun) as never)
    if (!isThenable(result)) {
      run.returned(result)
      return
    }
    // A foreign `then` may throw, or call back twice. Adopted by a promise it can do neither.
    const promise = result.then === Promise.prototype.then ? result : new Promise((resolve) => resolve(result))
    // Bound functions: two closures and their shared context take 56 B more.
    promise.then(returned.bind(run), threw.bind(run))
  },

  ask(run, reason) {
    run.abort(reason)
  },

  kill(run, reason) {
    run.abort(reason)
  },

  ends: false,

  // A function reads its messages from `context.messages`.
  takes: () => false,
  accepts: () => false,
  deliver: () => false,
}

function returned(this: Run, output: unknown): void {
  this.returned(output)
}

function threw(this: Run, error: unknown): void {
  this.threw(error)
}
