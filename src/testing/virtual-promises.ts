/** The platform's timers that are promises, asking first whether there is a virtual clock. */
import timersPromises from 'node:timers/promises'
import { coverValue } from './layers.ts'
import type { TimerKind, VirtualClock } from './virtual-clock.ts'

type Any = (...args: unknown[]) => unknown

interface WaitOptions {
  readonly signal?: AbortSignal
}

/** Whole milliseconds. The platform takes what is too long, or no number, for one. */
export function delayOf(delay: unknown): number {
  const ms = (delay as number) * 1
  return ms >= 1 && ms <= 2_147_483_647 ? Math.trunc(ms) : 1
}

/** What node:timers/promises rejects with. */
class AbortError extends Error {
  override readonly name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(cause: unknown) {
    super('The operation was aborted', { cause })
  }
}

/** Puts them in place; `undo` gets what puts the platform's own back. */
export function installPromises(undo: (() => void)[], find: () => VirtualClock | undefined): void {
  const { scheduler } = timersPromises
  type Virtual = (clock: VirtualClock, ...args: never[]) => unknown
  const put = (target: object, name: string, virtual: Virtual, takes: (...args: never[]) => boolean): void => {
    const around = (original: Any) =>
      function (this: unknown, ...args: never[]): unknown {
        const clock = find()
        const isMethod = target !== scheduler || this === scheduler
        // What is wrong with the arguments the platform says, in its own words.
        return clock === undefined || !isMethod || !takes(...args) ? original.apply(this, args) : virtual(clock, ...args)
      }
    undo.push(coverValue(target, name, around))
  }
  const takesDelay = (ms: unknown, _value?: unknown, options?: unknown): boolean => isDelay(ms) && areOptions(options)
  put(
    timersPromises,
    'setTimeout',
    (clock, ms: unknown, value?: unknown, options?: WaitOptions) => waitFor(clock, 'setTimeout', delayOf(ms), value, options),
    takesDelay,
  )
  put(
    timersPromises,
    'setImmediate',
    (clock, value?: unknown, options?: WaitOptions) => waitFor(clock, 'setImmediate', 0, value, options),
    (_value?: unknown, options?: unknown) => areOptions(options),
  )
  put(
    timersPromises,
    'setInterval',
    (clock, ms: unknown, value?: unknown, options?: WaitOptions) => ticks(clock, delayOf(ms), value, options),
    takesDelay,
  )
  put(
    scheduler,
    'wait',
    (clock, ms: unknown, options?: WaitOptions) => waitFor(clock, 'setTimeout', delayOf(ms), undefined, options),
    (ms: unknown, options?: unknown) => isDelay(ms) && areOptions(options),
  )
  put(
    scheduler,
    'yield',
    (clock) => waitFor(clock, 'setImmediate', 0, undefined),
    () => true,
  )
}

function isDelay(ms: unknown): boolean {
  return ms === undefined || typeof ms === 'number'
}

function areOptions(options: unknown): boolean {
  if (options === undefined) return true
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false
  const { signal, ref } = options as { signal?: unknown; ref?: unknown }
  const isSignal = signal === undefined || (typeof signal === 'object' && signal !== null && 'aborted' in signal)
  return isSignal && (ref === undefined || typeof ref === 'boolean')
}

function waitFor(clock: VirtualClock, kind: TimerKind, ms: number, value: unknown, { signal }: WaitOptions = {}): Promise<unknown> {
  if (signal?.aborted === true) return Promise.reject(new AbortError(signal.reason))
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
    signal?.addEventListener('abort', aborted, { once: true })
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
