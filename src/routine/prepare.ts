/** What is done before an incarnation may begin: its `start` option, inside the supervisor's step. */
import type { Begun } from '../../machines/supervisor.ts'
import { StartFailedError } from '../contract/errors.ts'
import { ExitRequest, exit, exitStep } from '../contract/exit-request.ts'
import type { Incarnation } from './incarnation.ts'
import type { RoutineRow } from './routine.ts'
import { EXIT, FAIL } from './routine-steps.ts'
import { ignore } from '../spec/routine-spec.ts'

/** Whoever wants to know how it went: a turn. */
export type Prepared = (row: RoutineRow, begun: Begun, whose: Incarnation) => void

/** Runs the `start` option and tells `then` how it went: at once if there is none, else when it has returned. In a turn. */
export function prepareRoutine(row: RoutineRow, then: Prepared): void {
  if (row.hasStart) row.local.stage.turn.deed(callStart, row, then)
  else then(row, 'ok', row.current)
}

/** A deed. Of one that was told to stop before its turn has come nothing is asked any more. */
function callStart(row: RoutineRow, then: Prepared): void {
  const { id, name, path, incarnation, current, input } = row
  const { turn, interceptor } = row.local.stage
  if (current.over) {
    turn.arise(answer, { row, current, then }, 'ok')
    return
  }
  const context = { id, name, path, incarnation, input, exit }
  try {
    interceptor?.start(row, context)
    if (row.spec.start?.(context) === ignore) turn.arise(ignored, { row, current, then })
    else turn.arise(answer, { row, current, then }, 'ok')
  } catch (cause) {
    if (ExitRequest.is(cause)) turn.arise(leaves, { row, current, then }, exitStep(cause.reason, path))
    else turn.arise(fails, { row, current, then }, new StartFailedError(`${path}: start threw`, { cause, path }))
  }
}

interface Start {
  readonly row: RoutineRow
  /** Whose start it was: by now it may have ended, and been replaced. */
  readonly current: Incarnation
  readonly then: Prepared
}

/** The rest of it follows the end, if that is what has come of it. */
function answer({ row, current, then }: Start, begun: Begun): void {
  then(row, begun, current)
}

function ignored(start: Start): void {
  const { row, current } = start
  if (!current.over) {
    row.own.unstarted = true
    current.step(EXIT, ignore)
  }
  row.local.stage.turn.next(answer, start, 'ignore')
}

function leaves(start: Start, [event, payload]: readonly [event: number, payload: unknown]): void {
  start.current.step(event, payload)
  start.row.local.stage.turn.next(answer, start, 'ok')
}

function fails(start: Start, error: StartFailedError): void {
  const { row, current } = start
  if (!current.over) {
    row.own.unstarted = true
    row.own.startThrew = true
    current.step(FAIL, error)
  }
  row.local.stage.turn.next(answer, start, 'error')
}
