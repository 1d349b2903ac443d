/** The supervisor of routines. */
import type { AnyActorLogic } from 'xstate'
import type { RefusalCode } from '../../machines/lifecycle-event.ts'
import type { ManagerMachine } from '../../machines/manager.ts'
import { Manager } from './manager.ts'
import { managerLogic } from './manager-logic.ts'
import { type AnyRoutine, asRefusal, type Routine, type RoutineFrom, type Work } from '../contract/index.ts'
import type { Commission } from '../port/index.ts'
import {
  checkName,
  checkWork,
  compileLocalSpec,
  type LocalManagerOptions,
  type LogicArguments,
  type ManagerSpec,
  type OptionsFor,
  refuse,
  type RoutineOptions,
  type RoutineSpec,
  SpecCompiler,
} from '../spec/index.ts'
import { announce, type SupervisedRoutine } from '../routine/index.ts'
import type { RoutineRegistry } from '../supervision/index.ts'
import type { AnyWork, ArgumentsFor, HandleOf, InputIsMissing, RoutineContext, Whole } from './body.ts'

/** Why a spawn is refused. */
interface Refusal {
  readonly code: RefusalCode
  readonly message: string
}

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
    // A name that is known has been checked.
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
    let refused: Refusal | undefined
    try {
      const waits = this.#mustQueue()
      refused = waits || this.closed ? this.#refusalOf(name, waits) : undefined
      if (refused === undefined) return this.#admit(name, logic, spec, input, id, context, waits) as never
    } finally {
      if (outer) turn.end()
    }
    // Here, and not where it is decided: each frame that an error passes, or has in its stack, costs as much as a small spawn.
    throw asRefusal(new Error(refused.message), refused.code, this.path)
  }

  #spawnDurable(name: string, work: Work, spec: RoutineSpec, options: RoutineOptions<never>): SupervisedRoutine {
    const { tree, registry } = this
    const { durability } = tree
    const at = `${this.path}/${name}`
    if (durability === undefined) throw refuse('routine option durable', 'false where the global manager has no store', true, at)
    const commission = durability.commission(name, work, options, at)
    const id = spec.id ?? tree.generateLastingId() ?? this.#askForId(name)
    const context = tree.captureContext()
    const outer = tree.turn.begin()
    let refused: Refusal | undefined
    try {
      const waits = this.#mustQueue()
      refused = this.#refusalOf(name, waits) ?? this.#storeRefusal(name, id, commission)
      if (refused === undefined) {
        const routine = registry.add(name, work, spec, commission.input, id)
        if (context !== undefined) routine.ownMemory.asyncContext = context
        commission.take(routine)
        return this.#enter(routine, waits)
      }
    } finally {
      if (outer) tree.turn.end()
    }
    throw asRefusal(new Error(refused.message), refused.code, this.path)
  }

  /** Asks a given generator, after the checks for a refusal: a spawn that is refused uses up no id. */
  #askForId(name: string): string {
    const { turn } = this.tree
    const outer = turn.begin()
    let refused: Refusal | undefined
    try {
      refused = this.#refusalOf(name, this.#mustQueue())
    } finally {
      if (outer) turn.end()
    }
    if (refused !== undefined) throw asRefusal(new Error(refused.message), refused.code, this.path)
    return this.registry.generateId()
  }

  #admit(
    name: string,
    work: Work,
    spec: RoutineSpec,
    input: unknown,
    id: string | undefined,
    context: unknown,
    waits: boolean,
  ): SupervisedRoutine {
    const { registry } = this
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

  /** True if who is admitted has to queue. */
  #mustQueue(): boolean {
    return this.registry.queued > 0 || this.life.gate.full() !== undefined
  }

  /** Why a spawn of this name is refused, which is counted and announced; undefined if it is not. In a turn. */
  #refusalOf(name: string, waits: boolean): Refusal | undefined {
    const { path, spec } = this
    if (this.closed) return this.#refuse(name, 'ERR_NOT_ACCEPTING', `${path} is ${this.state} and accepts nothing`)
    if (!waits) return undefined
    if (spec.overflow === 'reject')
      return this.#refuse(name, 'ERR_AT_CAPACITY', `${path} has no permit left for ${name}: ${this.life.describeLimit()}`)
    if (this.queued < spec.maxQueue) return undefined
    return this.#refuse(name, 'ERR_QUEUE_FULL', `${path} has ${spec.maxQueue} routines queued, which is the limit`)
  }

  #refuse(name: string, code: RefusalCode, message: string): Refusal {
    this.life.place.refuse(name, code)
    return { code, message }
  }

  /** A durable one has an id that no other has in the whole tree, and there is room for it in the store. */
  #storeRefusal(name: string, id: string, commission: Commission): Refusal | undefined {
    const { overflow, maxQueue } = this.spec
    const why = commission.refusal(id, overflow === 'queue' ? maxQueue : 0)
    return why === undefined ? undefined : this.#refuse(name, 'ERR_QUEUE_FULL', `${this.path}: ${why}`)
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
