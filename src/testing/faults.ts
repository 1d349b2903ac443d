/**
 * Faults: ways for a routine to misbehave. Those that say what it does (`throws`, `hangs`, `ignoresCancel`, `crashesOnCancel`, `crashesInCleanup`,
 * `spawnsWhileClosing`, `exits`) take the place of its work; the others are put around it.
 */
import type { AnyBody } from '../contract/index.ts'
import { durationOrInfinity, refuse, type StartContext } from '../spec/index.ts'
import { asFault } from './owners.ts'

/** One way to misbehave. Its `text` is what a trace says, and `readFault` reads. */
export interface Fault {
  readonly text: string
  /** Milliseconds for which it may go on after it was asked to stop; Infinity if it never stops. */
  readonly deafFor: number
  /** True if it fails by itself. */
  readonly fails: boolean
  /** True if it leaves something behind that nobody disarms. */
  readonly leaks: boolean
  /** True if it shuts its own manager down, and so may leave less time to others. */
  readonly hurries: boolean
  /** @internal */ readonly wrap: (body: AnyBody) => AnyBody
  /** @internal */ readonly start?: (context: StartContext) => void
  /** @internal What it does to an actor that runs, which has no body; returns what takes that back. */
  readonly actor?: (incarnation: number, crash: (error: Error) => void) => () => void
}

const arm = (act: () => void, ms: number): ReturnType<typeof setTimeout> => asFault(() => setTimeout(act, ms))
const sleep = (ms: number): Promise<void> => new Promise((resolve) => arm(resolve, ms))
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
/** Leaves no timer behind when the signal is aborted. */
const sleepUnlessAborted = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = arm(resolve, ms)
    void aborted(signal).then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
const never = (): Promise<never> => new Promise(() => undefined)

function fault(
  name: string,
  numbers: readonly number[],
  wrap: Fault['wrap'],
  traits: Partial<Pick<Fault, 'deafFor' | 'fails' | 'leaks' | 'hurries' | 'start' | 'actor'>> = {},
): Fault {
  const wrong = numbers.find((number) => !durationOrInfinity.accepts(number))
  if (wrong !== undefined) throw refuse(`faults.${name}`, 'given numbers from 0 on', wrong)
  return { text: `${name}(${numbers.join(', ')})`, wrap, deafFor: 0, fails: false, leaks: false, hurries: false, ...traits }
}

/** Throws after so many milliseconds in the place of its work, in each of its first `times` incarnations. */
const throws = (after = 0, times = Infinity): Fault =>
  fault(
    'throws',
    [after, times],
    (body) => async (context) => {
      if (context.incarnation > times) return body(context)
      await sleepUnlessAborted(after, context.signal)
      context.signal.throwIfAborted()
      throw new Error(`fault: throws in run ${context.incarnation}`)
    },
    { fails: true },
  )

/** The same context with another signal. What else it has it makes when it is asked for. */
function withSignal(context: Parameters<AnyBody>[0], signal: AbortSignal): Parameters<AnyBody>[0] {
  return new Proxy(context, { get: (target, key) => (key === 'signal' ? signal : (Reflect.get(target, key, target) as unknown)) })
}

/**
 * Does its work, and crashes amid it after so many milliseconds, in each of its first `times` incarnations. As where one of several promises
 * that are awaited together rejects: the run is over at once, and the signal that the work has is aborted, with the error as its reason.
 * Actor logic ends by that error as with `routine.exit(error)`. One that ends before, or is told to stop, does not crash.
 */
const crashesAfter = (ms = 0, times = Infinity): Fault => {
  const errorOf = (incarnation: number): Error => new Error(`fault: crashes amid run ${incarnation}`)
  const wrap: Fault['wrap'] = (body) => (context) => {
    if (context.incarnation > times) return body(context)
    return new Promise((resolve, reject) => {
      const crash = new AbortController()
      const timer = arm(() => {
        const error = errorOf(context.incarnation)
        crash.abort(error)
        reject(error)
      }, ms)
      const calm = (): void => clearTimeout(timer)
      context.signal.addEventListener('abort', calm, { once: true })
      const work = async (): Promise<unknown> => body(withSignal(context, AbortSignal.any([context.signal, crash.signal])))
      work().finally(calm).then(resolve, reject)
    })
  }
  const actor: Fault['actor'] = (incarnation, crash) => {
    if (incarnation > times) return () => undefined
    const timer = arm(() => crash(errorOf(incarnation)), ms)
    return () => clearTimeout(timer)
  }
  return fault('crashesAfter', [ms, times], wrap, { fails: true, actor })
}

/** Never ends by itself; ends when it is asked to. */
const hangs = (): Fault => fault('hangs', [], () => (context) => aborted(context.signal))

/** Takes so much longer to end, asked to stop or not. The delay is behind the body, which never gets a signal that is aborted already. */
const slow = (ms = 20): Fault =>
  fault(
    'slow',
    [ms],
    (body) => async (context) => {
      try {
        return await body(context)
      } finally {
        await sleep(ms)
      }
    },
    { deafFor: ms },
  )

/** Never ends, whether it is asked to stop or not. */
const ignoresCancel = (): Fault => fault('ignoresCancel', [], () => never, { deafFor: Infinity })

/** Throws as soon as it is asked to stop. */
const crashesOnCancel = (): Fault =>
  fault('crashesOnCancel', [], () => async (context) => {
    await aborted(context.signal)
    throw new Error('fault: crashes on cancel')
  })

/** Cleans up for so long when it is asked to stop, and throws then. */
const crashesInCleanup = (ms = 5): Fault =>
  fault(
    'crashesInCleanup',
    [ms],
    () => async (context) => {
      await aborted(context.signal)
      await sleep(ms)
      throw new Error('fault: crashes in cleanup')
    },
    { deafFor: ms },
  )

/** Reports its end twice, and then an error. */
const duplicateDone = (): Fault =>
  fault('duplicateDone', [], (body) => (context) => ({
    // oxlint-disable-next-line unicorn/no-thenable -- a promise that breaks the rules is what is wanted
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      Promise.resolve(body(context)).then((value) => {
        resolve(value)
        resolve('again')
        reject(new Error('fault: and then failed'))
      }, reject)
    },
  }))

/** Tries to spawn when it is asked to stop. */
const spawnsWhileClosing = (): Fault =>
  fault('spawnsWhileClosing', [], () => async (context) => {
    await aborted(context.signal)
    context.local.spawn('late', () => undefined)
  })

/** Shuts its own manager down after so many milliseconds, and goes on until it is asked to stop. */
const shutsDown = (ms = 10): Fault =>
  fault(
    'shutsDown',
    [ms],
    (body) => async (context) => {
      // Before the sleep: a body never gets a signal that is aborted already.
      const result = Promise.resolve(body(context))
      result.catch(() => undefined)
      await sleepUnlessAborted(ms, context.signal)
      if (!context.signal.aborted) void context.local.shutdown({ timeout: 100 })
      return result
    },
    { hurries: true },
  )

/** Ends itself with `exit` after so many milliseconds, whether it was asked to stop or not. */
const exits = (ms = 10): Fault =>
  fault(
    'exits',
    [ms],
    () => async (context) => {
      await sleep(ms)
      context.exit('shutdown')
    },
    { deafFor: ms },
  )

/** Leaves a timer behind that nobody disarms. */
const leaksTimer = (ms = 1_000_000): Fault =>
  fault(
    'leaksTimer',
    [ms],
    (body) => (context) => {
      arm(() => undefined, ms)
      return body(context)
    },
    { leaks: true },
  )

/** Its start throws, in those incarnations. */
const startFails = (...incarnations: readonly number[]): Fault =>
  fault('startFails', incarnations, (body) => body, {
    fails: true,
    start: ({ incarnation }) => {
      if (incarnations.includes(incarnation)) throw new Error('fault: start fails')
    },
  })

/** All faults by name. */
export const faults = {
  throws,
  crashesAfter,
  hangs,
  slow,
  ignoresCancel,
  crashesOnCancel,
  crashesInCleanup,
  duplicateDone,
  spawnsWhileClosing,
  leaksTimer,
  exits,
  shutsDown,
  startFails,
} as const

/** Reads what a trace says of a fault: `slow(20)`. Undefined if it says nothing that is known. */
export function readFault(text: string): Fault | undefined {
  const { name = '', args = '' } = /^(?<name>\w+)\((?<args>[^)]*)\)$/.exec(text)?.groups ?? {}
  if (!Object.hasOwn(faults, name)) return undefined
  const numbers = args === '' ? [] : args.split(',').map(Number)
  if (numbers.some(Number.isNaN)) return undefined
  return (faults[name as keyof typeof faults] as (...numbers: number[]) => Fault)(...numbers)
}
