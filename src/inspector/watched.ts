/** What a server shows: a live tree, or recordings. */
import type { Forest } from './forest.ts'
import type { Hello, Question, Questions } from './protocol.ts'

export interface Watched {
  readonly name: string
  readonly source: Hello['source']
  /** Milliseconds of its clock. */
  readonly now: number
  readonly forest: Pick<Forest, 'isDirty' | 'take' | 'skip' | 'whole'>
  /** The listener is called when the whole tree has ended: the process may be gone before a page can ask again. */
  onEnd(listener: () => void): void
  /** The first page opens. */
  begin(): void
  /** The last page is gone. */
  end(): void
  close(): void
  /** Answers a page. Throws an error that the page is to show. */
  answer<Name extends Question>(name: Name, ask: Questions[Name]['ask']): Questions[Name]['answer']
}
