/** The supervisor of routines. */
import type { AnyActorLogic } from 'xstate'
import { localManagerMachine, type ManagerMachine } from '../../machines/manager.ts'
import type { Room } from '../admission/availability.ts'
import { Manager } from './manager.ts'
import type { AnyRoutine, Routine, RoutineFrom } from '../contract/routine-handle.ts'
import { refuse } from '../spec/check.ts'
import { checkName, compileLocalSpec, type LocalManagerOptions, type ManagerSpec } from '../spec/manager-spec.ts'
import { type RoutineOptions, type RoutineSpec, SpecCompiler } from '../spec/routine-spec.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { type Body, checkWork, type LogicArguments, type OptionsFor, type Work } from '../routine/work.ts'

/**
 * Supervises routines: one-for-one, by their restart types, within limits.
 *
 * @example
 * const local = global.createApp('api').createLocal('images', { maxRoutines: 8, overflow: 'queue' })
 * const { outcome } = local.spawn('resize', ({ input, signal }) => resize(input, signal), { input: 'cat.jpg' })
 */
export class LocalManager extends Manager {
  /** @internal */ readonly logic: ManagerMachine = this.stage.logicOf(localManagerMachine)

  readonly #specs = new SpecCompiler()

  /** @internal */
  constructor(up: Manager, name: string, spec: ManagerSpec) {
    super(up.stage, up, name, spec)
  }

  /** Queued routines; they hold no permit. */
  get queued(): number {
    return this.registry.line.length
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
  spawn<Logic extends AnyActorLogic>(name: string, work: Logic, ...options: LogicArguments<Logic>): RoutineFrom<Logic>
  spawn<Output, Input = undefined, Message = never, Reply = never>(
    name: string,
    work: Body<Input, Output, Message, Reply>,
    ...options: OptionsFor<NoInfer<Input>> | [options: RoutineOptions<Input> & { readonly input: Input }]
  ): Routine<Awaited<Output>, Message, Reply, undefined>
  spawn(name: string, work: unknown, ...[options]: unknown[]): never {
    // A name that lives has been checked.
    if (!this.groups.has(name)) checkName('routine', name, this.path)
    const given = options as RoutineOptions<never> | undefined
    const input: unknown = given?.input
    const path = `${this.path}/${name}`
    const spec = this.#specs.compile(given, path)
    const logic = checkWork(work, spec.resume, path)
    if (spec.significant) throw refuse('routine option significant', 'false for what is spawned: make it one of the children', true, path)
    const { turn, idsAreLazy } = this.stage
    const id = spec.id ?? (idsAreLazy ? undefined : this.#askForId(name))
    const outer = turn.begin()
    try {
      return this.#admit(name, logic, spec, input, id) as never
    } finally {
      if (outer) turn.end()
    }
  }

  /** Of a given generator, which is asked for those only who are not refused: its owner may count on the order. */
  #askForId(name: string): string {
    const { turn } = this.stage
    const outer = turn.begin()
    try {
      this.#checkRoom(name)
    } finally {
      if (outer) turn.end()
    }
    return this.registry.generateId()
  }

  #admit(name: string, work: Work, spec: RoutineSpec, input: unknown, id: string | undefined): RoutineRow {
    const { registry, gate, stage } = this
    const queue = this.#checkRoom(name)
    const row = registry.add(name, work, spec, input, id)
    if (queue) registry.line.push(row, ++stage.ticket)
    else gate.take()
    stage.tap?.spawned(row)
    row.announce('routine.spawned')
    if (queue) row.announce('routine.queued')
    if (spec.signal === undefined) {
      if (!queue) registry.admit(row)
      return row
    }
    registry.bindSignal(row)
    // Behind the deed that looks at its signal.
    if (!queue) stage.turn.next(admit, row)
    return row
  }

  /** True if it has to queue. Throws if it is refused. */
  #checkRoom(name: string): boolean {
    if (this.closed) this.refuse(name, 'ERR_NOT_ACCEPTING', `${this.path} is ${this.state} and accepts nothing`)
    const queue = this.registry.line.length > 0 || this.gate.full() !== undefined
    if (queue) this.#checkQueue(name)
    return queue
  }

  #checkQueue(name: string): void {
    const { overflow, maxQueue } = this.spec
    if (overflow === 'reject') this.refuse(name, 'ERR_AT_CAPACITY', `${this.path} has no permit left for ${name}: ${this.describeLimit()}`)
    if (this.queued >= maxQueue) this.refuse(name, 'ERR_QUEUE_FULL', `${this.path} has ${maxQueue} routines queued, which is the limit`)
  }

  /** Ended routines that are kept for a look, the latest last; see `retain`. */
  retained(): AnyRoutine[] {
    return this.registry.retained() as unknown as AnyRoutine[]
  }

  /** The local manager of this name among its children; undefined if there is none. */
  getLocal(name: string): LocalManager | undefined {
    return this.child(name) as LocalManager | undefined
  }

  /** All local managers among its children, in order of their making. */
  locals(): LocalManager[] {
    return this.below() as LocalManager[]
  }

  /** @internal */
  makeChild(name: string, options: LocalManagerOptions): LocalManager {
    return new LocalManager(this, name, compileLocalSpec(options, `${this.path}/${name}`))
  }

  /** @internal */
  override get queues(): boolean {
    return this.spec.overflow === 'queue'
  }

  /** @internal */
  override roomFor(room: Room): number {
    const free = this.queued === 0 ? this.gate.unspoken : 0
    return room === 'permit' ? free : Math.max(0, free) + this.spec.maxQueue - this.queued - this.gate.promised.queue
  }

  /** @internal */
  override keepsWaiting(room: Room): boolean {
    return this.queued > 0 || (room === 'queue' && this.spec.maxQueue > 0)
  }
}

function admit(row: RoutineRow): void {
  row.local.registry.admit(row)
}
