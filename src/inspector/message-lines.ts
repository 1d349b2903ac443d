/** Which messages are whose, of those of a living tree and those of a recording alike. They stand in the order in which they came. */
import type { ActorView, MessageLine } from './protocol.ts'

/** The latest of the first `size` that went to or came from one of these, in order. */
export function messagesOf(paths: readonly string[], limit: number, size: number, lineAt: (index: number) => MessageLine): MessageLine[] {
  const wanted = new Set(paths)
  const lines: MessageLine[] = []
  for (let k = size - 1; k >= 0 && lines.length < limit; k--) {
    const line = lineAt(k)
    if (wanted.has(line.from) || wanted.has(line.to)) lines.push(line)
  }
  return lines.reverse()
}

/** How many of the first `size` came in and went out. */
export function countsOf(path: string, size: number, lineAt: (index: number) => MessageLine): ActorView['messages'] {
  const counts = { in: 0, out: 0 }
  for (let k = 0; k < size; k++) {
    const { from, to } = lineAt(k)
    if (to === path) counts.in++
    if (from === path) counts.out++
  }
  return counts
}
