/**
 * Schedules as data: where several things may happen next, a tape says which.
 *
 * J1  Past the end of the tape, whatever came first goes first; so a shorter tape is a simpler schedule, and shrinking an
 *     array of numbers shrinks the schedule.
 * J2  What the platform keeps in order stays in order: only the first of each lane can be chosen.
 */
import { refuse } from '../spec/index.ts'

/** What may be reordered: what a platform may reorder, or everything that two actors do independently of each other. */
export type ScheduleMode = 'native' | 'actor-model'

export class Schedule {
  readonly tape: readonly number[]
  /** How often something else than the first was chosen. */
  deviations = 0
  #at = 0

  constructor(tape: readonly number[]) {
    if (!Array.isArray(tape) || !tape.every((choice) => Number.isSafeInteger(choice) && choice >= 0))
      throw refuse('simulate option tape', 'an array of whole numbers of at least 0', tape)
    this.tape = tape
  }

  /** True while there is something on the tape. */
  get decides(): boolean {
    return this.#at < this.tape.length
  }

  /** Which of so many goes next. */
  choose(among: number): number {
    if (among < 2 || !this.decides) return 0
    const chosen = (this.tape[this.#at++] as number) % among
    if (chosen > 0) this.deviations++
    return chosen
  }
}

/** Numbers from 0 to 1, the same for the same seed: the generator called mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
