/** The ground of bodies that are guests of a pool. */
import type { Blocked } from '../../machines/lifecycle-event.ts'
import type { Ground, Run, Standing } from '../port/index.ts'
import { hosted } from '../routine/index.ts'
import type { Pool } from './pool.ts'
import { type Assignment, Task } from './task.ts'

/** The footing of a run that was killed before its body has begun: that never does (port/ground.ts, O6). */
const NEVER = Symbol('curtaincall.never')

export class PooledGround implements Ground {
  readonly ends = false
  readonly endsWithin: number
  readonly holdsPermits: boolean
  readonly #pool: Pool
  readonly #assignment: Assignment

  constructor(pool: Pool, assignment: Assignment) {
    this.#pool = pool
    this.#assignment = assignment
    this.endsWithin = assignment.killDeadline
    this.holdsPermits = pool.rules.holds
  }

  begin(run: Run): void {
    if (run.footing === NEVER) {
      run.returned(undefined)
      return
    }
    const task = new Task(this.#pool, run, hosted(run, this), this.#assignment)
    run.footing = task
    this.#pool.take(task)
  }

  ask(run: Run, reason: unknown): void {
    taskOf(run)?.ask(reason)
  }

  kill(run: Run): void {
    if (run.footing === undefined) run.footing = NEVER
    else taskOf(run)?.kill()
  }

  // A guest comes for its messages, as a function does.
  takes(): boolean {
    return false
  }

  accepts(): boolean {
    return false
  }

  deliver(): boolean {
    return false
  }

  standing(run: Run): Standing | undefined {
    return taskOf(run)?.standing
  }

  describe(run: Run): string {
    const { kind } = this.#assignment
    const standing = this.standing(run)
    if (standing === 'waiting') return `waits for a ${kind}`
    return standing === 'stuck' ? `in a ${kind} that could not be ended` : `in a ${kind}`
  }

  *standings(): Generator<Run> {
    for (const { run, assignment } of this.#pool.unplain()) if (assignment === this.#assignment) yield run
  }

  diagnose(run: Run): Promise<Blocked | undefined> {
    return taskOf(run)?.diagnose() ?? Promise.resolve(undefined)
  }

  leave(tree: object): PromiseLike<void> | undefined {
    return this.#pool.leave(tree)
  }
}

function taskOf({ footing }: Run): Task | undefined {
  return footing instanceof Task ? footing : undefined
}
