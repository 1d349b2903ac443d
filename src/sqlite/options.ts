/** What a store of this kind can be told. */
import { check, limit, positiveDuration, positiveOrInfinity, refuse, type Rule } from '../spec/index.ts'
import type { FsyncPolicy } from './messages.ts'

/** Which outcomes are kept. */
export interface RetainOptions {
  /** So many, the latest. @default 100_000 */
  readonly count?: number | undefined
  /** For so many milliseconds, by the clock of the tree. @default 604_800_000, a week */
  readonly age?: number | undefined
}

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * When what was written is forced through to the disk. Whatever it is, nothing acknowledged is lost when the process is killed, and what
   * is read back is a prefix of what was written. What is lost when the machine loses power, or its kernel fails:
   *
   * - `'group'`: nothing that was acknowledged. Each group of entries waits for the disk, some 0.3 to 10 ms.
   * - a number of milliseconds: at most what was acknowledged in so many milliseconds before.
   * - `'system'`: what the system has not written by itself yet, on Linux that of some 30 seconds.
   *
   * @default 'group'
   */
  readonly fsync?: FsyncPolicy | undefined
  /**
   * So many milliseconds a full, locked or slow disk is waited for, until the store fails.
   *
   * @default 10_000
   */
  readonly patience?: number | undefined
  /** Above so many bytes that wait for the disk it is full (J5): the tree takes nothing durable up. @default 16_777_216 */
  readonly maxWaiting?: number | undefined
  /** Above so many bytes of the database the store is out of room. @default Infinity */
  readonly maxSize?: number | undefined
  /** Which outcomes are kept. */
  readonly retain?: RetainOptions | undefined
}

/** The same, completed. */
export interface StoreSettings {
  readonly file: string
  readonly fsync: FsyncPolicy
  readonly patience: number
  readonly maxWaiting: number
  readonly maxSize: number
  readonly retain: { readonly count: number; readonly age: number }
}

const WEEK = 7 * 24 * 60 * 60 * 1_000

const isAbove = (value: unknown, least: number): boolean => typeof value === 'number' && value >= least

const bytesOrInfinity: Rule = { range: 'a number of bytes, at least 65_536, or Infinity', accepts: (value) => isAbove(value, 65_536) }

const RULES = {
  fsync: {
    range: `'group' or 'system' or ${positiveDuration.range}`,
    accepts: (value) => value === 'group' || value === 'system' || positiveDuration.accepts(value),
  },
  patience: positiveDuration,
  maxWaiting: { range: 'a number of bytes, at least 1', accepts: (value) => isAbove(value, 1) },
  maxSize: bytesOrInfinity,
  retain: { range: 'an object with any of count, age', accepts: (value) => typeof value === 'object' && value !== null },
} satisfies Record<keyof SqliteStoreOptions, Rule>

const RETAIN_RULES = { count: limit, age: positiveOrInfinity } satisfies Record<keyof RetainOptions, Rule>

/** @throws ConfigError for what is wrong with them. */
export function readOptions(file: unknown, options: SqliteStoreOptions): StoreSettings {
  if (typeof file !== 'string' || file.length === 0 || file.startsWith(':') || file.startsWith('file:') || file.includes('\0'))
    throw refuse('the file of sqliteStore', 'the path of a file', file)
  check('sqliteStore', options, RULES)
  const { fsync = 'group', patience = 10_000, maxWaiting = 16 * 1_024 * 1_024, maxSize = Infinity, retain = {} } = options
  check('retain', retain, RETAIN_RULES)
  const { count = 100_000, age = WEEK } = retain
  return { file, fsync, patience, maxWaiting, maxSize, retain: { count, age } }
}
