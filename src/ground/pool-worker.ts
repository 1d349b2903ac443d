/**
 * One worker of a pool: carries out the effects of machines/worker.ts.
 *
 * V1  It never throws into who tells it something; what it is told that its state has no use for is ignored.
 * V2  Its task hears of its end once, and of nothing after that.
 */
import type { WorkerEventType } from '../../machines/worker.ts'
import type { Bygone } from '../routine/index.ts'
import { decode } from './encode.ts'
import type { GroundExit } from './errors.ts'
import type { Landlord, Lodge, MakeLodge } from './lodge.ts'
import { BODY, STRAYED, type ToGuest, type ToHost } from './protocol.ts'
import type { Assignment, Task } from './task.ts'
import { WORKER_TABLE, type WorkerState } from './worker-table.ts'

/** The pool, to one of its workers. */
export interface Workplace {
  released(worker: PoolWorker): void
  /** It was told to end: from now on it has no run. */
  ends(worker: PoolWorker): void
  stranded(worker: PoolWorker): void
  buried(worker: PoolWorker): void
}

export class PoolWorker implements Landlord {
  readonly lodge: Lodge
  /** What it runs; undefined while it is idle, and after that. */
  task: Task | undefined
  /** Number of its latest run. */
  serial = 0
  /** True if it is not to be used again. */
  retires = false
  /** When it has become idle. */
  idleSince = 0
  /** True once its place was given to others. */
  isReplaced = false
  #state: WorkerState = 'starting'
  /** Whose code may be left there: no more of it is kept than who it was. */
  #previous: Bygone | undefined
  readonly #bodies = new Map<Assignment, number>()
  readonly #pool: Workplace

  constructor(pool: Workplace, make: MakeLodge) {
    this.#pool = pool
    this.lodge = make(this)
  }

  get state(): WorkerState {
    return this.#state
  }

  /** True if it counts as one that may be at work. */
  get isStuck(): boolean {
    return this.#state === 'stuck'
  }

  /** Gives it its first task, or its next one. */
  assign(task: Task): void {
    this.task = task
    this.serial++
    this.tell('assign')
    this.lodge.hold(true)
    task.begin(this)
  }

  /** Its task is over, and it is free. */
  free(): void {
    this.#previous = this.task?.hosted.bygone
    this.task = undefined
    this.tell(this.retires ? 'last' : 'done')
  }

  /** The number by which its guest knows a body. */
  numberOf(assignment: Assignment): number {
    let number = this.#bodies.get(assignment)
    if (number === undefined) {
      number = this.#bodies.size
      this.#bodies.set(assignment, number)
      this.post([BODY, 0, number, assignment.url, assignment.name])
    }
    return number
  }

  post(message: ToGuest, moved?: readonly unknown[]): void {
    this.lodge.post(message, moved)
  }

  tell(event: WorkerEventType): void {
    const step = WORKER_TABLE[this.#state][event]
    if (step === undefined) return
    this.#state = step.to
    const { effect } = step
    if (effect === 'release') this.#pool.released(this)
    else if (effect === 'terminate') {
      this.#pool.ends(this)
      this.lodge.terminate()
    } else if (effect === 'strand') this.#pool.stranded(this)
    else if (effect === 'bury') this.#pool.buried(this)
  }

  // --- what its lodge tells ------------------------------------------------------------------

  up(): void {
    this.tell('up')
  }

  said(message: ToHost): void {
    const { task } = this
    if (message[1] === this.serial && task !== undefined) task.said(message)
    else if (message[0] === STRAYED) this.#strayed(decode(message[2]))
  }

  /** Code of an earlier run has thrown what nobody has caught: what is left of that there is not known. */
  #strayed(error: unknown): void {
    this.retires = true
    const whose = this.#previous ?? this.task
    whose?.strayed(error)
    if (this.task === undefined) this.tell('retire')
  }

  wrote(stream: 'stdout' | 'stderr', line: string): void {
    if (this.task === undefined) this.#previous?.logger.info({ stream }, line)
    else this.task.wrote(stream, line)
  }

  exited(exit: GroundExit): void {
    const { task } = this
    this.task = undefined
    this.tell('exit')
    this.#previous = undefined
    task?.died(exit)
  }
}
