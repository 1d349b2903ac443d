/** Records what free steps do, as far as laws have to know it: a step that is a function does not say, the events that it causes do. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { ShutdownRun } from '../shutdown/index.ts'
import { presentOwner } from './owners.ts'
import type { Request } from './script.ts'
import type { StepRecord } from './step-record.ts'

const storage = new AsyncLocalStorage<RunningStep>()

interface RunningStep {
  readonly record: StepRecord
  readonly recorder: FreeStepRecorder
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Notes the kills and shutdowns of free steps. */
export class FreeStepRecorder {
  /** Shutdowns that they have asked for. */
  readonly requests: Request[] = []
  readonly #global: GlobalManager
  readonly #now: () => number

  constructor(global: GlobalManager, now: () => number) {
    this.#global = global
    this.#now = now
  }

  /** Runs the function of a step. What that does later, after an `await`, is attributed to the step, too. */
  during<Result>(record: StepRecord, act: () => Result): Result {
    const before = ongoingShutdowns(this.#global)
    try {
      return storage.run({ record, recorder: this }, act)
    } finally {
      // The step may have tightened a shutdown that goes on already: no event says so.
      for (const { manager, run, mode, deadline } of before)
        if (run.deadline < deadline || run.summarise().mode !== mode) this.#shutdown(manager)
    }
  }

  /** An event that a step has caused. */
  note(record: StepRecord, event: LifecycleEvent): void {
    if (event.type === 'routine.killed') record.kills = true
    if (event.type !== 'manager.phase' || event.phase !== 'closing') return
    const manager = this.#global.whereis(event.path)
    if (manager instanceof Manager && manager.life.trigger === 'request') this.#shutdown(manager)
  }

  #shutdown({ path, life }: Manager): void {
    const { run } = life
    if (run === undefined) return
    const at = this.#now()
    // Its options are not known: until it is over, it counts as one with limits for its phases.
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

/** Notes an event if a free step has caused it. What a routine does that it has spawned is the routine's. */
export function noteEventOfStep(event: LifecycleEvent): void {
  const step = presentOwner() === undefined ? storage.getStore() : undefined
  step?.recorder.note(step.record, event)
}

/** Runs something outside of any step: neither it nor what follows from it is attributed to one. */
export function apartFromSteps<Result>(act: () => Result): Result {
  return storage.exit(act)
}

interface OngoingShutdown {
  readonly manager: Manager
  readonly run: ShutdownRun
  readonly mode: string
  readonly deadline: number
}

function ongoingShutdowns(manager: Manager): OngoingShutdown[] {
  const { run } = manager.life
  const own = run === undefined ? [] : [{ manager, run, mode: run.summarise().mode, deadline: run.deadline }]
  return [...own, ...manager.below().flatMap(ongoingShutdowns)]
}
