/** Tells apart the signal listeners that each run puts on the process, where several runs go on at once. */
import { presentClock } from './virtual-time.ts'
import type { VirtualClock } from './virtual-clock.ts'

type Listener = (...args: unknown[]) => void

const SIGNAL = 'SIGTERM'

/** The listeners of each run, by its clock. */
const runs = new Map<VirtualClock, Set<Listener>>()

/** One listener for all runs, since the platform warns of more than ten. */
function added(name: string | symbol, listener: Listener): void {
  const clock = presentClock()
  if (name === SIGNAL && clock !== undefined) runs.get(clock)?.add(listener)
}

export class SignalListeners {
  readonly #clock: VirtualClock
  readonly #own = new Set<Listener>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
    if (runs.size === 0) process.on('newListener', added)
    runs.set(clock, this.#own)
  }

  /** How many of the run's are still there. */
  get count(): number {
    return process.listeners(SIGNAL).filter((listener) => this.#own.has(listener as Listener)).length
  }

  /** Takes them off, as the end of the process does. */
  takeOff(): void {
    for (const listener of this.#own) process.off(SIGNAL, listener)
  }

  /** Stops noting listeners. */
  stop(): void {
    runs.delete(this.#clock)
    if (runs.size === 0) process.off('newListener', added)
  }
}
