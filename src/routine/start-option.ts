/** What is done before an incarnation may begin: its `start` option, inside the supervisor's step. */
import type { Begun } from '../../machines/supervisor.ts'
import { ExitRequest, StartFailedError } from '../contract/index.ts'
import { exit, exitStep } from './exit.ts'
import type { Incarnation } from './incarnation.ts'
import type { RoutineRow } from './routine.ts'
import { EXIT, FAIL, START } from './routine-steps.ts'
import { ignore } from '../spec/index.ts'

/** Whoever wants to know how it went: a turn. */
export type Prepared = (row: RoutineRow, begun: Begun, whose: Incarnation) => void

/** True if something is called before it may begin. */
export function hasStart({ spec, tree }: RoutineRow): boolean {
  return spec.start !== undefined || tree.interceptor !== undefined
}

/** Runs the `start` option and calls `tell` with how it went: at once if there is none, else when it has returned. In a turn. */
export function prepareRoutine(row: RoutineRow, tell: Prepared): void {
  if (hasStart(row)) row.tree.turn.deed(callStart, row, tell)
  else tell(row, 'ok', row.current)
}

/** Begins the present incarnation; one that is restarted is prepared first. Of a child, its supervisor has seen to that. */
export function launchRoutine(row: RoutineRow): void {
  if (row.incarnation > 1 && row.service === undefined) prepareRoutine(row, begin)
  else row.current.step(START, undefined)
}

function begin(row: RoutineRow, begun: Begun, whose: Incarnation): void {
  if (begun === 'ok' && row.current === whose && !whose.over) whose.step(START, undefined)
}

/** A deed. Of one that was told to stop before its turn has come nothing is asked any more. */
function callStart(row: RoutineRow, tell: Prepared): void {
  row.tree.asyncContext.run(row.asyncContext, callStartThere, row, tell)
}

function callStartThere(row: RoutineRow, tell: Prepared): void {
  const { id, name, path, incarnation, current, input } = row
  const { turn, interceptor } = row.tree
  if (current.over) {
    turn.arise(answer, { row, current, tell }, 'ok')
    return
  }
  const context = { id, name, path, incarnation, input, exit }
  try {
    interceptor?.start(row, context)
    if (row.spec.start?.(context) === ignore) turn.arise(ignored, { row, current, tell })
    else turn.arise(answer, { row, current, tell }, 'ok')
  } catch (cause) {
    if (ExitRequest.is(cause)) turn.arise(leaves, { row, current, tell }, exitStep(cause.reason, path))
    else turn.arise(fails, { row, current, tell }, new StartFailedError(`${path}: start threw`, { cause, path }))
  }
}

interface Start {
  readonly row: RoutineRow
  /** Whose start it was: by now it may have ended, and been replaced. */
  readonly current: Incarnation
  readonly tell: Prepared
}

/** The rest of it follows the end, if that is what has come of it. */
function answer({ row, current, tell }: Start, begun: Begun): void {
  tell(row, begun, current)
}

function ignored(start: Start): void {
  const { row, current } = start
  if (!current.over) {
    row.ownMemory.notStarted = true
    current.step(EXIT, ignore)
  }
  row.tree.turn.next(answer, start, 'ignore')
}

function leaves(start: Start, [event, payload]: readonly [event: number, payload: unknown]): void {
  start.current.step(event, payload)
  start.row.tree.turn.next(answer, start, 'ok')
}

function fails(start: Start, error: StartFailedError): void {
  const { row, current } = start
  if (!current.over) {
    row.ownMemory.notStarted = true
    row.ownMemory.startThrew = true
    current.step(FAIL, error)
  }
  row.tree.turn.next(answer, start, 'error')
}
