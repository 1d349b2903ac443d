/** The root of a tree. */
import { nanoid } from 'nanoid/non-secure'
import type { InspectionEvent } from 'xstate'
import { globalManagerMachine, type ManagerMachine } from '../machines/manager.ts'
import { AppManager } from './app-manager.ts'
import type { LifecycleBus } from './lifecycle-bus.ts'
import { Manager } from './manager.ts'
import {
  checkName,
  compileAppSpec,
  compileGlobalSpec,
  type GlobalManagerOptions,
  type GlobalSpec,
  type ManagerOptions,
  type ManagerSpec,
} from './spec/manager-spec.ts'
import { Stage } from './stage.ts'

/** Characters of a generated id: 48 bits, and each is checked against those that live. */
const ID_LENGTH = 8

/** Supervises app managers; gives up with a report, never with an uncaught exception. */
export class GlobalManager extends Manager {
  /** @internal */ readonly logic: ManagerMachine

  /** @internal */
  constructor(spec: ManagerSpec & GlobalSpec) {
    super(new Stage(spec, spec.generateId ?? (() => nanoid(ID_LENGTH))), undefined, spec.name, spec)
    this.logic = this.stage.logicOf(globalManagerMachine)
    const { clock } = spec
    const inspect = spec.inspect === undefined ? {} : { inspect: containInspection(spec.inspect, this.stage.bus) }
    this.live({ clock: { setTimeout: clock.setTimeout.bind(clock), clearTimeout: clock.clearTimeout.bind(clock) }, ...inspect })
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

  /** @internal */
  makeChild(name: string, options: ManagerOptions): AppManager {
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

/** An exception in an inspector would come out of whatever send led to it. */
function containInspection(inspect: NonNullable<GlobalManagerOptions['inspect']>, bus: LifecycleBus): (event: InspectionEvent) => void {
  return (event) => {
    try {
      if (typeof inspect === 'function') inspect(event)
      else inspect.next?.(event)
    } catch (error) {
      bus.contain(error, 'an inspection observer threw')
    }
  }
}
