/** The platform's timers and dates, asking first whether there is a virtual clock. */
import { syncBuiltinESMExports } from 'node:module'
import { performance as platformPerformance } from 'node:perf_hooks'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { TIMEKEEPER } from '../port/index.ts'
import { cover, coverValue } from './layers.ts'
import type { Timer, TimerKind, VirtualClock } from './virtual-clock.ts'
import { delayOf, installPromises } from './virtual-promises.ts'

type Callback = (this: unknown, ...args: unknown[]) => void
type Find = () => VirtualClock | undefined
type Any = (...args: unknown[]) => unknown

/** Takes the place of the objects that the platform's timer functions return. */
class VirtualTimeout {
  readonly #clock: VirtualClock
  readonly #delay: number
  readonly timer: Timer
  #ref = true
  #id = 0
  #cleared = false

  /** The callback finds it as `this`, as on the platform. */
  constructor(clock: VirtualClock, kind: TimerKind, callback: Callback, args: unknown[], delay: number) {
    this.#clock = clock
    this.#delay = delay
    this.timer = clock.arm(kind, () => callback.apply(this, args), delay, kind === 'setInterval' ? delay : undefined)
  }

  ref(): this {
    this.#ref = true
    return this
  }

  unref(): this {
    this.#ref = false
    return this
  }

  hasRef(): boolean {
    return this.#ref
  }

  /** One that has fired comes again; one that was cleared does not. */
  refresh(): this {
    if (!this.#cleared) this.#clock.refresh(this.timer, this.#delay)
    return this
  }

  close(): this {
    this.#cleared = true
    this.#clock.disarm(this.timer)
    byId.delete(this.#id)
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.toPrimitive](): number {
    if (this.#id === 0) byId.set((this.#id = ++lastId), new WeakRef(this))
    return this.#id
  }
}

/** Timers that may be cleared by their number, since that was asked for. */
const byId = new Map<number, WeakRef<VirtualTimeout>>()
/** Far from the platform's own numbers. */
let lastId = 1_000_000_000

function clear(timer: unknown, real: (timer: never) => void): void {
  const found = typeof timer === 'number' || typeof timer === 'string' ? byId.get(Number(timer))?.deref() : timer
  if (found instanceof VirtualTimeout) found.close()
  else real(timer as never)
}

/** Replaces a property and remembers how to undo that. */
function replace(undo: (() => void)[], target: object, key: PropertyKey, value: PropertyDescriptor): void {
  undo.push(cover(target, key, (below) => ({ configurable: true, enumerable: below?.enumerable ?? false, ...value })))
}

/** Puts them in place; `undo` gets what puts the platform's own back. */
export function installPlatform(undo: (() => void)[], find: Find): void {
  installTimers(undo, find)
  installPromises(undo, find)
  installDates(undo, find)
  installSignals(undo, find)
  undo.push(
    () => byId.clear(),
    () => syncBuiltinESMExports(),
  )
  syncBuiltinESMExports()
}

/** What makes a timer, and what its promisified form is. */
const STARTING = {
  setTimeout: () => timersPromises.setTimeout,
  setInterval: undefined,
  setImmediate: () => timersPromises.setImmediate,
} as const
const CLEARING = ['clearTimeout', 'clearInterval', 'clearImmediate'] as const

function installTimers(undo: (() => void)[], find: Find): void {
  // Where both names have the same function, they go on having the same.
  const made = new Map<Any, unknown>()
  const once = (original: Any, make: () => unknown): unknown => {
    if (!made.has(original)) made.set(original, make())
    return made.get(original)
  }
  for (const target of [globalThis, timers]) {
    for (const [kind, promised] of Object.entries(STARTING) as [keyof typeof STARTING, (() => unknown) | undefined][])
      undo.push(coverValue(target, kind, (original: Any) => once(original, () => starting(kind, original, find, promised))))
    for (const name of CLEARING)
      undo.push(coverValue(target, name, (original: Any) => once(original, () => (timer: unknown) => clear(timer, original))))
  }
}

function starting(kind: keyof typeof STARTING, original: Any, find: Find, promised: (() => unknown) | undefined): unknown {
  const start = (callback: Callback, ...rest: unknown[]): unknown => {
    const clock = find()
    // What is no function the platform refuses, in its own words.
    if (clock === undefined || typeof callback !== 'function') return original(callback, ...rest)
    if (kind === 'setImmediate') return new VirtualTimeout(clock, kind, callback, rest, 0)
    const [delay, ...args] = rest
    return new VirtualTimeout(clock, kind, callback, args, delayOf(delay))
  }
  // The library's own clock asks whose timers these are.
  if (kind === 'setTimeout') Object.assign(start, { [TIMEKEEPER]: find })
  return promised === undefined ? start : Object.defineProperty(start, promisify.custom, { enumerable: true, get: promised })
}

function installDates(undo: (() => void)[], find: Find): void {
  const RealDate = globalThis.Date
  const now = RealDate.now.bind(RealDate)
  const VirtualDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) => {
      const clock = args.length === 0 ? find() : undefined
      return Reflect.construct(target, clock === undefined ? args : [clock.now()], newTarget) as object
    },
    apply: (target, _self, _args) => new target(find()?.now() ?? now()).toString(),
  })
  replace(undo, globalThis, 'Date', { value: VirtualDate, writable: true })
  // So that `date.constructor` is the present `Date`, which code compares it with.
  replace(undo, RealDate.prototype, 'constructor', { value: VirtualDate, writable: true })
  const wholeNow = (): number => {
    const clock = find()
    return clock === undefined ? now() : Math.floor(clock.now())
  }
  replace(undo, RealDate, 'now', { value: wholeNow, writable: true })
  // In the place of the platform's, a document model puts one of its own.
  for (const each of new Set([globalThis.performance, platformPerformance])) installPerformance(undo, find, each)
  installHighResolution(undo, find)
  installFormats(undo, find)
}

function installPerformance(undo: (() => void)[], find: Find, performance: { now(): number; readonly timeOrigin: number }): void {
  const realNow = performance.now.bind(performance)
  const { timeOrigin } = performance
  const begun = new WeakMap<VirtualClock, number>()
  const sinceBegin = (clock: VirtualClock): number => {
    if (!begun.has(clock)) begun.set(clock, clock.now())
    return clock.now() - (begun.get(clock) as number)
  }
  replace(undo, performance, 'now', {
    value: () => {
      const clock = find()
      return clock === undefined ? realNow() : sinceBegin(clock)
    },
    writable: true,
  })
  replace(undo, performance, 'timeOrigin', {
    get: () => {
      const clock = find()
      return clock === undefined ? timeOrigin : clock.now() - sinceBegin(clock)
    },
  })
}

/** Formats take the present date where none is given. */
function installFormats(undo: (() => void)[], find: Find): void {
  const { prototype } = Intl.DateTimeFormat
  type Format = Intl.DateTimeFormat['format']
  type Given = Parameters<Format>[0]
  const given = (date: Given): Given => (date === undefined ? find()?.now() : date)
  // The platform gives the same function each time.
  const bound = new WeakMap<Format, Format>()
  const withPresent = (real: Format): Format => {
    if (!bound.has(real)) bound.set(real, (date) => real(given(date)))
    return bound.get(real) as Format
  }
  const format = (below: PropertyDescriptor | undefined): PropertyDescriptor => ({
    ...below,
    get(this: object) {
      return withPresent(below?.get?.call(this) as Format)
    },
  })
  const formatToParts = (below: PropertyDescriptor | undefined): PropertyDescriptor => {
    const real = below?.value as (date: Given) => unknown
    const value = function (this: object, date?: Given): unknown {
      return real.call(this, given(date))
    }
    return { ...below, value }
  }
  undo.push(cover(prototype, 'format', format), cover(prototype, 'formatToParts', formatToParts))
}

function installHighResolution(undo: (() => void)[], find: Find): void {
  const real = process.hrtime
  const bigint = real.bigint.bind(real)
  const nanoseconds = (clock: VirtualClock): bigint => BigInt(Math.round(clock.now() * 1_000_000))
  const hrtime = (since?: [number, number]): [number, number] => {
    const clock = find()
    // What is no earlier answer the platform refuses, in its own words.
    if (clock === undefined || (since !== undefined && !(Array.isArray(since) && since.length === 2))) return real(since)
    const [seconds, rest] = since ?? [0, 0]
    const elapsed = nanoseconds(clock) - BigInt(seconds) * 1_000_000_000n - BigInt(rest)
    return [Number(elapsed / 1_000_000_000n), Number(elapsed % 1_000_000_000n)]
  }
  const value = Object.assign(hrtime, {
    bigint: () => {
      const clock = find()
      return clock === undefined ? bigint() : nanoseconds(clock)
    },
  })
  replace(undo, process, 'hrtime', { value, writable: true, enumerable: true })
}

/** The longest that the platform takes: a whole number of 32 bits. */
const LONGEST_SIGNAL = 2 ** 32 - 1

function installSignals(undo: (() => void)[], find: Find): void {
  // Another layer, such as that of a leak watch, may lie below this one, and come and go.
  const around =
    (real: (ms: number) => AbortSignal) =>
    (ms: number): AbortSignal => {
      const clock = find()
      const isLength = Number.isInteger(ms) && ms >= 0 && ms <= LONGEST_SIGNAL
      // What is no length of time the platform refuses, in its own words.
      if (clock === undefined || !isLength) return real.call(AbortSignal, ms)
      const controller = new AbortController()
      const reason = (): DOMException => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      clock.arm('AbortSignal.timeout', () => controller.abort(reason()), ms)
      return controller.signal
    }
  undo.push(coverValue(AbortSignal, 'timeout', around))
}
