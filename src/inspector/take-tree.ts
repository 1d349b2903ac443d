/** Takes a tree as it stands, which no event has told. */
import type { Manager } from '../manager/index.ts'
import { type Forest, kindOf } from './forest.ts'
import type { Bar, NodeState } from './protocol.ts'

/** Puts all of a living tree into a forest, as it stands, and tells which routines run. */
export function takeTree(manager: Manager, forest: Forest, running: Bar[]): void {
  const { path, state, incarnation, registry } = manager
  forest.add(path, kindOf(path), state as NodeState, incarnation - 1, incarnation)
  for (const routine of registry.living.values()) {
    const { path: at, restarts, ticket, seq } = routine
    // A queued routine has no incarnation yet, and to read `current` would make it.
    if (ticket > 0) {
      forest.add(at, 'routine', 'queued', restarts, restarts + 1)
      continue
    }
    const { state: found, number, startedAt, heartbeat } = routine.current
    forest.add(at, 'routine', heartbeat?.hung === true ? 'hung' : (found as NodeState), number - 1, number)
    if (startedAt !== undefined && found === 'running')
      running.push({ path: at, incarnation: number, from: startedAt, to: undefined, state: 'running', seq })
  }
  for (const below of manager.below()) takeTree(below, forest, running)
}
