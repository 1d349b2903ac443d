/** What stops a run from outside. */
import { type GlobalManager, handleSignals, type ShutdownOptions } from '../index.ts'

/** As shells have it: 128 and the number of the signal. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143 } as const

/** The signals that stop a run: what they lead to, and when they came. */
export class Interruption {
  /** The exit code that they ask for; 0 while there was none. */
  code = 0
  /** Resolves with the first one. */
  readonly first: Promise<void>
  /** Resolves with the second one. */
  readonly second: Promise<void>
  readonly #names = Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]
  readonly #noted: (signal: NodeJS.Signals) => void

  constructor(global: GlobalManager, shutdown: ShutdownOptions, say: (line: string) => void) {
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    this.first = first.promise
    this.second = second.promise
    let signals = 0
    this.#noted = (signal) => {
      say(signals === 0 ? `${signal}: shutting down; once more to make it immediate` : `${signal}: immediately`)
      if (++signals > 1) second.resolve()
      if (this.code === 0) this.code = SIGNAL_EXITS[signal as keyof typeof SIGNAL_EXITS]
      first.resolve()
    }
    for (const name of this.#names) process.on(name, this.#noted)
    handleSignals(global, this.#names, shutdown)
  }

  end(): void {
    for (const name of this.#names) process.off(name, this.#noted)
  }
}
