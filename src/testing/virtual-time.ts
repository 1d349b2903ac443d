/**
 * Virtual time for everything that runs inside it: timers of the platform by whichever name, dates, abort signals, XState's
 * delays, and the library's own clock.
 *
 * Q1  Only what was started inside sees the virtual clock; concurrent runs have a clock each, and whoever is outside has the real one.
 * Q2  When the last run is over, the platform's own functions are back.
 * Q3  Real input and output that is started inside is named and makes the run fail: its end can't be waited for in virtual time.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../port/index.ts'
import { CurtaincallError } from '../contract/index.ts'
import { check, flag, refuse, type Rule } from '../spec/index.ts'
import { watchEscapes } from './escapes.ts'
import { installPlatform } from './virtual-platform.ts'
import { type PendingTimer, type RunOptions, VirtualClock } from './virtual-clock.ts'

/** What moves virtual time. */
export interface VirtualTime {
  /** Moves time on by so many milliseconds, fires what comes due in order, and lets everything happen in between. */
  advance(ms: number): Promise<void>
  /**
   * Moves time until no timer is pending.
   *
   * @throws CurtaincallError ERR_TEST naming what is still pending, if that does not end.
   */
  runToQuiescence(options?: RunOptions): Promise<void>
  /** Epoch milliseconds of the virtual clock. */
  now(): number
  /** Timers that have not fired, the next one first. */
  pending(): PendingTimer[]
  /** For the `clock` option of a global manager; not needed inside, where the platform's clock is this one. */
  readonly clock: Clock
}

/** Options of {@link virtualTime}. */
export interface VirtualTimeOptions {
  /** Epoch milliseconds at the beginning. @default 946_684_800_000, the year 2000 */
  readonly now?: number | undefined
  /** Records where each timer was armed, for `pending()` and errors. Costs some microseconds for each. @default true */
  readonly trace?: boolean | undefined
  /** Lets real input and output pass. @default false */
  readonly allowEscapes?: boolean | undefined
}

/** Where virtual time begins unless told otherwise: the year 2000. */
export const START = Date.UTC(2000, 0, 1)

const epoch: Rule = { range: 'epoch milliseconds', accepts: (value) => typeof value === 'number' && Number.isFinite(value) }
const RULES = { now: epoch, trace: flag, allowEscapes: flag } satisfies Record<keyof VirtualTimeOptions, Rule>

const storage = new AsyncLocalStorage<VirtualClock>()
let uses = 0
let restore: (() => void) | undefined

/**
 * Runs a function in virtual time of its own.
 *
 * @returns What the function returns.
 * @throws What the function throws; CurtaincallError ERR_ESCAPED if something started real input or output inside.
 * @example
 * await virtualTime(async (time) => {
 *   const slept = new Promise((resolve) => setTimeout(resolve, 60_000))
 *   await time.advance(60_000)
 *   await slept
 * })
 */
export async function virtualTime<Result>(
  run: (time: VirtualTime) => Result | PromiseLike<Result>,
  options: VirtualTimeOptions = {},
): Promise<Awaited<Result>> {
  if (typeof run !== 'function') throw refuse('virtualTime run', 'a function', run)
  check('virtualTime', options, RULES)
  const { now = START, trace = true, allowEscapes = false } = options
  const virtual = new VirtualClock(now, trace)
  return onClock(virtual, allowEscapes, () => run(timeOf(virtual)))
}

/** The clock of the run that this is inside of; undefined if it is in none. */
export function presentClock(): VirtualClock | undefined {
  return storage.getStore()
}

/** Keeps the platform's functions replaced until it is called, so that many short runs need not each do so. */
export function holdPlatform(): () => void {
  if (uses++ === 0) restore = installPlatform(presentClock)
  return () => {
    if (--uses === 0) restore?.()
  }
}

/** Runs a function on this clock. */
export async function onClock<Result>(
  virtual: VirtualClock,
  allowEscapes: boolean,
  run: () => Result | PromiseLike<Result>,
): Promise<Awaited<Result>> {
  const release = holdPlatform()
  const escapes = allowEscapes ? undefined : watchEscapes(() => storage.getStore() === virtual)
  try {
    const begin = (): Result | PromiseLike<Result> => {
      virtual.home = AsyncLocalStorage.snapshot() as typeof virtual.home
      return run()
    }
    const result = await storage.run(virtual, () => Promise.resolve(begin()))
    const [first] = escapes?.found ?? []
    if (first !== undefined) throw new CurtaincallError('ERR_ESCAPED', `virtual time does not reach ${first}`)
    return result
  } finally {
    escapes?.stop()
    release()
  }
}

/** What moves a clock. */
function timeOf(virtual: VirtualClock): VirtualTime {
  return {
    advance: (ms) => virtual.advance(ms),
    runToQuiescence: (options) => virtual.runToQuiescence(options),
    now: () => virtual.now(),
    pending: () => virtual.pending(),
    clock: {
      now: () => virtual.now(),
      setTimeout: (callback, delay) => virtual.arm('clock', callback, delay),
      clearTimeout: (timer) => {
        if (timer !== undefined) virtual.disarm(timer as ReturnType<VirtualClock['arm']>)
      },
    },
  }
}
