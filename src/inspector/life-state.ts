/**
 * Where in the chart of its lifecycle somebody stands, as far as events tell.
 *
 * Events don't say that somebody was told to stop by name: it counts as working until it has ended, or there was a reason to tell it.
 */
import type { KeptEvent, NodeState } from './protocol.ts'

/** States as the lifecycle's own chart calls them, where it does otherwise. */
const IN_CHART: Readonly<Partial<Record<NodeState, string>>> = { killed: 'cancelled', queued: 'pending', hung: 'running' }
/** After these a routine may have been told to stop, but for the order to send it a message. */
const TELLING: ReadonlySet<string> = new Set(['control.ordered', 'link.broken'])
const AGAIN: ReadonlySet<string> = new Set(['routine.started', 'manager.started', 'manager.restarted', 'manager.stopped'])

export class LifeStates {
  readonly #phases = new Map<string, unknown>()
  readonly #told = new Set<string>()

  note({ type, path, ...event }: KeptEvent): void {
    if (type === 'manager.phase') this.#phases.set(path, event['phase'])
    else if (TELLING.has(type) && event['control'] !== 'send') this.#told.add(path)
    else if (AGAIN.has(type)) {
      this.#phases.delete(path)
      this.#told.delete(path)
    }
  }

  /** The value of the machine's state. */
  valueOf(path: string, state: NodeState): unknown {
    const name = IN_CHART[state] ?? state
    const phase = this.#phases.get(path)
    if (name === 'stopping' && typeof phase === 'string') return { stopping: phase }
    return name === 'running' && path.includes('#') && !this.#mayStop(path) ? { running: 'working' } : name
  }

  /** True if it may be one of those that have been told: which of them, events don't say. */
  #mayStop(path: string): boolean {
    if (this.#told.has(path)) return true
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = path.slice(0, end)
      if (this.#told.has(above) || (this.#phases.get(above) ?? 'closing') !== 'closing') return true
    }
    return false
  }
}
