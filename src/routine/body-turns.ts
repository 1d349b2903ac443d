/** The turns and deeds of an incarnation, as functions of it. A closure for each would be made 100,000 times. */
import type { Incarnation } from './incarnation.ts'
import { DONE, FAIL, GIVE_UP, TIMEOUT } from './routine-steps.ts'

// --- timers: each begins a turn ----------------------------------------------------------------

export function expire(incarnation: Incarnation): void {
  incarnation.turn.run(timeIsUp, incarnation, TIMEOUT)
}

export function giveUpInTime(incarnation: Incarnation): void {
  incarnation.turn.run(timeIsUp, incarnation, GIVE_UP)
}

function timeIsUp(incarnation: Incarnation, event: typeof TIMEOUT | typeof GIVE_UP): void {
  incarnation.timeIsUp(event)
}

// --- turns -------------------------------------------------------------------------------------

export function giveUp(incarnation: Incarnation): void {
  incarnation.step(GIVE_UP, undefined)
}

export function fail(incarnation: Incarnation, error: unknown): void {
  incarnation.step(FAIL, error)
}

/** Its body has returned. */
export function done(incarnation: Incarnation, output: unknown): void {
  incarnation.bodyEnded(DONE, output)
}

/** Its body has thrown. */
export function failed(incarnation: Incarnation, error: unknown): void {
  incarnation.bodyEnded(FAIL, error)
}

/** Its body has left with an OTP reason. */
export function exited(incarnation: Incarnation, [event, payload]: readonly [event: number, payload: unknown]): void {
  incarnation.bodyEnded(event, payload)
}

// --- deeds -------------------------------------------------------------------------------------

/** In the asynchronous context of its spawn. */
export function beginBody(incarnation: Incarnation): void {
  const { asyncContext } = incarnation.subject
  // Nothing was captured: it runs in the context that there is.
  if (asyncContext === undefined) runBody(incarnation)
  else incarnation.tree.asyncContext.run(asyncContext, runBody, incarnation, undefined)
}

function runBody(incarnation: Incarnation): void {
  try {
    incarnation.run()
  } catch (error) {
    incarnation.threw(error)
  }
}

export function askBody(incarnation: Incarnation): void {
  incarnation.ask()
}

export function killBody(incarnation: Incarnation): void {
  incarnation.kill()
}
