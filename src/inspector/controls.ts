/** Controls: what a page may do to the tree, if that is allowed. It is what the tree's methods do, and stands in the log as a cause. */
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { isActorLogic } from '../spec/index.ts'
import { find } from './describe.ts'
import { CONTROLS, type Control, type Done } from './protocol.ts'

/** Paths in one order, at most. */
const MANY = 100_000

export class Controls {
  readonly #global: GlobalManager

  constructor(global: GlobalManager) {
    this.#global = global
  }

  /** Does something to every path that is named. Throws if the order is not understood, and then nothing has happened. */
  carryOut(what: unknown, given: unknown): Done {
    const { paths, event } = (given ?? {}) as { paths?: unknown; event?: unknown }
    if (what === 'send' && event === undefined) throw new Error('send needs an event')
    if (!(CONTROLS as readonly unknown[]).includes(what)) throw new Error(`there is no control ${String(what)}`)
    const named = Array.isArray(paths) && paths.every((path) => typeof path === 'string')
    if (!named || paths.length === 0 || paths.length > MANY) throw new Error(`paths must be an array of 1 to ${MANY} paths`)
    const missed: string[] = []
    let hit = 0
    for (const path of new Set(paths as string[])) {
      const why = this.#hit(what as Control, path, event)
      if (why === undefined) hit++
      else if (missed.length < 10) missed.push(`${path}: ${why}`)
    }
    return { hit, missed }
  }

  #hit(what: Control, path: string, event: unknown): string | undefined {
    const found = find(this.#global, path)
    if (found === undefined) return 'nobody is there'
    const isManager = found instanceof Manager
    const ofManagers = what === 'shutdown' || what === 'shutdownNow'
    if (isManager !== ofManagers) return isManager ? `a manager has no ${what}` : `a routine has no ${what}`
    if (what === 'restart' && !isManager && found.stopRequested) return 'it is being stopped'
    const wrong = what === 'send' && !isManager && isActorLogic(found.logic) ? faultOf(event) : undefined
    if (wrong !== undefined) return wrong
    try {
      const order = what === 'shutdownNow' ? 'shutdown at once' : what
      if (isManager) found.life.ordered(order)
      else found.ordered(order)
      if (isManager) void found.shutdown({ mode: what === 'shutdown' ? 'graceful' : 'immediate' })
      else perform(found, what, event)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

/** What is wrong with an event, if an actor would throw, or end, by it: that would be the inspector's fault. */
function faultOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('type' in event) || typeof event.type !== 'string') return 'its event needs a type'
  if (event.type === '*') return 'no event may have the type "*": it stands for any'
  return event.type.startsWith('xstate.') ? 'types that begin with "xstate." are XState’s own: the actor could end by them' : undefined
}

function perform(routine: SupervisedRoutine, what: Control, event: unknown): void {
  const reason = new Error('ordered in the inspector')
  if (what === 'cancel') void routine.cancel(reason)
  else if (what === 'kill') void routine.kill(reason)
  else if (what === 'restart') void routine.restart()
  else routine.send(event)
}
