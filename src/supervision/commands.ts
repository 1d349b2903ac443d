/** Carries out the commands of the process in machines/supervisor.ts on the children of a supervisor. */
import type { Begun } from '../../machines/supervisor.ts'
import { grant } from '../admission/index.ts'
import { RoutineCancelledError, SpawnRefusedError, StartFailedError, withoutStack } from '../contract/index.ts'
import {
  announce,
  askChance,
  asksChance,
  CANCEL,
  delayOf,
  hasStart,
  type Host,
  type Incarnation,
  prepareRoutine,
  type SupervisedRoutine,
} from '../routine/index.ts'
import type { Tree } from '../turn/index.ts'
import type { Down } from './down.ts'
import type { Lead } from './lead.ts'
import type { RoutineRegistry } from './routine-registry.ts'
import type { Service } from './service.ts'

/** Stands for an answer that is not there yet. */
export const LATER = Symbol('later')

/** So many managers begin within each other; those below them in a turn of their own: a tree may be deeper than a stack holds. */
const DEEPEST = 50

/** The supervisor whose commands are carried out. */
interface Process {
  readonly closed: boolean
  readonly down: Down
  /** The event for which all children are started, while that goes on; 0 where there is none. */
  readonly cause: number
  /** Resumes it with the result of its command. */
  resume(answer: unknown): void
  /** A delayed restart is due. */
  hasten(child: Service): void
  /** True unless it has forgotten that child. */
  has(child: Service): boolean
}

export class Commands {
  readonly #lead: Lead
  readonly #host: Host<SupervisedRoutine>
  readonly #tree: Tree
  readonly #registry: RoutineRegistry
  readonly #process: Process
  /** What is awaited has come. One function for all children of a group. */
  readonly #goOn = (): void => this.#resumeNext(undefined)
  /** The group that was stopped last, and why. */
  #group: { readonly sibling: Service; readonly run: number; readonly reason: RoutineCancelledError } | undefined

  constructor(lead: Lead, registry: RoutineRegistry, process: Process) {
    this.#lead = lead
    this.#host = lead.host
    this.#tree = lead.host.tree
    this.#registry = registry
    this.#process = process
  }

  /** Answers with how it began, or LATER. */
  start(service: Service, again: boolean, sibling: Service): unknown {
    const { routine } = service
    // Its last end has yet to be answered, which decides what follows.
    if (service.unanswered) {
      service.onAnswered = () => this.#tree.turn.next(() => this.#resumeBy(() => this.start(service, again, sibling)))
      return LATER
    }
    if (routine?.ended === false && routine.current.over) {
      // That end was announced as the last.
      if (service.toRestart === false) return 'ignore'
      // It has failed while its restart waited, which counts as a start that fails: V3 of machines/supervisor.ts.
      if (service.exitWaits) {
        service.startError = routine.current.error
        return 'error'
      }
    }
    service.begunRun = service.run
    service.retried = again
    service.toRestart = undefined
    this.#process.down.delete(service)
    this.#lead.startOrder.add(service)
    return service.type === 'supervisor'
      ? this.#startManager(service)
      : this.#startRoutine(service, causeOf(service, sibling) || this.#process.cause)
  }

  #startRoutine(service: Service, cause: number): unknown {
    const routine = this.#routineFor(service, cause)
    if (routine === undefined) return 'error'
    // It was asked to stop while it did not run: it counts as started, and ends at once.
    if (routine.stopRequested) {
      routine.stop(CANCEL, routine.memory.lateReason ?? this.#host.cancelReason)
      return 'ok'
    }
    if (routine.spec.signal === undefined && !hasStart(routine)) {
      this.#letBegin(service, routine)
      return 'ok'
    }
    // A turn later: the deed that checks its signal is queued already.
    this.#tree.turn.next(() => prepareRoutine(routine, (_, begun, incarnation) => this.#prepared(service, routine, begun, incarnation)))
    return LATER
  }

  #letBegin(service: Service, routine: SupervisedRoutine): void {
    service.hasStarted = true
    this.#tree.begin(routine.current)
  }

  /** Its `start` has returned. */
  #prepared(service: Service, routine: SupervisedRoutine, begun: Begun, incarnation: Incarnation): void {
    if (begun === 'error') service.startError = incarnation.error
    else if (begun === 'ok' && routine.current === incarnation && !incarnation.over) this.#letBegin(service, routine)
    this.#process.resume(begun)
  }

  /** Its present routine with a new incarnation, or a new routine; undefined if that can't be had, and `startError` says why. */
  #routineFor(service: Service, cause: number): SupervisedRoutine | undefined {
    const registry = this.#registry
    const { path } = this.#host
    const { routine } = service
    if (routine !== undefined && !routine.ended) {
      if (routine.current.over) registry.renew(routine, 0)
      return routine
    }
    try {
      if (!service.reserved && this.#lead.gate.full() !== undefined)
        throw new SpawnRefusedError('ERR_AT_CAPACITY', `${path} has no permit left for ${service.name}: ${this.#lead.describeLimit()}`, {
          path,
        })
      const next = this.#register(service)
      service.routine = next
      next.seq = cause
      announce(next, 'routine.spawned')
      registry.bindSignal(next)
      return next
    } catch (cause) {
      service.startError = new StartFailedError(`${path}/${service.name}: not started`, {
        path: `${path}/${service.name}#${service.id}`,
        cause,
      })
      return undefined
    }
  }

  /** Registers it, with a permit. */
  #register(service: Service): SupervisedRoutine {
    const { work } = service.spec as { work: SupervisedRoutine['logic'] }
    const { routineSpec } = service as { routineSpec: SupervisedRoutine['spec'] }
    const routine = this.#registry.add(service.name, work, routineSpec, routineSpec.input, service.id, service)
    // A restart goes on from the snapshot of the one before; `restartChild` does not.
    const resumption = service.retried ? service.routine?.resumption : undefined
    if (resumption !== undefined) routine.ownMemory.resumption = resumption
    if (!service.reserved) this.#lead.gate.take()
    service.reserved = false
    return routine
  }

  #startManager(service: Service): unknown {
    const { path } = this.#host
    const tree = this.#tree
    if (tree.starting >= DEEPEST) {
      tree.turn.next(() => this.#resumeBy(() => this.#startManager(service)))
      return LATER
    }
    let { manager } = service
    // It was shut down between two lives: it stays down.
    if (manager?.concluded === false && manager.over && manager.stopRequested) return 'ignore'
    try {
      if (manager === undefined || manager.concluded) manager = this.#lead.grow(service)
    } catch (cause) {
      service.startError = new StartFailedError(`${path}/${service.name}: not started`, { path: `${path}/${service.name}`, cause })
      return 'error'
    }
    service.onBegun = (begun) => this.#resumeNext(begun)
    tree.starting++
    try {
      if (service.manager === manager) manager.renew()
      else {
        service.manager = manager
        manager.live()
      }
    } finally {
      tree.starting--
    }
    return LATER
  }

  /** Answers when it has ended, or LATER. */
  stop(service: Service, again: boolean, sibling: Service): unknown {
    const { routine, manager } = service
    this.disarm(service)
    const reason = sibling === service ? undefined : this.#groupReason(sibling)
    const cause = causeOf(service, sibling)
    if (manager !== undefined) {
      if (manager.over && !manager.unanswered) return undefined
      service.onStopped = this.#goOn
      if (!manager.over) manager.stopBySupervisor(reason, cause)
      return LATER
    }
    if (routine === undefined || routine.ended) return undefined
    if (routine.current.over && !routine.current.unanswered) {
      this.#registry.finish(routine, again)
      return undefined
    }
    service.again = again
    service.onStopped = this.#goOn
    if (cause > 0) routine.seq = cause
    routine.stop(CANCEL, reason ?? this.#host.cancelReason)
    return LATER
  }

  /** Why the group of a child is stopped: one error for all of the group. */
  #groupReason(sibling: Service): RoutineCancelledError {
    const { run, lastEnd } = sibling
    if (this.#group?.sibling === sibling && this.#group.run === run) return this.#group.reason
    const path = `${this.#host.path}/${sibling.name}#${sibling.id}`
    const options = { path, ...(lastEnd?.error === undefined ? {} : { cause: lastEnd.error }) }
    const reason = withoutStack(
      () => new RoutineCancelledError(`${path} has ended, and its group is restarted`, options, 'ERR_GROUP_RESTART'),
    )
    this.#group = { sibling, run, reason }
    return reason
  }

  /** Answers with milliseconds, or LATER. */
  delay(service: Service): unknown {
    const { routine } = service
    if (routine === undefined || routine.ended || routine.stopRequested) return 0
    if (asksChance(routine)) {
      this.#tree.turn.deed(() => {
        askChance(routine)
        this.#tree.turn.arise(() => this.#resumeBy(() => this.delay(service)))
      })
      return LATER
    }
    const delay = delayOf(routine, this.#tree.clock.now())
    if (delay === 0) return 0
    this.#registry.renew(routine, delay)
    this.#process.down.add(service)
    service.restartTimer = this.#tree.laterIn(routine.asyncContext, () => this.#process.hasten(service), delay)
    return delay
  }

  /** The child does not run, and is not to be started again. */
  leave(service: Service): void {
    const { routine, manager } = service
    this.disarm(service)
    if (routine?.current.over === true) this.#registry.finish(routine)
    else if (routine !== undefined && !routine.ended) {
      // Its delayed restart was to begin now, and another one of its group has failed to start.
      service.again = false
      service.onStopped = () => undefined
      routine.stop(CANCEL, this.#host.cancelReason)
    }
    this.giveBack(service)
    if (manager?.over === true) manager.conclude()
    if (this.#process.has(service)) return
    this.#lead.startOrder.delete(service)
    this.#process.down.delete(service)
  }

  /** Gives back a permit that was kept for its next routine. */
  giveBack(service: Service): void {
    if (!service.reserved) return
    service.reserved = false
    this.#lead.gate.give()
    grant(this.#registry.queue)
  }

  /** Disarms the timer of a delayed restart. */
  disarm(service: Service): void {
    if (service.restartTimer === undefined) return
    this.#process.down.delete(service)
    this.#tree.clock.clearTimeout(service.restartTimer)
    service.restartTimer = undefined
  }

  /** Carries out what had to wait, unless nothing is decided any more. */
  #resumeBy(command: () => unknown): void {
    if (!this.#process.closed) this.#process.resume(command())
  }

  #resumeNext(answer: unknown): void {
    this.#tree.turn.next(resume, this.#process, answer)
  }
}

function resume(process: Process, answer: unknown): void {
  process.resume(answer)
}

/** The event for which a child is stopped, or started: the latest of the sibling whose group it belongs to. 0 if it is for its own sake. */
function causeOf(service: Service, sibling: Service): number {
  if (sibling === service) return 0
  const { routine, lastEnd } = sibling
  return Math.max(routine?.seq ?? 0, lastEnd?.seq ?? 0)
}
