/** The `start` option of a manager, which runs before its children start. */
import { StartFailedError } from '../contract/index.ts'
import type { ManagerSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'

/** A manager whose life begins. */
interface Beginning {
  readonly name: string
  readonly path: string
  readonly tree: Tree
  readonly spec: ManagerSpec
  readonly asyncContext: unknown
  readonly incarnation: number
  readonly closed: boolean
  /** Goes on with what `start` has returned, or with the error of a start that threw. A turn. */
  prepared(answer: unknown): void
}

/** Calls it in the asynchronous context of the manager. A deed. */
export function callStart(life: Beginning): void {
  life.tree.asyncContext.run(life.asyncContext, callHere, life, undefined)
}

function callHere(life: Beginning): void {
  const { name, path, tree, spec, incarnation } = life
  if (life.closed) return
  let answer: unknown
  try {
    answer = spec.start?.({ name, path, incarnation })
  } catch (cause) {
    answer = new StartFailedError(`${path}: start threw`, { cause, path })
  }
  tree.turn.arise(() => life.prepared(answer))
}
