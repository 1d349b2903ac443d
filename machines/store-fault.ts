/** What SQLite's error codes mean for a store: what its user is told, and whether it may pass. */

/** How a durable store fails. */
export type StoreFaultCode =
  | 'ERR_STORE_IN_USE'
  | 'ERR_STORE_FULL'
  | 'ERR_STORE_SLOW'
  | 'ERR_STORE_LOCKED'
  | 'ERR_STORE_READ_ONLY'
  | 'ERR_STORE_FOREIGN'
  | 'ERR_STORE_DAMAGED'
  | 'ERR_STORE_NEWER'
  | 'ERR_STORE_GONE'
  | 'ERR_STORE_FAILED'
  | 'ERR_STORE_CLOSED'

/** One meaning. */
export interface StoreFaultKind {
  readonly code: StoreFaultCode
  /** True if it may be over in a while without anybody touching the store. */
  readonly passes: boolean
  /** What a person can do with. */
  readonly says: string
}

const DAMAGED: StoreFaultKind = { code: 'ERR_STORE_DAMAGED', passes: false, says: 'it is damaged' }

const BY_PRIMARY_CODE: Readonly<Record<number, StoreFaultKind>> = {
  // SQL that does not fit the schema: ours always does.
  1: DAMAGED,
  5: { code: 'ERR_STORE_LOCKED', passes: true, says: 'another program holds a lock on it' },
  6: { code: 'ERR_STORE_LOCKED', passes: true, says: 'another connection holds a lock on it' },
  8: { code: 'ERR_STORE_READ_ONLY', passes: false, says: 'it, or its folder, can only be read' },
  11: DAMAGED,
  13: { code: 'ERR_STORE_FULL', passes: true, says: 'there is no room for more' },
  14: { code: 'ERR_STORE_FAILED', passes: false, says: 'it cannot be opened' },
  26: { code: 'ERR_STORE_FOREIGN', passes: false, says: 'it is no database of SQLite' },
}

const FAILED: StoreFaultKind = { code: 'ERR_STORE_FAILED', passes: false, says: 'the platform has refused to read or write it' }

/** @param errcode SQLite's, extended or not; undefined if something else has failed. */
export function storeFault(errcode: number | undefined): StoreFaultKind {
  return (errcode === undefined ? undefined : BY_PRIMARY_CODE[errcode & 0xff]) ?? FAILED
}
