/** The routines of one manager, from their registration to their last event. */
import { exitOf, shouldRestart } from '../machines/restart-policy.ts'
import { ManagerExistsError } from './errors.ts'
import { grant, Line } from './limiter.ts'
import { LivingRows } from './living-rows.ts'
import type { Manager } from './manager.ts'
import type { EndKind } from './metrics.ts'
import { NameGroup, type NameRegistry } from './name-group.ts'
import { obeys } from './outcome.ts'
import { RoutineRow } from './routine.ts'
import { keepPromises } from './routine-promises.ts'
import type { Service } from './service.ts'
import type { ShutdownRun } from './shutdown.ts'
import type { RoutineSpec } from './spec/routine-spec.ts'
import { CANCEL, GIVE_UP, KILL } from './routine-steps.ts'
import type { Work } from './work.ts'

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
  add(name: string, work: Work, spec: RoutineSpec, input: unknown, wanted: string | undefined, service?: Service): RoutineRow {
    const manager = this.#manager
    const { stage } = manager
    if (wanted !== undefined && this.rows.has(wanted)) {
      throw new ManagerExistsError(`${manager.path} has a routine with the id ${wanted}`, { path: manager.path })
    }
    // Ids of a given generator are made here and now: its owner may count on the order.
    const id = wanted ?? (stage.idsAreLazy ? undefined : this.generateId())
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
    if (signal === undefined) return
    if (signal.aborted) row.stop(CANCEL, signal.reason)
    else if (!row.ended) this.#manager.stage.signals.bind(signal, row)
  }

  /** A spawned routine has its permit. One that was restarted in the queue is prepared as it begins, like any that is restarted. */
  admit(row: RoutineRow): void {
    if (row.restarts > 0 || (row.prepare() === 'ok' && !row.current.over)) this.#manager.stage.begin(row)
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

  /** An incarnation has ended: another one, or the end of the routine. */
  settle(row: RoutineRow, kind: EndKind, orphan: boolean): void {
    const manager = this.#manager
    if (orphan) row.group.count('orphaned', 1)
    if (row.service !== undefined) {
      manager.supervisor.routineEnded(row.service, row, kind, orphan)
      return
    }
    const now = row.current.endedAt as number
    const again = !row.told && !manager.closed && (row.wantsRestart || this.#asksForRestart(row, kind))
    const tooMany = again && !row.restartIsFree && !row.startsFresh() && !manager.window.record(now)
    if (again && !tooMany) this.#restart(row, kind, orphan, now)
    else {
      this.#leave(row, kind, false)
      this.announceEnd(row, kind, orphan, false)
      this.#close(row, kind, orphan, false)
    }
    if (tooMany) manager.giveUp(row.seq, row.current.error)
  }

  /** By its restart type. Whose `start` asks to be ignored is not started again, whatever that says. */
  #asksForRestart(row: RoutineRow, kind: EndKind): boolean {
    return !row.unstarted && shouldRestart(row.spec.restart, exitOf(kind)) && this.mayHelp(row)
  }

  /** True unless `restartIf` says that another incarnation would not help. */
  mayHelp(row: RoutineRow): boolean {
    const { restartIf } = row.spec
    if (row.startFailed) return false
    if (restartIf === undefined || exitOf(row.endKind) !== 'abnormal') return true
    try {
      return restartIf(row.current.error, row.restarts)
    } catch (error) {
      this.#manager.stage.bus.contain(error, `${row.path}: restartIf threw`)
      return false
    }
  }

  #restart(row: RoutineRow, kind: EndKind, orphan: boolean, now: number): void {
    this.announceEnd(row, kind, orphan, true)
    // Who waits in the queue keeps its place, and begins when it has its permit.
    const delay = row.queued ? 0 : row.delay(now)
    this.renew(row, delay, () => row.backOff(delay))
    // A listener may just have told it, or everybody, to stop: then that is how the new incarnation ends.
    if (row.told || this.#manager.closed) row.stop(CANCEL, row.lateReason ?? this.#manager.cancelReason)
    else if (delay === 0 && !row.queued) this.#manager.stage.begin(row)
  }

  /**
   * Makes the next incarnation, to begin after so many milliseconds; `wait` sees to that, before anybody hears of it. Whoever looks
   * on while it is made may end it, or everything: then nothing is waited for.
   */
  renew(row: RoutineRow, delay: number, wait?: () => void): void {
    row.group.count('restarts', 1)
    row.renew()
    if (delay > 0 && !row.ended && !row.told && !this.#manager.closed) wait?.()
    row.closeMailbox(false)
    if (!row.ended) row.announce('routine.restarted', { delay })
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
    const at = row.spec.restartIf === undefined ? row.current.endedAt : undefined
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
    const thrown = kind === 'failed' || !obeys(row.current.error, row.current.reason) ? row.current.error : undefined
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

  /** Ends what has not begun; with `drain`, only what waits for a restart. */
  cancelPending(cause: number, drain: boolean): void {
    // Looking at 100,000 that run is a tenth of their shutdown.
    if (this.idle === 0) return
    for (const row of this.rows.latestFirst()) {
      if (row.current.over) {
        // A child whose end its supervisor has not come to any more.
        this.finish(row)
        continue
      }
      if (row.state !== 'pending' || row.service?.prepared === true || (drain && (row.restarts === 0 || row.queued))) continue
      row.seq = cause
      row.stop(CANCEL, this.#manager.cancelReason)
    }
  }

  /** Asks all that were spawned, and with `services` the children too. Their shutdown times are kept by the run: one timer for each length. */
  ask(cause: number, services: boolean): void {
    const groups = new Map<number, RoutineRow[]>()
    for (const row of this.rows.latestFirst()) {
      if (row.told || (row.service !== undefined && !row.service.isInstance && !services)) continue
      this.#manager.stage.asked++
      row.seq = cause
      const { shutdown } = row.spec
      row.current.timedByShutdown = typeof shutdown === 'number'
      row.stop(CANCEL, this.#manager.cancelReason)
      if (row.ended || typeof shutdown !== 'number') continue
      const group = groups.get(shutdown)
      if (group === undefined) groups.set(shutdown, [row])
      else group.push(row)
    }
    for (const [delay, rows] of groups) this.#manager.run?.grace(delay, () => giveUpOn(rows))
  }

  /** Abandons what is left. */
  kill(cause: number): void {
    for (const row of this.rows.latestFirst()) {
      row.seq = cause
      row.stop(KILL, this.#manager.cancelReason)
    }
  }

  /** Milliseconds since the longest silent of them was heard. */
  oldestBeat(now: number): number | undefined {
    let oldest: number | undefined
    for (const row of this.#watched)
      if (row.current.heartbeat !== undefined) oldest = Math.max(oldest ?? 0, now - row.current.heartbeat.last)
    return oldest
  }
}

function giveUpOn(rows: readonly RoutineRow[]): void {
  for (const row of rows) if (!row.ended) row.current.step(GIVE_UP, undefined)
}
