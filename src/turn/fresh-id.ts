/**
 * Ids of routines that are given none, of the platform's chance. nanoid makes them in the same way; to find and load a package for it
 * was a tenth of the import of this library.
 */

/** May stand in a path and in an address, and there are as many as six bits can say. */
const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Characters of an id: 48 bits. Each id is checked against the living ones. */
const LENGTH = 8

/** The most ids that are made ahead. To ask the platform for each takes a microsecond and a half. */
const MOST = 4_096

let pool = ''
let taken = 0
/** Ids to be made ahead next: few are asked for one. */
let ahead = 1

/** An id of eight characters. */
export function freshId(): string {
  if (taken === pool.length) refill()
  taken += LENGTH
  return pool.slice(taken - LENGTH, taken)
}

function refill(): void {
  const codes = new TextEncoder().encode(CHARACTERS)
  const bytes = crypto.getRandomValues(new Uint8Array(ahead * LENGTH))
  for (let i = 0; i < bytes.length; i++) bytes[i] = codes[(bytes[i] as number) & 63] as number
  pool = new TextDecoder().decode(bytes)
  taken = 0
  ahead = Math.min(ahead * 16, MOST)
}
