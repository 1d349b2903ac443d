/** The `start` option, which runs before an incarnation may begin, inside the supervisor's step. */
import type { Begun } from '../../machines/supervisor.ts'
import { ExitRequest, StartFailedError } from '../contract/index.ts'
import { exit, exitStep } from './exit.ts'
import type { Incarnation } from './incarnation.ts'
import type { SupervisedRoutine } from './supervised-routine.ts'
import { EXIT, FAIL, START } from './routine-steps.ts'
import { ignore, type StartContext } from '../spec/index.ts'
import { stopAfterStart } from './stopping.ts'

/** Is called with the result of a `start`. A turn. */
export type Prepared = (routine: SupervisedRoutine, begun: Begun, whose: Incarnation) => void

/** True if something is called before it may begin. */
export function hasStart({ spec, tree }: SupervisedRoutine): boolean {
  return spec.start !== undefined || tree.interceptor !== undefined
}

/** Runs the `start` option and calls `tell` with how it went: at once if there is none, else when it has returned. In a turn. */
export function prepareRoutine(routine: SupervisedRoutine, tell: Prepared): void {
  if (hasStart(routine)) routine.tree.turn.deed(callStart, routine, tell)
  else tell(routine, 'ok', routine.current)
}

/** Begins the present incarnation. The `start` of a restarted one runs first; that of a child was run by its supervisor. */
export function launchRoutine(routine: SupervisedRoutine): void {
  const { local, service } = routine
  // Once its manager closes, nothing begins but what counts as started.
  if (local.closed && !local.registry.admits && service?.hasStarted !== true) return
  if (routine.incarnation > 1 && routine.service === undefined) prepareRoutine(routine, begin)
  else routine.current.step(START, undefined)
}

function begin(routine: SupervisedRoutine, begun: Begun, whose: Incarnation): void {
  if (begun === 'ok' && routine.current === whose && !whose.over) whose.step(START, undefined)
}

/** A deed. The `start` of a routine that has been stopped meanwhile is not called. */
function callStart(routine: SupervisedRoutine, tell: Prepared): void {
  routine.tree.asyncContext.run(routine.asyncContext, callStartThere, routine, tell)
}

function callStartThere(routine: SupervisedRoutine, tell: Prepared): void {
  const { current } = routine
  const { turn, interceptor } = routine.tree
  if (current.over) {
    turn.arise(answer, { routine, current, tell }, 'ok')
    return
  }
  const context = new StartingRoutine(routine)
  if (routine.spec.start !== undefined) routine.ownMemory.start = 'runs'
  try {
    interceptor?.start(routine, context)
    if (routine.spec.start?.(context) === ignore) turn.arise(ignored, { routine, current, tell })
    else turn.arise(returned, { routine, current, tell })
  } catch (cause) {
    if (ExitRequest.is(cause)) turn.arise(leaves, { routine, current, tell }, exitStep(cause.reason, routine.path))
    else turn.arise(fails, { routine, current, tell }, startFailed(routine.path, cause))
  }
}

function startFailed(path: string, cause: unknown): StartFailedError {
  return new StartFailedError(`${path}: start threw`, { cause, path })
}

/** What a `start` gets. An id is made when it is first read: that takes as long as all the rest of a start. */
class StartingRoutine implements StartContext {
  readonly incarnation: number
  readonly exit = exit
  readonly #routine: SupervisedRoutine

  constructor(routine: SupervisedRoutine) {
    this.incarnation = routine.incarnation
    this.#routine = routine
  }

  get id(): string {
    return this.#routine.id
  }

  get name(): string {
    return this.#routine.name
  }

  get path(): string {
    return this.#routine.path
  }

  get input(): unknown {
    return this.#routine.input
  }
}

interface Start {
  readonly routine: SupervisedRoutine
  /** The incarnation that was to start: by now it may have ended, and been replaced. */
  readonly current: Incarnation
  readonly tell: Prepared
}

/** Reports the result; after the end of the incarnation, if `start` has ended it. */
function answer({ routine, current, tell }: Start, begun: Begun): void {
  tell(routine, begun, current)
}

/** It has returned. Stops that came meanwhile follow. */
function returned(start: Start): void {
  const { routine } = start
  if (routine.memory.start === 'runs') routine.ownMemory.start = 'returned'
  answer(start, 'ok')
  stopAfterStart(routine)
}

function ignored(start: Start): void {
  const { routine, current } = start
  routine.ownMemory.start = 'none'
  if (!current.over) {
    routine.ownMemory.notStarted = true
    current.step(EXIT, ignore)
  }
  routine.tree.turn.next(answer, start, 'ignore')
}

function leaves(start: Start, [event, payload]: readonly [event: number, payload: unknown]): void {
  start.routine.ownMemory.start = 'none'
  start.current.step(event, payload)
  start.routine.tree.turn.next(answer, start, 'ok')
}

function fails(start: Start, error: StartFailedError): void {
  const { routine, current } = start
  routine.ownMemory.start = 'none'
  if (!current.over) {
    routine.ownMemory.notStarted = true
    routine.ownMemory.startThrew = true
    if (routine.memory.heldStop === undefined) current.step(FAIL, error)
    else {
      // As of a body that throws when it is told to stop.
      current.stray ??= { error }
      stopAfterStart(routine)
    }
  }
  routine.tree.turn.next(answer, start, 'error')
}
