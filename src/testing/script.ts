/** Scripts: what is done to a tree from outside, a step at a time. */
import { CurtaincallError, type ShutdownOptions } from '../contract/index.ts'
import { type GlobalManager, handleSignals, LocalManager, Manager } from '../manager/index.ts'
import { isThenable } from '../turn/index.ts'
import { anything, check, duration, finiteCount, refuse, type Rule, SHUTDOWN_RULES } from '../spec/index.ts'
import { FreeStepRecorder } from './free-step.ts'
import { childOf, type ManagerPlan, spawnPlanned, type WorkPlan } from './plan.ts'
import type { StepRecord } from './step-record.ts'

type ShutdownStep = { readonly do: 'shutdown'; readonly at: string } & Pick<ShutdownOptions, 'mode' | 'timeout' | 'drain' | 'phases'>

/** A step of plain data: a trace file can hold it. */
export type PlainStep =
  /**
   * Virtual milliseconds; with `timers` at most until so many timers of the tree have fired. Without `ms` until that, or none is pending:
   * `{ do: 'wait', timers: 1 }` is to the next timer.
   */
  | { readonly do: 'wait'; readonly ms: number; readonly timers?: number }
  | { readonly do: 'wait'; readonly ms?: undefined; readonly timers: number }
  | { readonly do: 'spawn'; readonly at: string; readonly work: WorkPlan }
  | { readonly do: 'cancel' | 'kill' | 'restart'; readonly routine: string }
  | ShutdownStep
  /** SIGTERM, as `handleSignals` hears it: the second one hurries. */
  | { readonly do: 'signal' }
  /** Aborts the signal that was given to the shutdowns so far. */
  | { readonly do: 'abort' }
  | { readonly do: 'startChild'; readonly at: string; readonly child: WorkPlan | ManagerPlan }
  | { readonly do: 'terminateChild' | 'restartChild' | 'deleteChild'; readonly at: string; readonly id: string }

/** Anything that is done to a tree; `do` is what a story calls it. */
export interface FreeStep {
  readonly do: string
  readonly run: (global: GlobalManager) => unknown
}

export type Step = PlainStep | FreeStep

const text = (range: string): Rule => ({ range, accepts: (value) => typeof value === 'string' && value !== '' })
const path = text('a path')
const planned = (...kinds: readonly string[]): Rule => ({
  range: `a plan of kind ${kinds.join(' or ')}`,
  accepts: (value) => kinds.includes((value as { kind?: string } | null)?.kind ?? ''),
})
const { signal: _, ...shutdownOptions } = SHUTDOWN_RULES
const child = { at: path, id: text('the id of a child') }
const routine = { routine: text('the name of a routine') }

/** The fields that each step of plain data has to have, and may have. */
const FIELDS: Readonly<
  Record<PlainStep['do'], { readonly has: Readonly<Record<string, Rule>>; readonly may?: Readonly<Record<string, Rule>> }>
> = {
  wait: { has: {}, may: { ms: duration, timers: finiteCount } },
  spawn: { has: { at: path, work: planned('routine') } },
  cancel: { has: routine },
  kill: { has: routine },
  restart: { has: routine },
  shutdown: { has: { at: path }, may: shutdownOptions },
  signal: { has: {} },
  abort: { has: {} },
  startChild: { has: { at: path, child: planned('routine', 'manager') } },
  terminateChild: { has: child },
  restartChild: { has: child },
  deleteChild: { has: child },
}

/** Checks that these are steps. Throws ConfigError naming the first that is none, or what is wrong with it. */
export function checkSteps(steps: readonly Step[]): readonly Step[] {
  if (!Array.isArray(steps)) throw refuse('simulate option script', 'an array of steps', steps)
  for (const [i, step] of (steps as readonly Partial<FreeStep & { ms: number; timers: number }>[]).entries()) {
    const owner = `simulate script step ${i}`
    if (typeof step?.do === 'string' && typeof step.run === 'function') continue
    if (typeof step?.do !== 'string' || !Object.hasOwn(FIELDS, step.do))
      throw refuse(owner, `one of ${Object.keys(FIELDS).join(', ')}, or {do, run}`, step?.do ?? step)
    const { has, may = {} } = FIELDS[step.do as PlainStep['do']]
    check(`${owner} (${step.do})`, step, { do: anything, ...has, ...may })
    if (step.do === 'wait' && step.ms === undefined && step.timers === undefined)
      throw refuse(`${owner} (wait) option ms`, duration.range, undefined)
    for (const [field, { range }] of Object.entries(has))
      if (!Object.hasOwn(step, field)) throw refuse(`${owner} (${step.do}) option ${field}`, range, undefined)
  }
  return steps
}

/** A step as a person reads it. */
export function describeStep(step: Step): string {
  if ('run' in step) return step.do
  if (step.do === 'wait') return describeWait(step)
  if (step.do === 'spawn') return `spawn ${step.work.name} at ${step.at}`
  if (step.do === 'startChild') return `startChild ${step.child.name} at ${step.at}`
  if ('routine' in step) return `${step.do} ${step.routine}`
  if ('id' in step) return `${step.do} ${step.id} at ${step.at}`
  if (step.do === 'shutdown') {
    const { do: _, at, ...options } = step
    const words = Object.entries(options).map(
      ([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
    )
    return `shut down ${at}${words.length === 0 ? '' : ` (${words.join(', ')})`}`
  }
  return step.do === 'signal' ? 'SIGTERM' : 'abort the shutdown signal'
}

function describeWait({ ms, timers }: Extract<PlainStep, { do: 'wait' }>): string {
  if (timers === undefined) return `wait ${ms} ms`
  const until = timers === 1 ? 'the next timer' : `${timers} timers`
  return ms === undefined ? `wait for ${until}` : `wait ${ms} ms, or for ${until}`
}

/** A shutdown that was asked for. */
export interface Request {
  readonly path: string
  /** Virtual milliseconds. */
  readonly at: number
  /** When it has to be over. */
  readonly deadline: number
  readonly mode: 'graceful' | 'immediate'
  /** True if it names a limit for one of its phases. Of one that a free step asked for: true if something has cut it short. */
  readonly phased: boolean
  /** When its caller was answered. */
  endedAt: number | undefined
}

/** Milliseconds that `shutdown()` gives the whole, unless told otherwise. */
const DEFAULT_TIMEOUT = 10_000

/** Performs the steps of a script, and remembers the shutdowns that they ask for. */
export class StepPerformer {
  readonly requests: Request[] = []
  /** The error that a shutdown rejected with, or that the promise of a free step did. */
  broken: { readonly error: unknown } | undefined
  /** True once the run is over. */
  over = false
  readonly #global: GlobalManager
  readonly #now: () => number
  readonly #abort = new AbortController()
  /** Requests of shutdowns that were given that signal. */
  readonly #abortable: Request[] = []
  #signalled: (() => void) | undefined
  #signals = 0
  readonly freeSteps: FreeStepRecorder

  constructor(global: GlobalManager, now: () => number) {
    this.#global = global
    this.#now = now
    this.freeSteps = new FreeStepRecorder(global, now)
  }

  /** Does one step, and says what became of it. What the library refuses is the answer; anything else that is thrown is thrown on. */
  perform(step: Exclude<Step, { do: 'wait' }>, record: StepRecord, answer: (how: string) => void): void {
    try {
      if ('run' in step) this.#free(step, record, answer)
      else {
        const how = this.#plain(step)
        if (how !== undefined) answer(how)
      }
    } catch (error) {
      // A wrong option is a mistake in the script, and no answer of the tree.
      if (!isRefusal(error) || (error.code === 'ERR_CONFIG' && !('run' in step))) throw error
      answer(error.code)
    }
  }

  /** Its promise is not waited for: it may be one that only settles at the end of the script. */
  #free(step: FreeStep, record: StepRecord, answer: (how: string) => void): void {
    const result = this.freeSteps.during(record, () => step.run(this.#global))
    if (!isThenable(result)) return
    result.then(undefined, (error: unknown) => {
      // Nobody reads `broken` any more: the process is to report it.
      if (this.over) throw error
      if (isRefusal(error)) answer(error.code)
      else this.broken ??= { error }
    })
  }

  /** Asks for a shutdown. */
  shutdown(path: string, options: ShutdownOptions): string | undefined {
    const manager = this.#global.whereis(path)
    if (!(manager instanceof Manager)) return 'nobody there'
    const { timeout = DEFAULT_TIMEOUT, phases = {} } = options
    const mode = this.#abort.signal.aborted ? 'immediate' : (options.mode ?? 'graceful')
    const request = this.#ask(path, mode, timeout, Object.keys(phases).length > 0, () =>
      manager.shutdown({ ...options, signal: this.#abort.signal }),
    )
    this.#abortable.push(request)
    return undefined
  }

  #ask(path: string, mode: Request['mode'], timeout: number, phased: boolean, act: () => PromiseLike<unknown>): Request {
    const at = this.#now()
    const request: Request = { path, at, deadline: at + timeout, mode, phased, endedAt: undefined }
    this.requests.push(request)
    act().then(
      () => {
        request.endedAt = this.#now()
      },
      (error: unknown) => {
        this.broken ??= { error }
      },
    )
    return request
  }

  #plain(step: Exclude<PlainStep, { do: 'wait' }>): string | undefined {
    const global = this.#global
    if (step.do === 'shutdown') {
      const { do: _, at, ...options } = step
      return this.shutdown(at, options)
    }
    if (step.do === 'signal') return this.#signal()
    if (step.do === 'abort') return this.#abortAll()
    if ('routine' in step) {
      const [routine] = global.routinesNamed(step.routine)
      if (routine === undefined) return 'nobody there'
      if (step.do === 'restart') void routine.restart()
      else void routine[step.do]()
      return undefined
    }
    const manager = global.whereis(step.at)
    if (!(manager instanceof Manager)) return 'nobody there'
    if (step.do === 'spawn') {
      if (!(manager instanceof LocalManager)) return 'not a local manager'
      spawnPlanned(manager, step.work)
    } else if (step.do === 'startChild') void manager.startChild(childOf(step.child))
    else void manager[step.do](step.id)
    return undefined
  }

  #signal(): undefined {
    const global = this.#global
    this.#signalled ??= firstListener(global)
    const mode = this.#signals++ === 0 ? 'graceful' : 'immediate'
    const answer = (): PromiseLike<unknown> => {
      this.#signalled?.()
      return global.outcome
    }
    this.#ask(global.path, mode, mode === 'immediate' ? 0 : DEFAULT_TIMEOUT, false, answer)
  }

  #abortAll(): undefined {
    this.#abort.abort(new Error('the script aborts'))
    // Shutdowns by SIGTERM were not given the signal that is aborted here.
    for (const { path, endedAt, phased } of this.#abortable.slice()) {
      if (endedAt === undefined) this.#ask(path, 'immediate', 0, phased, () => this.#outcome(path))
    }
  }

  #outcome(path: string): PromiseLike<unknown> {
    const manager = this.#global.whereis(path)
    return manager instanceof Manager ? manager.outcome : Promise.resolve()
  }
}

/** True for an error by which the library refuses something. That an expectation of the test kit has failed is none. */
function isRefusal(error: unknown): error is CurtaincallError {
  return error instanceof CurtaincallError && error.code !== 'ERR_TEST'
}

/** Installs the handler and takes what it put there, so that no signal need be raised in this process. */
function firstListener(global: GlobalManager): () => void {
  const before = new Set(process.listeners('SIGTERM'))
  handleSignals(global, ['SIGTERM'])
  const listener = process.listeners('SIGTERM').find((each) => !before.has(each))
  return () => listener?.('SIGTERM')
}
