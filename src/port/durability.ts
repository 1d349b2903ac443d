/**
 * The port of durability: what drives durable routines comes into a tree along with its store, so that a program without one need not have
 * any of it.
 */
import type { Outcome, WaitOptions, Work } from '../contract/index.ts'
import type { DurableStore } from './journal.ts'

/** Of a store, what `health()` tells. */
export type StoreState = 'opening' | 'open' | 'failed' | 'closed'

/** A durable spawn that nothing stands against. */
export interface Commission {
  /** A copy of what was given, as it is after a restart. */
  readonly input: unknown
  /**
   * Why there is no room in the store for one more, where at most `maxHeld` may wait for it; undefined if there is.
   *
   * @throws ManagerExistsError if a durable routine of this id lives.
   */
  refusal(id: string, maxHeld: number): string | undefined
  /** It is registered. In a turn. */
  take(routine: object): void
}

/** What keeps the durable routines of one tree. */
export interface Durability {
  readonly state: StoreState
  /** How many entries the store has acknowledged; undefined while it is being opened. */
  readonly position: number | undefined
  /** Calls the store: not in a turn. */
  open(): void
  /** Once. After all else has ended. */
  close(): Promise<void>
  /** @throws ConfigError if it can't be kept. Looks at the input: not in a turn. */
  commission(name: string, work: Work, options: object, path: string): Commission
  /** How a routine of this id has ended, once it is recorded. @throws by rejection: RoutineTimeoutError, an aborted signal's reason, the store's error. */
  outcomeOf(id: string, options: WaitOptions): Promise<Outcome | undefined>
}

/** What becomes of a store, and of what is in it. */
export interface StorePolicy {
  /** Durable work by its name. */
  readonly work: ReadonlyMap<string, Work>
  readonly storeFailure: 'fail' | 'continue'
}

/** Makes the durability of a tree, whose root is given, before its store is opened. */
export type AttachDurability = (root: object, store: DurableStore, policy: StorePolicy) => Durability

/** The key under which a store brings it along. */
export const DURABILITY: unique symbol = Symbol('curtaincall.durability')
