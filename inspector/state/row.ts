/** What of the tree is shown, and what there is to see in a row of it. */
import type { NodeKind, NodeState } from '../../src/inspector/protocol.ts'

/** One shown row. */
export interface Row {
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

/** What is shown of the tree. */
export interface Filter {
  /** Has to be in the path. */
  readonly text: string
  /** States; all if empty. `restarted` stands for those that were restarted at least once. */
  readonly only: ReadonlySet<string>
}
