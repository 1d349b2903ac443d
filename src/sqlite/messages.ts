/** What the thread of the tree and the writer tell each other. */
import type { StoreFaultCode } from '../../machines/store-fault.ts'

/** When what was written is forced through to the disk: each group, after so many milliseconds at the latest, or when the system does. */
export type FsyncPolicy = 'group' | 'system' | number

/** With what a writer begins. */
export interface WriterSettings {
  readonly file: string
  readonly root: string
  readonly now: number
  readonly pid: number
  readonly fsync: FsyncPolicy
  readonly patience: number
  readonly retain: { readonly count: number; readonly age: number }
  /** Bytes; Infinity for as much as there is room. */
  readonly maxSize: number
}

/** A fault, as it crosses threads. */
export interface Fault {
  readonly code: StoreFaultCode
  /** What is wrong, without the name of the file. */
  readonly says: string
  /** What SQLite, or the platform, has said. */
  readonly because?: string | undefined
  readonly errcode?: number | undefined
}

/** A question to the store. `upTo` and `after` are numbers of entries. */
export type Question =
  | { readonly about: 'outcome'; readonly id: string }
  | { readonly about: 'presence'; readonly id: string }
  | { readonly about: 'page'; readonly after: number; readonly upTo: number; readonly size: number }

/** A routine as it is read back: `number` is that of its spawn, all else is JSON. */
export interface ReadRoutine {
  readonly number: number
  readonly id: string
  readonly at: number
  readonly spawn: string
  readonly handled: number
  readonly snapshot: string | undefined
  readonly messages: readonly { readonly number: number; readonly message: string }[]
}

/** What a question is answered with. */
export type Answer = { readonly at: number; readonly outcome: string } | undefined | boolean | readonly ReadRoutine[]

/** To the writer. */
export type ToWriter =
  | { readonly type: 'group'; readonly buffer: ArrayBuffer; readonly length: number; readonly count: number; readonly now: number }
  | { readonly type: 'ask'; readonly number: number; readonly question: Question }
  | { readonly type: 'close' }

/** What was found when a store was opened. */
export interface Found {
  /** The id of the journal. */
  readonly journal: string
  /** How many entries it has. */
  readonly records: number
  /** How often it has been opened, this time included. */
  readonly lives: number
  /** What is to be said about its end, if it may not be whole. */
  readonly warning: string | undefined
}

/** From the writer. `wrote` counts entries. */
export type FromWriter =
  | { readonly type: 'opened'; readonly found: Found }
  | { readonly type: 'wrote'; readonly count: number }
  | { readonly type: 'passing'; readonly fault: Fault }
  | { readonly type: 'fault'; readonly fault: Fault }
  | { readonly type: 'answer'; readonly number: number; readonly answer: Answer }
  | { readonly type: 'unanswered'; readonly number: number; readonly fault: Fault }
  | { readonly type: 'closed' }
