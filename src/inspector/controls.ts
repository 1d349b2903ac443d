/** Controls: what a page may do to the tree, if that is allowed. It is what the tree's methods do, and stands in the log as a cause. */
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { isActorLogic } from '../spec/index.ts'
import { isMachine } from './chart.ts'
import { find } from './describe.ts'
import { CONTROLS, type Control, type Done } from './protocol.ts'
import type { Traffic } from './traffic.ts'

/** Paths in one order, at most. */
const MANY = 100_000

export class Controls {
  readonly #global: GlobalManager
  readonly #traffic: Pick<Traffic, 'taken'> | undefined
  #ignored = 0

  /** @param traffic Knows which transitions were taken. */
  constructor(global: GlobalManager, traffic?: Pick<Traffic, 'taken'>) {
    this.#global = global
    this.#traffic = traffic
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
    this.#ignored = 0
    for (const path of new Set(paths as string[])) {
      const why = this.#hit(what as Control, path, event)
      if (why === undefined) hit++
      else if (missed.length < 10) missed.push(`${path}: ${why}`)
    }
    return { hit, missed, ...(this.#ignored > 0 ? { ignored: this.#ignored } : {}) }
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
      else if (what === 'send') this.#send(found, event)
      else perform(found, what)
      return undefined
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  /** Sends; counts it if its machine took no transition for it. One that is not at rest handles it later: of that nothing is known. */
  #send(routine: SupervisedRoutine, event: unknown): void {
    const { work } = routine
    const isAtRest = routine.state === 'running' && isMachine(routine.logic) && this.#traffic !== undefined
    const before = isAtRest ? this.#stepsOf(work) : 0
    routine.send(event)
    if (isAtRest && routine.work === work && routine.state === 'running' && this.#stepsOf(work) === before) this.#ignored++
  }

  #stepsOf(work: SupervisedRoutine['work']): number {
    return Object.values(this.#traffic?.taken(work) ?? {}).reduce((sum, each) => sum + each, 0)
  }
}

/** What is wrong with an event, if an actor would throw, or end, by it: that would be the inspector's fault. */
function faultOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('type' in event) || typeof event.type !== 'string') return 'its event needs a type'
  if (event.type === '*') return 'no event may have the type "*": it stands for any'
  return event.type.startsWith('xstate.') ? 'types that begin with "xstate." are XState’s own: the actor could end by them' : undefined
}

function perform(routine: SupervisedRoutine, what: Control): void {
  const reason = new Error('ordered in the inspector')
  if (what === 'cancel') void routine.cancel(reason)
  else if (what === 'kill') void routine.kill(reason)
  else void routine.restart()
}
