/** The supervisor of routines. */
import type { AnyActorLogic, InputFrom, IsNotNever } from 'xstate'
import { localManagerMachine, type ManagerMachine } from '../machines/manager.ts'
import { shouldRestart } from '../machines/restart-policy.ts'
import type { AppManager } from './app-manager.ts'
import { ConfigError, ManagerExistsError, RoutineCancelledError } from './errors.ts'
import { grant, Line } from './limiter.ts'
import { Manager } from './manager.ts'
import { NameGroup, type NameRegistry } from './name-group.ts'
import { obeys } from './outcome.ts'
import type { Routine, RoutineFrom } from './routine-handle.ts'
import { RoutineRow } from './routine.ts'
import { keepPromises } from './routine-promises.ts'
import type { ShutdownRun } from './shutdown.ts'
import { refuse } from './spec/check.ts'
import { checkName, type ManagerSpec } from './spec/manager-spec.ts'
import { compileRoutineSpec, type RoutineOptions, type RoutineSpec } from './spec/routine-spec.ts'
import { CANCEL, GIVE_UP, KILL } from './stage.ts'
import { type Body, isActorLogic, type Work } from './work.ts'

/** Options of a spawn whose work takes input of this type: required unless it may be undefined. */
type OptionsFor<Input> = undefined extends Input
  ? [options?: RoutineOptions<Input>]
  : [options: RoutineOptions<Input> & { readonly input: Input }]

type LogicInput<Logic extends AnyActorLogic> = unknown extends InputFrom<Logic> ? unknown : InputFrom<Logic>

/**
 * Supervises routines: one-for-one, by their restart types, within limits.
 *
 * @example
 * const local = global.createApp('api').createLocal('images', { maxRoutines: 8, overflow: 'queue' })
 * const { outcome } = local.spawn('resize', ({ input, signal }) => resize(input, signal), { input: 'cat.jpg' })
 */
export class LocalManager extends Manager {
  /** @internal */ readonly logic: ManagerMachine = this.stage.logicOf(localManagerMachine)
  /** @internal Why a routine stops that was told so without a reason: one for all, since making errors is dear. */
  readonly cancelReason: RoutineCancelledError
  readonly #rows = new Map<string, RoutineRow>()
  readonly #watched = new Set<RoutineRow>()
  /** A ring: once full, the next one takes the place of the oldest. */
  readonly #retained: RoutineRow[] = []
  #retainedNext = 0
  readonly #line: Line<RoutineRow>
  readonly #registry: NameRegistry<RoutineRow>

  /** @internal */
  constructor(app: AppManager, name: string, spec: ManagerSpec) {
    super(app.stage, app, name, spec)
    this.cancelReason = new RoutineCancelledError('told to stop', { path: this.path })
    this.#line = new Line(this.gate, (row) => this.#admit(row))
    this.#registry = registryOf(this) as NameRegistry<RoutineRow>
  }

  /** Queued routines; they hold no permit. */
  get queued(): number {
    return this.#line.length
  }

  /**
   * Starts supervised work. Admission is decided before it returns; the work begins in a later microtask, in order of admission.
   *
   * @param name What it is called; many routines may share a name.
   * @param work A function of its context, or the logic of any XState actor.
   * @throws SpawnRefusedError ERR_NOT_ACCEPTING, ERR_AT_CAPACITY or ERR_QUEUE_FULL; ConfigError; ManagerExistsError if `id` is taken.
   * @example
   * const routine = local.spawn('greet', ({ input }) => `hello ${input}`, { input: 'world' })
   * console.log(await routine.result())
   */
  spawn<Logic extends AnyActorLogic>(
    name: string,
    work: Logic,
    ...options: IsNotNever<LogicInput<Logic>> extends true ? OptionsFor<LogicInput<Logic>> : [options?: RoutineOptions]
  ): RoutineFrom<Logic>
  spawn<Output, Input = undefined, Message = never, Reply = never>(
    name: string,
    work: Body<Input, Output, Message, Reply>,
    ...options: OptionsFor<NoInfer<Input>> | [options: RoutineOptions<Input> & { readonly input: Input }]
  ): Routine<Awaited<Output>, Message, Reply>
  spawn(name: string, work: unknown, ...[options]: unknown[]): never {
    checkName('routine', name, this.path)
    if (typeof work !== 'function' && !isActorLogic(work))
      throw refuse('routine work', 'a function or XState actor logic', work, `${this.path}/${name}`)
    const spec = compileRoutineSpec(options as RoutineOptions<never> | undefined, `${this.path}/${name}`)
    if (this.closed) this.refuse(name, 'ERR_NOT_ACCEPTING', `${this.path} is ${this.state} and accepts nothing`)
    const queue = this.#line.length > 0 || this.gate.full() !== undefined
    if (queue) this.#checkQueue(name)
    const row = this.#register(name, work as Work, spec)
    if (queue) this.#line.push(row, ++this.stage.ticket)
    else this.gate.take()
    row.announce('routine.spawned')
    if (queue && !row.ended) row.announce('routine.queued')
    if (spec.signal !== undefined) this.#bindSignal(row, spec.signal)
    if (!queue && !row.ended) this.#admit(row)
    return row as never
  }

  #checkQueue(name: string): void {
    const { overflow, maxQueue } = this.spec
    if (overflow === 'reject') this.refuse(name, 'ERR_AT_CAPACITY', `${this.path} has no permit left for ${name}`)
    if (this.#line.length >= maxQueue)
      this.refuse(name, 'ERR_QUEUE_FULL', `${this.path} has ${maxQueue} routines queued, which is the limit`)
  }

  #register(name: string, work: Work, spec: RoutineSpec): RoutineRow {
    if (spec.id !== undefined && this.#rows.has(spec.id)) {
      throw new ManagerExistsError(`${this.path} has a routine with the id ${spec.id}`, { path: this.path })
    }
    const id = spec.id ?? this.stage.generateId((taken) => this.#rows.has(taken))
    const row = new RoutineRow(this, id, name, work, spec, NameGroup.of(name, this.#registry))
    this.#rows.set(id, row)
    row.group.add(row)
    if (spec.hungAfter !== Infinity) this.#watched.add(row)
    return row
  }

  #bindSignal(row: RoutineRow, signal: AbortSignal): void {
    if (signal.aborted) row.stop(CANCEL, signal.reason)
    else if (!row.ended) this.stage.signals.bind(signal, row)
  }

  #admit(row: RoutineRow): void {
    if (row.prepare()) this.stage.begin(row)
  }

  routines(): Routine<unknown, unknown>[] {
    return [...this.#rows.values()] as unknown as Routine<unknown, unknown>[]
  }

  /** Ended routines that are kept for a look, the latest last; see `retain`. */
  retained(): Routine<unknown, unknown>[] {
    const oldest = this.#retained.length < this.spec.retain ? 0 : this.#retainedNext
    return [...this.#retained.slice(oldest), ...this.#retained.slice(0, oldest)] as unknown as Routine<unknown, unknown>[]
  }

  routine(id: string): Routine<unknown, unknown> | undefined {
    const row = this.#rows.get(id) ?? this.#retained.findLast((each) => each.id === id)
    return row as unknown as Routine<unknown, unknown> | undefined
  }

  routinesNamed(name: string): Routine<unknown, unknown>[] {
    return [...(this.groups.get(name) ?? [])] as unknown as Routine<unknown, unknown>[]
  }

  // --- supervision ---------------------------------------------------------------------------

  /** @internal An incarnation has ended: another one, or the end of the routine. */
  settle(row: RoutineRow, orphan: boolean): void {
    const now = this.stage.clock.now()
    if (orphan) row.group.count('orphaned', 1)
    const again = !row.told && !this.closed && (row.wantsRestart || (shouldRestart(row.spec.restart, row.exitKind) && this.#mayHelp(row)))
    const tooMany = again && !row.restartIsFree && !this.window.record(now)
    if (again && !tooMany) this.#restart(row, orphan, now)
    else this.#finish(row, orphan)
    if (tooMany) this.giveUp(row.seq, row.current.error)
  }

  #mayHelp(row: RoutineRow): boolean {
    const { restartIf } = row.spec
    if (row.startFailed) return false
    if (restartIf === undefined || row.exitKind !== 'abnormal') return true
    try {
      return restartIf(row.current.error, row.restarts)
    } catch (error) {
      this.stage.bus.contain(error, `${row.path}: restartIf threw`)
      return false
    }
  }

  #restart(row: RoutineRow, orphan: boolean, now: number): void {
    this.#announceEnd(row, orphan, true)
    row.group.count('restarts', 1)
    const delay = row.renew(now)
    row.closeMailbox(false)
    row.announce('routine.restarted', { delay })
    // A listener may just have told it, or everybody, to stop: then that is how the new incarnation ends.
    if (row.told || this.closed) row.stop(CANCEL, row.lateReason ?? this.cancelReason)
    else if (delay === 0) this.stage.begin(row)
  }

  #finish(row: RoutineRow, orphan: boolean): void {
    row.ended = true
    const { signal } = row.spec
    if (signal !== undefined) this.stage.signals.unbind(signal, row)
    this.#rows.delete(row.id)
    this.#watched.delete(row)
    row.group.remove(row, row.endKind, row.age)
    if (!this.#line.remove(row)) this.gate.give()
    this.#retain(row)
    this.#announceEnd(row, orphan, false)
    row.closeMailbox(true)
    this.#report(row, orphan)
    keepPromises(row)
    row.group.wake()
    grant(this.#line)
  }

  #announceEnd(row: RoutineRow, orphan: boolean, willRestart: boolean): void {
    const kind = row.endKind
    const { bus } = this.stage
    const duration = row.uptime
    if (kind === 'failed') {
      bus.log('error', { path: row.path, err: row.current.error, incarnation: row.incarnation, willRestart }, 'routine failed')
      row.announce('routine.failed', { duration, willRestart, error: row.current.error })
    } else if (kind === 'completed') row.announce('routine.completed', { duration, willRestart })
    else row.announce(kind === 'killed' ? 'routine.killed' : 'routine.cancelled', { duration, willRestart, reason: row.current.reason })
    if (orphan) row.announce('routine.orphaned')
  }

  #report(row: RoutineRow, orphan: boolean): void {
    let node: Manager | undefined = this
    while (node !== undefined && node.run === undefined) node = node.up
    if (node === undefined) return
    const run = (this.run ?? node.run) as ShutdownRun
    const kind = row.endKind
    const thrown = kind === 'failed' || !obeys(row.current.error, row.current.reason) ? row.current.error : undefined
    const entry = { path: row.path, outcome: kind, phase: run.phase, duration: run.elapsed }
    this.noteEnd(entry, orphan, thrown ?? row.current.stray?.error)
  }

  #retain(row: RoutineRow): void {
    const { retain } = this.spec
    if (retain === 0) return
    this.#retained[this.#retainedNext] = row
    this.#retainedNext = (this.#retainedNext + 1) % retain
  }

  /** @internal The body of an abandoned incarnation has ended after all. */
  orphanSettled(row: RoutineRow, incarnation: number): void {
    row.group.count('orphaned', -1)
    if (!this.over) row.announce('routine.settled', { incarnation })
  }

  // --- shutdown ------------------------------------------------------------------------------

  /** @internal */
  get living(): number {
    return this.#rows.size
  }

  /** @internal */
  below(): readonly Manager[] {
    return []
  }

  /** @internal */
  forget(): void {
    throw new ConfigError('a local manager has no managers below')
  }

  /** @internal */
  override hasRoom(room: 'permit' | 'queue'): boolean {
    if (this.#line.length === 0 && this.gate.available > 0) return true
    return room === 'queue' && this.spec.overflow === 'queue' && this.#line.length < this.spec.maxQueue
  }

  /** @internal */
  cancelPending(cause: number, drain: boolean): void {
    for (const row of this.#latestFirst()) {
      if (row.state !== 'pending' || (drain && row.restarts === 0)) continue
      row.seq = cause
      row.stop(CANCEL, this.cancelReason)
    }
  }

  /** @internal Their shutdown times are kept by the run: one timer for each length, not one for each routine. */
  askOwn(cause: number): void {
    const groups = new Map<number, RoutineRow[]>()
    for (const row of this.#latestFirst()) {
      if (row.told) continue
      this.stage.asked++
      row.seq = cause
      const { shutdown } = row.spec
      row.current.timedByShutdown = typeof shutdown === 'number'
      row.stop(CANCEL, this.cancelReason)
      if (row.ended || typeof shutdown !== 'number') continue
      const group = groups.get(shutdown)
      if (group === undefined) groups.set(shutdown, [row])
      else group.push(row)
    }
    for (const [delay, rows] of groups) this.run?.grace(delay, () => giveUpOn(rows))
  }

  /** @internal */
  killOwn(cause: number): void {
    for (const row of this.#latestFirst()) {
      row.seq = cause
      row.stop(KILL, this.cancelReason)
    }
  }

  #latestFirst(): RoutineRow[] {
    return [...this.#rows.values()].reverse()
  }

  /** @internal */
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

function registryOf(manager: Manager | undefined): NameRegistry<RoutineRow> | undefined {
  return manager === undefined ? undefined : { groups: manager.groups, tally: manager.tally, up: registryOf(manager.up) }
}
