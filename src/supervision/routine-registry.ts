/** The routines of one manager, from their registration to their last event. */
import { exitOf, hasRunLeft, type RestartWindow, shouldRestart } from '../../machines/restart-policy.ts'
import { grant, PermitQueue } from '../admission/index.ts'
import { type EndKind, ManagerExistsError, type Work } from '../contract/index.ts'
import { NameGroup, type NameRegistry } from '../count/index.ts'
import {
  announce,
  announceEnd,
  asksChance,
  backOff,
  CANCEL,
  ClosingSignals,
  delayOf,
  type Host,
  type Incarnation,
  isLookedAt,
  keepPromises,
  type IdRegistry,
  KILL,
  LivingRoutines,
  prepareRoutine,
  type Registrar,
  SupervisedRoutine,
} from '../routine/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import { recordEnd } from './durable-end.ts'
import type { Offspring } from './brought.ts'
import { giveBack, keepsPermit } from './held-permit.ts'
import type { Lead } from './lead.ts'
import { askChanceFirst, askRestartIf } from './restart-questions.ts'
import type { Service } from './service.ts'

/** What the registry asks of the supervisor about routines that are children. */
export interface ChildSupervisor {
  /** Restarts of the present life. */
  readonly window: RestartWindow
  readonly children: Pick<Offspring, 'routineEnded' | 'hasten'>
}

export class RoutineRegistry implements Registrar<SupervisedRoutine> {
  /** Living and queued routines, in order of spawning. */
  readonly living: LivingRoutines
  /** The routines that wait for a permit. */
  readonly queue: PermitQueue<SupervisedRoutine>
  /** Of bodies that want to know when the manager begins to close. */
  readonly closing = new ClosingSignals()
  idle = 0
  /** How many of them are children under the strategy. */
  services = 0
  /** Of the manager's present life. */
  #supervisor!: ChildSupervisor
  /** The asynchronous context in which children run. */
  asyncContext: unknown
  readonly #lead: Lead
  readonly #host: Host<SupervisedRoutine>
  readonly #tree: Tree
  #watched: Set<SupervisedRoutine> | undefined
  readonly #names: NameRegistry<SupervisedRoutine>

  constructor(lead: Lead, names: NameRegistry<SupervisedRoutine> & IdRegistry) {
    this.#lead = lead
    this.#host = lead.host
    this.#tree = lead.host.tree
    this.#names = names
    this.living = new LivingRoutines(names)
    this.queue = new PermitQueue(lead.gate, this)
  }

  /** A life of the manager begins. */
  beginLife(supervisor: ChildSupervisor, asyncContext: unknown): void {
    this.#supervisor = supervisor
    this.asyncContext = asyncContext
  }

  /** How many wait for a permit. */
  get queued(): number {
    return this.queue.length
  }

  /** How many live or are queued. */
  get size(): number {
    return this.living.size
  }

  /** True once all that was spawned has ended. */
  get hasOnlyChildren(): boolean {
    return this.living.size <= this.services
  }

  /** True if one of this name lives here or below, or has of late. */
  knows(name: string): boolean {
    return this.#names.groups.has(name)
  }

  /** See G3 in routine/routine-chain.ts. */
  latestFirst(): IterableIterator<SupervisedRoutine> {
    return this.living.latestFirst()
  }

  #countServices(by: 1 | -1): void {
    this.services += by
    for (let level: NameRegistry<SupervisedRoutine> | undefined = this.#names; level !== undefined; level = level.up) level.services += by
  }

  countIdle(by: 1 | -1): void {
    this.idle += by
  }

  /** Registers a routine. Throws ManagerExistsError if its id is taken. */
  add(name: string, work: Work, spec: RoutineSpec, input: unknown, id: string | undefined, service?: Service): SupervisedRoutine {
    const { path } = this.#host
    if (id !== undefined && this.living.has(id)) throw new ManagerExistsError(`${path} has a routine with the id ${id}`, { path })
    const routine = new SupervisedRoutine(this.#host, id, work, spec, input, NameGroup.of(name, this.#names), service)
    this.living.add(routine)
    this.idle++
    if (id !== undefined) this.living.identify(routine, id)
    if (service?.isInstance === false) this.#countServices(1)
    if (service !== undefined && this.asyncContext !== undefined) routine.ownMemory.asyncContext = this.asyncContext
    routine.group.add(routine)
    if (spec.hungAfter !== Infinity) (this.#watched ??= new Set()).add(routine)
    return routine
  }

  generateId(): string {
    return this.#tree.generateId((taken) => this.living.has(taken))
  }

  /** Makes the id of a routine that has none yet. */
  identify(routine: SupervisedRoutine): string {
    const id = this.generateId()
    if (!routine.ended || this.living.retained.holds(routine)) this.living.identify(routine, id)
    return id
  }

  bindSignal(routine: SupervisedRoutine): void {
    const { signal } = routine.spec
    if (signal !== undefined) this.#tree.signals.bind(signal, routine)
  }

  get admits(): boolean {
    return !this.#host.closed || this.#tree.drains > 0
  }

  /** A spawned routine has its permit. One that was restarted in the queue is prepared as it begins, like any that is restarted. */
  admit(routine: SupervisedRoutine): void {
    if (routine.current.over || (routine.chronicle !== undefined && this.#isHeld(routine))) return
    if (routine.restarts > 0) this.#tree.begin(routine.current)
    else prepareRoutine(routine, begin)
  }

  /** A durable one begins once it is known what the journal knows of it. */
  #isHeld(routine: SupervisedRoutine): boolean {
    return routine.chronicle?.holds(() => this.admit(routine)) === true
  }

  /** The living routine of this id, or the latest retained one. */
  find(id: string): SupervisedRoutine | undefined {
    return this.living.find(id)
  }

  /** Ended routines that are kept to be looked at, the latest last. */
  retained(): SupervisedRoutine[] {
    return this.living.retained.values()
  }

  // --- ends ----------------------------------------------------------------------------------

  /**
   * Answers the end of an incarnation by another one, or by the end of the routine. A turn of its own (turn.ts, T9). If `restartIf` or
   * `random` has to be called first, that is a deed, which leads here again.
   */
  settle(routine: SupervisedRoutine, orphan: boolean): void {
    if (routine.ended) return
    if (this.#hasToAsk(routine, orphan)) return
    routine.current.answer()
    const kind = routine.endKind
    if (orphan) routine.group.count('orphaned', 1)
    if (routine.service !== undefined) {
      this.#supervisor.children.routineEnded(routine.service as Service, routine, kind, orphan)
      return
    }
    const now = routine.current.endedAt as number
    const again = this.#comesAgain(routine, kind)
    const counts = again && !routine.restartIsFree && routine.spec.attempts === undefined
    const tooMany = counts && !this.startsFresh(routine) && !this.#supervisor.window.record(now)
    if (again && !tooMany) this.#restart(routine, kind, orphan, now)
    else {
      this.#leave(routine, kind, orphan && keepsPermit(routine))
      this.announceEnd(routine, kind, orphan, false)
      this.#close(routine, kind, orphan, false)
    }
    if (tooMany) this.#lead.giveUp(routine.seq, routine.current.error)
  }

  #comesAgain(routine: SupervisedRoutine, kind: EndKind): boolean {
    if (routine.stopRequested || this.#host.closed) return false
    return routine.restartIsFree || (mayRunAgain(routine) && (routine.wantsRestart || this.#asksForRestart(routine, kind)))
  }

  /** True if its restart type asks for a restart. A routine whose `start` has returned `ignore`, or failed, is not restarted by it. */
  #asksForRestart(routine: SupervisedRoutine, kind: EndKind): boolean {
    return !routine.memory.notStarted && shouldRestart(routine.spec.restart, exitOf(kind)) && this.mayHelp(routine)
  }

  /** True unless `restartIf` says that another incarnation would not help. */
  mayHelp(routine: SupervisedRoutine): boolean {
    return !routine.memory.startThrew && (routine.memory.helps ?? true)
  }

  /** True if it starts without its snapshot, instead of the manager giving up. */
  startsFresh(routine: SupervisedRoutine): boolean {
    const { resumption } = routine.memory
    if (resumption === undefined || this.#host.closed) return false
    const now = this.#tree.clock.now()
    return this.#supervisor.window.left(now) === 0 && resumption.startsFresh(now, this.#lead.spec.restartWindow, routine)
  }

  hasten(routine: SupervisedRoutine): boolean {
    const service = routine.service as Service | undefined
    if (service?.restartTimer === undefined) return false
    this.#supervisor.children.hasten(service)
    return true
  }

  /** True if `restartIf` or `random` has to be called first, as far as can be said now. */
  #hasToAsk(routine: SupervisedRoutine, orphan: boolean): boolean {
    const { spec } = routine
    if ((spec.restartIf === undefined && spec.backoff === undefined) || routine.stopRequested || this.#host.closed) return false
    const kind = routine.endKind
    if (
      spec.restartIf !== undefined &&
      routine.memory.helps === undefined &&
      kind === 'failed' &&
      !routine.memory.startThrew &&
      !routine.wantsRestart
    ) {
      const { restart } = (routine.service as Service | undefined) ?? spec
      if (!shouldRestart(restart, 'abnormal') || !mayRunAgain(routine)) return false
      this.#tree.turn.deed(askRestartIf, routine, orphan)
      return true
    }
    // For a child, `random` is called when its supervisor takes the end.
    if (routine.service !== undefined || routine.queued || !asksChance(routine) || !this.#comesAgain(routine, kind)) return false
    if (spec.attempts === undefined && this.#supervisor.window.left(routine.current.endedAt as number) === 0) return false
    this.#tree.turn.deed(askChanceFirst, routine, orphan)
    return true
  }

  #restart(routine: SupervisedRoutine, kind: EndKind, orphan: boolean, now: number): void {
    this.announceEnd(routine, kind, orphan, true)
    // A queued routine keeps its place, and begins when it has its permit.
    const delay = routine.queued ? 0 : delayOf(routine, now)
    this.renew(routine, delay)
    if (delay > 0) backOff(routine, delay)
    else if (!routine.queued) this.#tree.begin(routine.current)
  }

  /** Makes the next incarnation, which begins after `delay` milliseconds. Waiting messages are dropped, if that is configured. */
  renew(routine: SupervisedRoutine, delay: number): void {
    routine.group.count('restarts', 1)
    routine.renew()
    announce(routine, 'routine.restarted', { delay, resumed: routine.resumption?.snapshot !== undefined })
    routine.closeMailbox(false)
  }

  /** The end of a child that its supervisor does not answer; it was announced when it happened. */
  finish(routine: SupervisedRoutine, keepPermit = false): void {
    const service = routine.service as Service | undefined
    if (routine.ended || service === undefined) return
    if (!service.isInstance) this.#countServices(-1)
    service.reserved = keepPermit
    const kind = routine.endKind
    this.#leave(routine, kind, keepPermit || (service.orphan && keepsPermit(routine)))
    this.#close(routine, kind, service.orphan, keepPermit)
  }

  #leave(routine: SupervisedRoutine, kind: EndKind, keepPermit: boolean): void {
    routine.ended = true
    const { signal } = routine.spec
    if (signal !== undefined) this.#tree.signals.unbind(signal, routine)
    this.living.remove(routine)
    this.idle--
    if (routine.spec.hungAfter !== Infinity) this.#watched?.delete(routine)
    routine.group.remove(routine, kind, routine.age)
    if (!this.queue.remove(routine) && !keepPermit) this.#lead.gate.give()
    this.living.retain(routine, this.#lead.spec.retain)
  }

  #close(routine: SupervisedRoutine, kind: EndKind, orphan: boolean, keepPermit: boolean): void {
    const tree = this.#tree
    if (routine.chronicle !== undefined) recordEnd(routine)
    routine.closeMailbox(true)
    const { error, obeyed, stray } = routine.current
    this.#lead.noteEnd(routine, kind, orphan, (kind === 'failed' || !obeyed ? error : undefined) ?? stray?.error)
    if (kind === 'failed' && !isTold(routine)) tree.unseen?.note(routine, () => isLookedAt(routine), 'has failed', error)
    keepPromises(routine)
    const { group } = routine
    // Behind the listeners of the end: one of them may spawn another of the name.
    if (group.isAwaited) tree.bus.afterWords(() => group.wake())
    routine.leaveContext()
    if (!keepPermit) grant(this.queue)
  }

  announceEnd(routine: SupervisedRoutine, kind: EndKind, orphan: boolean, willRestart: boolean): void {
    const { bus } = this.#tree
    // Unless `restartIf` or `random` was called, no time has passed since it ended.
    const at = routine.spec.restartIf === undefined && routine.spec.backoff === undefined ? routine.current.endedAt : undefined
    const { error, number } = routine.current
    const level = willRestart ? 'warn' : 'error'
    if (kind === 'failed' && bus.logs)
      bus.log(level, { path: routine.path, err: error, incarnation: number, willRestart }, 'routine failed')
    announceEnd(routine, kind, willRestart, routine.current, at)
    if (orphan) announce(routine, 'routine.orphaned')
    const watchers = routine.settling?.watchers
    if (watchers === undefined) return
    const end = { path: routine.path, incarnation: routine.incarnation, outcome: routine.lastOutcome, willRestart }
    for (const watcher of watchers) watcher(end)
  }

  /** The body of an abandoned incarnation has ended after all. */
  orphanSettled(routine: SupervisedRoutine, incarnation: number): void {
    routine.group.count('orphaned', -1)
    giveBack(routine, this.#lead.gate, this.queue)
    if (!this.#host.over) announce(routine, 'routine.settled', { incarnation })
  }

  // --- shutdown ------------------------------------------------------------------------------

  /** Ends a routine that has not begun; with `drain`, only if it waits for a restart. A turn: it may have ended by then. */
  cancelPending(routine: SupervisedRoutine, cause: number, drain: boolean): void {
    if (routine.ended) return
    if (routine.current.over) {
      // The supervisor of a child will not take its end any more, unless that has yet to be answered.
      if (!routine.current.unanswered) this.finish(routine)
      return
    }
    const starts = routine.service?.hasStarted === true || routine.memory.start !== 'none'
    if (routine.state !== 'pending' || starts || (drain && (routine.restarts === 0 || routine.queued))) return
    this.#stop(routine, CANCEL, cause)
  }

  /** Its manager stops it: of a durable one that is no outcome, unless it was told before. */
  #stop(routine: SupervisedRoutine, event: typeof CANCEL | typeof KILL, cause: number): void {
    if (!routine.stopRequested) routine.chronicle?.suspend()
    routine.seq = cause
    routine.stop(event, this.#host.cancelReason)
  }

  /** The routines that were spawned, the latest first. */
  spawned(): Iterator<SupervisedRoutine> {
    // Nearly always there are either children or routines that were spawned.
    return this.services === 0 ? this.living.latestFirst() : this.#spawned()
  }

  *#spawned(): Generator<SupervisedRoutine, void> {
    for (const routine of this.living.latestFirst()) if (routine.service === undefined || routine.service.isInstance) yield routine
  }

  /** Asks one of them to stop. Returns the milliseconds that it may take, where the shutdown is to see to that. */
  ask(routine: SupervisedRoutine, cause: number): number | undefined {
    if (routine.stopRequested || routine.ended) return undefined
    this.#tree.asked++
    const { shutdown } = routine.spec
    const timed = typeof shutdown === 'number'
    routine.current.timedByShutdown = timed
    this.#stop(routine, CANCEL, cause)
    return timed && !routine.current.over ? shutdown : undefined
  }

  /** Abandons one. */
  kill(routine: SupervisedRoutine, cause: number): void {
    if (!routine.ended) this.#stop(routine, KILL, cause)
  }

  /** Milliseconds since the last heartbeat of the routine that has been silent the longest. */
  oldestBeat(now: number): number | undefined {
    let oldest: number | undefined
    for (const routine of this.#watched ?? [])
      if (routine.current.heartbeat !== undefined) oldest = Math.max(oldest ?? 0, now - routine.current.heartbeat.last)
    return oldest
  }
}

/** True if somebody is told anyway: by the report of a shutdown, or, if a child could not start, by the answer to whoever starts it. */
function isTold({ service, memory, local }: SupervisedRoutine): boolean {
  return local.closed || (service !== undefined && memory.notStarted)
}

/** P4 of machines/restart-policy.ts. */
function mayRunAgain({ spec: { attempts }, runs }: SupervisedRoutine): boolean {
  return attempts === undefined || hasRunLeft(attempts, runs)
}

/** Its `start` has returned. */
function begin(routine: SupervisedRoutine, begun: string, incarnation: Incarnation): void {
  if (begun === 'ok' && routine.current === incarnation && !incarnation.over) routine.tree.begin(incarnation)
}
