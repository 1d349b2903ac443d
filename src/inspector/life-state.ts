/**
 * The state of a lifecycle in its chart, as far as events tell.
 *
 * No event says that a routine was asked to stop by name: it counts as working until it has ended, or until something has happened
 * that may have been a reason to ask it.
 */
import type { KeptEvent, NodeState } from './protocol.ts'

/** What the lifecycle's own chart calls a state, where that is another name. */
const IN_CHART: Readonly<Partial<Record<NodeState, string>>> = { killed: 'cancelled', queued: 'pending', hung: 'running' }
/** After these a routine may have been asked to stop, but for the order to send it a message. */
const STOP_REASONS: ReadonlySet<string> = new Set(['control.ordered', 'link.broken'])
const BEGINS_ANEW: ReadonlySet<string> = new Set(['routine.started', 'manager.started', 'manager.restarted', 'manager.stopped'])

export class LifeStates {
  readonly #phases = new Map<string, unknown>()
  readonly #mayBeAsked = new Set<string>()

  note({ type, path, ...event }: KeptEvent): void {
    if (type === 'manager.phase') this.#phases.set(path, event['phase'])
    else if (STOP_REASONS.has(type) && event['control'] !== 'send') this.#mayBeAsked.add(path)
    else if (BEGINS_ANEW.has(type)) {
      this.#phases.delete(path)
      this.#mayBeAsked.delete(path)
    }
  }

  /** The value of the machine's state. */
  valueOf(path: string, state: NodeState): unknown {
    const name = IN_CHART[state] ?? state
    const phase = this.#phases.get(path)
    if (name === 'stopping' && typeof phase === 'string') return { stopping: phase }
    return name === 'running' && path.includes('#') && !this.#mayStop(path) ? { running: 'working' } : name
  }

  /** True if it, or a manager above, may have been asked to stop: events don't say which of several routines was. */
  #mayStop(path: string): boolean {
    if (this.#mayBeAsked.has(path)) return true
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end)
      if (this.#mayBeAsked.has(above) || (this.#phases.get(above) ?? 'closing') !== 'closing') return true
    }
    return false
  }
}
