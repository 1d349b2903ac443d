/** OTP's operations on the children of a supervisor, with OTP's answers. */
import type { Call, CallError, ChildCounts, Verdict } from '../../machines/supervisor.ts'
import type { AnyRoutine, StartFailedError } from '../contract/index.ts'
import { SupervisedRoutine } from '../routine/index.ts'
import { anything, check, type ChildSpec, isChildSpec, type ManagerSpec, nodeName, refuse } from '../spec/index.ts'
import { broughtBy } from './brought.ts'
import type { Ward } from './lead.ts'
import type { RoutineRegistry } from './routine-registry.ts'
import { nameStart, type Service } from './service.ts'
import type { Supervisor } from './supervisor.ts'

/** A running child: what was made of `routine(…)` or `manager(…)`. */
export type LivingChildOf<M> = AnyRoutine | M

/** An answer of a supervisor. `cause` says why a start failed; its `path` says whose. */
export type ChildResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: CallError; readonly cause?: StartFailedError | undefined }

/** One more child of a template. What its input is, who knows the template says; see `startChild`. */
export interface ChildInstance<Input = unknown> {
  /** @default generated */
  readonly id?: string | undefined
  /** In place of the template's own. @default the template's */
  readonly input?: Input
}

const INSTANCE_RULES = { id: nodeName, input: anything }

/** A child as a supervisor sees it. */
export interface ChildEntryOf<M> {
  readonly id: string
  readonly type: 'worker' | 'supervisor'
  /** The child itself; `'restarting'` while a restart waits, undefined if it does not run. */
  readonly child: AnyRoutine | M | 'restarting' | undefined
  /** Which incarnation runs, or ran last; 0 if none has. */
  readonly incarnation: number
  readonly spec: ChildSpec
}

/** A manager whose supervisor is called. */
export interface CalledManager {
  readonly path: string
  readonly spec: ManagerSpec
  readonly registry: RoutineRegistry
  /** Of the present life. */
  readonly supervisor: Supervisor
  /** Throws ConfigError if it cannot be a child of this level. */
  checkChild(child: ChildSpec): void
}

/** A manager that is a child, as users hold it; or the proxy of it that `context.local` is. */
interface ManagerHandle {
  readonly service: Service | undefined
  readonly life: Ward & { readonly up: { readonly host: unknown } | undefined }
}

/** The operations of one manager's supervisor, which answers them in order, after the messages that came before. */
export class ChildCalls<M> {
  readonly #manager: CalledManager

  constructor(manager: CalledManager) {
    this.#manager = manager
  }

  startChild(child: ChildSpec | ChildInstance): Promise<ChildResult<LivingChildOf<M> | undefined>> {
    return this.#ask({ op: 'startChild', child: this.#serviceOf(child) }, (verdict) => this.#started(verdict))
  }

  #serviceOf(child: ChildSpec | ChildInstance): Service {
    const { spec, path, registry } = this.#manager
    const { template } = spec
    if (template === undefined) {
      if (!isChildSpec(child)) throw refuse('startChild child', 'what routine() or manager() returns', child, path)
      this.#manager.checkChild(child)
      return broughtBy(child).child(child)
    }
    if (typeof child !== 'object' || child === null || isChildSpec(child))
      throw refuse('startChild instance', 'an object {id, input}, since there is a template', child, path)
    check('startChild instance', child, INSTANCE_RULES, path)
    return broughtBy(template).child(template, { ...child, id: child.id ?? registry.generateId() })
  }

  restartChild(id: string): Promise<ChildResult<LivingChildOf<M> | undefined>> {
    return this.#ask({ op: 'restartChild', id }, (verdict) => this.#started(verdict))
  }

  terminateChild(child: string | LivingChildOf<M>): Promise<ChildResult<undefined>> {
    if (typeof child === 'string') return this.#ask({ op: 'terminateChild', id: child }, () => undefined)
    if (typeof child !== 'object' || child === null || !('service' in child))
      throw refuse('terminateChild child', 'the id of a child, or itself', child, this.#manager.path)
    const handle = child as unknown as SupervisedRoutine | ManagerHandle
    const service = handle.service as Service | undefined
    // The supervisor forgets an instance that has ended; its handle still shows that it was one.
    if (handle instanceof SupervisedRoutine && handle.ended && service?.isInstance === true)
      return Promise.resolve({ ok: true, value: undefined })
    const parent: unknown = handle instanceof SupervisedRoutine ? handle.local : handle.life.up?.host
    if (parent !== this.#manager || service === undefined) return Promise.resolve({ ok: false, error: 'not_found' })
    // When the call is handled, the handle has to stand for the present child, not for one that has been replaced.
    const means = (present: Service): boolean => present === service && isOf(present, handle)
    return this.#ask({ op: 'terminateChild', id: service.id, means }, () => undefined)
  }

  deleteChild(id: string): Promise<ChildResult<undefined>> {
    return this.#ask({ op: 'deleteChild', id }, () => undefined)
  }

  whichChildren(): Promise<ChildResult<ChildEntryOf<M>[]>> {
    return this.#ask({ op: 'whichChildren' }, ({ children = [] }) => children.map((child) => this.#entry(child)))
  }

  countChildren(): Promise<ChildResult<ChildCounts>> {
    return this.#ask({ op: 'countChildren' }, ({ counts }) => counts as ChildCounts)
  }

  /** `read` is called when the supervisor answers, not when the promise is awaited. */
  #ask<Value>(call: Call<Service>, read: (verdict: Accepted) => Value): Promise<ChildResult<Value>> {
    return this.#manager.supervisor.call(call, (verdict) => this.#result(verdict, read))
  }

  #result<Value>(verdict: Verdict<Service>, read: (verdict: Accepted) => Value): ChildResult<Value> {
    if (verdict.ok) return { ok: true, value: read(verdict) }
    const { error, child } = verdict
    return child === undefined ? { ok: false, error } : { ok: false, error, cause: nameStart(this.#manager.path, child) }
  }

  #started({ child }: Accepted): LivingChildOf<M> | undefined {
    return child === undefined ? undefined : this.#present(child)
  }

  #present(service: Service): LivingChildOf<M> | undefined {
    return (service.manager?.host ?? service.routine) as LivingChildOf<M> | undefined
  }

  #entry(service: Service): ChildEntryOf<M> {
    const { id, type, state, spec, routine, manager } = service
    const child = state === 'running' ? this.#present(service) : state === 'restarting' ? state : undefined
    return { id, type, child, incarnation: manager?.incarnation ?? routine?.incarnation ?? 0, spec }
  }
}

type Accepted = Extract<Verdict<Service>, { ok: true }>

/** True if the handle is that of the present routine or manager. */
function isOf({ routine, manager }: Service, handle: SupervisedRoutine | ManagerHandle): boolean {
  return handle instanceof SupervisedRoutine ? handle === routine : handle.life === manager
}
