/** The supervisor of local managers. */
import { appManagerMachine, type ManagerMachine } from '../machines/manager.ts'
import { ManagerExistsError, SpawnRefusedError } from './errors.ts'
import type { GlobalManager } from './global-manager.ts'
import { LocalManager } from './local-manager.ts'
import { Manager } from './manager.ts'
import type { Routine } from './routine-handle.ts'
import { checkName, compileLocalSpec, type LocalManagerOptions, type ManagerSpec } from './spec/manager-spec.ts'

/** A manager whose children are managers of one kind. */
export abstract class Branch<Child extends Manager> extends Manager {
  readonly #children = new Map<string, Child>()

  /** @internal Takes up a child: all or nothing. */
  protected adopt(name: string, make: () => Child): Child {
    if (this.closed)
      throw new SpawnRefusedError('ERR_NOT_ACCEPTING', `${this.path} is ${this.state} and accepts nothing`, { path: this.path })
    if (this.#children.has(name)) throw new ManagerExistsError(`${this.path} has a manager named ${name}`, { path: `${this.path}/${name}` })
    const child = make()
    this.#children.set(name, child)
    child.live()
    return child
  }

  /** @internal */
  protected child(name: string): Child | undefined {
    return this.#children.get(name)
  }

  /** @internal */
  below(): Child[] {
    return [...this.#children.values()]
  }

  /** @internal */
  forget(child: Manager): void {
    this.#children.delete(child.name)
  }

  /** @internal */
  get living(): number {
    return this.#children.size
  }

  routines(): Routine<unknown, unknown>[] {
    return this.below().flatMap((child) => child.routines())
  }

  routine(id: string): Routine<unknown, unknown> | undefined {
    for (const child of this.#children.values()) {
      const found = child.routine(id)
      if (found !== undefined) return found
    }
    return undefined
  }

  routinesNamed(name: string): Routine<unknown, unknown>[] {
    return this.below().flatMap((child) => child.routinesNamed(name))
  }

  /** @internal */
  cancelPending(cause: number, drain: boolean): void {
    for (const child of this.below().reverse()) child.cancelPending(cause, drain)
  }

  /** @internal Has no routines of its own. */
  askOwn(): void {}

  /** @internal */
  killOwn(): void {}

  /** @internal */
  oldestBeat(): undefined {
    return undefined
  }
}

/** Supervises local managers. */
export class AppManager extends Branch<LocalManager> {
  /** @internal */ readonly logic: ManagerMachine = this.stage.logicOf(appManagerMachine)

  /** @internal */
  constructor(global: GlobalManager, name: string, spec: ManagerSpec) {
    super(global.stage, global, name, spec)
  }

  /**
   * Makes a local manager, the supervisor of routines.
   *
   * @throws ManagerExistsError if the name is taken; SpawnRefusedError once nothing is accepted; ConfigError.
   */
  createLocal(name: string, options?: LocalManagerOptions): LocalManager {
    const spec = compileLocalSpec(options, `${this.path}/${checkName('local manager', name, this.path)}`)
    return this.adopt(name, () => new LocalManager(this, name, spec))
  }

  /** The local manager of this name; undefined if there is none. */
  getLocal(name: string): LocalManager | undefined {
    return this.child(name)
  }

  /** All local managers, in order of their start. */
  locals(): LocalManager[] {
    return this.below()
  }
}
