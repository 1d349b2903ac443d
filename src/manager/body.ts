/** Bodies and their context, as users write them: the manager in it is a local one. */
import type { BodyOf, ContextOf } from '../contract/index.ts'
import type { LocalManager } from './local-manager.ts'

/** The context of one incarnation. */
export interface RoutineContext<Input = unknown, Message = never, Reply = never> extends ContextOf<LocalManager, Input, Message, Reply> {}

/** Work as a function of its context. */
export type Body<Input = unknown, Output = unknown, Message = never, Reply = never> = BodyOf<LocalManager, Input, Output, Message, Reply>
