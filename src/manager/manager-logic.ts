/** The logic of the actors of managers. */
import { Decisions } from '../../machines/decisions.ts'
import { MANAGER_TERMS, type ManagerLevel, type ManagerMachine, managerMachine } from '../../machines/manager.ts'
import { withEffects } from '../turn/index.ts'

const made: { [Level in ManagerLevel]?: ManagerMachine } = {}

/** That of a level; made when an actor of it is first looked at. */
export function managerLogic(level: ManagerLevel): ManagerMachine {
  return (made[level] ??= logicOf(managerMachine(level) as unknown as ManagerMachine))
}

function logicOf(machine: ManagerMachine): ManagerMachine {
  return withEffects(machine, new Decisions(machine, MANAGER_TERMS))
}
