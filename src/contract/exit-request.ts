/** How a body leaves by its own choice. */
import { CurtaincallError } from './errors.ts'
import { DONE, EXIT, FAIL } from '../routine/routine-steps.ts'
import { refuse, type Rule } from '../spec/check.ts'
import type { ExitReason } from '../spec/routine-spec.ts'

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

/** Also one of another realm, and one that calls itself otherwise. A proxy may refuse to be looked at. */
function isError(value: object): boolean {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
  } catch {
    return false
  }
}

const exitReason: Rule = {
  range: "'normal', 'shutdown', 'killed', an object {shutdown} or an Error",
  accepts: (value) =>
    value === 'normal' ||
    value === 'shutdown' ||
    value === 'killed' ||
    (typeof value === 'object' && value !== null && (isError(value) || 'shutdown' in value)),
}

/** Throws ConfigError unless it is a reason that OTP knows. */
export function checkExitReason(reason: ExitReason, path?: string): void {
  if (!exitReason.accepts(reason)) throw refuse('exit reason', exitReason.range, reason, path)
}

/** The step of its lifecycle that an OTP reason is. Looks at the reason. */
export function exitStep(reason: ExitReason, path: string): readonly [event: number, payload: unknown] {
  if (reason === 'normal') return [DONE, undefined]
  if (reason === 'killed') return [FAIL, new CurtaincallError('ERR_FAILED', `${path} exited as killed`, { path })]
  return reason === 'shutdown' || 'shutdown' in reason ? [EXIT, reason] : [FAIL, reason]
}

/** Ends the incarnation that it is called in. A reason that there is not ends it as failed, with a ConfigError. */
export function exit(reason: ExitReason): never {
  checkExitReason(reason)
  throw new ExitRequest(reason)
}
