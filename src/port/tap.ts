/** The port through which an inspector sees, while somebody looks, what lifecycle events do not tell. */
import type { RoutineRow } from '../routine/routine.ts'

/** What a message is. */
export type MessageKind = 'send' | 'ask' | 'reply'

export interface Tap {
  /** A routine was spawned: the caller's line is still on the stack. */
  spawned(row: RoutineRow): void
  /** Runs the beginning of an incarnation's work. */
  run(row: RoutineRow, work: () => void): void
  /** Whose body it is that runs now, as far as that is known. */
  sender(): RoutineRow | undefined
  /**
   * A message to a routine whose work is a function, as XState tells of those to actors; or the answer of any.
   *
   * @param asker who had asked, of an answer.
   * @returns who sent it, as far as that is known.
   */
  message(row: RoutineRow, message: unknown, kind: MessageKind, asker?: RoutineRow): RoutineRow | undefined
}

/** Several that look at one tree. Of what they know of a sender, the first that knows says it. */
export class Taps implements Tap {
  readonly all: readonly Tap[]

  constructor(all: readonly Tap[]) {
    this.all = all
  }

  spawned(row: RoutineRow): void {
    for (const tap of this.all) tap.spawned(row)
  }

  run(row: RoutineRow, work: () => void): void {
    const [inner, ...outer] = this.all as [Tap, ...Tap[]]
    let nested = (): void => inner.run(row, work)
    for (const tap of outer) {
      const within = nested
      nested = () => tap.run(row, within)
    }
    nested()
  }

  sender(): RoutineRow | undefined {
    for (const tap of this.all) {
      const known = tap.sender()
      if (known !== undefined) return known
    }
    return undefined
  }

  message(row: RoutineRow, message: unknown, kind: MessageKind, asker?: RoutineRow): RoutineRow | undefined {
    let sender: RoutineRow | undefined
    for (const tap of this.all) {
      const known = tap.message(row, message, kind, asker)
      sender ??= known
    }
    return sender
  }
}
