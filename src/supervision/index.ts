/** What a supervisor does about its children, and a manager about all its routines. */
export type { Offspring } from './brought.ts'
export { ChildCalls, type ChildEntryOf, type ChildInstance, type ChildResult, type LivingChildOf } from './child-calls.ts'
export type { Lead, Ward } from './lead.ts'
export { RoutineRegistry } from './routine-registry.ts'
export { nameStart, type Service } from './service.ts'
export { Supervisor } from './supervisor.ts'
export { upbringing } from './upbringing.ts'
