/** One line that tells how it goes: redrawn in place on a terminal, now and then in a pipe. */
import type { Metrics } from '../index.ts'
import { harmless } from './words.ts'

/** Where lines go. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
  write(text: string): unknown
}

const TERMINAL_INTERVAL = 100
const PIPE_INTERVAL = 1_000
/** Columns of a terminal that does not say how many it has, or says 0. */
const WIDTH = 80

/** The numbers of the live line, in plain digits. */
export function progressText(metrics: Metrics, rate: number): string {
  const { completed, running, pending, failed, cancelled, killed, restarts } = metrics
  const stopped = cancelled + killed > 0 ? `, ${cancelled + killed} stopped` : ''
  return `${completed} done, ${running} running, ${pending} queued, ${failed} failed, ${restarts} restarted${stopped}, ${rate}/s`
}

/** Cuts a line to the width of the terminal. */
export function fit(line: string, columns: number): string {
  return line.length <= columns ? line : `${line.slice(0, Math.max(0, columns - 1))}…`
}

export class LiveLine {
  readonly #screen: Screen
  readonly #read: () => Metrics
  readonly #terminal: boolean
  #timer: ReturnType<typeof setInterval> | undefined
  #drawn = false
  #last = { ended: 0, at: performance.now() }
  #rate = 0
  #muted = false
  readonly #startedAt = performance.now()

  constructor(screen: Screen, read: () => Metrics) {
    this.#screen = screen
    this.#read = read
    this.#terminal = screen.isTTY === true && process.env['CI'] === undefined
  }

  start(): void {
    this.#timer = setInterval(() => this.draw(), this.#terminal ? TERMINAL_INTERVAL : PIPE_INTERVAL)
    this.#timer.unref()
  }

  /** Says nothing more: there was nothing to run. */
  mute(): void {
    this.#muted = true
  }

  /** Draws the line as it is now. */
  draw(): void {
    if (this.#muted) return
    const metrics = this.#read()
    const ended = metrics.completed + metrics.failed
    const now = performance.now()
    const passed = (now - this.#last.at) / 1_000
    if (passed >= 0.5) {
      this.#rate = Math.round((ended - this.#last.ended) / passed)
      this.#last = { ended, at: now }
    }
    const text = progressText(metrics, this.#rate)
    if (!this.#terminal) this.#screen.write(`${text}\n`)
    else {
      this.#screen.write(`\r\x1b[2K${fit(text, this.#screen.columns || WIDTH)}`)
      this.#drawn = true
    }
  }

  /** Prints a line of its own above the live one; a terminal obeys nothing in it. */
  print(line: string): void {
    if (this.#muted) return
    this.#screen.write(`${this.#drawn ? '\r\x1b[2K' : ''}${harmless(line)}\n`)
    this.#drawn = false
  }

  /** The last state, with the rate of the whole, as a line that stays. */
  stop(): void {
    clearInterval(this.#timer)
    const { completed, failed } = this.#read()
    this.#rate = Math.round(((completed + failed) * 1_000) / Math.max(1, performance.now() - this.#startedAt))
    this.#last = { ended: completed + failed, at: performance.now() }
    if (this.#terminal) {
      this.draw()
      this.#screen.write('\n')
      this.#drawn = false
    } else this.draw()
  }
}
