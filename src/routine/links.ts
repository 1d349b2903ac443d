/** Watching a routine from elsewhere, and tying two of them together: OTP's monitors and links. */
import { type Routine, type RoutineEnd, RoutineFailedError } from '../contract/index.ts'
import { soon } from '../port/index.ts'
import { type Unsubscribe, unsubscribe } from '../turn/index.ts'
import { announce } from './announcing.ts'
import { SupervisedRoutine } from './supervised-routine.ts'
import { Settling } from './routine-promises.ts'
import { CANCEL } from './routine-steps.ts'
import { callable, refuse } from '../spec/index.ts'

/** What is read of a routine here. */
type AnyRoutine = Pick<Routine, 'path' | 'outcome' | 'cancel'>

/**
 * Tells of each end of a routine, restarted or not; of the last one at once, in a microtask, if it has ended already.
 * What the listener throws, or rejects with, is logged and harms nobody.
 *
 * @returns A function that ends the watch; also Disposable. Ends by itself with the routine: a child that is stopped and started with its
 * group, or by `restartChild`, is a new one.
 * @example
 * using watching = watch(routine, ({ outcome, willRestart }) => console.log(outcome.status, { willRestart }))
 */
export function watch(routine: AnyRoutine, listener: (end: RoutineEnd) => unknown): Unsubscribe {
  const watched = checked('watch routine', routine)
  if (!callable.accepts(listener)) throw refuse('watch listener', callable.range, listener, watched.path)
  const { bus } = watched.tree
  const hear = (end: RoutineEnd): void => bus.call(listener, end, `the end of ${watched.path}`)
  const tell = (end: RoutineEnd): void => bus.turn.word(hear, end, undefined)
  const watchers = ((watched.settling ??= new Settling()).watchers ??= new Set())
  let watching = true
  // The last end of a child may be known long before its supervisor takes it.
  if (watched.ended || watched.service?.toRestart === false) {
    const { path, incarnation, lastOutcome: outcome } = watched
    soon(() => {
      if (watching) tell({ path, incarnation, outcome, willRestart: false })
    })
  }
  if (!watched.ended) watchers.add(tell)
  return unsubscribe(() => {
    watching = false
    watchers.delete(tell)
  })
}

/**
 * Ties two routines together, wherever they live: when one has failed for good, the other is told to cancel, with a
 * RoutineFailedError as its reason whose `cause` is the failure. Ends in good order and restarts do not break a link;
 * a restart of the group of one of them ends it, since that is a new routine.
 *
 * @returns A function that unties them; also Disposable. A link ends by itself with the first of the two.
 * @example
 * using tie = link(reader, writer)
 */
export function link(a: AnyRoutine, b: AnyRoutine): Unsubscribe {
  const first = checked('link first', a)
  const second = checked('link second', b)
  if (first === second) throw refuse('link second', 'another routine than the first', b, second.path)
  const untie = unsubscribe(() => {
    first.settling?.waiters?.delete(firstEnded)
    second.settling?.waiters?.delete(secondEnded)
  })
  const firstEnded = (): void => {
    untie()
    breakLink(first, second)
  }
  const secondEnded = (): void => {
    untie()
    breakLink(second, first)
  }
  const { turn } = first.tree
  if (first.ended) turn.run(breakLink, first, second)
  else if (second.ended) turn.run(breakLink, second, first)
  else {
    ;((first.settling ??= new Settling()).waiters ??= new Set()).add(firstEnded)
    ;((second.settling ??= new Settling()).waiters ??= new Set()).add(secondEnded)
  }
  return untie
}

function breakLink(from: SupervisedRoutine, to: SupervisedRoutine): void {
  const { end } = from
  if (end?.status !== 'failed' || to.ended) return
  const reason = new RoutineFailedError(`${from.path} failed, and ${to.path} is linked to it`, { path: from.path, cause: end.error })
  to.tree.turn.run(() => {
    announce(to, 'link.broken', { from: from.path, error: end.error }, from.seq)
    to.stop(CANCEL, reason)
  })
}

function checked(what: string, routine: unknown): SupervisedRoutine {
  if (routine instanceof SupervisedRoutine) return routine
  throw refuse(what, 'a routine', routine)
}
