/** What the three levels of managers differ in. */
import type { ManagerMachine } from '../../machines/manager.ts'
import type { Service } from '../supervision/index.ts'
import type { Life } from './life.ts'

/** What a level gives to its lives. */
export interface Level {
  /** The machine with its effects. */
  readonly logic: ManagerMachine
  /** Makes the manager that is one of the children. */
  makeChild(child: Service): Life
}

/** How a life has ended. */
export type EndState = 'completed' | 'cancelled' | 'failed'
