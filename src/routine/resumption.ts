/**
 * Where an actor goes on after a crash: `resume: 'snapshot'`.
 *
 * Z1  What is kept is the persisted snapshot of the last step that was carried out to its end, and left the actor at work: at the
 *     end of its life there is nothing to go on with. Nothing is kept of a step that cannot be persisted; that is reported once for each run.
 * Z2  Delays that were running then, of the actor and of those below it, run on: what is left of them is waited for, and what comes of
 *     them reaches whoever stands in the place of the one that it was meant for. What was sent to an actor elsewhere is not sent again.
 * Z3  A limit that is reached is answered once with a fresh start, in place of giving up; not twice within the window.
 * Z4  It is handed on to the routine by which a supervisor replaces one that it has stopped; `restartChild` begins anew.
 * Z5  Of a durable routine the journal has the same, of every step; a run that goes on where an earlier process has left it begins from there.
 */
import type { AnyActorRef, EventObject, Snapshot } from 'xstate'
import type { Chronicle } from '../durable/index.ts'
import type { StoredDelay } from '../port/index.ts'
import { type Delay, type Notes, type Tree } from '../turn/index.ts'
import { actorAt, storedDelays } from './stored-delays.ts'
import { type NotedDelay, successor } from './successor.ts'

const NONE: readonly NotedDelay[] = []

/** So many may be known, and then each time twice as many, before those are looked for that are not under way any more. */
const SWEEP = 32

export class Resumption implements Notes {
  readonly #tree: Tree
  /** The actor whose delays are noted. */
  #top: AnyActorRef | undefined
  /** Of the actor and of those below it, in order of their making. */
  #known: readonly NotedDelay[] | NotedDelay[] = NONE
  #snapshot: Snapshot<unknown> | undefined
  /** Those that were under way at that snapshot. */
  #delays: readonly NotedDelay[] = NONE
  /** The same, as an earlier process has left them. */
  #stored: readonly StoredDelay[] | undefined
  /** What the journal is told of it; of a durable routine. */
  chronicle: Chronicle | undefined
  #freshAt = -Infinity
  /** True once it was reported that this run cannot be persisted. */
  #reported = false

  constructor(tree: Tree) {
    this.#tree = tree
  }

  /** The snapshot to begin with; undefined for a fresh start. */
  get snapshot(): Snapshot<unknown> | undefined {
    return this.#snapshot
  }

  /** Z5. An earlier process has left this. */
  restore(snapshot: unknown, delays: readonly StoredDelay[]): void {
    this.#snapshot = snapshot as Snapshot<unknown>
    this.#stored = delays
  }

  /** Z3. True if it will start fresh, instead of its supervisor giving up. Its state is lost by that, whatever the trouble was: that is said. */
  startsFresh(now: number, window: number, { path, incarnation }: { readonly path: string; readonly incarnation: number }): boolean {
    if (!this.mayStartFresh(now, window)) return false
    this.#tree.bus.log('warn', { path, incarnation }, 'the limit is reached: its snapshot is given up, and it starts from its input')
    this.#freshAt = now
    this.#snapshot = undefined
    this.#stored = undefined
    return true
  }

  /** True if `startsFresh` would return true now. */
  mayStartFresh(now: number, window: number): boolean {
    return this.#snapshot !== undefined && now - this.#freshAt > window
  }

  /** An actor begins, from the snapshot or anew. It has not started. */
  observe(work: AnyActorRef): void {
    this.#top = work
    this.#known = NONE
    this.#reported = false
  }

  /** Z1. Called after each step: a snapshot that cannot be persisted now may be persistable after the next one. */
  keep(work: AnyActorRef, path: string): void {
    const isStored = this.#stored !== undefined
    this.#snapshot = undefined
    this.#stored = undefined
    try {
      const snapshot = work.getPersistedSnapshot()
      if (snapshot.status !== 'active') return
      this.#snapshot = snapshot
      this.#delays = this.#underWay()
      // What it goes on from, the journal has.
      if (!isStored) this.chronicle?.keepSnapshot(() => ({ snapshot, delays: storedDelays(this.#delays) }))
    } catch (error) {
      if (!this.#reported) this.#tree.bus.contain(error, `${path} cannot be persisted: a restart now would be a fresh start`)
      this.#reported = true
    }
  }

  get delays(): readonly NotedDelay[] {
    return this.#snapshot === undefined ? NONE : this.#delays
  }

  /** What follows once the actor has started from the snapshot: the delays beside it run on. Asked before it begins. */
  get follow(): ((top: AnyActorRef) => void) | undefined {
    if (this.#snapshot === undefined) return undefined
    const { delays } = this
    const stored = this.#stored
    return (top) => (stored === undefined ? this.#runOn(top, delays) : this.#runOnStored(top, stored))
  }

  // --- Z2 ------------------------------------------------------------------------------------

  note(delay: Delay): void {
    const { length } = this.#known
    if (length >= SWEEP && (length & (length - 1)) === 0) this.#sweep()
    const known = this.#known === NONE ? (this.#known = []) : (this.#known as NotedDelay[])
    known.push({ ...delay, top: this.#top as AnyActorRef, due: this.#tree.clock.now() + delay.delay, cut: false })
  }

  cut(source: AnyActorRef): void {
    for (const delay of this.#known) if (delay.source === source && this.#isUnderWay(delay)) delay.cut = true
  }

  #isUnderWay(delay: NotedDelay): boolean {
    return this.#tree.system.delays.isUnderWay(delay)
  }

  #underWay(): readonly NotedDelay[] {
    if (this.#known.length === 0) return NONE
    this.#sweep()
    return [...this.#known]
  }

  /** Forgets those that are not under way any more. */
  #sweep(): void {
    this.#known = this.#known.filter((delay) => this.#isUnderWay(delay))
  }

  #runOnStored(top: AnyActorRef, delays: readonly StoredDelay[]): void {
    const now = this.#tree.clock.now()
    for (const { source: from, target: to, event, id, due } of delays) {
      const source = actorAt(from, top)
      const target = actorAt(to, top)
      if (source === undefined || target === undefined) continue
      this.#tree.system.delays.schedule(source, target, event as EventObject, Math.max(0, due - now), id)
    }
  }

  #runOn(top: AnyActorRef, delays: readonly NotedDelay[]): void {
    const now = this.#tree.clock.now()
    for (const delay of delays) {
      const source = successor(delay.source, delay.top, top)
      const target = successor(delay.target, delay.top, top)
      // It was cancelled with its actor, or sent to whom no crash has set back.
      if (source === undefined || target === undefined || (target === delay.target && !delay.cut)) continue
      this.#tree.system.delays.schedule(source, target, delay.event, Math.max(0, delay.due - now), delay.id)
    }
  }
}
