/** The platform's timers and dates, asking first whether there is a virtual clock. */
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { TIMEKEEPER } from '../port/index.ts'
import { cover } from './layers.ts'
import type { Timer, TimerKind, VirtualClock } from './virtual-clock.ts'

type Callback = (...args: unknown[]) => void
type Find = () => VirtualClock | undefined
type Target = Record<PropertyKey, unknown>

/** Takes the place of the objects that the platform's timer functions return. */
class VirtualTimeout {
  readonly #clock: VirtualClock
  readonly #delay: number
  readonly timer: Timer
  #ref = true
  #id = 0
  #cleared = false

  constructor(clock: VirtualClock, kind: TimerKind, callback: () => void, delay: number, every?: number) {
    this.#clock = clock
    this.#delay = delay
    this.timer = clock.arm(kind, callback, delay, every)
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

/** The platform takes what is too long, or no number, for a millisecond. */
function delayOf(delay: unknown): number {
  const ms = Number(delay)
  return ms >= 1 && ms <= 2_147_483_647 ? ms : 1
}

function clear(timer: unknown, real: (timer: never) => void): void {
  const found = typeof timer === 'number' || typeof timer === 'string' ? byId.get(Number(timer))?.deref() : timer
  if (found instanceof VirtualTimeout) found.close()
  else real(timer as never)
}

/** Replaces a property and remembers how to undo that. */
function replace(undo: (() => void)[], target: object, key: PropertyKey, value: PropertyDescriptor): void {
  undo.push(cover(target, key, (below) => ({ configurable: true, enumerable: below?.enumerable ?? false, ...value })))
}

/** Puts them in place; returns what puts the platform's own back. */
export function installPlatform(find: Find): () => void {
  const undo: (() => void)[] = []
  installTimers(undo, find)
  installPromises(undo, find)
  installDates(undo, find)
  installSignals(undo, find)
  syncBuiltinESMExports()
  return () => {
    for (const step of undo) step()
    byId.clear()
    syncBuiltinESMExports()
  }
}

function installTimers(undo: (() => void)[], find: Find): void {
  const real = { ...timers }
  const starting = (kind: TimerKind, original: (...args: never[]) => unknown) => {
    const start = (callback: Callback, ...rest: unknown[]): unknown => {
      const clock = find()
      if (clock === undefined) return original(...([callback, ...rest] as never[]))
      if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function.')
      const [delay, ...args] = kind === 'setImmediate' ? [undefined, ...rest] : rest
      const ms = kind === 'setImmediate' ? 0 : delayOf(delay)
      return new VirtualTimeout(clock, kind, () => callback(...args), ms, kind === 'setInterval' ? ms : undefined)
    }
    return start
  }
  const wait = (ms: unknown, value: unknown): Promise<unknown> => timersPromises.setTimeout(ms as number, value)
  const setTimeoutReplaced = Object.assign(starting('setTimeout', real.setTimeout), { [promisify.custom]: wait, [TIMEKEEPER]: find })
  const setImmediateReplaced = Object.assign(starting('setImmediate', real.setImmediate), {
    [promisify.custom]: (value: unknown) => timersPromises.setImmediate(value),
  })
  const replacements: Target = {
    setTimeout: setTimeoutReplaced,
    setInterval: starting('setInterval', real.setInterval),
    setImmediate: setImmediateReplaced,
    clearTimeout: (timer: unknown) => clear(timer, real.clearTimeout),
    clearInterval: (timer: unknown) => clear(timer, real.clearInterval),
    clearImmediate: (timer: unknown) => clear(timer, real.clearImmediate),
  }
  for (const [name, value] of Object.entries(replacements)) {
    replace(undo, globalThis, name, { value, writable: true, enumerable: true })
    replace(undo, timers, name, { value, writable: true, enumerable: true })
  }
}

interface WaitOptions {
  readonly signal?: AbortSignal
}

function waitFor(clock: VirtualClock, kind: TimerKind, ms: number, value: unknown, { signal }: WaitOptions = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      clock.disarm(timer)
      reject(new AbortError(signal?.reason))
    }
    const timer = clock.arm(
      kind,
      () => {
        signal?.removeEventListener('abort', aborted)
        resolve(value)
      },
      ms,
    )
    if (signal?.aborted === true) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** Yields ticks one by one: those that came while nobody waited are not lost. */
async function* ticks(clock: VirtualClock, ms: number, value: unknown, { signal }: WaitOptions = {}): AsyncGenerator {
  const isOver = (): boolean => signal?.aborted === true
  if (isOver()) throw new AbortError(signal?.reason)
  let due = 0
  let wake: (() => void) | undefined
  const tick = (): void => {
    due++
    wake?.()
  }
  const timer = clock.arm('setInterval', tick, ms, ms)
  const aborted = (): void => {
    clock.disarm(timer)
    wake?.()
  }
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    while (!isOver()) {
      if (due === 0) await new Promise<void>((resolve) => (wake = resolve))
      for (; due > 0; due--) yield value
    }
    throw new AbortError(signal?.reason)
  } finally {
    clock.disarm(timer)
    signal?.removeEventListener('abort', aborted)
  }
}

/** What node:timers/promises rejects with. */
class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(cause: unknown) {
    super('The operation was aborted', { cause })
  }
}

function installPromises(undo: (() => void)[], find: Find): void {
  const real = { ...timersPromises }
  const { scheduler } = timersPromises
  const realWait = scheduler.wait.bind(scheduler)
  const realYield = scheduler.yield.bind(scheduler)
  const either =
    <Args extends unknown[]>(virtual: (clock: VirtualClock, ...args: Args) => unknown, original: (...args: never[]) => unknown) =>
    (...args: Args): unknown => {
      const clock = find()
      return clock === undefined ? original(...(args as unknown as never[])) : virtual(clock, ...args)
    }
  const timeout = (clock: VirtualClock, ms: unknown, value?: unknown, options?: WaitOptions) =>
    waitFor(clock, 'setTimeout', delayOf(ms), value, options)
  const immediate = (clock: VirtualClock, value?: unknown, options?: WaitOptions) => waitFor(clock, 'setImmediate', 0, value, options)
  const ticking = (clock: VirtualClock, ms: unknown, value?: unknown, options?: WaitOptions) => ticks(clock, delayOf(ms), value, options)
  replace(undo, timersPromises, 'setTimeout', { value: either(timeout, real.setTimeout), writable: true, enumerable: true })
  replace(undo, timersPromises, 'setImmediate', { value: either(immediate, real.setImmediate), writable: true, enumerable: true })
  replace(undo, timersPromises, 'setInterval', { value: either(ticking, real.setInterval), writable: true, enumerable: true })
  const schedulerWait = (clock: VirtualClock, ms: unknown, options?: WaitOptions) =>
    waitFor(clock, 'setTimeout', delayOf(ms), undefined, options)
  replace(undo, scheduler, 'wait', { value: either(schedulerWait, realWait), writable: true })
  replace(undo, scheduler, 'yield', { value: either((clock) => waitFor(clock, 'setImmediate', 0, undefined), realYield), writable: true })
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
  replace(undo, RealDate, 'now', { value: () => find()?.now() ?? now(), writable: true })
  const { performance } = globalThis
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
  installHighResolution(undo, find)
  installFormats(undo, find)
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
  const hrtime = (since: [number, number] = [0, 0]): [number, number] => {
    const clock = find()
    if (clock === undefined) return real(since[0] === 0 && since[1] === 0 ? undefined : since)
    const elapsed = nanoseconds(clock) - BigInt(since[0]) * 1_000_000_000n - BigInt(since[1])
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

function installSignals(undo: (() => void)[], find: Find): void {
  // Another layer, such as that of a leak watch, may lie below this one, and come and go.
  const layer = (below: PropertyDescriptor | undefined): PropertyDescriptor => {
    const real = below?.value as (ms: number) => AbortSignal
    const timeout = (ms: number): AbortSignal => {
      const clock = find()
      if (clock === undefined) return real.call(AbortSignal, ms)
      const controller = new AbortController()
      const reason = (): DOMException => new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      clock.arm('AbortSignal.timeout', () => controller.abort(reason()), ms)
      return controller.signal
    }
    return { ...below, value: timeout }
  }
  undo.push(cover(AbortSignal, 'timeout', layer))
}
