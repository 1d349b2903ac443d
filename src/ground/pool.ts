/**
 * Workers that are kept warm, and the runs that wait for one.
 *
 * P1  There are never more than `max` workers that count: those that are stuck count until they are gone, unless their place is released.
 * P2  No worker is made before a run needs it, and none is idle while a run waits.
 * P3  Runs begin in the order in which they came.
 * P4  An idle worker does not keep the process alive, and goes after its idle time; those that only trees have used that have ended go at once.
 */
import { Fifo } from '../message/index.ts'
import { type AsyncContext, platformContext } from '../port/index.ts'
import type { MakeLodge } from './lodge.ts'
import { PoolWorker, type Workplace } from './pool-worker.ts'
import type { Task } from './task.ts'

/** How a pool keeps its workers. */
export interface PoolRules {
  /** The most workers at a time. */
  readonly max: number
  /** Milliseconds after which an idle one goes. */
  readonly idleTimeout: number
  /** True if a worker may run one routine after the other. */
  readonly reuse: boolean
  /** True if one that could not be ended keeps its place until it is gone. */
  readonly holds: boolean
}

/** How many workers there are, by what they do, and how many runs wait for one. */
export interface PoolCounts {
  readonly starting: number
  readonly running: number
  readonly idle: number
  readonly ending: number
  readonly stuck: number
  readonly waiting: number
}

interface Leaving {
  readonly workers: Set<PoolWorker>
  readonly tell: () => void
}

export class Pool implements Workplace {
  readonly rules: PoolRules
  readonly #make: MakeLodge
  readonly #workers = new Set<PoolWorker>()
  /** The one that was at work last is the next: so that the others get old. */
  readonly #idle: PoolWorker[] = []
  readonly #queue = new Fifo<Task>()
  readonly #tasks = new Set<Task>()
  #waiting = 0
  #context: AsyncContext | undefined
  /** Stuck ones whose place is released. */
  #released = 0
  /** Trees that have used it and have not ended. */
  readonly #trees = new Set<object>()
  #idleTimer: NodeJS.Timeout | undefined
  /** Who waits for workers to go, and for which. */
  readonly #leaving = new Set<Leaving>()

  constructor(rules: PoolRules, make: MakeLodge) {
    this.rules = rules
    this.#make = make
  }

  get counts(): PoolCounts {
    const counts = { starting: 0, running: 0, idle: 0, ending: 0, stuck: 0, waiting: this.#waiting }
    for (const { state } of this.#workers)
      if (state === 'stopping') counts.running++
      else if (state === 'terminating') counts.ending++
      else if (state !== 'gone') counts[state]++
    return counts
  }

  /** Runs that do not just run. */
  *unplain(): Generator<Task> {
    for (const task of this.#tasks) if (task.standing !== undefined) yield task
  }

  /** Takes a run on. */
  take(task: Task): void {
    this.#trees.add(task.hosted.tree)
    this.#tasks.add(task)
    const idle = this.#idle.pop()
    if (idle !== undefined) idle.assign(task)
    else if (this.#hasRoom) this.#hire(task)
    else {
      this.#queue.push(task)
      this.#waiting++
    }
  }

  /** It does not wait any longer. */
  withdraw(task: Task): void {
    this.#waiting--
    this.#tasks.delete(task)
  }

  get #hasRoom(): boolean {
    return this.#workers.size - this.#released < this.rules.max
  }

  #hire(task: Task): void {
    // In no one's context: what its events lead to is not the business of who came first.
    this.#context ??= platformContext()
    this.#context.run(undefined, hire, this, task)
  }

  /** @internal */
  hire(task: Task): void {
    let worker: PoolWorker
    try {
      worker = new PoolWorker(this, this.#make)
    } catch (error) {
      task.refused(error)
      return
    }
    worker.retires = !this.rules.reuse
    this.#workers.add(worker)
    worker.assign(task)
  }

  #next(): Task | undefined {
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) {
      if (task.over) continue
      this.#waiting--
      return task
    }
    return undefined
  }

  /** Gives what waits to whoever can take it. */
  #serve(): void {
    while (this.#waiting > 0 && this.#hasRoom) {
      const task = this.#next()
      if (task === undefined) return
      this.#hire(task)
    }
  }

  /** It has ended, wherever it was. */
  forget(task: Task): void {
    this.#tasks.delete(task)
  }

  // --- what its workers tell -----------------------------------------------------------------

  released(worker: PoolWorker): void {
    const task = this.#next()
    if (task !== undefined) {
      worker.assign(task)
      return
    }
    this.#idle.push(worker)
    worker.lodge.hold(false)
    worker.idleSince = performance.now()
    if (this.#trees.size === 0 || this.rules.idleTimeout === 0) worker.tell('retire')
    else if (this.rules.idleTimeout !== Infinity) this.#idleTimer ??= this.#lookAfter(this.rules.idleTimeout)
  }

  ends(worker: PoolWorker): void {
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  stranded(worker: PoolWorker): void {
    // It is to keep nobody here.
    worker.lodge.hold(false)
    this.#left(worker)
    if (this.rules.holds) return
    worker.isReplaced = true
    this.#released++
    this.#serve()
  }

  buried(worker: PoolWorker): void {
    this.#workers.delete(worker)
    this.#left(worker)
    if (worker.isReplaced) this.#released--
    // It may have died while it was idle.
    this.ends(worker)
    this.#serve()
    if (this.#workers.size > 0) return
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
  }

  /** It is gone, or nobody waits for that any longer. */
  #left(worker: PoolWorker): void {
    for (const leaving of this.#leaving) {
      leaving.workers.delete(worker)
      if (leaving.workers.size > 0) continue
      this.#leaving.delete(leaving)
      leaving.tell()
    }
  }

  // --- idle time -----------------------------------------------------------------------------

  /** Not the clock of any tree: who is warm is nobody's business there. */
  #lookAfter(delay: number): NodeJS.Timeout {
    return setTimeout(() => this.#lookForOld(), Math.ceil(delay)).unref()
  }

  #lookForOld(): void {
    this.#idleTimer = undefined
    const { idleTimeout } = this.rules
    const now = performance.now()
    for (const worker of this.#idle.filter(({ idleSince }) => now - idleSince >= idleTimeout)) worker.tell('retire')
    const [oldest] = this.#idle
    if (oldest !== undefined) this.#idleTimer = this.#lookAfter(Math.max(1, idleTimeout - (now - oldest.idleSince)))
  }

  /** A tree has ended. Resolves once all of its workers are gone, if nobody else needs them. */
  leave(tree: object): Promise<void> | undefined {
    this.#trees.delete(tree)
    return this.#trees.size > 0 ? undefined : this.close()
  }

  /** Lets all go that are idle, or come to that. Resolves once none is left but those that are stuck. */
  close(): Promise<void> {
    this.#trees.clear()
    for (const worker of this.#idle.slice()) {
      // Who waits for its end is to come to that.
      worker.lodge.hold(true)
      worker.tell('retire')
    }
    const workers = new Set([...this.#workers].filter(({ isStuck }) => !isStuck))
    return workers.size === 0 ? Promise.resolve() : new Promise((tell) => this.#leaving.add({ workers, tell }))
  }
}

function hire(pool: Pool, task: Task): void {
  pool.hire(task)
}
