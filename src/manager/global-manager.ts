/** The root of a tree. */
import type { ManagerMachine } from '../../machines/manager.ts'
import { AppManager } from './app-manager.ts'
import { Tree } from '../turn/index.ts'
import { Manager } from './manager.ts'
import { managerLogic } from './manager-logic.ts'
import { spareRoutine } from './spare.ts'
import { DURABILITY } from '../port/index.ts'
import { type AnyRoutine, ConfigError, type Outcome, type Routine, type WaitOptions } from '../contract/index.ts'
import {
  checkAppChild,
  checkName,
  type ChildSpec,
  compileAppSpec,
  compileGlobalSpec,
  type GlobalManagerOptions,
  type GlobalSpec,
  type ManagerOptions,
  type ManagerSpec,
  nodeName,
  refuse,
} from '../spec/index.ts'

/** Supervises app managers; gives up with a report, never with an uncaught exception. */
export class GlobalManager extends Manager {
  /** @internal */
  protected get kind(): string {
    return 'GlobalManager'
  }

  /** @internal */
  get logic(): ManagerMachine {
    return managerLogic('global')
  }

  /** @internal */
  constructor(spec: ManagerSpec & GlobalSpec) {
    super(new Tree(spec), undefined, spec.name, spec)
    const { interceptor } = spec
    if (interceptor !== undefined) this.on('*', (event) => interceptor.event(event))
    this.life.asyncContext = this.tree.captureContext()
    const { store } = spec
    if (store !== undefined) this.tree.durability = store[DURABILITY]?.(this, store, spec)
    this.tree.turn.run(() => this.life.live(spec.inspect !== undefined))
    this.tree.spare = spareRoutine(this)
    this.tree.durability?.open()
  }

  /**
   * Makes an app manager, the supervisor of local managers.
   *
   * @throws ManagerExistsError if the name is taken; SpawnRefusedError once nothing is accepted; ConfigError.
   */
  createApp(name: string, options?: ManagerOptions): AppManager {
    const spec = compileAppSpec(options, `${this.path}/${checkName('app manager', name, this.path)}`)
    return this.adopt(name, () => new AppManager(this, name, spec))
  }

  /** The app manager of this name; undefined if there is none. */
  getApp(name: string): AppManager | undefined {
    return this.child(name) as AppManager | undefined
  }

  /** All app managers, in order of their making. */
  apps(): AppManager[] {
    return this.below() as AppManager[]
  }

  /**
   * What lives at a path, such as `shop/api/images` or `shop/api/images/resize#V1StGXR8`; or the routine of an id. A
   * restart changes nothing: the path leads to the same routine, or to the one that has taken its place.
   *
   * @typeParam Expected What is expected there: a manager of some level, or a routine with what it takes and gives. It is not checked.
   * @returns A manager or a routine; undefined if there is none.
   * @example
   * global.whereis<Routine<void, { n: number }>>('shop/api/db#db')?.send({ n: 1 })
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- said by the caller, who knows what was put there
  whereis<Expected extends Manager | Routine = Manager | AnyRoutine>(path: string): Expected | undefined {
    return this.#find(path) as Expected | undefined
  }

  /**
   * How a durable routine has ended, as the store has it: before and after a restart of the process the same. One that has yet to end is
   * waited for, here or until it is brought back.
   *
   * @returns Undefined where nothing is known of the id.
   * @throws Rejects with RoutineTimeoutError after `timeout` milliseconds; with the reason of an aborted signal; with the error of the
   * store; with ConfigError if there is no store.
   * @example
   * const outcome = await global.outcomeOf('order-7', { timeout: 10_000 })
   */
  async outcomeOf(id: string, options: WaitOptions = {}): Promise<Outcome | undefined> {
    const { path, tree } = this
    if (!nodeName.accepts(id)) throw refuse('outcomeOf id', nodeName.range, id, path)
    const { durability } = tree
    if (durability === undefined) throw new ConfigError(`${path} has no store, and so no outcome that lasts`, { path, option: 'store' })
    return await durability.outcomeOf(id, options)
  }

  #find(path: string): Manager | AnyRoutine | undefined {
    if (typeof path !== 'string') throw refuse('whereis path', 'a string', path, this.path)
    const [first, ...rest] = path.split('/')
    if (rest.length === 0 && first !== this.name) return this.#living(this.routine(path))
    if (first !== this.name) return undefined
    let at: Manager | undefined = this
    for (const name of rest) {
      const [, id] = name.split('#')
      if (id !== undefined) return name === rest.at(-1) ? this.#living(at?.registry.find(id), path) : undefined
      at = at?.child(name)
    }
    return at
  }

  #living(routine: { ended?: boolean; path: string } | undefined, path = routine?.path) {
    return routine?.ended === false && routine.path === path ? (routine as unknown as AnyRoutine) : undefined
  }

  /** @internal */
  override checkChild(child: ChildSpec): void {
    checkAppChild(child, this.path)
  }

  /** @internal */
  protected makeManager(name: string, options: ManagerOptions): AppManager {
    return new AppManager(this, name, compileAppSpec(options, `${this.path}/${name}`))
  }
}

/**
 * Makes the root of a tree. Any number of trees live side by side; nothing is shared between them.
 *
 * @throws ConfigError naming the option, the allowed range and what came.
 * @example
 * await using global = createGlobalManager({ name: 'shop' })
 */
export function createGlobalManager(options?: GlobalManagerOptions): GlobalManager {
  return new GlobalManager(compileGlobalSpec(options))
}
