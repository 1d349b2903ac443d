/** The port through which an inspector sees what lifecycle events do not report, as long as it is attached. */
import type { Subject } from './subject.ts'

/** What a message is. */
export type MessageKind = 'send' | 'ask' | 'reply'

export interface TrafficObserver {
  /** A routine was spawned. The caller of `spawn` is still on the stack. */
  spawned(subject: Subject): void
  /** Runs the beginning of an incarnation's work. */
  run(subject: Subject, work: () => void): void
  /** The routine whose body is running now, if that is known. */
  sender(): Subject | undefined
  /**
   * Reports a message to a routine as it is sent, or its answer. What is sent to an actor XState's inspection reports, too, once it is
   * handed over.
   *
   * @param asker Of an answer: the routine that had asked.
   * @returns The routine that sent it, if that is known.
   */
  message(subject: Subject, message: unknown, kind: MessageKind, asker?: Subject): Subject | undefined
}

/** Several observers of one tree. The first that knows a sender says who it is. */
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
