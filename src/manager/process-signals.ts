/** Signals of the operating system, for those who want them: separate, optional, undoable. */
import { GlobalManager } from './global-manager.ts'
import { type Unsubscribe, unsubscribe } from '../turn/index.ts'
import { ConfigError, type ShutdownOptions } from '../contract/index.ts'
import { checkShutdownOptions, refuse } from '../spec/index.ts'

/** Names that the platform can listen to, such as `SIGTERM`. */
export type SignalName = NodeJS.Signals

const RANGE = "a list of signals that the platform can listen to, such as 'SIGTERM'"

function isSignal(name: unknown): boolean {
  if (typeof name !== 'string' || name === 'SIGKILL' || name === 'SIGSTOP') return false
  // Not imported: a bundle for a browser has no such module, and no signals.
  const known = process.getBuiltinModule?.('node:os')?.constants.signals
  return known === undefined ? name.startsWith('SIG') : Object.hasOwn(known, name)
}

/** The names if all of them can be listened to. */
function checkNames(names: readonly SignalName[], path: string): ReadonlySet<SignalName> {
  if (!Array.isArray(names) || names.length === 0) throw refuse('handleSignals names', RANGE, names, path)
  const wrong = names.findIndex((name) => !isSignal(name))
  if (wrong >= 0) throw refuse('handleSignals names', RANGE, names[wrong], path)
  return new Set(names)
}

/** What is to be undone at the end of each tree. One reaction for all: a promise forgets none before it settles. */
const UNDONE_AT_THE_END = new WeakMap<GlobalManager, Set<() => void>>()

function undoAtTheEnd(global: GlobalManager): Set<() => void> {
  const known = UNDONE_AT_THE_END.get(global)
  if (known !== undefined) return known
  const undone = new Set<() => void>()
  UNDONE_AT_THE_END.set(global, undone)
  void global.life.outcome.then(() => {
    UNDONE_AT_THE_END.delete(global)
    for (const undo of undone) undo()
  })
  return undone
}

/**
 * Shuts the tree down at the first signal, and makes the shutdown immediate at the second.
 * The listeners are gone after the shutdown, whoever began it. Does not exit the process, nor keep it awake.
 *
 * @param options Of the shutdown that the first signal begins.
 * @returns A function that takes the listeners off; also Disposable.
 * @throws ConfigError if `names` has what is no signal, or cannot be listened to; if an option is not one of a shutdown; where the
 * platform has no signals, as a browser.
 * @example
 * handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 30_000 })
 */
export function handleSignals(
  global: GlobalManager,
  names: readonly SignalName[] = ['SIGTERM', 'SIGINT'],
  options: ShutdownOptions = {},
): Unsubscribe {
  if (!(global instanceof GlobalManager)) throw refuse('handleSignals global', 'a global manager', global)
  const { path } = global
  if (typeof process === 'undefined' || typeof process.on !== 'function')
    throw new ConfigError('handleSignals needs a platform with signals, such as Node.js: there is no process.on here', { path })
  const distinct = checkNames(names, path)
  checkShutdownOptions(options, path)
  let first = true
  const listener = (): void => {
    void global.shutdown(first ? options : { mode: 'immediate' })
    first = false
  }
  for (const name of distinct) process.on(name, listener)
  const undone = undoAtTheEnd(global)
  const off = unsubscribe(() => {
    undone.delete(off)
    for (const name of distinct) process.off(name, listener)
  })
  undone.add(off)
  return off
}
