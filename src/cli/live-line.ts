/** One line that tells how it goes: redrawn in place on a terminal, now and then in a pipe. */
import type { Metrics } from '../index.ts'
import { fitParts, isDrawable, type Paint, wrapped } from './paint.ts'
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
const CLEAR = '\r\x1b[2K'

const plainly: Paint = (_, text) => harmless(text)

/** The numbers of the live line, in plain digits. */
export function progressText(metrics: Metrics, rate: number): string {
  const { completed, running, pending, failed, cancelled, killed, restarts } = metrics
  const stopped = cancelled + killed > 0 ? `, ${cancelled + killed} stopped` : ''
  return `${completed} done, ${running} running, ${pending} queued, ${failed} failed, ${restarts} restarted${stopped}, ${rate}/s`
}

/** The same for a terminal, in parts that are left out from the end where there is no room. */
function progressParts(metrics: Metrics, rate: number, paint: Paint = plainly): string[] {
  const { completed, running, pending, failed, cancelled, killed, restarts } = metrics
  const parts = [paint('green', `✓ ${completed} done`), paint('blue', `▸ ${running} running`)]
  if (failed > 0) parts.push(paint('red', `✗ ${failed} failed`))
  if (pending > 0) parts.push(paint('dim', `≡ ${pending} queued`))
  if (restarts > 0) parts.push(paint('yellow', `↻ ${restarts} restarted`))
  if (cancelled + killed > 0) parts.push(paint('magenta', `■ ${cancelled + killed} stopped`))
  return [...parts, paint('dim', `${rate}/s`)]
}

export class LiveLine {
  readonly #screen: Screen
  readonly #read: () => Metrics
  readonly #paint: Paint
  readonly isTerminal: boolean
  #timer: ReturnType<typeof setInterval> | undefined
  #drawn = false
  #last = { ended: 0, at: performance.now() }
  #rate = 0
  #muted = false
  /** True while somebody else is in the middle of a line: nothing may be drawn over it. */
  isHeld = false
  /** What is said in place of the numbers, if there is anything; the first parts before all others. */
  instead: () => readonly string[] | undefined = () => undefined
  readonly #startedAt = performance.now()

  constructor(screen: Screen, read: () => Metrics, paint: Paint = plainly) {
    this.#screen = screen
    this.#read = read
    this.#paint = paint
    this.isTerminal = isDrawable({ isTTY: screen.isTTY === true, env: process.env })
  }

  get columns(): number {
    return this.#screen.columns || WIDTH
  }

  start(): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.draw(), this.isTerminal ? TERMINAL_INTERVAL : PIPE_INTERVAL)
    this.#timer.unref()
  }

  /** Says nothing more: there was nothing to run. */
  mute(): void {
    this.#muted = true
  }

  /** Draws the line as it is now. */
  draw(): void {
    if (this.#muted || this.isHeld) return
    const metrics = this.#read()
    const ended = metrics.completed + metrics.failed
    const now = performance.now()
    const passed = (now - this.#last.at) / 1_000
    if (passed >= 0.5) {
      this.#rate = Math.round((ended - this.#last.ended) / passed)
      this.#last = { ended, at: now }
    }
    const instead = this.instead()
    if (!this.isTerminal) this.#screen.write(`${instead?.join(', ') ?? progressText(metrics, this.#rate)}\n`)
    else {
      const line = fitParts(instead ?? progressParts(metrics, this.#rate, this.#paint), '  ', this.columns)
      this.#screen.write(`${CLEAR}${line}`)
      this.#drawn = true
    }
  }

  /** Takes the line away, since something else is to be written there. It comes back by itself. */
  clear(): void {
    if (this.#drawn) this.#screen.write(CLEAR)
    this.#drawn = false
  }

  /** Prints a line of its own above the live one; a terminal obeys nothing in it. */
  print(line: string): void {
    this.put(harmless(line))
  }

  /** The same of what is painted already; on a terminal it is broken between words, and indented from the second line on. */
  put(line: string, indent = ''): void {
    if (this.#muted) return
    this.clear()
    if (this.isHeld) this.#screen.write('\n')
    this.isHeld = false
    this.#screen.write(`${this.isTerminal ? wrapped(line, this.columns, indent) : line}\n`)
  }

  /** Nothing more is drawn. */
  leave(): void {
    clearInterval(this.#timer)
    this.clear()
  }

  /** The last state, with the rate of the whole, as a line that stays. */
  stop(): void {
    clearInterval(this.#timer)
    const { completed, failed } = this.#read()
    this.#rate = Math.round(((completed + failed) * 1_000) / Math.max(1, performance.now() - this.#startedAt))
    this.#last = { ended: completed + failed, at: performance.now() }
    this.draw()
    if (this.isTerminal && !this.#muted) this.#screen.write('\n')
    this.#drawn = false
  }
}
