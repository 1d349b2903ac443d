/** The routines of one manager, from their registration to their last event. */
import { exitOf, shouldRestart } from '../../machines/restart-policy.ts'
import { ManagerExistsError } from '../contract/errors.ts'
import type { Incarnation } from '../routine/incarnation.ts'
import { grant, Line } from '../admission/limiter.ts'
import { LivingRows } from '../routine/living-rows.ts'
import type { Manager } from '../manager/manager.ts'
import type { EndKind } from '../count/metrics.ts'
import { NameGroup, type NameRegistry } from '../count/name-group.ts'
import { RoutineRow } from '../routine/routine.ts'
import { keepPromises } from '../routine/routine-promises.ts'
import type { Service } from './service.ts'
import type { ShutdownRun } from '../shutdown/shutdown.ts'
import type { RoutineSpec } from '../spec/routine-spec.ts'
import { CANCEL, KILL } from '../routine/routine-steps.ts'
import type { Work } from '../routine/work.ts'

export class RoutineRegistry {
  /** Living and queued routines, in order of spawning. */
  readonly rows = new LivingRows()
  /** Those that wait for a permit. */
  readonly line: Line<RoutineRow>
  /** How many of them do not run: they wait, or their end has not been answered. */
  idle = 0
  /** How many of them are children under the strategy. */
  services = 0
  readonly #manager: Manager
  readonly #watched = new Set<RoutineRow>()
  /** A ring: once full, the next one takes the place of the oldest. */
  readonly #retained: RoutineRow[] = []
  #retainedNext = 0
  readonly #names: NameRegistry<RoutineRow>

  constructor(manager: Manager, names: NameRegistry<RoutineRow>) {
    this.#manager = manager
    this.#names = names
    this.line = new Line(manager.gate, (row) => this.admit(row))
  }

  /** Takes up a routine. Throws ManagerExistsError if its id is taken. */
  add(name: string, work: Work, spec: RoutineSpec, input: unknown, id: string | undefined, service?: Service): RoutineRow {
    const manager = this.#manager
    if (id !== undefined && this.rows.has(id)) {
      throw new ManagerExistsError(`${manager.path} has a routine with the id ${id}`, { path: manager.path })
    }
    const row = new RoutineRow(manager, id, work, spec, input, NameGroup.of(name, this.#names), service)
    this.rows.add(row)
    this.idle++
    if (id !== undefined) this.rows.identify(row, id)
    if (service?.isInstance === false) this.services++
    row.group.add(row)
    if (spec.hungAfter !== Infinity) this.#watched.add(row)
    return row
  }

  generateId(): string {
    return this.#manager.stage.generateId((taken) => this.rows.has(taken))
  }

  /** Makes the id of a routine that has none yet. */
  identify(row: RoutineRow): string {
    const id = this.generateId()
    if (!row.ended) this.rows.identify(row, id)
    return id
  }

  bindSignal(row: RoutineRow): void {
    const { signal } = row.spec
    if (signal !== undefined) this.#manager.stage.signals.bind(signal, row)
  }

  /** A spawned routine has its permit. One that was restarted in the queue is prepared as it begins, like any that is restarted. */
  admit(row: RoutineRow): void {
    if (row.current.over) return
    if (row.restarts > 0) this.#manager.stage.begin(row)
    else row.prepare(begin)
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
    const oldest = this.#retained.length < this.#manager.spec.retain ? 0 : this.#retainedNext
    return [...this.#retained.slice(oldest), ...this.#retained.slice(0, oldest)]
  }

  // --- ends ----------------------------------------------------------------------------------

  /**
   * An incarnation has ended: another one, or the end of the routine. A turn of its own (turn.ts, T9); whoever has to be asked is asked
   * before, in deeds that lead here again.
   */
  settle(row: RoutineRow, orphan: boolean): void {
    if (row.ended) return
    const { supervisor, window } = this.#manager
    if (this.#asks(row, orphan)) return
    row.current.unanswered = false
    const kind = row.endKind
    if (orphan) row.group.count('orphaned', 1)
    if (row.service !== undefined) {
      supervisor.routineEnded(row.service, row, kind, orphan)
      return
    }
    const now = row.current.endedAt as number
    const again = this.#comesAgain(row, kind)
    const tooMany = again && !row.restartIsFree && !row.startsFresh() && !window.record(now)
    if (again && !tooMany) this.#restart(row, kind, orphan, now)
    else {
      this.#leave(row, kind, false)
      this.announceEnd(row, kind, orphan, false)
      this.#close(row, kind, orphan, false)
    }
    if (tooMany) this.#manager.giveUp(row.seq, row.current.error)
  }

  #comesAgain(row: RoutineRow, kind: EndKind): boolean {
    return !row.told && !this.#manager.closed && (row.wantsRestart || this.#asksForRestart(row, kind))
  }

  /** By its restart type. Whose `start` asks to be ignored is not started again, whatever that says. */
  #asksForRestart(row: RoutineRow, kind: EndKind): boolean {
    return !row.unstarted && shouldRestart(row.spec.restart, exitOf(kind)) && this.mayHelp(row)
  }

  /** True unless `restartIf` says that another incarnation would not help. */
  mayHelp(row: RoutineRow): boolean {
    return !row.startFailed && (row.helps ?? true)
  }

  /** True if somebody has to be asked first, as far as can be said: `restartIf`, or chance. */
  #asks(row: RoutineRow, orphan: boolean): boolean {
    const { spec } = row
    if ((spec.restartIf === undefined && spec.backoff === undefined) || row.told || this.#manager.closed) return false
    const kind = row.endKind
    if (spec.restartIf !== undefined && row.helps === undefined && kind === 'failed' && !row.startFailed && !row.wantsRestart) {
      if (!shouldRestart(row.service?.restart ?? spec.restart, 'abnormal')) return false
      this.#manager.stage.turn.deed(askRestartIf, row, orphan)
      return true
    }
    // Of a child, its supervisor asks when it has come to it.
    if (row.service !== undefined || row.queued || !row.asksChance || !this.#comesAgain(row, kind)) return false
    if (this.#manager.window.left(row.current.endedAt as number) === 0) return false
    this.#manager.stage.turn.deed(askChance, row, orphan)
    return true
  }

  #restart(row: RoutineRow, kind: EndKind, orphan: boolean, now: number): void {
    this.announceEnd(row, kind, orphan, true)
    // Who waits in the queue keeps its place, and begins when it has its permit.
    const delay = row.queued ? 0 : row.delay(now)
    this.renew(row, delay)
    if (delay > 0) row.backOff(delay)
    else if (!row.queued) this.#manager.stage.begin(row)
  }

  /** Makes the next incarnation, to begin after so many milliseconds. What was sent to the one before is dropped, if so configured. */
  renew(row: RoutineRow, delay: number): void {
    row.group.count('restarts', 1)
    row.renew()
    row.announce('routine.restarted', { delay })
    row.closeMailbox(false)
  }

  /** The end of a child that its supervisor does not answer; it was announced when it happened. */
  finish(row: RoutineRow, keepPermit = false): void {
    const { service } = row
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
    if (signal !== undefined) this.#manager.stage.signals.unbind(signal, row)
    this.rows.remove(row)
    this.idle--
    if (row.spec.hungAfter !== Infinity) this.#watched.delete(row)
    row.group.remove(row, kind, row.age)
    if (!this.line.remove(row) && !keepPermit) this.#manager.gate.give()
    this.#retain(row)
  }

  #close(row: RoutineRow, kind: EndKind, orphan: boolean, keepPermit: boolean): void {
    row.closeMailbox(true)
    this.#report(row, kind, orphan)
    keepPromises(row)
    row.group.wake()
    if (!keepPermit) grant(this.line)
  }

  announceEnd(row: RoutineRow, kind: EndKind, orphan: boolean, willRestart: boolean): void {
    const { bus } = this.#manager.stage
    // Nothing has happened since it ended, unless `restartIf` was asked.
    const at = row.spec.restartIf === undefined && row.spec.backoff === undefined ? row.current.endedAt : undefined
    if (kind === 'failed')
      bus.log('error', { path: row.path, err: row.current.error, incarnation: row.incarnation, willRestart }, 'routine failed')
    row.announceEnd(kind, willRestart, row.current, at)
    if (orphan) row.announce('routine.orphaned')
    const watchers = row.settling?.watchers
    if (watchers === undefined) return
    const end = { path: row.path, incarnation: row.incarnation, outcome: row.lastOutcome, willRestart }
    for (const watcher of watchers) watcher(end)
  }

  #report(row: RoutineRow, kind: EndKind, orphan: boolean): void {
    const manager = this.#manager
    let node: Manager | undefined = manager
    while (node !== undefined && node.run === undefined) node = node.up
    if (node === undefined) return
    const run = (manager.run ?? node.run) as ShutdownRun
    const thrown = kind === 'failed' || !row.current.obeyed ? row.current.error : undefined
    const entry = { path: row.path, outcome: kind, phase: run.phase, duration: (row.current.endedAt as number) - run.startedAt }
    manager.noteEnd(entry, orphan, thrown ?? row.current.stray?.error)
  }

  #retain(row: RoutineRow): void {
    const { retain } = this.#manager.spec
    if (retain === 0) return
    this.#retained[this.#retainedNext] = row
    this.#retainedNext = (this.#retainedNext + 1) % retain
  }

  /** The body of an abandoned incarnation has ended after all. */
  orphanSettled(row: RoutineRow, incarnation: number): void {
    row.group.count('orphaned', -1)
    if (!this.#manager.over) row.announce('routine.settled', { incarnation })
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
    if (row.state !== 'pending' || row.service?.prepared === true || (drain && (row.restarts === 0 || row.queued))) return
    row.seq = cause
    row.stop(CANCEL, this.#manager.cancelReason)
  }

  /** Those that may have to be asked to stop: all that were spawned, and with `services` the children too; the latest first. */
  askable(services: boolean): RoutineRow[] {
    return this.rows.latestFirst().filter((row) => !row.told && (row.service === undefined || row.service.isInstance || services))
  }

  /** Asks one of them. The milliseconds that it may take, where the shutdown is to see to that. */
  ask(row: RoutineRow, cause: number): number | undefined {
    if (row.told || row.ended) return undefined
    this.#manager.stage.asked++
    row.seq = cause
    const { shutdown } = row.spec
    const timed = typeof shutdown === 'number'
    row.current.timedByShutdown = timed
    row.stop(CANCEL, this.#manager.cancelReason)
    return timed && !row.current.over ? shutdown : undefined
  }

  /** Abandons one. */
  kill(row: RoutineRow, cause: number): void {
    if (row.ended) return
    row.seq = cause
    row.stop(KILL, this.#manager.cancelReason)
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
  if (begun === 'ok' && row.current === whose && !whose.over) row.local.stage.begin(row)
}

/** A deed. */
function askRestartIf(row: RoutineRow, orphan: boolean): void {
  const { turn, bus } = row.local.stage
  const { restartIf } = row.spec
  row.own.helps = false
  try {
    row.own.helps = Boolean(restartIf?.(row.current.error, row.restarts))
  } catch (error) {
    bus.contain(error, `${row.path}: restartIf threw`)
  }
  turn.arise(settle, row, orphan)
}

/** A deed. */
function askChance(row: RoutineRow, orphan: boolean): void {
  row.askChance()
  row.local.stage.turn.arise(settle, row, orphan)
}

function settle(row: RoutineRow, orphan: boolean): void {
  row.local.registry.settle(row, orphan)
}
