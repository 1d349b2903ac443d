/** Finds and counts the messages of actors, in a living tree and in a recording alike. They are given in the order in which they came. */
import type { ActorView, MessageLine } from './protocol.ts'

/** The latest of the first `size` that went to or came from one of these, in order. */
export function messagesOf(
  paths: readonly string[],
  limit: number,
  size: number,
  messageAt: (index: number) => MessageLine,
): MessageLine[] {
  const wanted = new Set(paths)
  const found: MessageLine[] = []
  for (let k = size - 1; k >= 0 && found.length < limit; k--) {
    const message = messageAt(k)
    if (wanted.has(message.from) || wanted.has(message.to)) found.push(message)
  }
  return found.reverse()
}

/** How many of the first `size` came in and went out. */
export function countsOf(path: string, size: number, messageAt: (index: number) => MessageLine): ActorView['messages'] {
  const counts = { in: 0, out: 0 }
  for (let k = 0; k < size; k++) {
    const { from, to } = messageAt(k)
    if (to === path) counts.in++
    if (from === path) counts.out++
  }
  return counts
}
