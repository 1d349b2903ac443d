/** The chain of groups: each is bound to all before it, and the first to its journal. */
import { createHash } from 'node:crypto'

/** A group as it lies in the journal: its number, that of its first entry, how many entries it has. */
export interface GroupPlace {
  readonly number: number
  readonly first: number
  readonly count: number
}

/** What the chain of a journal begins with. */
export function chainStart(journal: string, root: string): Uint8Array {
  return createHash('sha256').update(`curtaincall journal\n${journal}\n${root}`).digest()
}

/** The next link. */
export function chainLink(previous: Uint8Array, { number, first, count }: GroupPlace, body: Uint8Array): Uint8Array {
  return createHash('sha256').update(previous).update(`${number}\n${first}\n${count}\n`).update(body).digest()
}

/** True if two links are the same. */
export function sameLink(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
