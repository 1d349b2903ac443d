/**
 * Rounds: what is looked at again and again, and nearly always found in order, is looked at together, and has a timer of its own only where
 * something may be amiss before the next round. A thousand that beat would otherwise arm five timers a second each.
 *
 * RD1  One that has joined is looked at a {@link PARTS}th part of its period before it would be due, or earlier, as long as it has not left.
 * RD2  A round has a timer as long as there is somebody to look at, and hangs on the same functions of the platform as theirs would: see A3 in
 *      clock.ts.
 * RD3  A round looks at so many at most ({@link TOGETHER}): more have more than one.
 */

/** Where a round takes its time from. */
interface RoundClock {
  now(): number
  arm<Target>(act: (target: Target) => void, target: Target, delay: number, now?: number): unknown
  clearTimeout(timer: unknown): void
  /** What a timer hangs on that is armed now. */
  readonly time: object
}

/** One that is looked at. */
export interface Watched {
  previousWatched: Watched | undefined
  nextWatched: Watched | undefined
  /** When it is to be looked at, as far as is known. It has a timer of its own from here on if that may be by then; then nothing else counts. */
  glance(now: number, until: number): number
}

/** A round comes so often in a period at most, and where all are in order about once. */
const PARTS = 8

/** So many at once. */
const TOGETHER = 1_024

/** Milliseconds between two rounds, at least: where it would be less, each has its own timer. */
const SHORTEST = 10

/** Some of those of one period. */
export class Round {
  size = 0
  /** What its timer hangs on. */
  time: object
  /** Of all that are looked at. */
  readonly period: number
  readonly step: number
  #first: Watched | undefined
  #timer: unknown
  #next = 0
  readonly #clock: RoundClock
  readonly #rounds: Rounds

  constructor(rounds: Rounds, period: number, step: number) {
    this.#rounds = rounds
    this.#clock = rounds.clock
    this.period = period
    this.step = step
    this.time = this.#clock.time
  }

  /** True if it comes by in good time before then. */
  comesBefore(due: number): boolean {
    return due > this.#next + this.step
  }

  add(watched: Watched, now: number): void {
    const first = this.#first
    watched.nextWatched = first
    if (first !== undefined) first.previousWatched = watched
    this.#first = watched
    if (this.size++ === 0) this.#arm(this.period - this.step, now)
  }

  remove(watched: Watched): void {
    const { previousWatched, nextWatched } = watched
    if (previousWatched === undefined) this.#first = nextWatched
    else previousWatched.nextWatched = nextWatched
    if (nextWatched !== undefined) nextWatched.previousWatched = previousWatched
    watched.previousWatched = undefined
    watched.nextWatched = undefined
    if (--this.size > 0) return
    this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#rounds.forget(this)
  }

  #arm(delay: number, now: number): void {
    this.#next = now + delay
    this.#timer = this.#clock.arm(go, this, delay, now)
  }

  /** Looks at all: none of them leaves by that. */
  go(): void {
    const clock = this.#clock
    const now = clock.now()
    // What it hangs on from here on.
    this.time = clock.time
    const { period, step } = this
    const until = now + 2 * step
    let due = now + period
    for (let each = this.#first; each !== undefined; each = each.nextWatched) due = Math.min(due, each.glance(now, until))
    this.#arm(Math.floor(due - now) - step, now)
  }
}

function go(round: Round): void {
  round.go()
}

/** The rounds of one clock. */
export class Rounds {
  /** Of each period the latest. */
  readonly #open = new Map<number, Round>()
  readonly clock: RoundClock

  constructor(clock: RoundClock) {
    this.clock = clock
  }

  /** The round that one of this period is to join; undefined if that is too short. */
  of(period: number): Round | undefined {
    const step = Math.floor(period / PARTS)
    if (step < SHORTEST) return undefined
    const open = this.#open.get(period)
    if (open !== undefined && open.size < TOGETHER && open.time === this.clock.time) return open
    const round = new Round(this, period, step)
    this.#open.set(period, round)
    return round
  }

  /** Nobody is left in it. */
  forget(round: Round): void {
    if (this.#open.get(round.period) === round) this.#open.delete(round.period)
  }
}
