/**
 * Ends of bodies from outside: at once where their ground can do that, or nobody can; else by a ground that needs time for it, see O4 of
 * port/ground.ts.
 */
import type { Ground } from '../port/index.ts'
import { CANCEL, END, GIVE_UP, KILL } from './routine-steps.ts'

/** One run, to whoever ends it from outside. */
interface Ending {
  readonly ground: Ground
  /** True until it begins, or ends without having begun. */
  readonly waits: boolean
  step(event: number, payload: unknown): void
}

/** Its body is not waited for any longer. In a turn. */
export function giveUp(incarnation: Ending): void {
  incarnation.step(incarnation.ground.endsWithin === undefined ? GIVE_UP : END, undefined)
}

/** It is killed. In a turn. */
export function kill(incarnation: Ending, reason: unknown): void {
  if (incarnation.waits || incarnation.ground.endsWithin === undefined) {
    incarnation.step(KILL, reason)
    return
  }
  // What of it still listens hears that it is to stop, before it is ended.
  incarnation.step(CANCEL, reason)
  incarnation.step(END, undefined)
}
