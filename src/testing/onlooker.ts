/** Stands between a simulated tree and its work: puts faults in, and records the events of the tree and what bodies see. */
import type { LifecycleEvent } from '../../machines/lifecycle-event.ts'
import { type GlobalManager, Manager } from '../manager/index.ts'
import type { AnyBody } from '../contract/index.ts'
import type { Interceptor } from '../port/index.ts'
import { isThenable } from '../turn/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { isActorLogic, refuse, type StartContext } from '../spec/index.ts'
import type { Fault } from './faults.ts'
import { noteEventOfStep } from './free-step.ts'
import { isEnd } from './invariants.ts'
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
  /** Undefined while it is being made. */
  global: GlobalManager | undefined
  readonly #recorder: Recorder
  readonly #clock: VirtualClock
  readonly #faults: ReadonlyMap<string, readonly Fault[]>
  /** True if the schedule decides when a body's end arrives. */
  readonly #gated: boolean
  /** The incarnation whose body was begun last, by path: what the body of an earlier one does is recorded as `late`. */
  readonly #latest = new Map<string, object>()
  /** What takes back that something is wrong with an actor, by path. */
  readonly #upsets = new Map<string, { readonly incarnation: number; readonly calm: () => void }>()

  constructor(recorder: Recorder, clock: VirtualClock, faults: ReadonlyMap<string, readonly Fault[]>, gated: boolean) {
    this.#recorder = recorder
    this.#clock = clock
    this.#faults = faults
    this.#gated = gated
  }

  event(event: LifecycleEvent): void {
    this.#recorder.record(event)
    noteEventOfStep(event)
    this.#calm(event)
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

  start(routine: SupervisedRoutine, context: StartContext): void {
    const faults = this.#faultsOf(routine)
    const { restart, attempts, shutdown, timeout, resume } = routine.spec
    const time = shutdown === 'brutal_kill' ? 0 : shutdown === 'infinity' ? Infinity : shutdown
    const deafFor = Math.max(0, ...faults.map((fault) => fault.deafFor))
    const logic = isActorLogic(routine.logic)
    const leaks = faults.some((fault) => fault.leaks)
    const hurries = faults.some((fault) => fault.hurries)
    this.routines.set(routine.path, {
      restart,
      attempts,
      shutdown: time,
      timeout,
      service: routine.service !== undefined,
      resumes: resume === 'snapshot',
      logic,
      deafFor,
      leaks,
      hurries,
    })
    for (const fault of faults) fault.start?.(context)
  }

  #faultsOf(routine: SupervisedRoutine): readonly Fault[] {
    const faults = this.#faults.get(routine.name) ?? []
    if (isActorLogic(routine.logic) && faults.some(({ start, actor }) => start === undefined && actor === undefined))
      this.problem ??= refuse(
        `simulate fault of ${routine.name}`,
        'crashesAfter() or startFails() where the work is actor logic',
        faults[0]?.text,
      )
    return faults
  }

  begin(routine: SupervisedRoutine, run: () => void): void {
    owned(routine.path, () => {
      run()
      if (isActorLogic(routine.logic)) this.#upset(routine)
    })
  }

  /** What is wrong with an actor that has begun. */
  #upset(routine: SupervisedRoutine): void {
    const { path, incarnation, current } = routine
    if (current.over) return
    const crash = (error: Error): void => void (routine.current === current && routine.exit(error))
    const calm = this.#faultsOf(routine).map(({ actor }) => actor?.(incarnation, crash))
    this.#upsets.set(path, { incarnation, calm: () => calm.forEach((each) => each?.()) })
  }

  /** An incarnation that has ended has nothing more to fear. */
  #calm(event: LifecycleEvent): void {
    if (!('incarnation' in event) || !isEnd(event)) return
    const upset = this.#upsets.get(event.path)
    if (upset?.incarnation === event.incarnation) upset.calm()
  }

  body(routine: SupervisedRoutine, body: AnyBody): AnyBody {
    const { path, incarnation } = routine
    let faulty = body
    for (const fault of this.#faultsOf(routine)) faulty = fault.wrap(faulty)
    const own = routine.current
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

  /** Delivers a body's end by a timer, so that the schedule decides when. */
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

/** The same thenable, except that its end is noted just before it is passed on. One that settles twice still does. */
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
