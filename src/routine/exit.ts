/** OTP's reasons to exit: checked, and as steps of a lifecycle. */
import { CurtaincallError, type ExitReason, ExitRequest, isError } from '../contract/index.ts'
import { refuse, type Rule } from '../spec/index.ts'
import { DONE, EXIT, FAIL } from './routine-steps.ts'

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
