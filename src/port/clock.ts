/** The port through which all time comes in. */
import { LONGEST_TIMER } from '../../machines/shutdown.ts'
import { ambient, type AsyncContext } from './async-context.ts'
import { LineTimer, type PlatformTime, PlatformTimes, type TimerLine } from './platform-time.ts'
import { Rounds } from './rounds.ts'
import { soon } from './soon.ts'

/** Where the library takes time from. Milliseconds throughout. */
export interface Clock {
  /** Milliseconds; must never run backwards. */
  now(): number
  /** Calls back once, `delay` milliseconds from now. */
  setTimeout(callback: () => void, delay: number): unknown
  /** Disarms a timer; one that has fired or is unknown is ignored. */
  clearTimeout(timer: unknown): void
}

/** Microtasks from the end of one thing to the beginning of the next, where somebody awaits that in a few async functions. */
const MICROTASKS = 8

/** Stands in for the platform's timer while the timers of a line that are due are fired. */
const FIRING = Symbol('curtaincall.firing')

/** A shorter delay gets a platform timer of its own, so that a wait for one turn of the event loop lasts a whole turn. */
const SHORT = 10

/** So many milliseconds after a timer should have fired it is taken for lost. */
const LATE = 1_000

/** So many timers of a line fire in one turn of the event loop. */
const AT_ONCE = 1_024

/** A timer that shares nothing. */
class ShortTimer {
  readonly handle: unknown
  readonly time: PlatformTime

  constructor(handle: unknown, time: PlatformTime) {
    this.handle = handle
    this.time = time
  }
}

/**
 * The clock of the platform: epoch milliseconds that never run backwards.
 * A timer of zero runs as soon as the event loop has turned.
 *
 * Timers of one length share one of the platform's: arming and disarming one costs 0.1 µs instead of 0.47, and 96 B instead of 256.
 *
 * A1  Timers of one length fire in the order in which they were armed, none more than the platform's millisecond early.
 * A2  The platform has a timer of a length as long as one of that length is armed here, and no longer: of what ends by
 *     itself ({@link disarm}) than {@link MICROTASKS}.
 * A3  A timer hangs on the functions of the platform that there were when it was armed (platform-time.ts), is disarmed by them, and shares
 *     a platform timer only with those that hang on the same. So a fake clock that comes or goes silences no timer but its own.
 * A4  A shared timer is armed in the asynchronous context of the making of its tree, so that it keeps no other.
 * A5  Of many that are due together only so many fire before the event loop turns ({@link AT_ONCE}).
 */
export class PlatformClock implements Clock {
  readonly rounds: Rounds = new Rounds(this)
  readonly #times = new PlatformTimes()
  readonly #context: AsyncContext
  /** That of the making of its tree. */
  readonly #making: unknown
  /** Kept, because asking for it is a third of the price of `now`. */
  readonly #origin = performance.timeOrigin

  constructor(context: AsyncContext = ambient) {
    this.#context = context
    this.#making = context.capture()
  }

  /** What a timer hangs on that is armed now: A3. */
  get time(): object {
    return this.#times.present()
  }

  now(): number {
    return this.#origin + performance.now()
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return this.arm(call, callback, delay)
  }

  /** Calls `act(target)` once. A caller that has just read the clock passes `now`: reading it costs as much as all the rest here. */
  arm<Target>(act: (target: Target) => void, target: Target, delay: number, now?: number): unknown {
    if (!(delay >= SHORT)) return this.#armShort(act, target, delay)
    const read = now ?? this.now()
    const time = this.#times.present()
    const { latest } = time
    const line = latest?.delay === delay ? latest : time.lineOf(delay)
    // Where it depends on the caller what time it is, `now` may be that of another one.
    const since = time.depends ? time.now() : read - this.#origin
    const due = Math.ceil(since + delay)
    const { tail } = line
    if (tail === undefined || due < tail.due || since > line.until + LATE) return this.#armAside(act, target, line, since)
    const timer = new LineTimer(line, due, act, target) as LineTimer
    line.push(timer)
    return timer
  }

  /** The same for the first of its line, and where something is odd. */
  #armAside<Target>(act: (target: Target) => void, target: Target, expected: TimerLine, since: number): unknown {
    const { delay } = expected
    const time = this.#times.look()
    const line = time === expected.time ? expected : time.lineOf(delay)
    const read = time === expected.time ? since : time.now()
    const timer = new LineTimer(line, Math.ceil(read + delay), act, target) as LineTimer
    line.push(timer)
    if (line.timer === undefined) this.#arm(line, timer.due, delay)
    else if (read > line.until + LATE) this.#armAgain(line, read)
    return timer
  }

  #armShort<Target>(act: (target: Target) => void, target: Target, delay: number): ShortTimer {
    const time = this.#times.present()
    return new ShortTimer(time.setTimeout(act, delay, target), time)
  }

  clearTimeout(timer: unknown): void {
    if (timer instanceof LineTimer) {
      const { line } = timer
      if (line === undefined) return
      line.remove(timer)
      if (line.head === undefined) close(line)
    } else if (timer instanceof ShortTimer) timer.time.clearTimeout(timer.handle)
  }

  /**
   * The same of a timer that is disarmed because its work has ended: the next of its length may be on its way. Children that are stopped
   * one after the other have one timer of the platform then, and not one each.
   */
  disarm(timer: unknown): void {
    if (timer instanceof LineTimer) {
      const { line } = timer
      if (line === undefined) return
      line.remove(timer)
      if (line.head === undefined) closeSoon(line)
    } else this.clearTimeout(timer)
  }

  #arm(line: TimerLine, due: number, left: number): void {
    // What is longer than the platform can wait is waited for in parts.
    const wait = Math.min(left, LONGEST_TIMER)
    line.fired = 0
    line.until = due - (left - wait)
    const { depends, home } = line.time
    if (home === undefined) this.#context.run(depends ? undefined : this.#making, this.#set, line, wait)
    else home(() => this.#set(line, wait))
  }

  /** Its timer has not fired, and should have: some fake clocks can be emptied. */
  #armAgain(line: TimerLine, since: number): void {
    if (line.timer === FIRING) return
    line.time.clearTimeout(line.timer)
    const { due } = line.head as LineTimer
    this.#arm(line, due, Math.max(1, due - since))
  }

  readonly #set = (line: TimerLine, wait: number): void => {
    line.timer = line.time.setTimeout(this.#fire, wait, line)
  }

  /** Fires the first if it is due, and lets what is due in microtasks begin before the next. */
  readonly #fire = (line: TimerLine): void => {
    const { head } = line
    if (head === undefined) return
    const { due } = head
    const left = due <= line.until ? 0 : Math.min(due - line.until, Math.ceil(due - line.time.now()))
    if (left > 1 || line.fired >= AT_ONCE) {
      this.#arm(line, due, Math.max(1, left))
      return
    }
    line.fired++
    line.timer = FIRING
    line.remove(head)
    if (line.head === undefined) close(line)
    try {
      head.act(head.target)
    } finally {
      // Behind the microtasks of this one, as far as they are queued.
      if (line.head !== undefined) soon(() => this.#fire(line))
    }
  }
}

/** The last of a line is gone, unless another one comes within some microtasks: what one awaits, who then begins the next. */
function closeSoon(line: TimerLine): void {
  const { closes } = line
  line.closes = MICROTASKS
  if (closes === 0) soon((line.look ??= () => look(line)))
}

/** One of these microtasks. */
function look(line: TimerLine): void {
  if (line.head !== undefined) line.closes = 0
  else if (--line.closes > 0) soon((line.look ??= () => look(line)))
  else close(line)
}

/** The last of a line is gone. */
function close(line: TimerLine): void {
  if (line.timer !== FIRING) line.time.clearTimeout(line.timer)
  line.time.forget(line)
}

function call(callback: () => void): void {
  callback()
}
