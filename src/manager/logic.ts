/** The logic of a manager's actor. */
import { Decisions } from '../../machines/decisions.ts'
import { MANAGER_TERMS, type ManagerMachine } from '../../machines/manager.ts'
import { withEffects } from '../turn/index.ts'

/** Of a machine of machines/manager.ts, which differ in their level alone. */
export function managerLogic(machine: unknown): ManagerMachine {
  return withEffects(machine as ManagerMachine, new Decisions(machine as ManagerMachine, MANAGER_TERMS))
}
