/**
 * The functions of the platform that timers hang on. Fake clocks put others in their place and take them away again, and what was armed by
 * the one is neither fired nor disarmed by the other.
 */

/**
 * Says, as a property of a `setTimeout` that stands in the place of the platform's, in whose time the caller is: in that of the platform
 * if it returns undefined.
 */
export const TIMEKEEPER: unique symbol = Symbol.for('curtaincall.timekeeper') as never

/** Whose time some callers are in. */
export interface Timekeeper {
  /** Calls `act` in an asynchronous context that is in this time, and belongs to nobody who came later. */
  home(act: () => void): void
}

type Asked = typeof globalThis.setTimeout & { readonly [TIMEKEEPER]?: () => Timekeeper | undefined }

/** A timer in the list of all timers of the same length. */
export class LineTimer<Target = unknown> {
  previous: LineTimer | undefined
  next: LineTimer | undefined
  /** Undefined once it has fired or was disarmed. */
  line: TimerLine | undefined
  /** Whole milliseconds since the process began: a small integer, which is no object of its own. */
  readonly due: number
  readonly act: (target: Target) => void
  readonly target: Target

  constructor(line: TimerLine, due: number, act: (target: Target) => void, target: Target) {
    this.line = line
    this.due = due
    this.act = act
    this.target = target
  }
}

/** All timers of one length, the next one first, behind one timer of the platform. */
export class TimerLine {
  readonly delay: number
  readonly time: PlatformTime
  head: LineTimer | undefined
  tail: LineTimer | undefined
  timer: unknown
  /** What is due by then is due when the platform's timer fires, whatever the time of day is said to be. */
  until = 0
  /** In so many microtasks it is closed, if it is empty by then. */
  closes = 0
  look: (() => void) | undefined
  /** How many have fired since the platform's timer did. */
  fired = 0

  constructor(delay: number, time: PlatformTime) {
    this.delay = delay
    this.time = time
  }

  push(timer: LineTimer): void {
    timer.previous = this.tail
    if (this.tail === undefined) this.head = timer
    else this.tail.next = timer
    this.tail = timer
  }

  remove(timer: LineTimer): void {
    const { previous, next } = timer
    if (previous === undefined) this.head = next
    else previous.next = next
    if (next === undefined) this.tail = previous
    else next.previous = previous
    timer.previous = undefined
    timer.next = undefined
    timer.line = undefined
  }
}

/** To be called as a method of `performance`. */
function clockFunction(): (this: typeof performance) => number {
  // oxlint-disable-next-line typescript/unbound-method -- it is compared, and called with its object
  return performance.now
}

/** The functions of the platform as they were at one time, and the timers that hang on them. */
export class PlatformTime {
  /** True if it depends on the caller what time it is. */
  readonly depends: boolean
  /** Of the time that the caller is in. */
  readonly home: Timekeeper['home'] | undefined
  /** The line that was used last: nearly all timers of a program have few lengths. */
  latest: TimerLine | undefined
  /** Its function that sets timers. */
  readonly set = globalThis.setTimeout as unknown as (act: (target: never) => void, delay: number, target: unknown) => unknown
  readonly #clear = globalThis.clearTimeout as (timer: unknown) => void
  readonly #performance = globalThis.performance
  /** Its function that tells the time. */
  readonly read = clockFunction()
  readonly #lines = new Map<number, TimerLine>()
  /** False if each timer is one of the platform. */
  readonly #shares: boolean

  constructor(keeper: Timekeeper | undefined, shares: boolean) {
    this.#shares = shares
    this.depends = TIMEKEEPER in this.set
    this.home = keeper === undefined ? undefined : (act) => keeper.home(act)
  }

  /** True if the platform's functions are these. */
  get isPresent(): boolean {
    return globalThis.setTimeout === (this.set as unknown) && clockFunction() === this.read
  }

  /** Milliseconds since the process began. */
  now(): number {
    return this.read.call(this.#performance)
  }

  // As plain functions: a browser's are not to be called as methods of something else.

  setTimeout<Target>(act: (target: Target) => void, delay: number, target: Target): unknown {
    const { set } = this
    return set(act as (target: never) => void, delay, target)
  }

  clearTimeout(timer: unknown): void {
    const clear = this.#clear
    clear(timer)
  }

  lineOf(delay: number): TimerLine {
    let line = this.#lines.get(delay)
    if (line === undefined) {
      line = new TimerLine(delay, this)
      if (!this.#shares) return line
      this.#lines.set(delay, line)
    }
    this.latest = line
    return line
  }

  /** Nothing is left of it. */
  forget(line: TimerLine): void {
    if (this.#lines.get(line.delay) === line) this.#lines.delete(line.delay)
    if (this.latest === line) this.latest = undefined
  }
}

/** The times that timers of one clock hang on: nearly always one. */
export class PlatformTimes {
  #latest: PlatformTime | undefined
  readonly #known = new WeakMap<object, PlatformTime>()
  /** What there was when the clock was made. */
  readonly #setFirst = globalThis.setTimeout
  readonly #readFirst = clockFunction()

  /** The present one, for the caller, as far as its `setTimeout` says: the clock is so often replaced without that as never. */
  present(): PlatformTime {
    const latest = this.#latest
    if (latest !== undefined && (globalThis.setTimeout as unknown) === latest.set && !latest.depends) return latest
    return (this.#latest = this.#find())
  }

  /** The present one, for the caller. */
  look(): PlatformTime {
    const latest = this.#latest
    return latest?.isPresent === true && !latest.depends ? latest : (this.#latest = this.#find())
  }

  #find(): PlatformTime {
    const { setTimeout } = globalThis
    const keeper = (setTimeout as Asked)[TIMEKEEPER]?.()
    const key = keeper ?? setTimeout
    const known = this.#known.get(key)
    if (known?.isPresent === true) return known
    const time = new PlatformTime(keeper, this.#areOne(setTimeout, clockFunction()))
    this.#known.set(key, time)
    return time
  }

  /** False if one of them was replaced and the other was not: they disagree on when something is due. */
  #areOne(set: unknown, read: unknown): boolean {
    return (set === this.#setFirst) === (read === this.#readFirst)
  }
}
