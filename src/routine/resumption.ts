/**
 * Where an actor goes on after a crash: `resume: 'snapshot'`.
 *
 * Z1  What is kept is the persisted snapshot of the last step that was carried out to its end, and left the actor at work: at the
 *     end of its life there is nothing to go on with. Nothing is kept of a step that cannot be persisted; that is reported once for each run.
 * Z2  Delays that were running then, of the actor and of those below it, run on: what is left of them is waited for, and what comes of
 *     them reaches whoever stands in the place of the one that it was meant for. What was sent to an actor elsewhere is not sent again.
 * Z3  A limit that is reached is answered once with a fresh start, in place of giving up; not twice within the window.
 * Z4  It is handed on to the routine by which a supervisor replaces one that it has stopped; `restartChild` begins anew.
 */
import type { AnyActorRef, Snapshot } from 'xstate'
import type { Tree } from '../turn/index.ts'
import { type Delay, Delays } from './delays.ts'

export class Resumption {
  readonly #tree: Tree
  readonly #delays: Delays
  #kept: { readonly snapshot: Snapshot<unknown>; readonly delays: readonly Delay[] } | undefined
  #freshAt = -Infinity
  /** True once it was reported that this run cannot be persisted. */
  #reported = false

  constructor(tree: Tree) {
    this.#tree = tree
    this.#delays = new Delays(() => tree.clock.now())
  }

  /** The snapshot to begin with; undefined for a fresh start. */
  get snapshot(): Snapshot<unknown> | undefined {
    return this.#kept?.snapshot
  }

  /** Z3. True if it will start fresh, instead of its supervisor giving up. Its state is lost by that, whatever the trouble was: that is said. */
  startsFresh(now: number, window: number, { path, incarnation }: { readonly path: string; readonly incarnation: number }): boolean {
    if (!this.mayStartFresh(now, window)) return false
    this.#tree.bus.log('warn', { path, incarnation }, 'the limit is reached: its snapshot is given up, and it starts from its input')
    this.#freshAt = now
    this.#kept = undefined
    return true
  }

  /** True if `startsFresh` would return true now. */
  mayStartFresh(now: number, window: number): boolean {
    return this.#kept !== undefined && now - this.#freshAt > window
  }

  /** An actor begins, from the snapshot or anew. It has not started. */
  observe(work: AnyActorRef): void {
    this.#delays.of(work)
    this.#reported = false
  }

  /** Z1. Called after each step: a snapshot that cannot be persisted now may be persistable after the next one. */
  keep(work: AnyActorRef, path: string): void {
    this.#kept = undefined
    try {
      const snapshot = work.getPersistedSnapshot()
      if (snapshot.status !== 'active') return
      this.#kept = { snapshot, delays: this.#delays.underWay() }
      if (this.#tree.isStored) this.#tree.append({ type: 'snapshot', path, snapshot })
    } catch (error) {
      if (!this.#reported) this.#tree.bus.contain(error, `${path} cannot be persisted: a restart now would be a fresh start`)
      this.#reported = true
    }
  }

  /** Z2: called once the actor has started from the snapshot, with the delays that were kept beside it. */
  runOn(work: AnyActorRef, delays: readonly Delay[]): void {
    this.#delays.resume(work, delays)
  }

  get delays(): readonly Delay[] {
    return this.#kept?.delays ?? []
  }
}
