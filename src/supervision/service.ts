/** A child of a supervisor: its child spec, its state, and its present routine or manager. */
import type { RestartType } from '../../machines/restart-policy.ts'
import type { Begun, Child, ChildState } from '../../machines/supervisor.ts'
import { isStartFailure, StartFailedError } from '../contract/index.ts'
import type { Post, SupervisedRoutine } from '../routine/index.ts'
import type { ChildSpec, RoutineSpec } from '../spec/index.ts'
import type { Ward } from './lead.ts'

const ALIVE = 1
const EXIT_WAITS = 1 << 1
const AGAIN = 1 << 2
const RETRIED = 1 << 3
const RESERVED = 1 << 4
const ORPHAN = 1 << 5
const HAS_STARTED = 1 << 6

export class Service implements Child, Post {
  readonly id: string
  readonly spec: ChildSpec
  /** What a routine of it is made by; undefined for a manager. An instance of a template may have its own input in it. */
  readonly routineSpec: RoutineSpec | undefined
  state: ChildState = 'undefined'
  run = 0
  /** The `run` of the start that its present incarnation, or life, belongs to. */
  begunRun = 0
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
  /** What it is besides, in one number instead of seven fields: there may be as many children as routines. */
  #flags = 0
  /** One of many, made by a template. */
  readonly isInstance: boolean

  constructor(spec: ChildSpec, instance?: { readonly id: string; readonly input?: unknown }) {
    this.spec = spec
    this.isInstance = instance !== undefined
    this.id = instance?.id ?? spec.id
    if (spec.type === 'worker') {
      const own = instance !== undefined && 'input' in instance ? { ...spec.spec, input: instance.input } : spec.spec
      this.routineSpec = own
    }
  }

  get restart(): RestartType {
    return this.spec.restart
  }

  get significant(): boolean {
    return this.spec.significant
  }

  get type(): 'worker' | 'supervisor' {
    return this.spec.type
  }

  /** False from its end on, handled or not. */
  get alive(): boolean {
    return this.#is(ALIVE)
  }

  set alive(is: boolean) {
    this.#set(ALIVE, is)
  }

  /** True from an end until the supervisor has taken its message. */
  get exitWaits(): boolean {
    return this.#is(EXIT_WAITS)
  }

  set exitWaits(is: boolean) {
    this.#set(EXIT_WAITS, is)
  }

  /** True while it is being stopped in order to be started again. */
  get again(): boolean {
    return this.#is(AGAIN)
  }

  set again(is: boolean) {
    this.#set(AGAIN, is)
  }

  /** True if its last start was a restart, which is tried again if it fails. */
  get retried(): boolean {
    return this.#is(RETRIED)
  }

  set retried(is: boolean) {
    this.#set(RETRIED, is)
  }

  /** True if its permit is kept for its next routine. */
  get reserved(): boolean {
    return this.#is(RESERVED)
  }

  set reserved(is: boolean) {
    this.#set(RESERVED, is)
  }

  /** True if the body of its last incarnation has not ended. */
  get orphan(): boolean {
    return this.#is(ORPHAN)
  }

  set orphan(is: boolean) {
    this.#set(ORPHAN, is)
  }

  /** True from the moment on that its present incarnation counts as started: its body begins, whatever comes next. */
  get hasStarted(): boolean {
    return this.#is(HAS_STARTED)
  }

  set hasStarted(is: boolean) {
    this.#set(HAS_STARTED, is)
  }

  #is(flag: number): boolean {
    return (this.#flags & flag) !== 0
  }

  #set(flag: number, is: boolean): void {
    this.#flags = is ? this.#flags | flag : this.#flags & ~flag
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
