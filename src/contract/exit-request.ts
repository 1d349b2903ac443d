/** How a body leaves by its own choice. */
import type { ExitReason } from './exit-reason.ts'

/** Thrown by `exit`, never seen by anybody but the supervisor. */
export class ExitRequest {
  readonly #reason: ExitReason

  constructor(reason: ExitReason) {
    this.#reason = reason
  }

  get reason(): ExitReason {
    return this.#reason
  }

  /** Whatever was thrown may be asked: unlike `instanceof`, this looks at no prototype, which a proxy may refuse to show. */
  static is(thrown: unknown): thrown is ExitRequest {
    return typeof thrown === 'object' && thrown !== null && #reason in thrown
  }
}
