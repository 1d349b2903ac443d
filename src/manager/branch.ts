/** What hangs below a manager: other managers, and routines. */
import { type Room, Seeker } from '../admission/availability.ts'
import { ManagerExistsError, RoutineCancelledError, SpawnRefusedError } from '../contract/errors.ts'
import type { Manager } from './manager.ts'
import type { NameRegistry } from '../count/name-group.ts'
import { type NamedReport, shutdownRoutines } from '../shutdown/named-shutdown.ts'
import type { AnyRoutine } from '../contract/routine-handle.ts'
import { RoutineRegistry } from '../supervision/routine-registry.ts'
import type { RoutineRow } from '../routine/routine.ts'
import { Service } from '../supervision/service.ts'
import { check, oneOf } from '../spec/check.ts'
import { checkName, type ManagerSpec } from '../spec/manager-spec.ts'
import { CANCEL } from '../routine/routine-steps.ts'
import type { Stage } from '../turn/stage.ts'
import { TreeNode } from './tree-node.ts'
import { WAIT_RULES, type WaitOptions, waitUntil } from '../turn/waiting.ts'

/** Waiting for room. */
export interface AvailabilityOptions extends WaitOptions {
  /** What to wait for: a free permit, or a place in the queue of a local manager. @default 'permit' */
  readonly room?: 'permit' | 'queue' | undefined
}

const AVAILABILITY_RULES = { ...WAIT_RULES, room: oneOf('permit', 'queue') }

export abstract class Branch extends TreeNode {
  /** @internal */ readonly registry: RoutineRegistry
  /** @internal Managers and children, in order of their first start: the reverse of the order in which they stop. */
  readonly order = new Set<Manager | Service>()
  readonly #managers = new Map<string, Manager>()

  constructor(stage: Stage, up: TreeNode | undefined, name: string, spec: ManagerSpec) {
    super(stage, up, name, spec)
    this.registry = new RoutineRegistry(this as unknown as Manager, namesOf(this) as NameRegistry<RoutineRow>)
  }

  /** @internal True once nothing is accepted. */ abstract closed: boolean
  #cancelReason: RoutineCancelledError | undefined

  /** @internal Why a routine stops that was told so without a reason: one for all, since making errors is dear. */
  get cancelReason(): RoutineCancelledError {
    return (this.#cancelReason ??= new RoutineCancelledError('told to stop', { path: this.path }))
  }

  /** Permits held: routines below that were admitted and have not ended. Never above `maxRoutines`. */
  get count(): number {
    return this.gate.count
  }

  /** Permits that are free, here and at all levels above; 0 once nothing is accepted. */
  get available(): number {
    return this.closed ? 0 : Math.max(0, this.gate.available)
  }

  /**
   * Waits until there is a permit for a spawn. Those who wait are told in turn, as many as there are permits for; whoever spawns
   * without asking may still be faster.
   *
   * @returns True when there is one, at once if so already; false on timeout or when nothing is accepted any more.
   * @throws Rejects with the reason of an aborted signal; throws ConfigError.
   * @example
   * if (await local.whenAvailable({ timeout: 1_000 })) local.spawn('resize', resize)
   */
  whenAvailable(options: AvailabilityOptions = {}): Promise<boolean> {
    check('whenAvailable', options, AVAILABILITY_RULES, this.path)
    const { room = 'permit', ...wait } = options
    const seeker = new Seeker(this, this.queues ? room : 'permit')
    return waitUntil(seeker.ready, [seeker], wait, this.stage).then((held) => held && !this.closed)
  }

  /** @internal Those who wait for room here. */
  readonly seekers = new Set<() => void>()

  /** @internal True if there is a queue to wait for a place in. */
  get queues(): boolean {
    return false
  }

  /** @internal */
  roomFor(_room: Room): number {
    return this.gate.unspoken
  }

  /** @internal */
  keepsWaiting(_room: Room): boolean {
    return false
  }

  /** @internal Takes up a manager that was asked for by hand: all or nothing. */
  protected adopt<Child extends Manager>(name: string, make: () => Child): Child {
    const { turn } = this.stage
    const outer = turn.begin()
    try {
      if (this.closed) throw new SpawnRefusedError('ERR_NOT_ACCEPTING', `${this.path} accepts nothing`, { path: this.path })
      const child = this.insert(name, make)
      this.order.add(child)
      child.live()
      return child
    } finally {
      if (outer) turn.end()
    }
  }

  /** @internal */
  insert<Child extends Manager>(name: string, make: () => Child): Child {
    if (this.#managers.has(name)) throw new ManagerExistsError(`${this.path} has a manager named ${name}`, { path: `${this.path}/${name}` })
    const child = make()
    this.#managers.set(name, child)
    return child
  }

  /** @internal */
  child(name: string): Manager | undefined {
    return this.#managers.get(name)
  }

  /** @internal Managers below, in order of their making. */
  below(): Manager[] {
    return [...this.#managers.values()]
  }

  /** @internal */
  forget(child: Manager): void {
    if (this.#managers.get(child.name) === child) this.#managers.delete(child.name)
    this.order.delete(child)
  }

  /** @internal Managers and routines below that have not ended. */
  get living(): number {
    return this.#managers.size + this.registry.rows.size
  }

  /** @internal Living and queued routines below. */
  get livingRoutines(): number {
    const { spawned, completed, failed, cancelled, killed } = this.totals
    return spawned - completed - failed - cancelled - killed
  }

  /** Living and queued routines below, in order of spawning within each manager. */
  routines(): AnyRoutine[] {
    const own = this.registry.rows.values() as unknown as AnyRoutine[]
    return this.#managers.size === 0 ? own : [...own, ...this.below().flatMap((child) => child.routines())]
  }

  /** The routine of this id below, if it lives or is retained. */
  routine(id: string): AnyRoutine | undefined {
    // One that lives anywhere below comes before those that are only remembered.
    const found = this.#search(({ rows }) => rows.get(id)) ?? this.#search((registry) => registry.findRetained(id))
    return found as unknown as AnyRoutine | undefined
  }

  #search(look: (registry: RoutineRegistry) => RoutineRow | undefined): RoutineRow | undefined {
    const own = look(this.registry)
    if (own !== undefined) return own
    for (const child of this.#managers.values()) {
      const found = (child as Branch).#search(look)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Living and queued routines of this name. */
  routinesNamed(name: string): AnyRoutine[] {
    const own = [...(this.groups.get(name) ?? [])] as unknown as AnyRoutine[]
    return this.#managers.size === 0 ? own : [...own, ...this.below().flatMap((child) => child.routinesNamed(name))]
  }

  /**
   * Waits until no routine of this name lives.
   *
   * @returns True at once if there is none, true when the last has ended, false on timeout.
   * @throws Rejects with the reason of an aborted signal.
   */
  waitFor(name: string, options: WaitOptions = {}): Promise<boolean> {
    checkName('waitFor', name, this.path)
    const group = this.groups.get(name)
    return waitUntil(() => group === undefined || group.isEmpty, group === undefined ? [] : [group.waiters], options, this.stage)
  }

  /**
   * Cancels all routines of this name that live now, latest first, and kills those that have not ended in time.
   *
   * @param options `timeout` defaults to 10_000 ms; an aborted `signal` ends the wait.
   * @throws ConfigError before anything is stopped.
   */
  shutdownNamed(name: string, options: WaitOptions = {}): Promise<NamedReport> {
    checkName('shutdownNamed', name, this.path)
    check('shutdownNamed', options, WAIT_RULES, this.path)
    return shutdownRoutines(this.stage, name, this.routinesNamed(name) as unknown as RoutineRow[], options)
  }

  // --- shutdown ------------------------------------------------------------------------------

  /** @internal The routines in the subtree, those of the managers made latest first, each manager's latest first. */
  latestFirst(of: (registry: RoutineRegistry) => boolean = () => true): RoutineRow[] {
    const own = of(this.registry) ? this.registry.rows.latestFirst() : []
    return this.#managers.size === 0
      ? own
      : [
          ...this.below()
            .reverse()
            .flatMap((child) => child.latestFirst(of)),
          ...own,
        ]
  }

  /** @internal Comes to the latest of the managers and children that has not ended, once all that was spawned has. */
  protected release(order: (Manager | Service)[], cause: number): void {
    if (this.registry.rows.size > this.registry.services) return
    for (let last = order.at(-1); last !== undefined; last = order.at(-1)) {
      const { manager, row } = last instanceof Service ? last : { manager: last, row: undefined }
      if (manager !== undefined && !manager.over) {
        if (last instanceof Service && last.isInstance) releaseInstances(order)
        else manager.run?.release()
        return
      }
      if (row !== undefined && !row.ended) {
        // Its end leads here again.
        if (row.told) return
        this.stage.asked++
        row.seq = cause
        row.stop(CANCEL, this.cancelReason)
        return
      }
      order.pop()
    }
  }
}

/** Instances of a template are stopped all together. */
function releaseInstances(order: readonly (Manager | Service)[]): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const each = order[i]
    if (!(each instanceof Service && each.isInstance)) return
    const { run, over } = each.manager as Manager
    // Those before it were released with it.
    if (!over && run?.released === true) return
    run?.release()
  }
}

function namesOf(node: TreeNode | undefined): NameRegistry<RoutineRow> | undefined {
  return node === undefined ? undefined : { groups: node.groups, tally: node.tally, up: namesOf(node.up), uncounted: node.stage.uncounted }
}
