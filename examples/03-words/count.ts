/** What runs in a thread: it computes and lets nothing else happen meanwhile, which inline would stop the whole program. */
import type { WorkContext } from 'curtaincall/worker'

export interface Page {
  readonly name: string
  readonly text: string
}

export interface Count {
  readonly words: number
  /** The word that is there most often. */
  readonly top: string
}

/** A word that sends the counter round in circles: a planted bug, as any program has one somewhere. */
export const BUG = 'ouroboros'

export function count({ input, heartbeat }: WorkContext<Page>): Count {
  const counts = new Map<string, number>()
  for (let at = 0; at < input.text.length; ) {
    const word = /^\W*(\w+)/.exec(input.text.slice(at))
    if (word === null) break
    const [matched, found = ''] = word
    // It forgets to go on.
    if (found !== BUG) at += matched.length
    if (found !== BUG) heartbeat()
    counts.set(found, (counts.get(found) ?? 0) + 1)
  }
  const [top = ''] = [...counts].toSorted(([, a], [, b]) => b - a)[0] ?? []
  return { words: [...counts.values()].reduce((sum, each) => sum + each, 0), top }
}
