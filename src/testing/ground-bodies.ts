/**
 * The bodies by which a ground is checked; see ground-checks.ts. Threads and processes load this file for themselves, so it imports nothing that
 * runs but the platform's.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { ContextOf } from '../contract/index.ts'

type Context<Input = unknown, Message = unknown, Reply = never> = Omit<ContextOf<never, Input, Message, Reply>, 'local'>

const storage = new AsyncLocalStorage<string>()

/** Promises to be told to stop. */
function told({ signal }: Context): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Says that the body has begun: `routine.started` comes before that. */
function up({ logger }: Pick<Context, 'logger'>): void {
  logger.info({}, 'up')
}

export const double = ({ input }: Context<number>): number => input * 2

export const describe = ({ id, name, path, incarnation, input }: Context): object => ({ id, name, path, incarnation, input })

/** Fails in a way of its own. */
export function fail({ input }: Context<string>): never {
  const root = Object.assign(new TypeError('root'), { code: 'E_ROOT' })
  const middle = Object.assign(new RangeError('middle', { cause: root }), { code: 'E_MIDDLE', details: { size: 5 } })
  if (input === 'chain') throw Object.assign(new Error('top', { cause: middle }), { code: 'E_TOP', name: 'TopError' })
  if (input === 'several') throw new AggregateError([root, middle, 'no error'], 'several')
  if (input === 'dom') throw new DOMException('not now', 'DataError')
  if (input === 'function') throw Object.assign(new Error('holds a function'), { handler: () => undefined, count: 3 })
  if (input === 'circle') {
    const error = new Error('circle')
    error.cause = error
    throw error
  }
  // oxlint-disable-next-line typescript/only-throw-error -- that is what is tried
  throw { plain: 'object' }
}

export function leave({ input, exit }: Context<string>): never {
  if (input === 'error') return exit(new Error('left with an error'))
  return exit(input === 'shutdown' ? { shutdown: 'enough' } : (input as 'normal'))
}

/** Ends when it is told to, and says what it heard. */
export async function obey(context: Context): Promise<string> {
  up(context)
  await told(context)
  const { reason } = context.signal as { reason: unknown }
  return `obeyed: ${reason instanceof Error ? reason.message : String(reason)}`
}

/** Throws the reason, as much of the platform does. */
export async function throwReason(context: Context): Promise<void> {
  up(context)
  await told(context)
  context.signal.throwIfAborted()
}

/** Never ends, and hears nothing; its thread goes on turning. */
export async function deaf(context: Context): Promise<void> {
  up(context)
  const timer = setInterval(() => undefined, 1_000)
  // Where it is not ended with its ground it keeps no process alive.
  timer.unref()
  await new Promise(() => undefined)
}

/** Ends long after it was given up on. */
export async function late(context: Context<number>): Promise<string> {
  up(context)
  await told(context)
  await new Promise((resolve) => setTimeout(resolve, context.input))
  return 'late'
}

export function spin(context: Context): never {
  up(context)
  for (;;);
}

export function sleep(context: Context): string {
  up(context)
  return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

/** Looks at its signal, and lets nothing else happen. */
export function poll(context: Context): string {
  const { signal } = context
  up(context)
  while (!signal.aborted);
  return `seen: ${(signal.reason as Error).message}`
}

/** Answers each question with what it has received so far. */
export async function collect(context: Context<unknown, string, string[]>): Promise<string[]> {
  const received: string[] = []
  up(context)
  for await (const { message, reply } of context.messages) {
    received.push(message)
    if (message === 'no answer') continue
    reply([...received])
    if (message === 'last') break
    if (message === 'crash') throw new Error('crashed')
  }
  return received
}

export async function beat(context: Context<{ readonly times: number; readonly every: number }>): Promise<void> {
  const { heartbeat, input } = context
  for (let k = 0; k < input.times; k++) {
    heartbeat()
    await new Promise((resolve) => setTimeout(resolve, input.every))
  }
  up(context)
  await told(context)
}

/** Which of its own contexts it is in: at first, behind what it awaits, and when it is told to stop. */
export async function remember(context: Context<string>): Promise<(string | undefined)[]> {
  const seen = [storage.getStore()]
  storage.enterWith(context.input)
  await Promise.resolve()
  seen.push(storage.getStore())
  return seen
}

export function log({ logger }: Context): void {
  logger.warn({ err: Object.assign(new Error('logged'), { code: 'E_LOGGED' }), count: 2 }, 'a warning')
  logger.child?.({ part: 'inner' }).debug({ more: true }, 'of a child')
}

export function die(): never {
  return process.exit(9)
}

/** Lets go of an error that nobody catches. */
export async function stray(context: Context): Promise<never> {
  setTimeout(() => {
    throw Object.assign(new Error('let go of'), { code: 'E_STRAY' })
  }, 1)
  up(context)
  return new Promise(() => undefined)
}

export const uncopyable = (): object => ({ handler: () => undefined })

export async function finish(context: Context): Promise<string> {
  const { closing } = context
  up(context)
  if (!closing.aborted) await new Promise((resolve) => closing.addEventListener('abort', resolve, { once: true }))
  return 'finished what there was'
}
