/** Signals of the operating system, for those who want them: separate, optional, undoable. */
import { GlobalManager } from './global-manager.ts'
import { type Unsubscribe, unsubscribe } from '../turn/index.ts'
import type { ShutdownOptions } from '../contract/index.ts'
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

/**
 * Shuts the tree down at the first signal, and makes the shutdown immediate at the second.
 * The listeners are gone after the shutdown, whoever began it. Does not exit the process, nor keep it awake.
 *
 * @param options Of the shutdown that the first signal begins.
 * @returns A function that takes the listeners off; also Disposable.
 * @throws ConfigError if `names` has what is no signal, or cannot be listened to; if an option is not one of a shutdown.
 * @example
 * handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 30_000 })
 */
export function handleSignals(
  global: GlobalManager,
  names: readonly SignalName[] = ['SIGTERM', 'SIGINT'],
  options: ShutdownOptions = {},
): Unsubscribe {
  if (!(global instanceof GlobalManager)) throw refuse('handleSignals global', 'a global manager', global)
  if (!Array.isArray(names) || names.length === 0) throw refuse('handleSignals names', RANGE, names, global.path)
  const wrong = names.findIndex((name) => !isSignal(name))
  if (wrong >= 0) throw refuse('handleSignals names', RANGE, names[wrong], global.path)
  checkShutdownOptions(options, global.path)
  let first = true
  const listener = (): void => {
    void global.shutdown(first ? options : { mode: 'immediate' })
    first = false
  }
  const distinct = new Set(names)
  for (const name of distinct) process.on(name, listener)
  const off = unsubscribe(() => {
    for (const name of distinct) process.off(name, listener)
  })
  void global.outcome.then(off)
  return off
}
