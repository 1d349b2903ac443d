/** What differs between two values, as a person would say it: by keys, by the ids of what stands in lists, not by lines. */
import type { Difference } from './protocol.ts'

type Path = readonly (string | number)[]

/** The most that is told. */
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
    if (!Object.hasOwn(after, key)) found.push({ at: [...at, key], kind: 'removed', before: before[key] })
  for (const key of Object.keys(after)) {
    if (Object.hasOwn(before, key)) compare(before[key], after[key], [...at, key], found)
    else found.push({ at: [...at, key], kind: 'added', after: after[key] })
  }
}

/** Who somebody in a list is: its id or key where all have one, so that one that was put in front changes nothing behind it. */
function identities(list: readonly unknown[]): Map<unknown, unknown> | undefined {
  const known = new Map<unknown, unknown>()
  for (const item of list) {
    const id = isRecord(item) ? (item['id'] ?? item['key'] ?? item['name']) : typeof item === 'object' ? undefined : item
    if (id === undefined || known.has(id)) return undefined
    known.set(id, item)
  }
  return known
}

function compareLists(before: readonly unknown[], after: readonly unknown[], at: Path, found: Difference[]): void {
  const [old, young] = [identities(before), identities(after)]
  if (old === undefined || young === undefined) {
    compareRecords(Object.fromEntries(before.entries()), Object.fromEntries(after.entries()), at, found)
    return
  }
  for (const [id, item] of old) if (!young.has(id)) found.push({ at: [...at, before.indexOf(item)], kind: 'removed', before: item })
  for (const [id, item] of young) {
    const index = after.indexOf(item)
    if (old.has(id)) compare(old.get(id), item, [...at, index], found)
    else found.push({ at: [...at, index], kind: 'added', after: item })
  }
}
