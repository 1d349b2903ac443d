/** What an event is called: everywhere the same, on this page, in a file, and by `curtaincall explain`. */
import type { Recording } from '../../src/inspector/protocol.ts'

/** Lines of a file are numbered from its first; in a process it is the place of the event among all that there were. */
export function numberIn(recording: Pick<Recording, 'first' | 'events'> | undefined, seq: number): number {
  if (recording?.first === undefined) return seq
  return recording.first + seq - (recording.events[0]?.seq ?? seq)
}
