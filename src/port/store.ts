/**
 * The port of stores: a journal of what a tree would need to go on after its process has ended.
 *
 * J1  `append` is synchronous and queued: it returns at once, and entries are acknowledged in the order in which they were appended.
 * J2  An acknowledgement begins a turn (turn/turn.ts).
 */

/** One entry of the journal. */
export type JournalEntry =
  | { readonly type: 'spawned'; readonly path: string; readonly input: unknown }
  | { readonly type: 'message'; readonly path: string; readonly message: unknown }
  | { readonly type: 'snapshot'; readonly path: string; readonly snapshot: unknown }
  | { readonly type: 'outcome'; readonly path: string; readonly outcome: unknown }

export interface Store {
  /** Takes an entry up; `acknowledge` is called once it will outlast the process, or with the error for which it will not. */
  append(entry: JournalEntry, acknowledge: (error?: unknown) => void): void
}

/** The key of the option that takes one. */
export const STORE: unique symbol = Symbol('curtaincall.store')
