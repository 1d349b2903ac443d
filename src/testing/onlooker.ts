/** Stands between a tree and its work: puts faults in, sees what bodies see, and writes everything down. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { AnyBody } from '../contract/index.ts'
import type { Interceptor } from '../port/index.ts'
import { isThenable } from '../turn/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { isActorLogic, refuse, type StartContext } from '../spec/index.ts'
import type { Fault } from './faults.ts'
import { hearFreeStep } from './free-step.ts'
import type { RoutineFacts, Run } from './law.ts'
import { owned } from './owners.ts'
import type { Recorder } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

type Excess = Run['excess'][number]

export class Onlooker implements Interceptor {
  readonly managers = new Map<string, Manager['spec']>()
  readonly routines = new Map<string, RoutineFacts>()
  readonly excess: Excess[] = []
  /** Names of routines that came to be. */
  readonly names = new Set<string>()
  /** What makes the simulation itself impossible. */
  problem: Error | undefined
  /** Known as soon as it is made; what happens before is what its making does. */
  global: GlobalManager | undefined
  readonly #recorder: Recorder
  readonly #clock: VirtualClock
  readonly #faults: ReadonlyMap<string, readonly Fault[]>
  readonly #gated: boolean
  /** Whose body was begun last, by path: what an earlier one does is nobody's news. */
  readonly #latest = new Map<string, object>()

  constructor(recorder: Recorder, clock: VirtualClock, faults: ReadonlyMap<string, readonly Fault[]>, gated: boolean) {
    this.#recorder = recorder
    this.#clock = clock
    this.#faults = faults
    this.#gated = gated
  }

  event(event: LifecycleEvent): void {
    this.#recorder.record(event)
    hearFreeStep(event)
    if (event.type === 'routine.spawned') this.names.add(event.name)
    let path = event.type.startsWith('manager.') ? event.path : event.path.slice(0, event.path.lastIndexOf('/'))
    for (; path !== ''; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) this.#count(path)
  }

  #count(path: string): void {
    const manager = this.global?.whereis(path)
    if (!(manager instanceof Manager)) return
    this.managers.set(path, manager.spec)
    const { count } = manager
    if (count > manager.spec.maxRoutines) this.excess.push({ i: this.#recorder.events.length - 1, path, count })
  }

  start(row: SupervisedRoutine, context: StartContext): void {
    const faults = this.#faultsOf(row)
    const { restart, shutdown, timeout } = row.spec
    const time = shutdown === 'brutal_kill' ? 0 : shutdown === 'infinity' ? Infinity : shutdown
    const deafFor = Math.max(0, ...faults.map((fault) => fault.deafFor))
    const logic = isActorLogic(row.logic)
    const leaks = faults.some((fault) => fault.leaks)
    const hurries = faults.some((fault) => fault.hurries)
    this.routines.set(row.path, { restart, shutdown: time, timeout, service: row.service !== undefined, logic, deafFor, leaks, hurries })
    for (const fault of faults) fault.start?.(context)
  }

  #faultsOf(row: SupervisedRoutine): readonly Fault[] {
    const faults = this.#faults.get(row.name) ?? []
    if (isActorLogic(row.logic) && faults.some(({ start }) => start === undefined))
      this.problem ??= refuse(`simulate fault of ${row.name}`, 'startFails() where the work is actor logic', faults[0]?.text)
    return faults
  }

  begin(row: SupervisedRoutine, run: () => void): void {
    owned(row.path, run)
  }

  body(row: SupervisedRoutine, body: AnyBody): AnyBody {
    const { path, incarnation } = row
    let faulty = body
    for (const fault of this.#faultsOf(row)) faulty = fault.wrap(faulty)
    const own = row.current
    this.#latest.set(path, own)
    const note = (type: 'body.asked' | 'body.ended', fields: object): void => {
      const late = this.#latest.get(path) === own ? {} : { late: true }
      this.#recorder.note(type, path, this.#clock.now(), { incarnation, ...fields, ...late })
    }
    return (context) => {
      context.signal.addEventListener('abort', () => note('body.asked', {}), { once: true })
      let result: unknown
      try {
        result = faulty(context)
      } catch (error) {
        note('body.ended', { how: 'threw' })
        throw error
      }
      if (!isThenable(result)) {
        note('body.ended', { how: 'returned' })
        return result
      }
      return noting(this.#gated ? this.#gate(result) : result, (how) => note('body.ended', { how }))
    }
  }

  /** Lets a body's end arrive when the schedule says so. */
  #gate(result: PromiseLike<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const deliver = (act: () => void): void => void this.#clock.arm('delivery', act, 0)
      result.then(
        (value) => deliver(() => resolve(value)),
        (error: unknown) => deliver(() => reject(error as Error)),
      )
    })
  }
}

/** The same thenable, except that its ends are noted just before they are told. A thenable that tells two ends still does. */
function noting(result: PromiseLike<unknown>, note: (how: 'returned' | 'threw') => void): PromiseLike<unknown> {
  let noted = false
  const once = (how: 'returned' | 'threw'): void => {
    if (!noted) note(how)
    noted = true
  }
  if (result instanceof Promise) {
    result.then(
      () => once('returned'),
      () => once('threw'),
    )
    return result
  }
  const follow = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
    result.then(
      (value) => {
        once('returned')
        resolve(value)
      },
      (error: unknown) => {
        once('threw')
        reject(error)
      },
    )
  }
  // oxlint-disable-next-line unicorn/no-thenable -- one that breaks the rules has to reach the library as it is
  return { then: follow } as PromiseLike<unknown>
}
