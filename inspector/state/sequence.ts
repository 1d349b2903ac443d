/**
 * Which actors have a lifeline in a sequence of messages, and between which of them each message goes.
 *
 * S1  Each chosen actor has a lifeline; others get one in the order in which they are met, while there is room, and keep it.
 * S2  Those that have none share the one for others, so that no message is left out.
 */
import { type MessageLine, UNKNOWN_SENDER } from '../../src/inspector/protocol.ts'

/** Lifelines beside the chosen ones', at most. */
export const PARTNERS = 8
/** The lifeline of what is outside the tree. */
export const OUTSIDE = ''
/** The lifeline of those of whom it is not known who they are. */
export const UNKNOWN = UNKNOWN_SENDER
/** The lifeline of all that have none; no path begins so. */
export const OTHERS = '…'

/** Lifelines that are nobody's. */
export const SIGNS: ReadonlySet<string> = new Set([OUTSIDE, UNKNOWN, OTHERS])

/** Lifelines from left to right; `before` are those that were shown. */
export function columnsOf(chosen: readonly string[], lines: readonly MessageLine[], before: readonly string[] = []): string[] {
  const met = new Set<string>()
  const nobody = new Set<string>(before.filter((path) => path === OUTSIDE || path === UNKNOWN))
  for (const { from, to } of lines) {
    for (const end of [from, to]) {
      if (end === OUTSIDE || end === UNKNOWN) nobody.add(end)
      else if (!chosen.includes(end)) met.add(end)
    }
  }
  const kept = before.filter((path) => !SIGNS.has(path) && !chosen.includes(path) && met.has(path))
  const partners = [...new Set([...kept, ...met])]
  const shown = partners.length <= PARTNERS ? partners : partners.slice(0, PARTNERS - 1)
  return [
    ...[OUTSIDE, UNKNOWN].filter((sign) => nobody.has(sign)),
    ...new Set(chosen),
    ...shown,
    ...(shown.length < partners.length ? [OTHERS] : []),
  ]
}

/** Between which lifelines a message goes, by number. */
export function endsOf({ from, to }: MessageLine, columns: readonly string[]): readonly [from: number, to: number] {
  const place = (path: string): number => {
    const index = columns.indexOf(path)
    return index >= 0 ? index : columns.indexOf(OTHERS)
  }
  return [place(from), place(to)]
}

/** Names that tell the lifelines apart: as much of each path's end as it takes. */
export function namesOf(paths: readonly string[]): string[] {
  return paths.map((path) => {
    if (path === OUTSIDE) return 'outside'
    if (path === UNKNOWN) return 'not known'
    if (path === OTHERS) return 'others'
    const parts = path.split('/')
    const isTaken = (name: string): boolean => paths.some((other) => other !== path && (other === name || other.endsWith(`/${name}`)))
    let name = parts.pop() as string
    while (parts.length > 0 && isTaken(name)) name = `${parts.pop()}/${name}`
    return name
  })
}
