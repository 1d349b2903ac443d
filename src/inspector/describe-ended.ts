/** Somebody of whom only events are left. */
import { kindOf } from './forest.ts'
import type { ActorView, LogLine, NodeState } from './protocol.ts'

/** States as the lifecycle's own chart calls them, where it does otherwise. */
const IN_CHART: Readonly<Partial<Record<NodeState, string>>> = { killed: 'cancelled', queued: 'pending', hung: 'running' }

/** What is left to see of somebody who has ended. */
export function describeEnded(path: string, state: NodeState, incarnation: number, history: readonly LogLine[]): ActorView {
  const said = history.at(-1)?.said ?? ''
  return {
    path,
    kind: path.includes('#') ? 'routine' : kindOf(path),
    state,
    incarnation,
    facts: [['run', String(incarnation)], ...(said === '' ? [] : ([['last event', said]] as [string, string][]))],
    life: { value: IN_CHART[state] ?? state, taken: {} },
    work: undefined,
    context: undefined,
    snapshots: [],
    messages: { in: 0, out: 0 },
    events: [],
    budget: undefined,
    heartbeat: undefined,
    source: undefined,
    history,
  }
}
