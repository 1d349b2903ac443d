/** What observers and grounds see of a routine: its identity, and nothing of how it works. */
export interface Subject {
  readonly path: string
  readonly id: string
  readonly name: string
  /** Which run it is in, from 1. */
  readonly incarnation: number
  /** True if its work is actor logic. */
  readonly isActor: boolean
}
