/** Listens for the heartbeats of one incarnation: one timer per silence, none per heartbeat. */
import { RoutineHungError } from '../contract/errors.ts'
import type { Incarnation } from './incarnation.ts'
import { TIMEOUT } from './routine-steps.ts'

export class Heartbeat {
  /** When it was last heard. */
  last: number
  #hung = false
  #timer: unknown
  readonly #incarnation: Incarnation
  readonly #hungAfter: number

  constructor(incarnation: Incarnation, hungAfter: number, now: number) {
    this.#incarnation = incarnation
    this.#hungAfter = hungAfter
    this.last = now
    this.#arm(hungAfter)
  }

  /** True while it has been silent for too long. */
  get hung(): boolean {
    return this.#hung
  }

  /** It lives. */
  beat(): void {
    const { clock, turn } = this.#incarnation.row.local.stage
    const before = this.last
    this.last = clock.now()
    if (this.#hung) turn.run(revive, this, this.last - before)
  }

  /** It was taken for hung, and is not. */
  revive(silence: number): void {
    if (!this.#hung) return
    this.#setHung(false)
    this.#arm(this.#hungAfter)
    this.#incarnation.row.announce('routine.revived', { silence })
  }

  /** It has ended. */
  stop(): void {
    const { clock } = this.#incarnation.row.local.stage
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#hung) this.#setHung(false)
  }

  #arm(delay: number): void {
    this.#timer = this.#incarnation.row.local.stage.later(() => this.#look(), delay)
  }

  #look(): void {
    const { row } = this.#incarnation
    const silence = row.local.stage.clock.now() - this.last
    this.#timer = undefined
    if (silence < this.#hungAfter) {
      this.#arm(this.#hungAfter - silence)
      return
    }
    this.#setHung(true)
    row.announce('routine.hung', { silence })
    const { onHung } = row.spec
    if (this.#incarnation.over || onHung === 'report') return
    const error = new RoutineHungError(`${row.path} was silent for ${silence} ms`, { path: row.path })
    if (onHung === 'kill') void row.kill(error)
    else row.forceRestart(TIMEOUT, error)
  }

  #setHung(hung: boolean): void {
    this.#hung = hung
    this.#incarnation.row.local.countHung(hung ? 1 : -1)
  }
}

function revive(heartbeat: Heartbeat, silence: number): void {
  heartbeat.revive(silence)
}
