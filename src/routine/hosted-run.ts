/** What a ground outside of the core is told of a run, beside what the port says. */
import type { ContextOf } from '../contract/index.ts'
import type { Clock, Ground, Run } from '../port/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import { BodyContext, type BodyRun, type BodySubject } from './body-context.ts'

interface HostedRun extends BodyRun {
  readonly subject: BodySubject & { readonly spec: RoutineSpec; readonly bodyContext: unknown }
}

/** One run, to a ground that takes its body elsewhere. */
export interface Hosted {
  /** What its body would get here. */
  readonly context: ContextOf<object>
  readonly tree: object
  readonly clock: Clock
  /** Milliseconds of silence after which it counts as hung. */
  readonly hungAfter: number
  /** Does something for it, in its asynchronous context. */
  within<A, B = undefined>(act: (a: A, b: B) => void, a: A, b: B): void
}

class HostedBody implements Hosted {
  readonly #run: HostedRun
  #context: BodyContext | undefined

  constructor(run: HostedRun) {
    this.#run = run
  }

  get context(): BodyContext {
    return (this.#context ??= new BodyContext(this.#run))
  }

  get tree(): Tree {
    return this.#run.subject.local.tree
  }

  get clock(): Clock {
    return this.tree.clock
  }

  get hungAfter(): number {
    return this.#run.subject.spec.hungAfter
  }

  within<A, B>(act: (a: A, b: B) => void, a: A, b: B): void {
    this.tree.asyncContext.run(this.#run.subject.bodyContext, act, a, b)
  }
}

/** A run begins on a ground: from here on the tree knows that, and lets it go when it has ended. */
export function hosted(run: Run, ground: Ground): Hosted {
  const { subject } = run as HostedRun
  const tree: Tree = subject.local.tree
  ;(tree.grounds ??= new Set()).add(ground)
  return new HostedBody(run as HostedRun)
}
