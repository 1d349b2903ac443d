/** What stops a run from outside: signals, and that nobody reads any more what it prints. */
import { type GlobalManager, handleSignals, type ShutdownOptions } from '../index.ts'

/** As shells have it: 128 and the number of the signal. */
const SIGNAL_EXITS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
/** As of a command that SIGPIPE ends. Node.js gets an error of its output instead. */
const UNREAD_EXIT = 141

/** The signals that stop a run: what they lead to, and when they came. */
export class Interruption {
  /** The exit code that they ask for; 0 while there was none. */
  code = 0
  /** Resolves with the first one, or when nobody reads any more. */
  readonly first: Promise<void>
  /** Resolves with the second one. */
  readonly second: Promise<void>
  #isOver = false

  constructor(global: GlobalManager, shutdown: ShutdownOptions, unread: AbortSignal, say: (line: string) => void) {
    const names = Object.keys(SIGNAL_EXITS) as (keyof typeof SIGNAL_EXITS)[]
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    this.first = first.promise
    this.second = second.promise
    const begin = (code: number): void => {
      if (this.code === 0) this.code = code
      first.resolve()
    }
    let signals = 0
    let late = 0
    const noted = (signal: NodeJS.Signals): void => {
      if (this.#isOver) {
        // What was left open may hang.
        if (++late > 1) process.exit(process.exitCode ?? SIGNAL_EXITS[signal as keyof typeof SIGNAL_EXITS])
        return
      }
      say(signals === 0 ? `${signal}: shutting down; once more to make it immediate` : `${signal}: immediately`)
      if (++signals > 1) second.resolve()
      begin(SIGNAL_EXITS[signal as keyof typeof SIGNAL_EXITS])
    }
    for (const name of names) process.on(name, noted)
    handleSignals(global, names, shutdown)
    const leave = (): void => {
      begin(UNREAD_EXIT)
      void global.shutdown(shutdown)
    }
    if (unread.aborted) leave()
    else unread.addEventListener('abort', leave, { once: true })
  }

  /**
   * The run is over, and how it went is known. One that comes now does not end the process as if it had been interrupted: a terminal
   * sends it to the whole group, and npm hands it on once more.
   */
  end(): void {
    this.#isOver = true
  }
}
