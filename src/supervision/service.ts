/** A child of a supervisor: its child spec, its state, and its present routine or manager. */
import type { RestartType } from '../../machines/restart-policy.ts'
import type { Begun, Child, ChildState } from '../../machines/supervisor.ts'
import { isStartFailure, StartFailedError } from '../contract/index.ts'
import type { Post, SupervisedRoutine } from '../routine/index.ts'
import type { ChildSpec, RoutineSpec } from '../spec/index.ts'
import type { Ward } from './lead.ts'

export class Service implements Child, Post {
  readonly id: string
  readonly spec: ChildSpec
  readonly restart: RestartType
  readonly significant: boolean
  readonly type: 'worker' | 'supervisor'
  /** What a routine of it is made by; undefined for a manager. An instance of a template may have its own input in it. */
  readonly routineSpec: RoutineSpec | undefined
  state: ChildState = 'undefined'
  alive = false
  run = 0
  /** The `run` of the start that its present incarnation, or life, belongs to. */
  begunRun = 0
  /** True from an end until the supervisor has taken its message. */
  exitWaits = false
  /** How many incarnations it has had, over all routines. */
  incarnations = 0
  routine: SupervisedRoutine | undefined
  manager: Ward | undefined
  /** The number of the event that reported its last end, and why it failed, if it did. */
  lastEnd: { readonly seq: number; readonly error: unknown } | undefined
  /** Why its last start failed. */
  startError: unknown
  /** Resumes the supervisor that waits for its end. */
  onStopped: (() => void) | undefined
  /** Resumes the supervisor that waits for its start. */
  onBegun: ((begun: Begun) => void) | undefined
  /** Resumes its start, which waits until its last end is answered. */
  onAnswered: (() => void) | undefined
  /** The timer of a delayed restart. */
  restartTimer: unknown
  /** `willRestart` of its last end; undefined before the first end and after a start. */
  toRestart: boolean | undefined
  /** True while it is being stopped in order to be started again. */
  again = false
  /** True if its last start was a restart, which is tried again if it fails. */
  retried = false
  /** True if its permit is kept for its next routine. */
  reserved = false
  /** True if the body of its last incarnation has not ended. */
  orphan = false
  /** True from the moment on that its present incarnation counts as started: its body begins, whatever comes next. */
  hasStarted = false
  /** One of many, made by a template. */
  readonly isInstance: boolean

  constructor(spec: ChildSpec, instance?: { readonly id: string; readonly input?: unknown }) {
    this.spec = spec
    this.isInstance = instance !== undefined
    this.id = instance?.id ?? spec.id
    this.restart = spec.restart
    this.significant = spec.significant
    this.type = spec.type
    if (spec.type === 'worker') {
      const own = instance !== undefined && 'input' in instance ? { ...spec.spec, input: instance.input } : spec.spec
      this.routineSpec = own
    }
  }

  /** True while the end of its present incarnation has yet to be answered. */
  get unanswered(): boolean {
    return this.manager?.unanswered ?? (this.routine?.ended === false && this.routine.unanswered)
  }

  /** The supervisor takes the message of its end. */
  exitTaken(): void {
    this.exitWaits = false
  }

  get name(): string {
    return this.spec.type === 'supervisor' ? this.id : this.spec.name
  }
}

/** The error of a supervisor whose child did not start: its path is that of the innermost one. */
export function nameStart(path: string, child: Service): StartFailedError {
  const { startError } = child
  const inner = isStartFailure(startError) ? startError : undefined
  const where = inner?.path ?? `${path}/${child.name}`
  const cause = inner === undefined || inner.path?.startsWith(`${path}/`) !== true ? startError : inner.cause
  return new StartFailedError(`${path}: the start of its child ${where} failed`, { path: where, cause })
}
