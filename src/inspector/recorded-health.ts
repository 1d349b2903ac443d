/**
 * Health of a recorded tree, as far as its events tell: who was hung, and what was restarted of late.
 *
 * Options are not recorded: for all managers a restart counts as long as it does by default, and how many are left is not known.
 */
import { type HealthStatus, judgeHealth } from '../../machines/health.ts'
import { above } from '../../machines/path.ts'
import type { BaseNode, HealthView, KeptEvent, NodeState } from './protocol.ts'

/** Milliseconds for which a restart counts: the default of `restartWindow`. */
export const WINDOW = 5_000
/** Managers that are listed, the worst first. */
const LISTED = 500

/** From good to bad. `failed` is the worst; a status that is none of these comes before the first. */
const RANKS: readonly string[] = ['completed', 'cancelled', 'pending', 'healthy', 'stopping', 'degraded', 'hung']
const rank = ({ status }: Node): number => (status === 'failed' ? RANKS.length : RANKS.indexOf(status))

type Node = HealthView['nodes'][number]

export class RecordedHealth {
  /** When something right below a manager was restarted last. */
  readonly #restarted = new Map<string, number>()
  readonly #counts: Record<string, number> = {
    spawned: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    killed: 0,
    orphaned: 0,
    restarts: 0,
    failures: 0,
    refused: 0,
  }

  note(event: KeptEvent): void {
    const { type, path, at } = event
    if (type === 'routine.restarted' || type === 'manager.restarted') {
      // In its new life, a manager has restarted nothing yet.
      this.#restarted.delete(path)
      this.#restarted.set(above(path), at)
    }
    this.#count(type.replace('routine.', ''), event['willRestart'] === true)
  }

  #count(name: string, willRestart: boolean): void {
    const counts = this.#counts
    if (name === 'failed') counts['failures'] = (counts['failures'] ?? 0) + 1
    if (willRestart) return
    if (name === 'restarted') counts['restarts'] = (counts['restarts'] ?? 0) + 1
    else if (name in counts) counts[name] = (counts[name] ?? 0) + 1
  }

  /** @param tree All nodes, parents first. */
  view(tree: readonly BaseNode[], at: number): HealthView {
    const hung = new Map<string, number>()
    const below = new Map<string, HealthStatus[]>()
    const nodes: Node[] = []
    // From below upwards, since what is wrong below is wrong in all managers above.
    for (const [path, kind, state] of tree.toReversed()) {
      const parent = above(path)
      if (kind === 'routine') {
        if (state === 'hung') hung.set(parent, (hung.get(parent) ?? 0) + 1)
        continue
      }
      const many = hung.get(path) ?? 0
      hung.set(parent, (hung.get(parent) ?? 0) + many)
      const status = this.#statusOf(path, state, many, below.get(path) ?? [], at)
      const siblings = below.get(parent)
      if (siblings === undefined) below.set(parent, [status as HealthStatus])
      else siblings.push(status as HealthStatus)
      nodes.push({
        path,
        depth: path.split('/').length - 1,
        status,
        hung: many,
        restartsLeft: -1,
        maxRestarts: -1,
        oldestBeat: undefined,
        count: 0,
        limit: -1,
      })
    }
    nodes.reverse()
    const statuses: Record<string, number> = {}
    for (const { status } of nodes) statuses[status] = (statuses[status] ?? 0) + 1
    const listed = nodes.length <= LISTED ? nodes : nodes.toSorted((a, b) => rank(b) - rank(a)).slice(0, LISTED)
    return { nodes: listed, statuses, metrics: { ...this.#counts }, samples: [] }
  }

  #statusOf(path: string, state: NodeState, hung: number, children: readonly HealthStatus[], at: number): string {
    if (state !== 'running' && state !== 'stopping') return state
    const recentRestarts = at - (this.#restarted.get(path) ?? -Infinity) <= WINDOW ? 1 : 0
    return judgeHealth({ accepting: state === 'running', hung, recentRestarts, children })
  }
}
