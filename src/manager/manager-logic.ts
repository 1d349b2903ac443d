/** The logic of the actors of managers. */
import { type ManagerLevel, type ManagerMachine, managerMachine } from '../../machines/manager.ts'
import { withEffects } from '../turn/index.ts'

const made: { [Level in ManagerLevel]?: ManagerMachine } = {}

/** That of a level; made when an actor of it is first looked at. */
export function managerLogic(level: ManagerLevel): ManagerMachine {
  return (made[level] ??= withEffects(managerMachine(level)) as unknown as ManagerMachine)
}
