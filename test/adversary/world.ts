/** One case while it is played: the tree, who was met in it, what was heard, and what was found wrong. */
import { getEventListeners } from 'node:events'
import { CurtaincallError, type GlobalManager, type LifecycleEvent, type Manager, type Routine } from 'curtaincall'
import type { Case } from './pairwise.ts'
import { randomFrom } from '../../src/testing/schedule.ts'

export type AnyRoutine = Routine<unknown, unknown, unknown>
export type Target = AnyRoutine | Manager

/**
 * What kind of foreign code runs: `word` is told of something, `deed` is something that the tree does, `question` is asked for an
 * answer, `outside` is called by nobody in the tree.
 */
export type Sort = 'word' | 'deed' | 'question' | 'outside'

/** Something that must not be. */
export interface Finding {
  /** The rule that is broken. */
  readonly rule: string
  readonly message: string
}

/** One run of a function as work. */
interface Run {
  readonly path: string
  readonly incarnation: number
  readonly signal: AbortSignal
  over: boolean
}

/** A promise that the library gave, which has to be kept. */
interface Promised {
  readonly what: string
  settled: boolean
}

/** An end that somebody was promised. */
export interface Deadline {
  readonly path: string
  readonly due: number
  endedAt: number | undefined
}

export function isManager(target: Target): target is Manager {
  return 'health' in target
}

export class World {
  readonly case: Case
  readonly random: () => number
  global: GlobalManager | undefined
  readonly events: LifecycleEvent[] = []
  readonly findings: Finding[] = []
  /** What the intruder did, as a person reads it. */
  readonly story: string[] = []
  readonly managers = new Set<Manager>()
  /** The latest handle of each path. */
  readonly routines = new Map<string, AnyRoutine>()
  /** Each handle, with the end of it that was told last. */
  readonly lastEnd = new Map<AnyRoutine, LifecycleEvent | undefined>()
  readonly outcomes = new Map<AnyRoutine, unknown>()
  readonly queued = new Set<string>()
  readonly waitedInQueue = new Set<string>()
  /** Latest run of each path. */
  readonly runs = new Map<string, Run>()
  readonly allRuns: Run[] = []
  readonly promised: Promised[] = []
  readonly deadlines: Deadline[] = []
  /** Children whose permit is kept while their group is restarted, by the path of their manager. */
  readonly grouped = new Map<string, Set<string>>()
  readonly limits = new Map<string, number>()
  readonly #foreign: AbortSignal[] = []
  /** Paths that were told to restart. */
  readonly hurried = new Set<string>()
  /** How many events there had been when the `start` of a run was called; by path and number of the run. */
  readonly acquired = new Map<string, number>()
  /** A signal that is never aborted. */
  readonly never = new AbortController().signal
  /** Paths that somebody gave an order about, and managers that were told to stop. */
  readonly ordered = new Set<string>()
  /** Called as a point is passed. */
  passed: (point: string, concerned: string) => void = () => undefined
  /** Called for each routine and manager that is met for the first time. */
  met: (target: Target) => void = () => undefined
  now: () => number = () => 0
  began = 0
  /** True if whoever is told at this moment is to throw. */
  throwing = false
  /** True while the tree is only looked at: what that asks for is no point. */
  reading = false
  #inside: Sort[] = []
  #last = ''
  #names = 0

  constructor(of: Case) {
    this.case = of
    this.random = randomFrom(of.seed)
  }

  /** True if foreign code is being run by the tree. */
  get nested(): boolean {
    return this.#inside.some((sort) => sort !== 'outside')
  }

  find(rule: string, message: string): void {
    const known = this.findings.some((each) => each.rule === rule && each.message === message)
    if (!known && this.findings.length < 40) this.findings.push({ rule, message })
  }

  /** A name that nobody has. */
  newName(prefix: string): string {
    return `${prefix}${++this.#names}`
  }

  /** All foreign code goes through here. */
  enter<Result>(point: string, sort: Sort, concerned: string, own?: () => Result): Result | undefined {
    if (sort === 'word' && this.#inside.includes('word'))
      this.find('T4 word in a word', `${point} is told inside of ${this.#inside.join(' > ')}`)
    this.#inside.push(sort)
    this.#last = concerned === '' ? this.#last : concerned
    try {
      if (!this.reading) this.passed(point, concerned === '' ? this.#last : concerned)
      if (this.throwing && sort === 'word') {
        this.throwing = false
        throw new Error('thrown by who was told')
      }
      return own?.()
    } finally {
      this.#inside.pop()
    }
  }

  /** Does what may be refused: whatever else is thrown is wrong. */
  attempt<Result>(what: string, act: () => Result): Result | undefined {
    try {
      return act()
    } catch (error) {
      if (!(error instanceof CurtaincallError) || error.code === 'ERR_TEST') this.find('an order threw', `${what}: ${textOf(error)}`)
      return undefined
    }
  }

  /** Waits for a promise of the library's: it has to be kept by the end, and may be refused only in words of the library. */
  promise(what: string, promise: PromiseLike<unknown>, allowed?: unknown): void {
    const entry: Promised = { what, settled: false }
    this.promised.push(entry)
    promise.then(
      () => void (entry.settled = true),
      (error: unknown) => {
        entry.settled = true
        if (error !== allowed && !(error instanceof CurtaincallError)) this.find('an order threw', `${what} rejects: ${textOf(error)}`)
      },
    )
  }

  /** A signal of the world outside. */
  signal(): AbortController {
    const controller = new AbortController()
    this.#foreign.push(controller.signal)
    return controller
  }

  /** A signal of the world outside that is aborted after so long; that is a point. */
  foreign(ms: number, path: string): AbortController {
    const controller = this.signal()
    controller.signal.addEventListener('abort', () => this.enter('foreign abort', 'outside', path), { once: true })
    setTimeout(() => controller.abort('from outside'), ms)
    return controller
  }

  /** Listeners that the library has left on what is not its own. */
  get left(): number {
    return this.#foreign.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0)
  }

  /** A function has begun to run as work. */
  begun(path: string, incarnation: number, signal: AbortSignal): Run {
    const run = { path, incarnation, signal, over: false }
    this.runs.set(path, run)
    this.allRuns.push(run)
    return run
  }

  meetManager<Some extends Manager>(manager: Some): Some {
    if (this.managers.has(manager)) return manager
    this.managers.add(manager)
    this.promise(`outcome of ${manager.path}`, manager.outcome)
    this.met(manager)
    return manager
  }

  meetRoutine(routine: AnyRoutine): void {
    this.routines.set(routine.path, routine)
    if (this.lastEnd.has(routine)) return
    this.lastEnd.set(routine, undefined)
    this.promise(`outcome of ${routine.path}`, routine.outcome)
    void routine.outcome.then((outcome) => this.outcomes.set(routine, outcome))
    this.met(routine)
  }

  /** Hears what is told of the whole tree. */
  hear(event: LifecycleEvent): void {
    this.enter(`heard ${event.type}`, 'word', event.path, () => {
      this.events.push(event)
      const { type, path } = event
      const target = type === 'routine.spawned' || type === 'manager.started' ? this.global?.whereis(path) : undefined
      // One that has ended before it was told of is nobody's handle: what is told of it is not of its predecessor.
      if (type === 'routine.spawned') this.routines.delete(path)
      if (target !== undefined) this.#meet(target as Target)
      const run = this.runs.get(path)
      if (type === 'routine.killed' && run?.incarnation === event.incarnation && !run.over && !run.signal.aborted)
        this.find('not told', `${path} was killed, and its signal is not aborted`)
      if (type === 'routine.queued') {
        this.queued.add(path)
        this.waitedInQueue.add(path)
      }
      const routine = this.routines.get(path)
      if (!('willRestart' in event) && type !== 'routine.started') return
      this.queued.delete(path)
      if ('willRestart' in event && routine !== undefined) this.lastEnd.set(routine, event)
    })
  }

  /** True if the end of this run was told. */
  heardEnd({ path, incarnation }: AnyRoutine): boolean {
    return this.events.some((event) => 'willRestart' in event && event.path === path && event.incarnation === incarnation)
  }

  #meet(target: Target): void {
    if (isManager(target)) this.meetManager(target)
    else this.meetRoutine(target)
  }

  /** Everybody who lives before anything was heard. */
  meetAll(): void {
    for (const routine of this.global?.routines() ?? []) this.meetRoutine(routine as AnyRoutine)
  }
}

export function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
