/**
 * The port of durable stores: a journal of what a tree needs to go on after its process has ended.
 *
 * J1  `append` is synchronous and queued: it returns at once, never throws, never waits for the disk, and calls nobody, since it is called
 *     in a turn (turn/turn.ts). Entries are acknowledged in the order in which they were appended, each once, and never before `append` has
 *     returned: with nothing, or with the error for which it will not last.
 * J2  Questions, `unfinished` and `close` are asked between turns. What comes of an acknowledgement, of an answer, and of `failed` is a turn.
 * J3  What a later `open` reads back is a prefix of what was appended, and holds at least all that was acknowledged.
 * J4  What an entry changes is told by machines/journal.ts: of a routine the first spawn and the first outcome count, and what names none
 *     that lives changes nothing. Such an entry is acknowledged all the same.
 * J5  `isFull` is true while more waits for the disk than the store may hold; `whenRoom` calls back, once, when that is over, at once if it
 *     is over already, and also if it never will be since the store has failed. It is for the tree to take nothing durable up meanwhile;
 *     what it appends all the same is kept.
 * J6  Once a store cannot go on it says so by `failed`, once; all that waits and all that is appended later is refused with that error, and
 *     so are questions. After `close` the same holds, with ERR_STORE_CLOSED, and `failed` is not called.
 * J7  A question is answered from all that was appended before it was asked.
 * J8  While something waits for the disk, the process is kept alive; an idle store keeps none.
 */
import type { AttachDurability, DURABILITY } from './durability.ts'

/** A delayed event of a routine's machine that is under way: `due` in milliseconds since 1970 of the tree's clock. */
export interface StoredDelay {
  readonly source: string
  readonly target: string
  readonly id: string
  readonly event: unknown
  readonly due: number
}

/** What is written down of a spawn. */
interface StoredSpawn {
  readonly id: string
  readonly path: string
  readonly at: number
  /** The name under which its work is registered. */
  readonly work: string
  readonly input: unknown
  /** Those options of its spawn that can be written down. */
  readonly options: unknown
}

/** One entry of the journal. All values are JSON: who appends has made sure of it. */
export type StoredEntry =
  | ({ readonly type: 'spawned' } & StoredSpawn)
  /** A message that was accepted; `number` counts those of this routine, from 1. */
  | { readonly type: 'message'; readonly id: string; readonly number: number; readonly message: unknown }
  /** Its body is done with all messages up to this number. */
  | { readonly type: 'handled'; readonly id: string; readonly number: number }
  /** The state of its machine after it has handled all messages up to `number`; 0 before the first. */
  | {
      readonly type: 'snapshot'
      readonly id: string
      readonly number: number
      readonly snapshot: unknown
      readonly delays: readonly StoredDelay[]
    }
  | { readonly type: 'outcome'; readonly id: string; readonly at: number; readonly outcome: unknown }

/** What is left of a routine that has no outcome yet: where it goes on. */
export interface StoredRoutine extends StoredSpawn {
  /** Undefined if none was taken. */
  readonly snapshot: unknown
  readonly delays: readonly StoredDelay[]
  /** Up to which number its messages were handled: those accepted later are counted from there, or from the last of `messages`. */
  readonly handled: number
  /** Accepted and not handled, in order. */
  readonly messages: readonly { readonly number: number; readonly message: unknown }[]
}

/** What was recorded of an end. An outcome can itself be any JSON, so that its absence is that of this. */
export interface StoredOutcome {
  readonly at: number
  readonly outcome: unknown
}

/** An opened store. */
export interface Journal {
  append(entry: StoredEntry, acknowledge: (error?: unknown) => void): void
  readonly isFull: boolean
  /** How many entries it has acknowledged since it was made; right after it was opened, how many were read back. */
  readonly position: number
  whenRoom(callback: () => void): void
  /** Those without an outcome, in order of their spawn, in pages: the first is there before the last has been read. */
  unfinished(): AsyncIterable<readonly StoredRoutine[]>
  /** The outcome that was recorded; undefined where there is none, or it is retained no more. */
  outcomeOf(id: string): Promise<StoredOutcome | undefined>
  /** True if this id was spawned, and has no outcome or one that is retained. */
  has(id: string): Promise<boolean>
  /** Writes what waits, and lets go of everything. A second call is told of the first one's end. */
  close(): Promise<void>
}

/** What a store asks of the tree that it is opened for. */
export interface StoreHost {
  /** The name of the root: a journal belongs to one. */
  readonly name: string
  /** Milliseconds of the tree's clock. */
  now(): number
  /** J6. */
  failed(error: unknown): void
  log(level: 'info' | 'warn' | 'error', message: string, details?: Record<string, unknown>): void
}

/** Where a tree keeps what is to outlast its process. One of your own is given to a tree by `durableStore(store)`. */
export interface DurableStore {
  /** @internal What drives durable routines: `durableStore` adds it. */
  readonly [DURABILITY]?: AttachDurability
  /**
   * Opens it, for one tree at a time.
   *
   * @throws CurtaincallError, by rejection, whose code begins with ERR_STORE: in use, damaged, newer, foreign, read-only, full …
   */
  open(host: StoreHost): Promise<Journal>
}
