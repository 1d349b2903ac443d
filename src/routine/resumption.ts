/**
 * Where an actor goes on after a crash: `resume: 'snapshot'`.
 *
 * Z1  What is kept is the persisted snapshot of the last step that was carried out to its end, and left the actor at work: at the
 *     end of its life there is nothing to go on with. Nothing is kept of a step that cannot be persisted; that is reported once for each run.
 * Z2  Delays that were running then run on: what is left of them is waited for.
 * Z3  A limit that is reached is answered once with a fresh start, in place of giving up; not twice within the window.
 */
import type { ActorLogic, AnyActorLogic, AnyActorRef, AnyActorScope, EventObject, Snapshot } from 'xstate'
import { instead, type Tree } from '../turn/index.ts'

/** What XState schedules with, for `after` and for events that are raised with a delay. */
interface Scheduler {
  schedule(source: AnyActorRef, target: AnyActorRef, event: EventObject, delay: number, id?: string): void
  cancel(source: AnyActorRef, id: string): void
}

interface Delay {
  readonly event: EventObject
  readonly due: number
}

export class Resumption {
  readonly #tree: Tree
  readonly #running = new Map<string, Delay>()
  #kept: { readonly snapshot: Snapshot<unknown>; readonly delays: ReadonlyMap<string, Delay> } | undefined
  #freshAt = -Infinity
  /** True once it was reported that this run cannot be persisted. */
  #reported = false

  constructor(tree: Tree) {
    this.#tree = tree
  }

  /** The snapshot to begin with; undefined for a fresh start. */
  get snapshot(): Snapshot<unknown> | undefined {
    return this.#kept?.snapshot
  }

  /** Z3. True if it will start fresh, instead of its supervisor giving up. */
  startsFresh(now: number, window: number): boolean {
    if (!this.mayStartFresh(now, window)) return false
    this.#freshAt = now
    this.#kept = undefined
    return true
  }

  /** True if `startsFresh` would return true now. */
  mayStartFresh(now: number, window: number): boolean {
    return this.#kept !== undefined && now - this.#freshAt > window
  }

  /** The same logic, observed as far as its delays go. */
  observe(logic: AnyActorLogic): AnyActorLogic {
    const original = logic as ActorLogic<Snapshot<unknown>, EventObject>
    this.#running.clear()
    this.#reported = false
    const start: typeof original.start = (snapshot, scope) => original.start?.(snapshot, this.#scoped(scope))
    return instead(original, {
      getInitialSnapshot: (scope, input) => original.getInitialSnapshot(this.#scoped(scope), input),
      transition: (snapshot, event, scope) => {
        for (const [id, delay] of this.#running) if (delay.event === event) this.#running.delete(id)
        return original.transition(snapshot, event, this.#scoped(scope))
      },
      ...(original.start === undefined ? {} : { start }),
    })
  }

  #scoped<Scope extends AnyActorScope>(scope: Scope): Scope {
    const { scheduler } = scope.system as unknown as { scheduler: Scheduler }
    const recording: Scheduler = {
      ...scheduler,
      schedule: (source, target, event, delay, id) => {
        if (id !== undefined) this.#running.set(id, { event, due: this.#tree.clock.now() + delay })
        scheduler.schedule(source, target, event, delay, id)
      },
      cancel: (source, id) => {
        this.#running.delete(id)
        scheduler.cancel(source, id)
      },
    }
    return { ...scope, system: Object.assign(Object.create(scope.system), { scheduler: recording }) }
  }

  /** Z1. Called after each step: a snapshot that cannot be persisted now may be persistable after the next one. */
  keep(work: AnyActorRef, path: string): void {
    this.#kept = undefined
    try {
      const snapshot = work.getPersistedSnapshot()
      if (snapshot.status !== 'active') return
      this.#kept = { snapshot, delays: new Map(this.#running) }
      if (this.#tree.isStored) this.#tree.append({ type: 'snapshot', path, snapshot })
    } catch (error) {
      if (!this.#reported) this.#tree.bus.contain(error, `${path} cannot be persisted: a restart now would be a fresh start`)
      this.#reported = true
    }
  }

  /** Z2: called once the actor has started from the snapshot, with the delays that were kept beside it. */
  runOn(work: AnyActorRef, delays: ReadonlyMap<string, Delay>): void {
    const { scheduler } = work.system as unknown as { scheduler: Scheduler }
    const now = this.#tree.clock.now()
    for (const [id, delay] of delays) {
      this.#running.set(id, delay)
      scheduler.schedule(work, work, delay.event, Math.max(0, delay.due - now), id)
    }
  }

  get delays(): ReadonlyMap<string, Delay> {
    return this.#kept?.delays ?? new Map()
  }
}
