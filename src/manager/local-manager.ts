/** The supervisor of routines. */
import type { AnyActorLogic } from 'xstate'
import type { ManagerMachine } from '../../machines/manager.ts'
import { type Commission, commissionOf } from './commission.ts'
import { Manager } from './manager.ts'
import { managerLogic } from './manager-logic.ts'
import { type AnyRoutine, ManagerExistsError, type Routine, type RoutineFrom, type Work } from '../contract/index.ts'
import {
  checkName,
  checkWork,
  compileLocalSpec,
  type LocalManagerOptions,
  type LogicArguments,
  type ManagerSpec,
  type OptionsFor,
  type RoutineOptions,
  type RoutineSpec,
  SpecCompiler,
} from '../spec/index.ts'
import { announce, type SupervisedRoutine } from '../routine/index.ts'
import type { RoutineRegistry } from '../supervision/index.ts'
import type { AnyWork, ArgumentsFor, HandleOf, InputIsMissing, RoutineContext, Whole } from './body.ts'

/**
 * Supervises routines: one-for-one, by their restart types, within limits.
 *
 * @example
 * const local = global.createApp('api').createLocal('images', { maxRoutines: 8, overflow: 'queue' })
 * const { outcome } = local.spawn('resize', ({ input, signal }) => resize(input, signal), { input: 'cat.jpg' })
 */
export class LocalManager extends Manager {
  /** @internal */
  protected get kind(): string {
    return 'LocalManager'
  }

  /** @internal */
  get logic(): ManagerMachine {
    return managerLogic('local')
  }

  readonly #specs = new SpecCompiler()

  /** @internal */
  constructor(up: Manager, name: string, spec: ManagerSpec) {
    super(up.tree, up, name, spec)
  }

  /** Queued routines; they hold no permit. */
  get queued(): number {
    return this.registry.queued
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
    work: (context: RoutineContext<Input, Message, Reply>) => Whole<Output>,
    ...options: OptionsFor<NoInfer<Input>> | [options: RoutineOptions<Input> & { readonly input: Input }]
  ): Routine<Awaited<Output>, Message, Reply, undefined>
  spawn<Given extends AnyWork>(name: string, work: Given & InputIsMissing): HandleOf<Given>
  // The last is what a compiler reports: it says what is wrong with the options, whatever the work is.
  spawn<Given extends AnyWork>(name: string, work: Given, ...options: ArgumentsFor<Given>): HandleOf<Given>
  spawn(name: string, work: unknown, ...[options]: unknown[]): never {
    // A name that lives has been checked.
    if (!this.registry.knows(name)) checkName('routine', name, this.path)
    const given = options as RoutineOptions<never> | undefined
    const input: unknown = given?.input
    // The path is for errors: to make it each time takes longer than to remember the options.
    const spec = this.#specs.recall(given) ?? this.#specs.compile(given, `${this.path}/${name}`)
    const isPlain = typeof work === 'function' && spec.resume === 'fresh'
    const logic = isPlain ? (work as Work) : checkWork(work, spec.resume, `${this.path}/${name}`)
    if (spec.durable) return this.#spawnDurable(name, logic, spec, given as RoutineOptions<never>) as never
    const { turn, idsAreLazy } = this.tree
    const id = spec.id ?? (idsAreLazy ? undefined : this.#askForId(name))
    const context = this.tree.captureContext()
    const outer = turn.begin(!isPlain || this.tree.isWatched)
    try {
      return this.#admit(name, logic, spec, input, id, context) as never
    } finally {
      if (outer) turn.end()
    }
  }

  #spawnDurable(name: string, work: Work, spec: RoutineSpec, options: RoutineOptions<never>): SupervisedRoutine {
    const { tree, registry } = this
    const commission = commissionOf(tree, name, work, options, `${this.path}/${name}`)
    const id = spec.id ?? tree.generateLastingId() ?? this.#askForId(name)
    const context = tree.captureContext()
    const outer = tree.turn.begin()
    try {
      const waits = this.#checkRoom(name)
      this.#checkStore(name, id, commission)
      const routine = registry.add(name, work, spec, commission.facts.input, id)
      if (context !== undefined) routine.ownMemory.asyncContext = context
      commission.take(routine)
      return this.#enter(routine, waits)
    } finally {
      if (outer) tree.turn.end()
    }
  }

  /** Asks a given generator, after the checks for a refusal: a spawn that is refused uses up no id. */
  #askForId(name: string): string {
    const { turn } = this.tree
    const outer = turn.begin()
    try {
      this.#checkRoom(name)
    } finally {
      if (outer) turn.end()
    }
    return this.registry.generateId()
  }

  #admit(name: string, work: Work, spec: RoutineSpec, input: unknown, id: string | undefined, context: unknown): SupervisedRoutine {
    const { registry } = this
    const waits = this.#checkRoom(name)
    const routine = registry.add(name, work, spec, input, id)
    if (context !== undefined) routine.ownMemory.asyncContext = context
    return this.#enter(routine, waits)
  }

  /** It has a permit, or joins the queue, and is announced. In a turn. */
  #enter(routine: SupervisedRoutine, waits: boolean): SupervisedRoutine {
    const { registry, tree } = this
    if (waits) registry.queue.push(routine, ++tree.ticket)
    else this.life.gate.take()
    tree.observer?.spawned(routine)
    announce(routine, 'routine.spawned')
    if (waits) announce(routine, 'routine.queued')
    if (routine.spec.signal === undefined) {
      if (!waits) registry.admit(routine)
      return routine
    }
    registry.bindSignal(routine)
    // Comes after the deed that looks at its signal.
    if (!waits) tree.turn.next(admit, routine)
    return routine
  }

  /** True if it has to queue. Throws if it is refused. */
  #checkRoom(name: string): boolean {
    if (this.closed) this.life.place.refuse(name, 'ERR_NOT_ACCEPTING', `${this.path} is ${this.state} and accepts nothing`)
    const waits = this.registry.queued > 0 || this.life.gate.full() !== undefined
    if (waits) this.#checkQueue(name)
    return waits
  }

  #checkQueue(name: string): void {
    const { overflow, maxQueue } = this.spec
    if (overflow === 'reject')
      this.life.place.refuse(name, 'ERR_AT_CAPACITY', `${this.path} has no permit left for ${name}: ${this.life.describeLimit()}`)
    if (this.queued >= maxQueue)
      this.life.place.refuse(name, 'ERR_QUEUE_FULL', `${this.path} has ${maxQueue} routines queued, which is the limit`)
  }

  /** A durable one has an id that no other has in the whole tree, and there is room for it in the store. */
  #checkStore(name: string, id: string, { ledger }: Commission): void {
    const { path } = this
    if (ledger.isTaken(id)) throw new ManagerExistsError(`${path}: a durable routine of the id ${id} lives in this tree`, { path })
    if (!ledger.isFull) return
    const { overflow, maxQueue } = this.spec
    if (overflow === 'reject' || ledger.held >= maxQueue)
      this.life.place.refuse(name, 'ERR_QUEUE_FULL', `${path}: as much waits for the store as it may hold`)
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
  protected makeManager(name: string, options: LocalManagerOptions): LocalManager {
    return new LocalManager(this, name, compileLocalSpec(options, `${this.path}/${name}`))
  }
}

function admit(routine: SupervisedRoutine): void {
  ;(routine.local.registry as RoutineRegistry).admit(routine)
}
