/** How a body leaves by its own choice. */
import type { ExitReason } from './spec/routine-spec.ts'

/** Thrown by `exit`, never seen by anybody but the supervisor. */
export class ExitRequest {
  readonly reason: ExitReason
  constructor(reason: ExitReason) {
    this.reason = reason
  }
}

/** Ends the incarnation that it is called in. */
export function exit(reason: ExitReason): never {
  throw new ExitRequest(reason)
}
