/** What differs between two values, as a person would say it: by keys, and in lists by the ids of their items, not by lines. */
import type { Difference } from './protocol.ts'

type Path = readonly (string | number)[]

/** The most differences that are listed. */
const MOST = 200

/** Differences between two values of plain JSON. */
export function differences(before: unknown, after: unknown): Difference[] {
  const found: Difference[] = []
  compare(before, after, [], found)
  return found
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function compare(before: unknown, after: unknown, at: Path, found: Difference[]): void {
  if (found.length >= MOST || Object.is(before, after)) return
  if (Array.isArray(before) && Array.isArray(after)) compareLists(before, after, at, found)
  else if (isRecord(before) && isRecord(after)) compareRecords(before, after, at, found)
  else found.push({ at, kind: 'changed', before, after })
}

function compareRecords(before: Record<string, unknown>, after: Record<string, unknown>, at: Path, found: Difference[]): void {
  for (const key of Object.keys(before))
    if (!Object.hasOwn(after, key)) add(found, { at: [...at, key], kind: 'removed', before: before[key] })
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) compare(before[key], after[key], [...at, key], found)
    else add(found, { at: [...at, key], kind: 'added', after: after[key] })
  }
}

function add(found: Difference[], difference: Difference): void {
  if (found.length < MOST) found.push(difference)
}

/** The items of a list by id, key or name, where each has one of its own: then an item that was put in front changes nothing behind it. */
function identities(list: readonly unknown[]): Map<unknown, unknown> | undefined {
  const known = new Map<unknown, unknown>()
  for (const item of list) {
    const id = isRecord(item) ? (item['id'] ?? item['key'] ?? item['name']) : item
    // An id that is an object tells no items apart.
    if (id === undefined || typeof id === 'object' || known.has(id)) return undefined
    known.set(id, item)
  }
  return known
}

function compareLists(before: readonly unknown[], after: readonly unknown[], at: Path, found: Difference[]): void {
  const [old, young] = [identities(before), identities(after)]
  if (old === undefined || young === undefined || !sameOrder(old, young)) {
    comparePlaces(before, after, at, found)
    return
  }
  for (const [index, [id, item]] of [...old].entries())
    if (!young.has(id)) add(found, { at: [...at, index], kind: 'removed', before: item })
  for (const [index, [id, item]] of [...young].entries()) {
    if (old.has(id)) compare(old.get(id), item, [...at, index], found)
    else add(found, { at: [...at, index], kind: 'added', after: item })
  }
}

/** True if the items that both have are in the same order: a queue in another order is another queue. */
function sameOrder(old: ReadonlyMap<unknown, unknown>, young: ReadonlyMap<unknown, unknown>): boolean {
  const stayed = [...young.keys()].filter((id) => old.has(id))
  return [...old.keys()].filter((id) => young.has(id)).every((id, k) => id === stayed[k])
}

/** Place by place. */
function comparePlaces(before: readonly unknown[], after: readonly unknown[], at: Path, found: Difference[]): void {
  for (let k = after.length; k < before.length; k++) add(found, { at: [...at, k], kind: 'removed', before: before[k] })
  for (const [k, item] of after.entries()) {
    if (k < before.length) compare(before[k], item, [...at, k], found)
    else add(found, { at: [...at, k], kind: 'added', after: item })
  }
}
