/** Signals of the operating system, for those who want them: separate, optional, undoable. */
import { initialTransition, type SnapshotFrom, transition } from 'xstate'
import { LONGEST_TIMER } from '../../machines/shutdown.ts'
import { machineOfSignals, type SignalsEffect, type SignalsMachine, type SignalsMachineEvent } from '../../machines/signals.ts'
import { ConfigError, type ShutdownOptions } from '../contract/index.ts'
import type { Ground } from '../port/index.ts'
import { check, checkShutdownOptions, duration, refuse, type Rule, SHUTDOWN_RULES } from '../spec/index.ts'
import { type Unsubscribe, unsubscribe } from '../turn/index.ts'
import { GlobalManager } from './global-manager.ts'
import { isHeldBy } from './grounds.ts'

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

/** Options of {@link handleSignals}: those of the shutdown that the first signal begins, and what becomes of the process. */
export interface SignalOptions extends ShutdownOptions {
  /**
   * How long after the time of the shutdown a process that was told twice, and is still there, is ended by the signal; false for never.
   * Milliseconds. @default 1_000
   */
  readonly lastResort?: number | false | undefined
}

const LAST_RESORT = 1_000
/** How long a process may survive its last resort, in milliseconds. */
const SURVIVAL = 1_000

const lastResortRule: Rule = { range: `${duration.range}, or false`, accepts: (value) => value === false || duration.accepts(value) }

function checkSignalOptions(options: SignalOptions, path: string): { shutdown: ShutdownOptions; within: number } {
  check('handleSignals', options, { ...SHUTDOWN_RULES, lastResort: lastResortRule }, path)
  const { lastResort = LAST_RESORT, ...shutdown } = options
  const { timeout } = checkShutdownOptions(shutdown, path)
  return { shutdown, within: lastResort === false ? Infinity : timeout + lastResort }
}

/** What is to be told of the end of each tree. One reaction for all: a promise forgets none before it settles. */
const TOLD_OF_THE_END = new WeakMap<GlobalManager, Set<ProcessSignals>>()

function toldOfTheEnd(global: GlobalManager): Set<ProcessSignals> {
  const known = TOLD_OF_THE_END.get(global)
  if (known !== undefined) return known
  const told = new Set<ProcessSignals>()
  TOLD_OF_THE_END.set(global, told)
  void global.life.outcome.then(() => {
    TOLD_OF_THE_END.delete(global)
    for (const signals of told) signals.ended()
  })
  return told
}

/** Made with the first that listens. */
let made: SignalsMachine | undefined

/** Carries out what machines/signals.ts decides, for the process that this runs in. */
class ProcessSignals {
  readonly #global: GlobalManager
  readonly #names: ReadonlySet<SignalName>
  readonly #shutdown: ShutdownOptions
  readonly #within: number
  readonly #machine = (made ??= machineOfSignals())
  #state: SnapshotFrom<SignalsMachine>
  #latest: SignalName = 'SIGTERM'
  /** True once the operating system has sent one: what others emit, such as tests, ends no process. */
  #isReal = false
  /** True once nothing of the program runs any more but this. */
  #isLast = false
  #overdue: NodeJS.Timeout | undefined
  /** Those that its routines stood on when the shutdown began. */
  #grounds: readonly Ground[] = []

  constructor(global: GlobalManager, names: ReadonlySet<SignalName>, shutdown: ShutdownOptions, within: number) {
    this.#global = global
    this.#names = names
    this.#shutdown = shutdown
    this.#within = within
    this.#state = initialTransition(this.#machine)[0]
    for (const name of names) process.on(name, this.#heard)
    // Before all others: whatever they do takes its time, in which a signal would be taken and never heard of.
    process.prependListener('exit', this.#exits)
    toldOfTheEnd(global).add(this)
  }

  /** As if it had never listened. */
  undo(): void {
    this.#send({ type: 'ended', holds: false })
  }

  /** The tree has. */
  ended(): void {
    this.#send({ type: 'ended', holds: this.#holds })
  }

  readonly #heard = (name?: SignalName, number?: number): void => {
    if (number !== undefined) this.#isReal = true
    if (name !== undefined) this.#latest = name
    this.#send({ type: 'signal' })
  }

  readonly #exits = (): void => {
    this.#send({ type: 'exit', holds: this.#holds })
  }

  readonly #exited = (): void => {
    this.#isLast = true
    this.#send({ type: 'exited', holds: this.#holds })
  }

  /** True if something is left that may hold up the end of the process. */
  get #holds(): boolean {
    return this.#isReal && this.#within < Infinity && isHeldBy(this.#grounds, this.#global.tree)
  }

  #send(event: SignalsMachineEvent): void {
    const [state, actions] = transition(this.#machine, this.#state, event)
    this.#state = state
    for (const { type } of actions) this.#carryOut(type as SignalsEffect)
  }

  #carryOut(effect: SignalsEffect): void {
    switch (effect) {
      case 'shutDown':
        // The tree forgets them at its end.
        this.#grounds = [...(this.#global.tree.grounds ?? [])]
        this.#arm()
        return void this.#global.shutdown(this.#shutdown)
      case 'hasten':
        // Behind all others, as far as that can be had: none of them is to be cut off.
        process.on('exit', this.#exited)
        return void this.#global.shutdown({ mode: 'immediate' })
      case 'takeOff':
        return this.#takeOff()
      case 'raise':
        return this.#raise()
      case 'kill':
        return void process.kill(process.pid, 'SIGKILL')
    }
  }

  #raise(): void {
    process.kill(process.pid, this.#latest)
    const survived = (): void => this.#send({ type: 'survived' })
    if (!this.#isLast) setTimeout(survived, SURVIVAL).unref()
    // Others listen, and will never be called.
    else if (process.listenerCount(this.#latest) > 0) survived()
  }

  /** The platform's own time, not the tree's: it is the process that is to end. */
  #arm(): void {
    if (!this.#isReal || this.#within > LONGEST_TIMER) return
    this.#overdue = setTimeout(() => this.#send({ type: 'overdue', holds: this.#holds }), this.#within)
    this.#overdue.unref()
  }

  #takeOff(): void {
    for (const name of this.#names) process.off(name, this.#heard)
    TOLD_OF_THE_END.get(this.#global)?.delete(this)
    if (this.#state.matches('held')) return
    process.off('exit', this.#exits).off('exit', this.#exited)
    clearTimeout(this.#overdue)
  }
}

/**
 * Shuts the tree down at the first signal, and makes the shutdown immediate at the second. The listeners are gone after the shutdown,
 * whoever began it, and when the process exits: then a signal has its usual effect again.
 *
 * It neither exits the process nor keeps it awake, with one exception, the last resort: a process that has been sent two signals and is
 * still there when the time of the shutdown is over is ended by the signal, as if nobody had listened, if the tree has not ended, or
 * something of it is left that could not be ended, such as a thread in a native call, which holds up `process.exit` as well. If it survives that,
 * because others listen to the signal, it is sent SIGKILL a second later, and its exit code is that of SIGKILL.
 *
 * @param options Of the shutdown that the first signal begins, and of the last resort.
 * @returns A function that takes the listeners off; also Disposable.
 * @throws ConfigError if `names` has what is no signal, or cannot be listened to; if an option is none, or out of range; where the
 * platform has no signals, as a browser.
 * @example
 * handleSignals(global, ['SIGTERM', 'SIGINT'], { timeout: 30_000 })
 */
export function handleSignals(
  global: GlobalManager,
  names: readonly SignalName[] = ['SIGTERM', 'SIGINT'],
  options: SignalOptions = {},
): Unsubscribe {
  if (!(global instanceof GlobalManager)) throw refuse('handleSignals global', 'a global manager', global)
  const { path } = global
  if (typeof process === 'undefined' || typeof process.on !== 'function')
    throw new ConfigError('handleSignals needs a platform with signals, such as Node.js: there is no process.on here', { path })
  const distinct = checkNames(names, path)
  const { shutdown, within } = checkSignalOptions(options, path)
  const signals = new ProcessSignals(global, distinct, shutdown, within)
  return unsubscribe(() => signals.undo())
}
