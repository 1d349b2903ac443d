/** The turns and deeds of an incarnation, as functions of it. A closure for each would be made 100,000 times. */
import { ExitRequest } from '../contract/index.ts'
import { exitStep } from './exit.ts'
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

/** Its body has returned. A call of a known function is quicker than one through a queue, and nearly always there is none. */
export function returned(incarnation: Incarnation, output: unknown): void {
  const { turn } = incarnation
  if (!turn.beginArising()) {
    turn.arise(done, incarnation, output)
    return
  }
  try {
    done(incarnation, output)
  } finally {
    turn.end()
  }
}

function done(incarnation: Incarnation, output: unknown): void {
  incarnation.bodyEnded(DONE, output)
}

/** Its body has thrown, or left with an OTP reason. */
export function threw(incarnation: Incarnation, error: unknown): void {
  const { turn, subject } = incarnation
  if (ExitRequest.is(error)) turn.arise(exited, incarnation, exitStep(error.reason, subject.path))
  else turn.arise(failed, incarnation, error)
}

function failed(incarnation: Incarnation, error: unknown): void {
  incarnation.bodyEnded(FAIL, error)
}

function exited(incarnation: Incarnation, [event, payload]: readonly [event: number, payload: unknown]): void {
  incarnation.bodyEnded(event, payload)
}

/** It has ended. */
export function answerEnd({ subject }: Incarnation): void {
  subject.local.registry.settle(subject, false)
}

/** It was given up on, and its body goes on. */
export function answerOrphan({ subject }: Incarnation): void {
  subject.local.registry.settle(subject, true)
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

/** The test kit gets between, or an observer. */
export function callGround(incarnation: Incarnation): void {
  const { subject, tree } = incarnation
  const { interceptor, observer } = tree
  if (interceptor !== undefined) interceptor.begin(subject, () => subject.ground.begin(incarnation))
  else if (observer !== undefined) observer.run(subject, () => subject.ground.begin(incarnation))
  else subject.ground.begin(incarnation)
}

export function askBody(incarnation: Incarnation): void {
  incarnation.ask()
}

export function killBody(incarnation: Incarnation): void {
  incarnation.kill()
}
