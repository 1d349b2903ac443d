/** An actor of which only events are left. */
import { kindOf } from './forest.ts'
import type { ActorView, LogLine, NodeState } from './protocol.ts'

/**
 * What a page shows of an actor that has ended.
 *
 * @param value The value of its lifecycle's state.
 */
export function describeEnded(path: string, state: NodeState, incarnation: number, value: unknown, history: readonly LogLine[]): ActorView {
  const said = history.at(-1)?.said ?? ''
  return {
    path,
    kind: path.includes('#') ? 'routine' : kindOf(path),
    state,
    incarnation,
    facts: [['run', String(incarnation)], ...(said === '' ? [] : ([['last event', said]] as [string, string][]))],
    life: { value, taken: {} },
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
