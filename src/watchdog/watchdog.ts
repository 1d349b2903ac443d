/** The side of the main thread: it says that it turns, and tells what was found out while it did not. */
// Not the global ones: they may be those of a test.
import { clearInterval, setInterval } from 'node:timers'
import { isMainThread, MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { LoopEvent } from '../../machines/lifecycle-event.ts'
import { LONGEST_TIMER } from '../../machines/shutdown.ts'
import { ConfigError } from '../contract/index.ts'
import { GlobalManager } from '../manager/index.ts'
import { check, duration, refuse, type Rule } from '../spec/index.ts'
import { Floor, monotonic, NATIVE, SharedMemory, type Testimony, type WatchdogData } from './shared.ts'
import { dismiss, testify, Witness } from './witness.ts'

/** Options of {@link startWatchdog}. All durations are milliseconds. */
export interface WatchdogOptions {
  /** How long the event loop may stand still before it counts as blocked; at least 20. @default 200 */
  readonly threshold?: number | undefined
  /**
   * Ends the process when its event loop has stood still for so long: with a report on stderr, by SIGKILL, since nothing in it can be asked any
   * more; its exit code is 137. At least `threshold`. @default never
   */
  readonly endAfter?: number | undefined
}

/** A watchdog that watches. */
export interface Watchdog extends Disposable {
  /** Resolves when its thread is up: nothing is seen before. Rejects with what it failed with. */
  readonly ready: Promise<void>
  /** Ends it. It is ended by the end of its tree, too. */
  stop(): void
}

const THRESHOLD = 200
const LEAST = 20
/** Looks within a threshold. */
const LOOKS = 5

const RULES = {
  threshold: {
    range: `a number of milliseconds from ${LEAST} to ${LONGEST_TIMER}`,
    accepts: (value) => duration.accepts(value) && (value as number) >= LEAST,
  },
  endAfter: { range: `${duration.range}, or Infinity`, accepts: (value) => value === Infinity || duration.accepts(value) },
} satisfies Record<keyof WatchdogOptions, Rule>

/**
 * Watches the event loop of the main thread from a thread of its own, and tells of each time that it was blocked by an event of the tree,
 * `loop.blocked`, and a warning in the log, once the loop turns again: for how long, since when, with the stack at which it stood, and
 * by which routine (`path`), as far as that can be told from the stack; otherwise `path` is that of the root.
 *
 * It costs the main thread a timer five times in a `threshold`, 10 MB, and nothing for each routine. It keeps no process awake. A main thread
 * that stands still is held by the inspector's protocol for some 20 ms while it is asked.
 *
 * @throws ConfigError naming the option, the allowed range and what came; where this is not the main thread.
 * @example
 * using watchdog = startWatchdog(global, { threshold: 100, endAfter: 30_000 })
 * global.on('loop.blocked', ({ path, duration, stack }) => console.warn(`${path} blocked all for ${duration} ms\n${stack}`))
 */
export function startWatchdog(global: GlobalManager, options: WatchdogOptions = {}): Watchdog {
  if (!(global instanceof GlobalManager)) throw refuse('startWatchdog global', 'a global manager', global)
  const { path } = global
  check('watchdog', options, RULES, path)
  const { threshold = THRESHOLD, endAfter = Infinity } = options
  if (endAfter < threshold) throw refuse('watchdog option endAfter', `at least threshold, ${threshold}`, endAfter, path)
  if (!isMainThread) throw new ConfigError('startWatchdog watches the main thread, and is to be called there', { path })
  return new LoopWatchdog(global, threshold, endAfter)
}

class LoopWatchdog implements Watchdog {
  readonly ready: Promise<void>
  readonly #global: GlobalManager
  readonly #memory = new SharedMemory()
  readonly #witness: Witness
  readonly #token: number
  readonly #port: MessagePort
  readonly #thread: Worker
  readonly #ticker: NodeJS.Timeout
  readonly #floor: Floor
  #stopped = false

  constructor(global: GlobalManager, threshold: number, endAfter: number) {
    this.#global = global
    this.#witness = new Witness(global)
    const { token, floor } = testify(this.#witness)
    this.#token = token
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const interval = threshold / LOOKS
    this.#floor = new Floor(floor, this.#token)
    const data: WatchdogData = { memory: this.#memory.buffer, floor, token: this.#token, interval, threshold, endAfter, name: global.path }
    this.#memory.ticked(monotonic())
    this.#thread = new Worker(new URL(`./thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url), {
      name: 'curtaincall watchdog',
      workerData: { ...data, port: port2 },
      transferList: [port2],
      // Neither the arguments nor the hooks of the program: it is to come up in any program.
      argv: [],
      execArgv: [],
    })
    this.#thread.unref()
    const up = Promise.withResolvers<void>()
    this.ready = up.promise
    this.ready.catch(() => undefined)
    this.#thread.once('message', () => up.resolve())
    this.#thread.once('error', (error) => {
      up.reject(error)
      this.#failed(error)
    })
    this.#thread.once('exit', () => up.reject(new Error('the watchdog was stopped before its thread was up')))
    this.#ticker = setInterval(() => this.#tick(), interval)
    this.#ticker.unref()
    void global.life.outcome.then(() => this.stop())
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    clearInterval(this.#ticker)
    dismiss(this.#token)
    this.#port.close()
    // It may have been about to ask.
    void this.#thread.terminate().then(() => this.#floor.give())
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  #failed(error: unknown): void {
    if (this.#stopped) return
    this.stop()
    const { tree } = this.#global
    tree.turn.run(() => tree.bus.contain(error, 'the thread of the watchdog failed: nothing is watched any more'))
  }

  #tick(): void {
    const memory = this.#memory
    const now = monotonic()
    const { tick, tickedAt } = memory
    if (memory.asked === tick) this.#tell(tick, now, now - tickedAt)
    memory.ticked(now)
  }

  /** It was blocked in this tick, and the other thread has seen that. */
  #tell(tick: number, now: number, lasted: number): void {
    const testimony = this.#testimonyOf(tick)
    const silent = testimony?.after ?? now - this.#memory.askedAt
    const quick = testimony === undefined ? 'unknown' : 'javascript'
    const { tree, path, listeners } = this.#global
    const culprit = this.#witness.found ?? { path, listeners }
    this.#witness.found = undefined
    const doing = silent >= NATIVE ? 'native' : quick
    const stack = testimony?.stack ?? ''
    tree.turn.run(() => {
      const { bus, clock } = tree
      const at = clock.now()
      const said = { duration: lasted, since: at - lasted, doing, stack } as const
      const event: LoopEvent = { type: 'loop.blocked', path: culprit.path, at, seq: bus.next(), cause: null, ...said }
      bus.log('warn', { path: culprit.path, ...said }, `the event loop was blocked for ${Math.round(lasted)} ms`)
      if (testimony?.fault !== undefined)
        bus.log('warn', { err: testimony.fault }, 'the watchdog could not find out who blocked the event loop')
      if (bus.hears(event.type)) bus.publish(culprit.listeners, event)
    })
  }

  #testimonyOf(tick: number): Testimony | undefined {
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { message: Testimony } | undefined
      if (received === undefined || received.message.tick === tick) return received?.message
    }
  }
}
