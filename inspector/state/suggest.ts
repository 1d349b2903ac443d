/** Suggests actors by a part of their name or path. */
import type { TreeTable } from './table.ts'

/**
 * Paths of actors with a text in their own name, or in their path if the text has a slash; it is in lower case. Those that begin with it
 * come first.
 */
export function pathsWith(table: Pick<TreeTable, 'labels' | 'pathOf'>, text: string, most: number): string[] {
  const isPath = text.includes('/')
  const beginning: string[] = []
  const inside: string[] = []
  for (let slot = 0; slot < table.labels.length && beginning.length < most; slot++) {
    const label = table.labels[slot] as string
    if (label === '') continue
    const name = (isPath ? table.pathOf(slot) : label).toLowerCase()
    const at = name.indexOf(text)
    if (at < 0 || (at > 0 && inside.length >= most)) continue
    ;(at === 0 ? beginning : inside).push(table.pathOf(slot))
  }
  return [...beginning, ...inside].slice(0, most)
}
