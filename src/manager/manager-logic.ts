/** The logic of the actors of managers. */
import { Decisions } from '../../machines/decisions.ts'
import { MANAGER_TERMS, type ManagerLevel, type ManagerMachine, managerMachine } from '../../machines/manager.ts'
import { withEffects } from '../turn/index.ts'

const made: { [Level in ManagerLevel]?: ManagerMachine } = {}

/** That of a level; made with its first manager. */
export function managerLogic(level: ManagerLevel): ManagerMachine {
  return (made[level] ??= logicOf(managerMachine(level) as unknown as ManagerMachine))
}

function logicOf(machine: ManagerMachine): ManagerMachine {
  return withEffects(machine, new Decisions(machine, MANAGER_TERMS))
}

/** The beginning of an actor that nobody inspects: XState makes it anew for each, in five microseconds. */
export function beginningOf({ config }: ManagerMachine): object {
  return { snapshot: { value: config.initial, context: { ...(config.context as object) } } }
}
