/** The supervisor of local managers. */
import type { ManagerMachine } from '../../machines/manager.ts'
import { checkName, compileLocalSpec, type LocalManagerOptions, type ManagerSpec } from '../spec/index.ts'
import { LocalManager } from './local-manager.ts'
import { Manager } from './manager.ts'
import { managerLogic } from './manager-logic.ts'

/** Supervises local managers. */
export class AppManager extends Manager {
  /** @internal */
  protected get kind(): string {
    return 'AppManager'
  }

  /** @internal */
  get logic(): ManagerMachine {
    return managerLogic('app')
  }

  /** @internal */
  constructor(global: Manager, name: string, spec: ManagerSpec) {
    super(global.tree, global, name, spec)
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
    return this.child(name) as LocalManager | undefined
  }

  /** All local managers, in order of their making. */
  locals(): LocalManager[] {
    return this.below() as LocalManager[]
  }

  /** @internal */
  protected makeManager(name: string, options: LocalManagerOptions): LocalManager {
    return new LocalManager(this, name, compileLocalSpec(options, `${this.path}/${name}`))
  }
}
