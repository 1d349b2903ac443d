/** OTP's operations on the children of a supervisor, with OTP's answers. */
import type { Call, CallError, ChildCounts, Verdict } from '../../machines/supervisor.ts'
import type { StartFailedError } from '../contract/errors.ts'
import { Branch } from '../manager/branch.ts'
import type { Manager } from '../manager/manager.ts'
import type { Routine } from '../contract/routine-handle.ts'
import { RoutineRow } from '../routine/routine.ts'
import { nameStart, Service } from './service.ts'
import { anything, check, nodeName, refuse } from '../spec/check.ts'
import { type ChildSpec, isChildSpec } from '../spec/child-spec.ts'
import type { Supervisor } from './supervisor.ts'

/** A child at work: what `routine(…)` or `manager(…)` became. */
export type LivingChild = Routine<unknown, unknown, unknown> | Manager

/** An answer of a supervisor. `cause` says why a start failed; its `path` says whose. */
export type ChildResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: CallError; readonly cause?: StartFailedError | undefined }

/** One more child of a template. */
export interface ChildInstance {
  /** @default generated */
  readonly id?: string | undefined
  /** In place of the template's own. @default the template's */
  readonly input?: unknown
}

const INSTANCE_RULES = { id: nodeName, input: anything }

/** A child as a supervisor sees it. */
export interface ChildEntry {
  readonly id: string
  readonly type: 'worker' | 'supervisor'
  /** Itself; `'restarting'` while a restart waits, undefined if it does not run. */
  readonly child: LivingChild | 'restarting' | undefined
  /** Which incarnation runs, or ran last; 0 if none has. */
  readonly incarnation: number
  readonly spec: ChildSpec
}

/** A manager as the supervisor of its `children`. What it is asked it answers in turn, when it is done with what came before. */
export abstract class Supervising extends Branch {
  /** @internal Of the present life. */ declare supervisor: Supervisor

  /**
   * Starts one more child, the last in order; under a template, one more of its instances.
   *
   * @returns The child, undefined if its `start` asked to be ignored; `already_started`, `already_present`,
   * `bad_combination`, `start_failed`, `down`.
   * @throws ConfigError if it is not what `routine` or `manager` returns, or, under a template, not an instance.
   * @example
   * const answer = await local.startChild(routine('cache', warm, { restart: 'transient' }))
   * if (!answer.ok) console.error(answer.error, answer.cause)
   */
  startChild(child: ChildSpec | ChildInstance): Promise<ChildResult<LivingChild | undefined>> {
    return this.#ask({ op: 'startChild', child: this.#serviceOf(child) }, started)
  }

  /** @internal Throws ConfigError if it cannot be a child of this level. */
  checkChild(_child: ChildSpec): void {}

  #serviceOf(child: ChildSpec | ChildInstance): Service {
    const { template } = this.spec
    if (template === undefined) {
      if (!isChildSpec(child)) throw refuse('startChild child', 'what routine() or manager() returns', child, this.path)
      this.checkChild(child)
      return new Service(child)
    }
    if (typeof child !== 'object' || child === null || isChildSpec(child))
      throw refuse('startChild instance', 'an object {id, input}, since there is a template', child, this.path)
    check('startChild instance', child, INSTANCE_RULES, this.path)
    const id = child.id ?? this.registry.generateId()
    return new Service(template, { ...child, id })
  }

  /**
   * Starts a child that does not run.
   *
   * @returns The child, undefined if its `start` asked to be ignored; `not_found`, `running`, `restarting`, `start_failed`,
   * `simple_one_for_one`, `down`.
   */
  restartChild(id: string): Promise<ChildResult<LivingChild | undefined>> {
    return this.#ask({ op: 'restartChild', id }, started)
  }

  /**
   * Stops a child and waits for it. Its specification is kept, unless it is temporary or an instance of a template.
   *
   * @returns `not_found`, also for a handle that stands for none of its present children; `simple_one_for_one` (for the id of a
   * template), `down`.
   * @throws ConfigError if it is neither an id nor a handle.
   */
  terminateChild(child: string | LivingChild): Promise<ChildResult<undefined>> {
    if (typeof child === 'string') return this.#ask({ op: 'terminateChild', id: child }, () => undefined)
    if (typeof child !== 'object' || child === null || !('service' in child))
      throw refuse('terminateChild child', 'the id of a child, or itself', child, this.path)
    const handle = child as unknown as RoutineRow | Manager
    const { service } = handle
    // An instance that has ended leaves nothing to know it by; who holds its handle knows that it was one.
    if (handle instanceof RoutineRow && handle.ended && service?.isInstance === true) return Promise.resolve({ ok: true, value: undefined })
    const above: unknown = handle instanceof RoutineRow ? handle.local : handle.up
    if (above !== this || service === undefined) return Promise.resolve({ ok: false, error: 'not_found' })
    // A handle is good for what it stands for when its turn comes, not for whoever has followed it meanwhile.
    const means = (present: Service): boolean => present === service && isOf(present, handle)
    return this.#ask({ op: 'terminateChild', id: service.id, means }, () => undefined)
  }

  /**
   * Forgets the specification of a child that does not run.
   *
   * @returns `not_found`, `running`, `restarting`, `simple_one_for_one`, `down`.
   */
  deleteChild(id: string): Promise<ChildResult<undefined>> {
    return this.#ask({ op: 'deleteChild', id }, () => undefined)
  }

  /** Its children, the latest first. */
  whichChildren(): Promise<ChildResult<ChildEntry[]>> {
    return this.#ask({ op: 'whichChildren' }, ({ children = [] }) => children.map(entryOf))
  }

  /** How many children it has: specifications, those that live, and of which kind they are. */
  countChildren(): Promise<ChildResult<ChildCounts>> {
    return this.#ask({ op: 'countChildren' }, ({ counts }) => counts as ChildCounts)
  }

  /** What the answer reads is read when it is given, not when it is received. */
  #ask<Value>(call: Call<Service>, read: (verdict: Answered) => Value): Promise<ChildResult<Value>> {
    return this.supervisor.call(call, (verdict) => this.#result(verdict, read))
  }

  #result<Value>(verdict: Verdict<Service>, read: (verdict: Answered) => Value): ChildResult<Value> {
    if (verdict.ok) return { ok: true, value: read(verdict) }
    const { error, child } = verdict
    return child === undefined ? { ok: false, error } : { ok: false, error, cause: nameStart(this.path, child) }
  }
}

type Answered = Extract<Verdict<Service>, { ok: true }>

function started({ child }: Answered): LivingChild | undefined {
  return child === undefined ? undefined : present(child)
}

function present(service: Service): LivingChild | undefined {
  return service.manager ?? (service.row as unknown as LivingChild | undefined)
}

/** True if the handle is that of who it is at present. A manager may come as the proxy that `context.local` is: what it has tells it. */
function isOf({ row, manager }: Service, handle: RoutineRow | Manager): boolean {
  return handle instanceof RoutineRow ? handle === row : handle.registry === manager?.registry
}

function entryOf(service: Service): ChildEntry {
  const { id, type, state, spec, row, manager } = service
  const child = state === 'running' ? present(service) : state === 'restarting' ? state : undefined
  return { id, type, child, incarnation: manager?.incarnation ?? row?.incarnation ?? 0, spec }
}
