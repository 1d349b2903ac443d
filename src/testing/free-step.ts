/**
 * Free steps, as far as laws have to know what they do: a function says nothing of that, what it raises does.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { ShutdownRun } from '../shutdown/index.ts'
import { presentOwner } from './owners.ts'
import type { Request } from './script.ts'
import type { StepRecord } from './step-record.ts'

const storage = new AsyncLocalStorage<FreeStep>()

interface FreeStep {
  readonly record: StepRecord
  readonly ear: Ear
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Hears what free steps do. */
export class Ear {
  /** Shutdowns that they have asked for. */
  readonly requests: Request[] = []
  readonly #global: GlobalManager
  readonly #now: () => number

  constructor(global: GlobalManager, now: () => number) {
    this.#global = global
    this.#now = now
  }

  /** Does something that is all that a step is; what it does later is its doing, too. */
  during<Result>(record: StepRecord, act: () => Result): Result {
    const before = stopping(this.#global)
    try {
      return storage.run({ record, ear: this }, act)
    } finally {
      // A shutdown that goes on already may have been told to hurry: no event says so.
      for (const { manager, run, mode, deadline } of before)
        if (run.deadline < deadline || run.summarise().mode !== mode) this.#shutdown(manager)
    }
  }

  hear(record: StepRecord, event: LifecycleEvent): void {
    if (event.type === 'routine.killed') record.kills = true
    if (event.type !== 'manager.phase' || event.phase !== 'closing') return
    const manager = this.#global.whereis(event.path)
    if (manager instanceof Manager && manager.life.trigger === 'request') this.#shutdown(manager)
  }

  #shutdown({ path, life }: Manager): void {
    const { run } = life
    if (run === undefined) return
    const at = this.#now()
    // Until it is over it may have limits that nobody knows of.
    const request: Writable<Request> = { path, at, deadline: Infinity, mode: 'graceful', phased: true, endedAt: undefined }
    const deadline = at + run.deadline - run.startedAt - run.elapsed
    this.requests.push(request)
    void run.report.then(({ mode, timedOut, phases }) => {
      request.endedAt = this.#now()
      request.deadline = deadline
      request.phased = mode === 'immediate' || timedOut || phases.some(({ exceeded }) => exceeded)
    })
  }
}

/** Hands an event to the ear, if a free step raises it: routines that it has spawned are on their own. */
export function hearFreeStep(event: LifecycleEvent): void {
  const step = presentOwner() === undefined ? storage.getStore() : undefined
  step?.ear.hear(step.record, event)
}

/** Does something that is no step's doing, nor what comes of it. */
export function apartFromSteps<Result>(act: () => Result): Result {
  return storage.exit(act)
}

interface Stopping {
  readonly manager: Manager
  readonly run: ShutdownRun
  readonly mode: string
  readonly deadline: number
}

function stopping(manager: Manager): Stopping[] {
  const { run } = manager.life
  const own = run === undefined ? [] : [{ manager, run, mode: run.summarise().mode, deadline: run.deadline }]
  return [...own, ...manager.below().flatMap(stopping)]
}
