/**
 * A clock that stands still until it is moved.
 *
 * K1  Timers fire in order of their time, and among those of one time in the order in which they were armed, unless a schedule
 *     says otherwise.
 * K2  Between two timers everything that is due in microtasks happens, and a turn of the event loop. Each fires in a turn of its own,
 *     so that what it does by `process.nextTick` comes before what it does by promises, as on the platform.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { CurtaincallError } from '../contract/index.ts'
import { check, duration, finiteCount, refuse } from '../spec/index.ts'
import { isOfFault, presentOwner } from './owners.ts'
import { nextTurn } from './platform.ts'
import type { Schedule, ScheduleMode } from './schedule.ts'

/** How a timer was armed. */
export type TimerKind = 'setTimeout' | 'setInterval' | 'setImmediate' | 'AbortSignal.timeout' | 'clock' | 'script' | 'delivery'

/** True for timers that nobody has the means to disarm, so that it is no leak if they are left. */
export function isUndisarmable(kind: TimerKind): boolean {
  return kind === 'AbortSignal.timeout'
}

/** A timer that has not fired. */
export interface PendingTimer {
  readonly kind: TimerKind
  /** Milliseconds from now. */
  readonly in: number
  /** Milliseconds for which it was armed. */
  readonly delay: number
  /** Where it was armed, as a line of a stack; undefined where that was not recorded. */
  readonly where: string | undefined
  /** Path of the routine that armed it; undefined where no routine did, or none is watched. */
  readonly owner: string | undefined
}

export interface Timer {
  at: number
  /** Timers of one time fire in this order. */
  order: number
  readonly kind: TimerKind
  readonly callback: () => void
  /** Those of one lane keep their order. */
  readonly lane: string
  readonly owner: string | undefined
  /** Milliseconds for which it was armed last. */
  delay: number
  /** Milliseconds until the next time; undefined for once. */
  readonly every: number | undefined
  /** Runs something in the asynchronous context that it was armed in. */
  readonly inContext: <T>(act: () => T) => T
  readonly origin: Error | undefined
  /** Where it stands in the heap; -1 if it does not. */
  index: number
  /** True once it was disarmed, and not armed again. */
  disarmed: boolean
  /** True if a fault has armed it. */
  readonly ofFault: boolean
}

/** The most timers that one run fires, unless told otherwise. */
const STEPS = 100_000

/** How many of those that were still pending an error names. */
const NAMED = 5

/** How long a run may be. */
export interface RunOptions {
  /** Timers that may fire before it is called endless. @default 100_000 */
  readonly steps?: number | undefined
}

export class VirtualClock {
  #now: number
  #order = 0
  #running = false
  #fired = 0
  readonly #firedSorts = new Set<string>()
  /** The wait of a script that goes on. */
  #waiting: { readonly timer: Timer; readonly until: number; readonly idle: boolean } | undefined
  readonly #heap: Timer[] = []
  /** True if each timer is to know where it was armed. */
  readonly #traced: boolean

  /** Runs something in the context in which its use began; see `Timekeeper`. */
  home: (act: () => void) => void = (act) => act()
  readonly #schedule: Schedule | undefined
  readonly #mode: ScheduleMode

  constructor(now: number, traced: boolean, schedule?: Schedule, mode: ScheduleMode = 'native') {
    this.#now = now
    this.#traced = traced
    this.#schedule = schedule
    this.#mode = mode
  }

  now(): number {
    return this.#now
  }

  arm(kind: TimerKind, callback: () => void, delay: number, every?: number): Timer {
    const at = this.#now + (delay > 0 ? delay : 0)
    const origin = this.#traced ? new Error('armed') : undefined
    const owner = presentOwner()
    const lane = this.#laneOf(kind, delay, owner)
    const inContext = AsyncLocalStorage.snapshot() as Timer['inContext']
    const timer = {
      at,
      order: ++this.#order,
      kind,
      callback,
      lane,
      owner,
      delay,
      every,
      inContext,
      origin,
      index: -1,
      disarmed: false,
      ofFault: isOfFault(),
    }
    this.#push(timer)
    return timer
  }

  /** The platform keeps timers of one delay in order; in the actor model only what one routine does is kept in order. */
  #laneOf(kind: TimerKind, delay: number, owner: string | undefined): string {
    if (kind === 'script' || this.#schedule === undefined) return kind
    if (this.#mode === 'native') return kind === 'setImmediate' ? kind : String(delay)
    return owner ?? `${kind} ${delay}`
  }

  disarm(timer: Timer): void {
    timer.disarmed = true
    if (timer.index >= 0) this.#remove(timer)
  }

  /** Arms it anew from now. */
  refresh(timer: Timer, delay: number): void {
    this.disarm(timer)
    timer.disarmed = false
    timer.at = this.#now + delay
    timer.delay = delay
    timer.order = ++this.#order
    this.#push(timer)
  }

  /** The number of the timer that was armed last, for `pending`. */
  get mark(): number {
    return this.#order
  }

  /** Timers that have not fired, the next one first; of those armed after a mark. */
  pending(mark = 0): PendingTimer[] {
    return this.#describe(({ order }) => order > mark)
  }

  /** Those of the tree: what the simulation and its faults have armed is left out. */
  pendingOfTree(): PendingTimer[] {
    return this.#describe(isOfTree)
  }

  #describe(isWanted: (timer: Timer) => boolean): PendingTimer[] {
    const timers = this.#heap.filter(isWanted).sort(earlier)
    return timers.map((timer) => ({
      kind: timer.kind,
      in: timer.at - this.#now,
      delay: timer.delay,
      where: whereOf(timer),
      owner: timer.owner,
    }))
  }

  /** Moves time on, fires what comes due, and lets everything happen in between. */
  async advance(ms: number): Promise<void> {
    if (!duration.accepts(ms)) throw refuse('advance ms', duration.range, ms)
    const end = this.#now + ms
    await this.#run(end, STEPS)
    this.#now = Math.max(this.#now, end)
  }

  /** Until no timer is pending and nothing is left to do. */
  async runToQuiescence(options: RunOptions = {}): Promise<void> {
    check('runToQuiescence', options, { steps: finiteCount })
    const { steps = STEPS } = options
    await this.#run(Infinity, steps)
  }

  /** Until it is over, or nothing is pending, or so many milliseconds have passed. */
  async runUntil(over: () => boolean, steps = STEPS, ms = Infinity): Promise<void> {
    const end = this.#now + ms
    await this.#run(end, steps, over)
    if (end !== Infinity && !over()) this.#now = Math.max(this.#now, end)
  }

  async #run(end: number, steps: number, over: () => boolean = () => false): Promise<void> {
    if (this.#running)
      throw new CurtaincallError('ERR_TEST', 'virtual time is being moved already: await the first advance() or runToQuiescence()')
    this.#running = true
    try {
      for (let step = 0; await nextTurn(() => this.#fireNext(end, step, steps, over)); step++);
    } finally {
      this.#running = false
    }
  }

  /** Fires what is due until `end`; answers whether there was something, and it goes on. */
  #fireNext(end: number, step: number, steps: number, over: () => boolean): boolean {
    this.#endWait()
    const first = this.#heap[0]
    if (first === undefined || first.at > end || over()) return false
    if (step === steps) throw this.#endless(step)
    this.#fire(this.#next())
    return true
  }

  /** The first, or another one that is due at the same time, if the schedule says so. */
  #next(): Timer {
    const first = this.#heap[0] as Timer
    if (this.#schedule?.decides !== true) return first
    const due = this.#heap.filter(({ at }) => at === first.at).sort(earlier)
    const lanes = new Map<string, Timer>()
    for (const timer of due) if (!lanes.has(timer.lane)) lanes.set(timer.lane, timer)
    return [...lanes.values()][this.#schedule.choose(lanes.size)] as Timer
  }

  #fire(timer: Timer): void {
    this.#now = Math.max(this.#now, timer.at)
    this.#remove(timer)
    if (!isOfScript(timer)) this.#fired++
    if (this.#schedule !== undefined && isOfTree(timer)) this.#firedSorts.add(sortOf(timer))
    try {
      timer.inContext(timer.callback)
    } finally {
      // Behind those that the callback has armed, as on the platform.
      if (timer.every !== undefined && !timer.disarmed) this.refresh(timer, timer.every)
    }
  }

  /** Changes whenever something is armed or fires. */
  get pace(): number {
    return this.#order + this.#fired
  }

  /** How many timers have fired: those of the simulation itself left out. */
  get fired(): number {
    return this.#fired
  }

  /** The sorts of timers of the tree that have fired; see {@link sortOf}. */
  get firedSorts(): ReadonlySet<string> {
    return this.#firedSorts
  }

  /**
   * A wait of a script: so many milliseconds, or until so many timers have fired, whichever is first. There is one such wait at a time.
   *
   * @param idle True if it is over, too, when nothing else is pending.
   */
  wait(ms: number, timers: number, idle: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { timer: this.arm('script', resolve, ms), until: this.#fired + timers, idle }
    })
  }

  /** A wait that has seen its timers ends at this moment; what else is due at it may go first. */
  #endWait(): void {
    if (this.#waiting === undefined) return
    const { timer, until, idle } = this.#waiting
    if (timer.index >= 0) {
      if (this.#fired < until && !(idle && this.#heap.length === 1)) return
      this.refresh(timer, 0)
    }
    this.#waiting = undefined
  }

  #endless(steps: number): CurtaincallError {
    return new CurtaincallError(
      'ERR_TEST',
      `${steps} timers have fired and ${this.#heap.length} are still pending:\n${this.describePending()}`,
    )
  }

  /** The next timers, and where they were armed, a line each; empty if there is none. */
  describePending(): string {
    const named = this.pending().slice(0, NAMED)
    const lines = named.map(
      ({ kind, in: ms, where, owner }) =>
        `  ${kind} in ${ms} ms${owner === undefined ? '' : ` of ${owner}`}${where === undefined ? '' : `, armed at ${where}`}`,
    )
    return lines.join('\n')
  }

  // --- a binary heap ---------------------------------------------------------------------------

  #push(timer: Timer): void {
    timer.index = this.#heap.push(timer) - 1
    this.#up(timer.index)
  }

  #remove(timer: Timer): void {
    const { index } = timer
    const last = this.#heap.pop() as Timer
    timer.index = -1
    if (last === timer) return
    this.#heap[index] = last
    last.index = index
    this.#up(index)
    this.#down(last.index)
  }

  #swap(a: number, b: number): void {
    const first = this.#heap[a] as Timer
    const second = this.#heap[b] as Timer
    this.#heap[a] = second
    this.#heap[b] = first
    second.index = a
    first.index = b
  }

  #up(index: number): void {
    for (let at = index; at > 0; ) {
      const parent = (at - 1) >> 1
      if (earlier(this.#heap[parent] as Timer, this.#heap[at] as Timer) <= 0) return
      this.#swap(parent, at)
      at = parent
    }
  }

  #down(index: number): void {
    for (let at = index; ; ) {
      const left = at * 2 + 1
      const right = left + 1
      if (left >= this.#heap.length) return
      const least = right < this.#heap.length && earlier(this.#heap[right] as Timer, this.#heap[left] as Timer) < 0 ? right : left
      if (earlier(this.#heap[at] as Timer, this.#heap[least] as Timer) <= 0) return
      this.#swap(at, least)
      at = least
    }
  }
}

function earlier(a: Timer, b: Timer): number {
  return a.at - b.at || a.order - b.order
}

/** The first line of the stack that is neither ours nor the platform's. */
export function lineOf(stack: string | undefined): string | undefined {
  const lines = (stack ?? '').split('\n').slice(1)
  const foreign = lines.find((line) => !/[/\\]src[/\\]testing[/\\]/.test(line) && !line.includes('node:'))
  return foreign?.trim().replace(/^at /, '')
}

function whereOf({ origin }: Timer): string | undefined {
  return lineOf(origin?.stack)
}

/** Timers of one sort are those of one kind, by routines of one name, that are about as long: jitter makes no sort of its own. */
export function sortOf({ kind, owner = '', delay }: Pick<PendingTimer, 'kind' | 'owner' | 'delay'>): string {
  return `${kind} ${Math.ceil(Math.log2(Math.max(1, delay)))} ${withoutId(owner)}`
}

/** The path of a routine, or of its like: without its id. */
export function withoutId(path: string): string {
  return path.replace(/#[^/]*$/, '')
}

/** True for what a simulation itself arms: waits of its script, and ends of bodies that it holds back. */
function isOfScript({ kind }: Timer): boolean {
  return kind === 'script' || kind === 'delivery'
}

function isOfTree(timer: Timer): boolean {
  return !timer.ofFault && !isOfScript(timer)
}
