/** Trees for users' own tests: started, shut down and checked for leaks. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type AnyBody, CurtaincallError } from '../contract/index.ts'
import { createGlobalManager, GlobalManager } from '../manager/index.ts'
import { INTERCEPTOR } from '../port/index.ts'
import { isThenable } from '../turn/index.ts'
import { callable, check, duration, flag, type GlobalManagerOptions, refuse } from '../spec/index.ts'
import { undoAll } from './layers.ts'
import { holdWatching, LEAK_RULES, type LeakOptions, LeakWatch, refuseLeaks } from './leaks.ts'
import { owned } from './owners.ts'
import { type Surrender, watchSurrender } from './surrender.ts'
import { holdPlatform, presentClock, presentEscapes } from './virtual-time.ts'

/** What has to be handed on to `createGlobalManager`, so that what is left has an owner: options as any others, to a factory of trees. */
export type OwnershipOptions = GlobalManagerOptions

/** Options of a tree that tell the watch which routine does something, and which bodies have not ended. */
function ownership(watch: LeakWatch): OwnershipOptions {
  const body =
    (path: string, given: AnyBody): AnyBody =>
    (context) => {
      const ended = watch.body(path)
      let result: unknown
      try {
        result = given(context)
      } catch (error) {
        ended()
        throw error
      }
      if (isThenable(result)) result.then(ended, ended)
      else ended()
      return result
    }
  return {
    [INTERCEPTOR]: {
      event: () => undefined,
      start: () => undefined,
      begin: (subject, run) => owned(subject.path, run),
      body: (subject, given) => body(subject.path, given),
    },
  }
}

/**
 * Runs a function, and fails if it leaves a timer, a listener, an actor or a body behind, naming whose it is.
 *
 * @param run Gets options for `createGlobalManager`, without which nobody knows which routine something belongs to.
 * @throws CurtaincallError ERR_TEST that lists what is left; what `run` throws; ConfigError for a wrong option.
 * @example
 * await expectNoLeaks(async (options) => {
 *   await using shop = createGlobalManager({ ...options, children: [routine('till', openTill)] })
 *   await shop.ready()
 * })
 */
export async function expectNoLeaks<Result>(
  run: (options: OwnershipOptions) => Result | PromiseLike<Result>,
  options: LeakOptions = {},
): Promise<Awaited<Result>> {
  if (!callable.accepts(run)) throw refuse('expectNoLeaks run', callable.range, run)
  check('expectNoLeaks', options, LEAK_RULES)
  const release = holdWatching()
  const watch = new LeakWatch()
  try {
    return await watch.run(async () => {
      const result = await run(ownership(watch))
      await refuseLeaks(watch, options)
      return result
    })
  } finally {
    release()
  }
}

/** Options of {@link startSupervised}. */
export interface SupervisedOptions extends LeakOptions {
  /** vitest's `onTestFinished`, or whatever calls back at the end of a test: stops the tree then. @default `stop()` is yours to call */
  readonly onTestFinished?: ((stop: () => Promise<void>) => void) | undefined
  /** Lets a tree pass that gave up while the test asked for nothing of that. @default false */
  readonly allowGivingUp?: boolean | undefined
  /** Milliseconds that the shutdown may take. @default 5_000 */
  readonly timeout?: number | undefined
}

/** A tree that is stopped, and checked for leaks, at the end of its test. */
export interface Supervised {
  readonly global: GlobalManager
  /** Shuts it down. Throws CurtaincallError ERR_TEST if it takes too long, leaves something behind, or gave up and nobody asked for that. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A tree to start: options, or a function that hands the given options on. */
export type SupervisedTree = GlobalManagerOptions | ((options: OwnershipOptions) => GlobalManager | PromiseLike<GlobalManager>)

const TREE = 'options of a global manager, or a function that returns one'

/** Milliseconds that a shutdown may take. */
const TIMEOUT = 5_000

/**
 * Starts a tree for a test and waits until it runs. At the end of the test it is shut down, and what it leaves behind fails
 * the test. Inside `virtualTime` the shutdown moves time as far as it needs.
 *
 * @throws What `ready()` rejects with; ConfigError for a wrong option.
 * @example
 * test('the till opens', async () => {
 *   await using shop = await startSupervised({ children: [routine('till', openTill)] })
 *   expect(shop.global.countOf('till')).toBe(1)
 * })
 */
export async function startSupervised(tree: SupervisedTree, options: SupervisedOptions = {}): Promise<Supervised> {
  check('startSupervised', options, {
    onTestFinished: callable,
    timeout: duration,
    allowGivingUp: flag,
    ...LEAK_RULES,
  })
  if (typeof tree !== 'function' && (typeof tree !== 'object' || tree === null)) throw refuse('startSupervised tree', TREE, tree)
  const release = holdAll()
  // It may be stopped outside of the virtual time that it was started in.
  const here = AsyncLocalStorage.snapshot() as <Result>(act: () => Result) => Result
  const watch = new LeakWatch()
  const given = ownership(watch)
  const begin = async (): Promise<{ made: GlobalManager; surrender: Surrender }> => {
    const made = typeof tree === 'function' ? await tree(given) : createGlobalManager({ ...tree, ...given })
    if (!(made instanceof GlobalManager)) throw refuse('startSupervised tree', TREE, made)
    const surrender = watchSurrender(made)
    await made.ready()
    return { made, surrender }
  }
  const { made: global, surrender } = await watch.run(begin).catch((error: unknown) => {
    release()
    throw error
  })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => (stopping ??= here(() => halt(global, watch, options, surrender)).finally(release))
  try {
    options.onTestFinished?.(stop)
  } catch (error) {
    // A hook that can't be registered here: nobody would stop the tree, and what it holds would be held for ever.
    await stop().catch(() => undefined)
    throw error
  }
  return { global, stop, [Symbol.asyncDispose]: stop }
}

/**
 * Keeps the platform watched and replaced until the tree is stopped: its timers obey its clock also when the virtual time it began in is
 * over, and what escapes is noticed.
 */
function holdAll(): () => void {
  const undo: (() => void)[] = []
  try {
    undo.push(holdWatching())
    if (presentClock() === undefined) return () => undoAll(undo)
    undo.unshift(holdPlatform())
    const escapes = presentEscapes()
    escapes?.hold()
    undo.unshift(() => escapes?.stop())
  } catch (error) {
    undoAll(undo)
    throw error
  }
  return () => undoAll(undo)
}

/** Stops the tree. What has escaped is thrown, too, where the virtual time that it began in is over and can't say so any more. */
async function halt(global: GlobalManager, watch: LeakWatch, options: SupervisedOptions, surrender: Surrender): Promise<void> {
  const escapes = presentEscapes()
  const known = escapes?.count
  const refuseSurrender = surrender()
  try {
    await shutDown(global, options)
    if (options.allowGivingUp !== true) refuseSurrender()
    await watch.run(() => refuseLeaks(watch, options))
  } catch (error) {
    throw escapes?.error({ error }) ?? error
  }
  const escaped = escapes?.error(undefined, known)
  if (escaped !== undefined) throw escaped
}

async function shutDown(global: GlobalManager, { timeout = TIMEOUT }: SupervisedOptions): Promise<void> {
  const shutdown = global.shutdown({ timeout })
  let over = false
  void shutdown.then(() => {
    over = true
  })
  await presentClock()?.runUntil(() => over)
  const { timedOut } = await shutdown
  if (timedOut) throw new CurtaincallError('ERR_TEST', `${global.path} did not shut down within ${timeout} ms`, { path: global.path })
}
