/** What a child spec brings along: all that a supervisor needs in order to have children. */
import type { Message } from '../../machines/supervisor.ts'
import type { EndKind } from '../contract/index.ts'
import type { SupervisedRoutine } from '../routine/index.ts'
import { type ChildSpec, companionOf } from '../spec/index.ts'
import type { Lead } from './lead.ts'
import type { RoutineRegistry } from './routine-registry.ts'
import type { Service } from './service.ts'
import type { Supervisor } from './supervisor.ts'

/** How a child that is a manager has ended a life. */
export interface ManagerEnd {
  readonly stopRequested: boolean
  /** Why it could not begin. */
  readonly startError: unknown
  /** Of the event that reports it. */
  readonly seq: number
  readonly failure: unknown
}

/** The children of a supervisor. */
export interface Offspring {
  /** Starts them, in order. */
  begin(): void
  /** Takes a message of the supervisor's mailbox. */
  take(message: Message<Service>): void
  /** The manager accepts nothing more. */
  close(): void
  /** An incarnation of a child has ended. */
  routineEnded(child: Service, routine: SupervisedRoutine, kind: EndKind, orphan: boolean): void
  /** A child manager runs. */
  managerStarted(child: Service): void
  /** A child that is a manager has ended a life. */
  managerEnded(child: Service, end: ManagerEnd): void
  /** Starts a child now that waits for its delayed restart. */
  hasten(child: Service): void
}

/** What comes along with a child spec. */
export interface Brought {
  /** A child; an instance, where the spec is that of a template. */
  child(spec: ChildSpec, instance?: { readonly id: string; readonly input?: unknown }): Service
  /** The children of a supervisor that is to have its first. */
  children(lead: Lead, registry: RoutineRegistry, supervisor: Supervisor): Offspring
}

export function broughtBy(spec: ChildSpec): Brought {
  return companionOf(spec) as Brought
}
