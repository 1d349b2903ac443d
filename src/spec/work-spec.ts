/** What can be supervised as work, and the types of the options that fit it. */
import type { AnyActorLogic, InputFrom, IsNotNever } from 'xstate'
import type { Work } from '../contract/index.ts'
import { groundOf, isGrounded } from '../port/index.ts'
import { refuse } from './check.ts'
import type { ResumeOptions, RoutineOptions } from './routine-spec.ts'

/** True for XState actor logic. */
export function isActorLogic(work: unknown): work is AnyActorLogic {
  if (typeof work !== 'object' || work === null) return false
  const logic = work as Partial<AnyActorLogic>
  return typeof logic.transition === 'function' && typeof logic.getInitialSnapshot === 'function'
}

/** Options where the work takes input of this type: required unless it may be undefined. `More` are those that not every routine has. */
export type OptionsFor<Input, More = unknown> = undefined extends Input
  ? [options?: RoutineOptions<Input> & More]
  : [options: RoutineOptions<Input> & More & { readonly input: Input }]

type LogicInput<Logic extends AnyActorLogic> = unknown extends InputFrom<Logic> ? unknown : InputFrom<Logic>

/** Options where the work is actor logic. */
export type LogicArguments<Logic extends AnyActorLogic, More = unknown> =
  IsNotNever<LogicInput<Logic>> extends true
    ? OptionsFor<LogicInput<Logic>, ResumeOptions & More>
    : [options?: RoutineOptions & ResumeOptions & More]

/**
 * Checks that this can be supervised.
 *
 * @throws ConfigError
 */
export function checkWork(work: unknown, resume: ResumeOptions['resume'], path: string): Work {
  const isFunction = typeof work === 'function'
  if (!isFunction && !isGrounded(work) && !isActorLogic(work)) throw refuse('routine work', 'a function or XState actor logic', work, path)
  if (resume === 'snapshot' && (isFunction || groundOf(work as object) !== undefined))
    throw refuse(
      'routine option resume',
      isFunction ? "'fresh' where the work is a function" : "'fresh' where the work is no actor logic",
      resume,
      path,
    )
  return work as Work
}
