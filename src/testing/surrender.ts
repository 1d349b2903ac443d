/** Whether a tree gave up while its test looked elsewhere: what is asserted of one that has ended may hold for the wrong reason. */
import { inspect } from 'node:util'
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { CurtaincallError } from '../contract/index.ts'
import type { GlobalManager } from '../manager/index.ts'
import { instrument } from '../turn/index.ts'

/** Events that a test has waited for. */
const expected = new WeakSet<LifecycleEvent>()

/** A test has waited for it, and so knows of it. */
export function noteExpected(event: LifecycleEvent): void {
  expected.add(event)
}

/**
 * To be called before the kit shuts a tree down. What it returns throws, if called behind that, if the tree had given up, and nobody has asked for
 * its outcome, listens to its end, or has waited for it.
 */
export type Surrender = () => () => void

/** Watches a whole tree. */
export function watchSurrender(global: GlobalManager): Surrender {
  const ends: LifecycleEvent[] = []
  let isHeard = false
  const note = (event: LifecycleEvent): void => {
    if (event.path !== global.path) return
    ends.push(event)
    isHeard ||= isLookedAt(global)
  }
  global.on('manager.gaveUp', instrument(note))
  global.on('manager.stopped', instrument(note))
  return () => {
    isHeard ||= isLookedAt(global)
    return () => {
      if (global.state !== 'failed' || isHeard || ends.some((event) => expected.has(event))) return
      const { path } = global
      const { failure } = global.life
      throw new CurtaincallError('ERR_TEST', `${path} gave up, and the test asked for nothing of that: ${inWords(failure)}`, {
        path,
        cause: failure,
      })
    }
  }
}

/** True if somebody has asked for its outcome, or listens to its end: somebody else than the kit. */
function isLookedAt({ life, tree }: GlobalManager): boolean {
  const { isOutcomeAsked, listeners } = life.place
  const ofTheKit = tree.interceptor === undefined ? 0 : 1
  return isOutcomeAsked || listeners.areLookedAt('manager.gaveUp', ofTheKit) || listeners.areLookedAt('manager.stopped', ofTheKit)
}

/** An error with what has caused it. */
function inWords(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error)
  return error.cause === undefined ? String(error) : `${String(error)}, after ${nameOf(error.cause)}`
}

function nameOf(cause: unknown): string {
  return cause instanceof Error ? String(cause) : inspect(cause)
}
