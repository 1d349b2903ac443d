/** What is done before an incarnation may begin: its `start` option, inside the supervisor's step. */
import type { Begun } from '../machines/supervisor.ts'
import { StartFailedError } from './errors.ts'
import { ExitRequest, exit } from './exit-request.ts'
import type { RoutineRow } from './routine.ts'
import { EXIT, FAIL } from './routine-steps.ts'
import { ignore } from './spec/routine-spec.ts'

/** Runs the `start` option. The incarnation has ended unless it is `ok`, and may have even so. */
export function prepareRoutine(row: RoutineRow): Begun {
  const { start } = row.spec
  const { interceptor } = row.local.stage
  if (start === undefined && interceptor === undefined) return 'ok'
  const { id, name, path, incarnation, current, input } = row
  const context = { id, name, path, incarnation, input, exit }
  try {
    interceptor?.start(row, context)
    if (start?.(context) !== ignore) return 'ok'
    row.own.unstarted = true
    current.step(EXIT, ignore)
    return 'ignore'
  } catch (cause) {
    if (ExitRequest.is(cause)) {
      current.end(cause.reason)
      return 'ok'
    }
    row.own.unstarted = true
    row.own.startThrew = true
    current.step(FAIL, new StartFailedError(`${path}: start threw`, { cause, path }))
    return 'error'
  } finally {
    if (row.unstarted) row.own.unstarted = false
  }
}
