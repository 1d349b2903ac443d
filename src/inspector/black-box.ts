/**
 * The latest events of a tree, and when they are asked for, the tree as it stood before the first of them: enough to play it from there.
 *
 * B1  It never holds more events than its capacity.
 * B2  Until they are asked for, an event costs no more than its place in the ring: the tree before is found by undoing what is held.
 */
import type { GlobalManager } from '../manager/index.ts'
import { Forest, kindOf } from './forest.ts'
import { Ledger } from './ledger.ts'
import type { BaseNode, KeptEvent, NodeState, Recording } from './protocol.ts'
import { keep } from './recording.ts'
import { takeTree } from './take-tree.ts'

export class BlackBox {
  readonly ledger: Ledger
  readonly #global: GlobalManager
  /** When the last one was pushed out. */
  #from: number

  constructor(global: GlobalManager, capacity: number) {
    this.#global = global
    this.#from = global.tree.clock.now()
    this.ledger = new Ledger(capacity, ({ at }) => {
      this.#from = at
    })
  }

  record(event: KeptEvent): void {
    this.ledger.record(event)
  }

  /** All of it, as it can be written down. */
  recording(): Recording {
    const { ledger } = this
    const events = Array.from({ length: ledger.size }, (_, k) => keep(ledger.at(k) as KeptEvent))
    // At least a millisecond before the first of them, so that one can go to a moment at which only the base was there.
    const from = Math.min(this.#from, (events[0]?.at ?? Infinity) - 1)
    const forest = new Forest(Infinity)
    takeTree(this.#global, forest, [])
    return { name: this.#global.name, from, base: undone(forest.base(), events), events, violations: [], story: '' }
  }
}

/** A tree as it was before these events, from how it is after them. */
function undone(after: readonly BaseNode[], events: readonly KeptEvent[]): readonly BaseNode[] {
  const nodes = new Map(after.map((node) => [node[0], node]))
  const seen = new Set<string>()
  for (const event of events) {
    const { type, path } = event
    if (seen.has(path)) continue
    const state = stateBefore(event)
    if (state === undefined) continue
    seen.add(path)
    if (state === 'none') nodes.delete(path)
    else {
      const isAgain = type === 'routine.restarted' || type === 'manager.restarted'
      const incarnation = Math.max(1, Number(event['incarnation'] ?? nodes.get(path)?.[4] ?? 1) - (isAgain ? 1 : 0))
      nodes.set(path, [path, type.startsWith('manager.') ? kindOf(path) : 'routine', state, incarnation - 1, incarnation])
    }
  }
  return [...nodes.values()]
}

/** How somebody was before the first event about it; `none` if it was not there, undefined if the event does not say. */
function stateBefore({ type, ...event }: KeptEvent): NodeState | 'none' | undefined {
  switch (type) {
    case 'routine.spawned':
    case 'manager.started':
      // A child that is started again with others begins as another routine at the same path.
      return Number(event['incarnation'] ?? 1) > 1 ? 'failed' : 'none'
    case 'routine.queued':
    case 'routine.started':
      return 'pending'
    case 'routine.completed':
    case 'routine.failed':
    case 'routine.cancelled':
    case 'routine.killed':
      return Number(event['duration']) > 0 ? 'running' : 'pending'
    case 'routine.restarted':
    case 'manager.restarted':
      return 'failed'
    case 'routine.hung':
    case 'manager.gaveUp':
      return 'running'
    case 'routine.revived':
      return 'hung'
    case 'manager.phase':
      return event['phase'] === 'closing' ? 'running' : 'stopping'
    case 'manager.stopped':
      return 'stopping'
    default:
      return undefined
  }
}
