/** The turns and deeds of an incarnation, as functions of it. A closure for each would be made 100,000 times. */
import { ExitRequest } from '../contract/index.ts'
import { exitStep } from './exit.ts'
import type { Incarnation } from './incarnation.ts'
import { giveUp as giveUpOn } from './ending.ts'
import { DONE, FAIL, GIVE_UP, LOST, TIMEOUT } from './routine-steps.ts'

/** What a timer of an incarnation says. */
export type TimedEvent = typeof TIMEOUT | typeof GIVE_UP | typeof LOST

// --- timers: each begins a turn ----------------------------------------------------------------

export function expire(incarnation: Incarnation): void {
  inContext(incarnation, timeRanOut, TIMEOUT)
}

export function giveUpInTime(incarnation: Incarnation): void {
  inContext(incarnation, timeRanOut, GIVE_UP)
}

function lose(incarnation: Incarnation): void {
  inContext(incarnation, timeRanOut, LOST)
}

function timeRanOut(incarnation: Incarnation, event: TimedEvent): void {
  incarnation.turn.run(timeIsUp, incarnation, event)
}

function timeIsUp(incarnation: Incarnation, event: TimedEvent): void {
  incarnation.timeIsUp(event)
}

// --- turns -------------------------------------------------------------------------------------

export function giveUp(incarnation: Incarnation): void {
  giveUpOn(incarnation)
}

export function fail(incarnation: Incarnation, error: unknown): void {
  incarnation.step(FAIL, error)
}

/** Its body has returned. A call of a known function is quicker than one through a queue, and nearly always there is none. */
export function returned(incarnation: Incarnation, output: unknown): void {
  const { turn, subject } = incarnation
  const refusal = subject.chronicle === undefined || incarnation.over || incarnation.asked ? undefined : subject.chronicle.refusalOf(output)
  if (refusal !== undefined) {
    // What can't be kept is nothing that a durable routine can end with.
    threw(incarnation, refusal)
    return
  }
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

/** In the asynchronous context of its routine. */
function inContext<B>(incarnation: Incarnation, act: (incarnation: Incarnation, b: B) => void, b: B): void {
  incarnation.tree.asyncContext.run(incarnation.subject.bodyContext, act, incarnation, b)
}

/** @param atOnce True if nobody's code has run in the turn that decided it: where its launch began that turn, it is in its context. */
export function beginBody(incarnation: Incarnation, atOnce: boolean): void {
  const { tree, subject } = incarnation
  if (atOnce && tree.launched === incarnation) runBody(incarnation)
  else tree.asyncContext.run(subject.asyncContext, runBody, incarnation, undefined)
}

function runBody(incarnation: Incarnation): void {
  try {
    incarnation.run()
  } catch (error) {
    incarnation.threw(error)
  }
}

/** The test kit gets between, or an observer: what they add to its context is there in all that is called for it. */
export function callGround(incarnation: Incarnation): void {
  const { subject, tree } = incarnation
  const { interceptor, observer } = tree
  if (interceptor !== undefined) interceptor.begin(subject, () => beginWithin(incarnation))
  else if (observer !== undefined) observer.run(subject, () => beginWithin(incarnation))
  else subject.ground.begin(incarnation)
}

function beginWithin(incarnation: Incarnation): void {
  const { subject, tree } = incarnation
  subject.bodyContext = tree.captureContext()
  subject.ground.begin(incarnation)
}

export function askBody(incarnation: Incarnation): void {
  inContext(incarnation, ask, undefined)
}

function ask(incarnation: Incarnation): void {
  incarnation.ask()
}

export function killBody(incarnation: Incarnation): void {
  inContext(incarnation, kill, undefined)
}

function kill(incarnation: Incarnation): void {
  incarnation.kill()
}

/** Its ground is to end its body. The timer of the time that it has for that. In a turn. */
export function terminate(incarnation: Incarnation): unknown {
  const { tree, ground } = incarnation
  tree.turn.deed(killBody, incarnation)
  return tree.clock.arm(lose, incarnation, ground.endsWithin ?? 0)
}
