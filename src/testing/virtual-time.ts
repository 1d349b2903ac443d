/**
 * Virtual time for everything that runs inside it: timers of the platform by whichever name, dates, abort signals, XState's
 * delays, and the library's own clock.
 *
 * Q1  Only what was started inside sees the virtual clock; concurrent runs have a clock each, and whoever is outside has the real one.
 * Q2  When the last run is over, the platform's own functions are back.
 * Q3  Real input and output that is started inside is named and makes the run fail, whatever else it fails of: its end can't be waited
 *     for in virtual time.
 * Q4  Where escapes can't be seen, or asynchronous context gets lost, a run fails and says so.
 * Q5  Where somebody waits for its timers and nobody moves it, a run fails and says so; see standstill.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../port/index.ts'
import { CurtaincallError } from '../contract/index.ts'
import { check, flag, refuse, type Rule } from '../spec/index.ts'
import { EscapeWatch, refuseUnwatched } from './escapes.ts'
import { shared } from './layers.ts'
import { moving } from './standstill.ts'
import { installPlatform } from './virtual-platform.ts'
import { contextIsKept, LOSES_CONTEXT } from './platform.ts'
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
/**
 * Runs a function in virtual time of its own.
 *
 * @returns What the function returns.
 * @throws What the function throws; CurtaincallError ERR_ESCAPED if something started real input or output inside, with what the function
 * throws as its cause; ERR_TEST where the platform does not show that, and if it waits for timers of a time that nobody moves.
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
  const isAlone = (): boolean => watches.get(virtual)?.isAlone === true
  return onClock(virtual, allowEscapes, () => moving(virtual, isAlone, () => run(timeOf(virtual))))
}

/** The clock of the run that this is inside of; undefined if it is in none. */
export function presentClock(): VirtualClock | undefined {
  return storage.getStore()
}

/** Keeps the platform's functions replaced until what it returns is called, so that many short runs need not each do so. */
export const holdPlatform = shared((undo) => installPlatform(undo, presentClock))

/** What notices the escapes of each clock; none of those that let them pass. */
const watches = new WeakMap<VirtualClock, EscapeWatch>()

/** The watch of the run that this is inside of. */
export function presentEscapes(): EscapeWatch | undefined {
  const clock = presentClock()
  return clock === undefined ? undefined : watches.get(clock)
}

/** Runs a function on this clock. */
export async function onClock<Result>(
  virtual: VirtualClock,
  allowEscapes: boolean,
  run: () => Result | PromiseLike<Result>,
): Promise<Awaited<Result>> {
  if (!allowEscapes) refuseUnwatched()
  const release = holdPlatform()
  let escapes: EscapeWatch | undefined
  try {
    if (!allowEscapes) watches.set(virtual, (escapes = new EscapeWatch(() => storage.getStore() === virtual)))
    const begin = (): Result | PromiseLike<Result> => {
      virtual.home = AsyncLocalStorage.snapshot() as typeof virtual.home
      return run()
    }
    return await storage.run(virtual, () => watched(escapes, begin))
  } finally {
    escapes?.stop()
    release()
  }
}

/** Throws what has escaped, whatever the run throws: that is what came of it. */
async function watched<Result>(escapes: EscapeWatch | undefined, run: () => Result | PromiseLike<Result>): Promise<Awaited<Result>> {
  const keepsContext = contextIsKept(storage)
  let result: Awaited<Result>
  try {
    result = await run()
  } catch (error) {
    throw escapes?.error({ error }) ?? error
  }
  const escaped = escapes?.error()
  if (escaped !== undefined) throw escaped
  if (!(await keepsContext)) throw new CurtaincallError('ERR_TEST', LOSES_CONTEXT)
  return result
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
