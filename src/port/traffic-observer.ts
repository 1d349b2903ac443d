/** The port through which an inspector sees, while somebody looks, what lifecycle events do not tell. */
import type { Subject } from './subject.ts'

/** What a message is. */
export type MessageKind = 'send' | 'ask' | 'reply'

export interface TrafficObserver {
  /** A routine was spawned: the caller's line is still on the stack. */
  spawned(subject: Subject): void
  /** Runs the beginning of an incarnation's work. */
  run(subject: Subject, work: () => void): void
  /** Whose body it is that runs now, as far as that is known. */
  sender(): Subject | undefined
  /**
   * A message to a routine whose work is a function, as XState tells of those to actors; or the answer of any.
   *
   * @param asker who had asked, of an answer.
   * @returns who sent it, as far as that is known.
   */
  message(subject: Subject, message: unknown, kind: MessageKind, asker?: Subject): Subject | undefined
}

/** Several that look at one tree. Of what they know of a sender, the first that knows says it. */
export class TrafficObservers implements TrafficObserver {
  readonly all: readonly TrafficObserver[]

  constructor(all: readonly TrafficObserver[]) {
    this.all = all
  }

  spawned(subject: Subject): void {
    for (const observer of this.all) observer.spawned(subject)
  }

  run(subject: Subject, work: () => void): void {
    const [inner, ...outer] = this.all as [TrafficObserver, ...TrafficObserver[]]
    let nested = (): void => inner.run(subject, work)
    for (const observer of outer) {
      const within = nested
      nested = () => observer.run(subject, within)
    }
    nested()
  }

  sender(): Subject | undefined {
    for (const observer of this.all) {
      const known = observer.sender()
      if (known !== undefined) return known
    }
    return undefined
  }

  message(subject: Subject, message: unknown, kind: MessageKind, asker?: Subject): Subject | undefined {
    let sender: Subject | undefined
    for (const observer of this.all) {
      const known = observer.message(subject, message, kind, asker)
      sender ??= known
    }
    return sender
  }
}
