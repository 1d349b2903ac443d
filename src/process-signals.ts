/** Signals of the operating system, for those who want them: separate, optional, undoable. */
import type { GlobalManager } from './global-manager.ts'
import { type Unsubscribe, unsubscribe } from './lifecycle-bus.ts'
import type { ShutdownOptions } from './shutdown.ts'
import { refuse } from './spec/check.ts'
import { checkShutdownOptions } from './spec/shutdown-spec.ts'

/** Names that the platform can listen to, such as `SIGTERM`. */
export type SignalName = NodeJS.Signals

/**
 * Shuts the tree down at the first signal, and makes the shutdown immediate at the second.
 * The listeners are gone after the shutdown, whoever began it. Does not exit the process.
 *
 * @param options Of the shutdown that the first signal begins.
 * @returns A function that takes the listeners off; also Disposable.
 * @throws ConfigError if `names` is not a list of signal names, or an option is not one of a shutdown.
 * @example
 * handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 30_000 })
 */
export function handleSignals(
  global: GlobalManager,
  names: readonly SignalName[] = ['SIGTERM', 'SIGINT'],
  options: ShutdownOptions = {},
): Unsubscribe {
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === 'string' && /^SIG[A-Z0-9]+$/.test(name))) {
    throw refuse('handleSignals names', "a list of signal names such as 'SIGTERM'", names, global.path)
  }
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
