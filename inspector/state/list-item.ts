/** What of the tree is listed, and what there is to see of each node in the list. */
import type { NodeKind, NodeState } from '../../src/inspector/protocol.ts'

/** A node in the list. */
export interface ListItem {
  readonly slot: number
  readonly depth: number
  readonly label: string
  readonly kind: NodeKind
  readonly state: NodeState
  readonly restarts: number
  readonly incarnation: number
  readonly expandable: boolean
  readonly expanded: boolean
}

/** What a node has to have to be listed. */
export interface Filter {
  /** Text that has to be in the path. */
  readonly text: string
  /** States; all if empty. `restarted` stands for those that were restarted at least once. */
  readonly only: ReadonlySet<string>
}
