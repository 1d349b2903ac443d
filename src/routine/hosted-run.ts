/** What a ground outside of the core is told of a run, beside what the port says. */
import type { ContextOf, Logger } from '../contract/index.ts'
import type { Clock, Ground, Run } from '../port/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import { BodyContext, type BodyRun, type BodySubject } from './body-context.ts'

interface HostedRun extends BodyRun {
  readonly subject: BodySubject & { readonly spec: RoutineSpec; readonly bodyContext: unknown }
}

/** What is left of a run once it is over: enough to say whose it was. */
export class Bygone {
  readonly #tree: Tree
  readonly #path: string
  readonly #incarnation: number

  constructor(tree: Tree, path: string, incarnation: number) {
    this.#tree = tree
    this.#path = path
    this.#incarnation = incarnation
  }

  /** Code of its body threw. */
  strayed(error: unknown): void {
    this.#tree.bus.contain(error, `${this.#path}: ${STRAY}`)
  }

  get logger(): Logger {
    const { logger } = this.#tree
    return logger.child?.({ path: this.#path, incarnation: this.#incarnation }) ?? logger
  }
}

/** What has thrown. */
export const STRAY = 'code that its body has let go of threw'

/** One run, to a ground that takes its body elsewhere. */
export interface Hosted {
  /** What its body would get here. */
  readonly context: ContextOf<object>
  readonly tree: object
  readonly clock: Clock
  /** Milliseconds of silence after which it counts as hung. */
  readonly hungAfter: number
  /** What is left of it when it is over. */
  readonly bygone: Bygone
  /** Does something for it, in its asynchronous context. */
  within<A, B = undefined>(act: (a: A, b: B) => void, a: A, b: B): void
}

class HostedBody implements Hosted {
  readonly tree: Tree
  readonly hungAfter: number
  readonly #run: HostedRun
  readonly #subject: HostedRun['subject']
  #context: BodyContext | undefined

  constructor(run: HostedRun) {
    const { subject } = run
    this.tree = subject.local.tree
    this.hungAfter = subject.spec.hungAfter
    this.#run = run
    this.#subject = subject
  }

  get context(): BodyContext {
    return (this.#context ??= new BodyContext(this.#run))
  }

  get bygone(): Bygone {
    return new Bygone(this.tree, this.#subject.path, this.#run.number)
  }

  get clock(): Clock {
    return this.tree.clock
  }

  within<A, B>(act: (a: A, b: B) => void, a: A, b: B): void {
    this.tree.asyncContext.run(this.#subject.bodyContext, act, a, b)
  }
}

/** A run begins on a ground: from here on the tree knows that, and lets it go when it has ended. */
export function hosted(run: Run, ground: Ground): Hosted {
  const { subject } = run as HostedRun
  const tree: Tree = subject.local.tree
  ;(tree.grounds ??= new Set()).add(ground)
  return new HostedBody(run as HostedRun)
}
