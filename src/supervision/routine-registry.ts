/** The routines of one manager, from their registration to their last event. */
import { exitOf, type RestartWindow, shouldRestart } from '../../machines/restart-policy.ts'
import { grant, PermitQueue } from '../admission/index.ts'
import { type EndKind, ManagerExistsError, type Work } from '../contract/index.ts'
import { NameGroup, type NameRegistry } from '../count/index.ts'
import {
  announce,
  announceEnd,
  askChance,
  asksChance,
  backOff,
  CANCEL,
  delayOf,
  type Host,
  type Incarnation,
  keepPromises,
  KILL,
  LivingRoutines,
  prepareRoutine,
  type Registrar,
  RoutineRow,
} from '../routine/index.ts'
import type { RoutineSpec } from '../spec/index.ts'
import type { Tree } from '../turn/index.ts'
import type { Lead } from './lead.ts'
import type { Service } from './service.ts'

/** The supervisor of those that are children. */
export interface ChildSupervisor {
  /** Restarts of the present life. */
  readonly window: RestartWindow
  /** An incarnation of a child has ended. */
  routineEnded(child: Service, routine: RoutineRow, kind: EndKind, orphan: boolean): void
  /** Starts a child now that waits for its delayed restart. */
  hasten(child: Service): void
}

export class RoutineRegistry implements Registrar<RoutineRow> {
  /** Living and queued routines, in order of spawning. */
  readonly rows = new LivingRoutines()
  /** Those that wait for a permit. */
  readonly line: PermitQueue<RoutineRow>
  idle = 0
  /** How many of them are children under the strategy. */
  services = 0
  /** Of the manager's present life. */
  #supervisor!: ChildSupervisor
  /** That in which children run. */
  #asyncContext: unknown = undefined
  readonly #lead: Lead
  readonly #host: Host<RoutineRow>
  readonly #tree: Tree
  readonly #watched = new Set<RoutineRow>()
  /** A ring: once full, the next one takes the place of the oldest. */
  readonly #retained: RoutineRow[] = []
  #retainedNext = 0
  readonly #names: NameRegistry<RoutineRow>

  constructor(lead: Lead, names: NameRegistry<RoutineRow>) {
    this.#lead = lead
    this.#host = lead.host
    this.#tree = lead.host.tree
    this.#names = names
    this.line = new PermitQueue(lead.gate, (row) => this.admit(row))
  }

  /** A life of the manager begins. */
  beginLife(supervisor: ChildSupervisor, asyncContext: unknown): void {
    this.#supervisor = supervisor
    this.#asyncContext = asyncContext
  }

  /** How many wait for a permit. */
  get queued(): number {
    return this.line.length
  }

  /** How many live or are queued. */
  get size(): number {
    return this.rows.size
  }

  /** True once all that was spawned has ended. */
  get hasOnlyChildren(): boolean {
    return this.rows.size <= this.services
  }

  /** True if one of this name lives here or below. */
  knows(name: string): boolean {
    return this.#names.groups.has(name)
  }

  latestFirst(): RoutineRow[] {
    return this.rows.latestFirst()
  }

  countIdle(by: 1 | -1): void {
    this.idle += by
  }

  /** Takes up a routine. Throws ManagerExistsError if its id is taken. */
  add(name: string, work: Work, spec: RoutineSpec, input: unknown, id: string | undefined, service?: Service): RoutineRow {
    const { path } = this.#host
    if (id !== undefined && this.rows.has(id)) throw new ManagerExistsError(`${path} has a routine with the id ${id}`, { path })
    const row = new RoutineRow(this.#host, id, work, spec, input, NameGroup.of(name, this.#names), service)
    this.rows.add(row)
    this.idle++
    if (id !== undefined) this.rows.identify(row, id)
    if (service?.isInstance === false) this.services++
    if (service !== undefined && this.#asyncContext !== undefined) row.ownMemory.asyncContext = this.#asyncContext
    row.group.add(row)
    if (spec.hungAfter !== Infinity) this.#watched.add(row)
    return row
  }

  /** Tells that a routine was spawned. */
  announceSpawned(row: RoutineRow): void {
    const tree = this.#tree
    announce(row, 'routine.spawned')
    if (tree.isStored) tree.append({ type: 'spawned', path: row.path, input: row.input })
  }

  generateId(): string {
    return this.#tree.generateId((taken) => this.rows.has(taken))
  }

  /** Makes the id of a routine that has none yet. */
  identify(row: RoutineRow): string {
    const id = this.generateId()
    if (!row.ended) this.rows.identify(row, id)
    return id
  }

  bindSignal(row: RoutineRow): void {
    const { signal } = row.spec
    if (signal !== undefined) this.#tree.signals.bind(signal, row)
  }

  /** A spawned routine has its permit. One that was restarted in the queue is prepared as it begins, like any that is restarted. */
  admit(row: RoutineRow): void {
    if (row.current.over) return
    if (row.restarts > 0) this.#tree.begin(row.current)
    else prepareRoutine(row, begin)
  }

  /** The one that lives, or the latest that is retained. */
  find(id: string): RoutineRow | undefined {
    return this.rows.get(id) ?? this.findRetained(id)
  }

  findRetained(id: string): RoutineRow | undefined {
    return this.retained().findLast(({ knownId }) => knownId === id)
  }

  /** Ended routines that are kept for a look, the latest last. */
  retained(): RoutineRow[] {
    const oldest = this.#retained.length < this.#lead.spec.retain ? 0 : this.#retainedNext
    return [...this.#retained.slice(oldest), ...this.#retained.slice(0, oldest)]
  }

  // --- ends ----------------------------------------------------------------------------------

  /**
   * An incarnation has ended: another one, or the end of the routine. A turn of its own (turn.ts, T9); whoever has to be asked is asked
   * before, in deeds that lead here again.
   */
  settle(row: RoutineRow, orphan: boolean): void {
    if (row.ended) return
    if (this.#asks(row, orphan)) return
    row.current.answer()
    const kind = row.endKind
    if (orphan) row.group.count('orphaned', 1)
    if (row.service !== undefined) {
      this.#supervisor.routineEnded(row.service as Service, row, kind, orphan)
      return
    }
    const now = row.current.endedAt as number
    const again = this.#comesAgain(row, kind)
    const tooMany = again && !row.restartIsFree && !this.startsFresh(row) && !this.#supervisor.window.record(now)
    if (again && !tooMany) this.#restart(row, kind, orphan, now)
    else {
      this.#leave(row, kind, false)
      this.announceEnd(row, kind, orphan, false)
      this.#close(row, kind, orphan, false)
    }
    if (tooMany) this.#lead.giveUp(row.seq, row.current.error)
  }

  #comesAgain(row: RoutineRow, kind: EndKind): boolean {
    return !row.told && !this.#host.closed && (row.wantsRestart || this.#asksForRestart(row, kind))
  }

  /** By its restart type. Whose `start` asks to be ignored is not started again, whatever that says. */
  #asksForRestart(row: RoutineRow, kind: EndKind): boolean {
    return !row.memory.notStarted && shouldRestart(row.spec.restart, exitOf(kind)) && this.mayHelp(row)
  }

  /** True unless `restartIf` says that another incarnation would not help. */
  mayHelp(row: RoutineRow): boolean {
    return !row.memory.startThrew && (row.memory.helps ?? true)
  }

  /** True if a start that forgets the snapshot takes the place of giving up. */
  startsFresh(row: RoutineRow): boolean {
    const { resumption } = row.memory
    if (resumption === undefined || this.#host.closed) return false
    const now = this.#tree.clock.now()
    return this.#supervisor.window.left(now) === 0 && resumption.startsFresh(now, this.#lead.spec.restartWindow)
  }

  hasten(row: RoutineRow): boolean {
    const service = row.service as Service | undefined
    if (service?.restartTimer === undefined) return false
    this.#supervisor.hasten(service)
    return true
  }

  /** True if somebody has to be asked first, as far as can be said: `restartIf`, or chance. */
  #asks(row: RoutineRow, orphan: boolean): boolean {
    const { spec } = row
    if ((spec.restartIf === undefined && spec.backoff === undefined) || row.told || this.#host.closed) return false
    const kind = row.endKind
    if (
      spec.restartIf !== undefined &&
      row.memory.helps === undefined &&
      kind === 'failed' &&
      !row.memory.startThrew &&
      !row.wantsRestart
    ) {
      if (!shouldRestart((row.service as Service | undefined)?.restart ?? spec.restart, 'abnormal')) return false
      this.#tree.turn.deed(askRestartIf, row, orphan)
      return true
    }
    // Of a child, its supervisor asks when it has come to it.
    if (row.service !== undefined || row.queued || !asksChance(row) || !this.#comesAgain(row, kind)) return false
    if (this.#supervisor.window.left(row.current.endedAt as number) === 0) return false
    this.#tree.turn.deed(askChanceFirst, row, orphan)
    return true
  }

  #restart(row: RoutineRow, kind: EndKind, orphan: boolean, now: number): void {
    this.announceEnd(row, kind, orphan, true)
    // Who waits in the queue keeps its place, and begins when it has its permit.
    const delay = row.queued ? 0 : delayOf(row, now)
    this.renew(row, delay)
    if (delay > 0) backOff(row, delay)
    else if (!row.queued) this.#tree.begin(row.current)
  }

  /** Makes the next incarnation, to begin after so many milliseconds. What was sent to the one before is dropped, if so configured. */
  renew(row: RoutineRow, delay: number): void {
    row.group.count('restarts', 1)
    row.renew()
    announce(row, 'routine.restarted', { delay })
    row.closeMailbox(false)
  }

  /** The end of a child that its supervisor does not answer; it was announced when it happened. */
  finish(row: RoutineRow, keepPermit = false): void {
    const service = row.service as Service | undefined
    if (row.ended || service === undefined) return
    if (!service.isInstance) this.services--
    service.reserved = keepPermit
    const kind = row.endKind
    this.#leave(row, kind, keepPermit)
    this.#close(row, kind, service.orphan, keepPermit)
  }

  #leave(row: RoutineRow, kind: EndKind, keepPermit: boolean): void {
    row.ended = true
    const { signal } = row.spec
    if (signal !== undefined) this.#tree.signals.unbind(signal, row)
    this.rows.remove(row)
    this.idle--
    if (row.spec.hungAfter !== Infinity) this.#watched.delete(row)
    row.group.remove(row, kind, row.age)
    if (!this.line.remove(row) && !keepPermit) this.#lead.gate.give()
    this.#retain(row)
  }

  #close(row: RoutineRow, kind: EndKind, orphan: boolean, keepPermit: boolean): void {
    row.closeMailbox(true)
    const tree = this.#tree
    if (tree.isStored) tree.append({ type: 'outcome', path: row.path, outcome: row.end })
    const { error, obeyed, stray } = row.current
    this.#lead.noteEnd(row, kind, orphan, (kind === 'failed' || !obeyed ? error : undefined) ?? stray?.error)
    keepPromises(row)
    row.group.wake()
    if (!keepPermit) grant(this.line)
  }

  announceEnd(row: RoutineRow, kind: EndKind, orphan: boolean, willRestart: boolean): void {
    const { bus } = this.#tree
    // Nothing has happened since it ended, unless `restartIf` was asked.
    const at = row.spec.restartIf === undefined && row.spec.backoff === undefined ? row.current.endedAt : undefined
    if (kind === 'failed' && bus.logs)
      bus.log('error', { path: row.path, err: row.current.error, incarnation: row.incarnation, willRestart }, 'routine failed')
    announceEnd(row, kind, willRestart, row.current, at)
    if (orphan) announce(row, 'routine.orphaned')
    const watchers = row.settling?.watchers
    if (watchers === undefined) return
    const end = { path: row.path, incarnation: row.incarnation, outcome: row.lastOutcome, willRestart }
    for (const watcher of watchers) watcher(end)
  }

  #retain(row: RoutineRow): void {
    const { retain } = this.#lead.spec
    if (retain === 0) return
    this.#retained[this.#retainedNext] = row
    this.#retainedNext = (this.#retainedNext + 1) % retain
  }

  /** The body of an abandoned incarnation has ended after all. */
  orphanSettled(row: RoutineRow, incarnation: number): void {
    row.group.count('orphaned', -1)
    if (!this.#host.over) announce(row, 'routine.settled', { incarnation })
  }

  // --- shutdown ------------------------------------------------------------------------------

  /** Ends what has not begun; with `drain`, only what waits for a restart. Each is a turn: `rows` may have changed by then. */
  cancelPending(row: RoutineRow, cause: number, drain: boolean): void {
    if (row.ended) return
    if (row.current.over) {
      // A child whose end its supervisor has not come to any more, unless the end has yet to be told.
      if (!row.current.unanswered) this.finish(row)
      return
    }
    if (row.state !== 'pending' || row.service?.hasStarted === true || (drain && (row.restarts === 0 || row.queued))) return
    row.seq = cause
    row.stop(CANCEL, this.#host.cancelReason)
  }

  /** Those that may have to be asked to stop: all that were spawned, and with `services` the children too; the latest first. */
  askable(services: boolean): RoutineRow[] {
    return this.rows.latestFirst().filter((row) => !row.told && (row.service === undefined || row.service.isInstance || services))
  }

  /** Asks one of them. The milliseconds that it may take, where the shutdown is to see to that. */
  ask(row: RoutineRow, cause: number): number | undefined {
    if (row.told || row.ended) return undefined
    this.#tree.asked++
    row.seq = cause
    const { shutdown } = row.spec
    const timed = typeof shutdown === 'number'
    row.current.timedByShutdown = timed
    row.stop(CANCEL, this.#host.cancelReason)
    return timed && !row.current.over ? shutdown : undefined
  }

  /** Abandons one. */
  kill(row: RoutineRow, cause: number): void {
    if (row.ended) return
    row.seq = cause
    row.stop(KILL, this.#host.cancelReason)
  }

  /** Milliseconds since the longest silent of them was heard. */
  oldestBeat(now: number): number | undefined {
    let oldest: number | undefined
    for (const row of this.#watched)
      if (row.current.heartbeat !== undefined) oldest = Math.max(oldest ?? 0, now - row.current.heartbeat.last)
    return oldest
  }
}

/** Its `start` has returned. */
function begin(row: RoutineRow, begun: string, whose: Incarnation): void {
  if (begun === 'ok' && row.current === whose && !whose.over) row.tree.begin(whose)
}

/** A deed. */
function askRestartIf(row: RoutineRow, orphan: boolean): void {
  row.ownMemory.helps = false
  row.tree.asyncContext.run(row.asyncContext, callRestartIf, row, undefined)
  row.tree.turn.arise(settle, row, orphan)
}

function callRestartIf(row: RoutineRow): void {
  const { spec, current, restarts, path, tree } = row
  try {
    row.ownMemory.helps = Boolean(spec.restartIf?.(current.error, restarts))
  } catch (error) {
    tree.bus.contain(error, `${path}: restartIf threw`)
  }
}

/** A deed. */
function askChanceFirst(row: RoutineRow, orphan: boolean): void {
  askChance(row)
  row.tree.turn.arise(settle, row, orphan)
}

function settle(row: RoutineRow, orphan: boolean): void {
  row.local.registry.settle(row, orphan)
}
