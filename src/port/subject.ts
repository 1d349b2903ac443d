/** A routine, to those who look on or carry its body: who it is, and nothing of how it is done. */
export interface Subject {
  readonly path: string
  readonly id: string
  readonly name: string
  /** Which run it is in, from 1. */
  readonly incarnation: number
  /** True if its work is actor logic. */
  readonly isActor: boolean
}
